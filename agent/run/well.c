/* SPDX-License-Identifier: Apache-2.0 */
#include "run/well.h"

#include <sys/stat.h>

#include "run/prove.h"
#include "run/way.h"

static bool is_service(const Effect *effect)
{
    return effect->kind == EFFECT_RESTART || effect->kind == EFFECT_RELOAD;
}

static bool is_running(const UnitStatus *status)
{
    return !str_equal(status->active_state, "inactive") && !str_equal(status->active_state, "failed");
}

/* When the newest file of the run was put back: a rename changes the inode's time, not that of the content. */
static usec put_back_at(const Run *run)
{
    usec newest = 0;
    VEC_EACH (edit, run->swap.edits) {
        struct stat st;
        if (lstat(arena_printf(run->arena, "%s%s", run->swap.root, edit->path), &st) < 0)
            continue;
        usec changed = (usec)st.st_ctim.tv_sec * USEC_PER_SEC + (usec)st.st_ctim.tv_nsec / 1000;
        newest = changed > newest ? changed : newest;
    }
    return newest;
}

/* When the processes began that have read the files; 0: not known. It is told in ticks and cut, so that it is never too
 * late: what began after the files were put back did so whatever the precision. */
static usec began_at(Run *run, const char *unit)
{
    LiveNginx nginx = {0};
    LiveUnit live = {0};
    Err ignored;
    if (str_equal(unit, NGINX_UNIT))
        return live_nginx(run->live, run->arena, &nginx, &ignored) == 0 ? nginx.generation : 0;
    return live_unit(run->live, run->arena, unit, &live, &ignored) >= 0 ? live.start : 0;
}

static const char *what_is_not_loaded(Run *run, View *view, const char *unit)
{
    LivePendingVec pending = {0};
    Err err;
    if (began_at(run, unit) <= put_back_at(run))
        return arena_printf(run->arena, "%s runs since before the files were put back", unit);
    if (live_pending(run->live, view, unit, &pending, &err) < 0)
        return arena_strdup(run->arena, err_text(&err));
    if (pending.n == 0)
        return NULL;
    return arena_printf(run->arena, "%s did not load what is on disk: %s %s", unit,
                        pending.items[0].path ? pending.items[0].path : "", pending.items[0].reason);
}

static const char *what_is_wrong(Run *run, View *view, const Effect *effect)
{
    UnitStatus status;
    Err err;
    if (systemd_unit_status(run->systemd, run->arena, effect->unit, &status, &err) < 0)
        return arena_strdup(run->arena, err_text(&err));
    bool was_down = strings_contain(&run->before.was_down, effect->unit);
    if (was_down != !is_running(&status) || strings_contain(&run->before.was_sick, effect->unit))
        return arena_printf(run->arena, "%s is %s", effect->unit, status.active_state);
    return was_down ? NULL : what_is_not_loaded(run, view, effect->unit);
}

static const char *who_is_missing(Run *run)
{
    VEC_EACH (unit, &run->before.was_up) {
        UnitStatus status;
        Err err;
        if (systemd_unit_status(run->systemd, run->arena, *unit, &status, &err) < 0 || !is_running(&status))
            return arena_printf(run->arena, "%s does not run", *unit);
    }
    return NULL;
}

int well_look(Run *run, Activation *activation, const char **ret_why)
{
    EffectVec running = {0};
    Err err;
    *ret_why = systemd_daemon_reload(run->systemd, &err) < 0 ? arena_strdup(run->arena, err_text(&err)) : NULL;
    for (size_t i = 0; !*ret_why && i < run->effects->n; i++) {
        const Effect *effect = &run->effects->items[i];
        if (!is_service(effect))
            continue;
        *ret_why = what_is_wrong(run, activation->view, effect);
        if (!strings_contain(&run->before.was_down, effect->unit))
            *vec_push(run->arena, &running) = *effect;
    }
    if (!*ret_why)
        *ret_why = who_is_missing(run);
    if (!*ret_why && prove_settled(activation, &running, &err) < 0)
        *ret_why = arena_strdup(run->arena, err_text(&err));
    return *ret_why ? WELL_NOT : 0;
}

static const char *how_it_is_down(Run *run, View *view, const char *unit)
{
    const Way way = {run->arena, view, run->live};
    BlockedVec blocked = {0};
    UnitStatus status;
    Err ignored;
    if (systemd_unit_status(run->systemd, run->arena, unit, &status, &ignored) < 0)
        return NULL;
    if (!is_running(&status))
        return arena_printf(run->arena, "%s is %s (result %s); look at: journalctl -u %s", unit, status.active_state,
                            status.result, unit);
    return way_look(&way, unit, &blocked, &ignored) >= 0 && blocked.n > 0 ? blocked.items[0].why : NULL;
}

const char *well_what_is_down(Run *run)
{
    View *view = run_fresh_view(run);
    const char *text = NULL;
    VEC_EACH (effect, run->effects) {
        bool was_down = !is_service(effect) || strings_contain(&run->before.was_down, effect->unit);
        const char *down = was_down ? NULL : how_it_is_down(run, view, effect->unit);
        if (down)
            text = text ? arena_printf(run->arena, "%s; %s", text, down) : down;
    }
    return text;
}
