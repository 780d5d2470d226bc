/* SPDX-License-Identifier: Apache-2.0 */
/* Two looks, with the baseline between them: a service that starts over and over is active at one moment and not at the
 * next, and only its count of restarts tells. */
#include "run/before.h"

#include <string.h>

#include "run/restart.h"
#include "run/way.h"

static bool is_one_of(const char *state, const char *const *states)
{
    for (; *states; states++) {
        if (strcmp(state, *states) == 0)
            return true;
    }
    return false;
}

static bool is_action(const Effect *effect)
{
    return effect->kind == EFFECT_RESTART || effect->kind == EFFECT_RELOAD;
}

int before_look(Run *run, Err *err)
{
    VEC_EACH (effect, run->effects) {
        UnitStatus status = {0};
        int r = is_action(effect) ? systemd_unit_status(run->systemd, run->arena, effect->unit, &status, err) : 0;
        if (r < 0)
            return r;
        *vec_push(run->arena, &run->restarts_before) = status.restarts;
    }
    return 0;
}

/* What nginx did not reach before is not held against the run. */
static int note_way(Run *run, const char *unit, Err *err)
{
    const Way way = {run->arena, run_fresh_view(run), run->live};
    BlockedVec blocked = {0};
    int r = way_look(&way, unit, &blocked, err);
    VEC_EACH (item, &blocked)
        *vec_push(run->arena, &run->before.no_way) = item->address;
    return r;
}

static int note_generation(Run *run, Err *err)
{
    LiveNginx nginx;
    int r = live_nginx(run->live, run->arena, &nginx, err);
    if (r == 0)
        run->before.nginx_generation = nginx.generation_ticks;
    return r < 0 ? r : 0;
}

int before_judge(Run *run, Err *err)
{
    static const char *const down[] = {"inactive", "failed", NULL}, *const up[] = {"active", "reloading", NULL};
    for (size_t i = 0; i < run->effects->n; i++) {
        const Effect *effect = &run->effects->items[i];
        UnitStatus status;
        if (!is_action(effect))
            continue;
        int r = systemd_unit_status(run->systemd, run->arena, effect->unit, &status, err);
        if (r < 0)
            return r;
        if (effect->kind == EFFECT_RESTART)
            r = restart_add_along(run->systemd, run->arena, &status, &run->before.was_up, err);
        if (r < 0)
            return r;
        bool restarted = i < run->restarts_before.n && status.restarts != run->restarts_before.items[i];
        if (is_one_of(status.active_state, down))
            *vec_push(run->arena, &run->before.was_down) = effect->unit;
        else if (restarted || !is_one_of(status.active_state, up))
            *vec_push(run->arena, &run->before.was_sick) = effect->unit;
        else if (str_equal(effect->unit, NGINX_UNIT))
            r = note_generation(run, err);
        else
            r = note_way(run, effect->unit, err);
        if (r < 0)
            return r;
    }
    return 0;
}
