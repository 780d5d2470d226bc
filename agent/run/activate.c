/* SPDX-License-Identifier: Apache-2.0 */
#include "run/activate.h"

#include <poll.h>
#include <string.h>

#include "host/systemd.h"
#include "run/prove.h"
#include "run/restart.h"
#include "stack/nginx.h"

enum { ACT_RESTS = 1 };

/* In a rollback a service that ran before and does not now is started again. */
static bool rests(const Activation *a, const Effect *effect, const UnitStatus *status)
{
    return effect->if_running && (a->rollback ? effect_is_job(status->active_state, status->type)
                                              : effect_rests(status->active_state, status->type));
}

static int restart(Activation *a, const Effect *effect, Err *err)
{
    const char *unit = effect->unit;
    UnitStatus before;
    int r = systemd_unit_status(a->systemd, a->arena, unit, &before, err);
    if (r >= 0 && rests(a, effect, &before))
        return ACT_RESTS;
    if (r >= 0)
        r = restart_unit(a, &before, err);
    if (r >= 0)
        r = prove_restarted(a, unit, &before, err);
    return r < 0 ? r : restart_bring_back(a, err);
}

static int reload_nginx(Activation *a, const char *unit, Err *err)
{
    UnitStatus status;
    NginxBefore before;
    int r = systemd_unit_status(a->systemd, a->arena, unit, &status, err);
    if (r >= 0)
        r = prove_nginx_before(a, &before, err);
    if (r < 0)
        return r;
    if (strcmp(status.active_state, "active") != 0 && strings_contain(&a->before->was_down, unit)) {
        prove_nginx_forget(&before);
        progress_warning(a->progress, "%s is %s, as it was before: it reads its configuration when it is started", unit,
                         status.active_state);
        return 0;
    }
    if (strcmp(status.active_state, "active") != 0) {
        prove_nginx_forget(&before);
        return err_set(err, ERR_FAILED, "%s is %s: there is nothing to reload; start it: systemctl start %s", unit,
                       status.active_state, unit);
    }
    r = restart_job(a, JOB_VERB_RELOAD, unit, &status, err);
    if (r >= 0)
        r = prove_nginx_reloaded(a, &before, err);
    prove_nginx_forget(&before);
    return r;
}

static int act(Activation *a, const Effect *effect, Err *err)
{
    switch (effect->kind) {
    case EFFECT_DAEMON_RELOAD: return systemd_daemon_reload(a->systemd, err);
    case EFFECT_RELOAD: return reload_nginx(a, effect->unit, err);
    case EFFECT_RESTART: return restart(a, effect, err);
    case EFFECT_TEST_NGINX:
    case EFFECT_VERIFY_UNIT:
    case EFFECT_CHECK_GUNICORN: break;
    }
    return 0;
}

/* ACT_RESTS: the unit was not to be started. `more`: other actions follow, which a service that does not come up must
 * prevent; behind the last one prove_settled waits for its workers. */
static int act_as_step(Activation *a, const Effect *effect, bool more, Err *err)
{
    progress_step(a->progress, "%s%s%s", effect_kind_to_string(effect->kind), effect->unit ? " " : "",
                  effect->unit ? effect->unit : "");
    int r = act(a, effect, err);
    if (r >= 0 && effect->kind == EFFECT_DAEMON_RELOAD)
        r = prove_units_loaded(a, err);
    if (r == 0 && effect->kind == EFFECT_RESTART && more)
        r = prove_workers(a, effect->unit, false, err);
    if (r < 0)
        progress_failed(a->progress, "%s", err_text(err));
    else if (r == ACT_RESTS)
        progress_done(a->progress, "not running: it reads its configuration when it is started");
    else
        progress_done(a->progress, "ok");
    return r;
}

int activate(Activation *activation, const EffectVec *effects, size_t *attempted, Err *err)
{
    EffectVec acted = {0};
    *attempted = 0;
    for (size_t i = 0; i < effects->n; i++) {
        if (effect_is_validation(effects->items[i].kind))
            continue;
        if (activation->cancel && *activation->cancel)
            return err_set(err, ERR_FAILED, "cancelled");
        *attempted = i + 1;
        bool more = i + 1 < effects->n; /* validations stand in front */
        int r = act_as_step(activation, &effects->items[i], more, err);
        if (r < 0)
            return r;
        if (r != ACT_RESTS)
            *vec_push(activation->arena, &acted) = effects->items[i];
    }
    return prove_settled(activation, &acted, err);
}

static bool is_running(const UnitStatus *status)
{
    return strcmp(status->active_state, "inactive") != 0 && strcmp(status->active_state, "failed") != 0;
}

/* A unit that was not running is not started for the sake of a rollback: it is stopped if our change started it, or
 * keeps trying to. */
static int leave_down(Activation *a, const char *unit, Err *err)
{
    UnitStatus status;
    int r = systemd_unit_status(a->systemd, a->arena, unit, &status, err);
    if (r < 0 || !is_running(&status) || effect_is_job(status.active_state, status.type))
        return r;
    progress_step(a->progress, "stop %s (it was not running before)", unit);
    r = restart_job(a, JOB_VERB_STOP, unit, &status, err);
    if (r < 0)
        progress_failed(a->progress, "%s", err_text(err));
    else
        progress_done(a->progress, "ok");
    return r;
}

static bool is_sick(const Activation *a, const Effect *effect)
{
    return a->rollback && effect->unit && strings_contain(&a->before->was_sick, effect->unit);
}

/* nginx's workers are those of before the run: whatever it refuses now, it runs what is on disk again. */
static bool never_reloaded(const Activation *a)
{
    LiveNginx nginx;
    Err ignored;
    return a->before->nginx_generation > 0 && live_nginx(a->live, a->arena, &nginx, &ignored) == 0 &&
           nginx.generation_ticks == a->before->nginx_generation;
}

static int take_back(Activation *a, const Effect *effect, Err *err)
{
    if (effect->kind == EFFECT_RESTART && strings_contain(&a->before->was_down, effect->unit))
        return leave_down(a, effect->unit, err);
    int r = act_as_step(a, effect, false, err);
    if (r < 0 && effect->kind == EFFECT_RELOAD && never_reloaded(a)) {
        progress_warning(a->progress, "%s; it never had another, and that is what is on disk", err_text(err));
        return ACT_RESTS;
    }
    if (r >= 0 || !is_sick(a, effect))
        return r;
    progress_warning(a->progress, "%s did not stay up before, and does not now", effect->unit);
    return 0;
}

int activate_reverse(Activation *activation, const EffectVec *effects, Err *err)
{
    EffectVec running = {0};
    int result = 0;
    /* systemd first: what is restarted must come up with the restored definition. */
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = effects->n; i-- > 0;) {
            const Effect *effect = &effects->items[i];
            Err failure;
            if (effect_is_validation(effect->kind) || (effect->kind == EFFECT_DAEMON_RELOAD) != (pass == 0))
                continue;
            int r = take_back(activation, effect, &failure);
            if (r < 0 && result == 0) {
                *err = failure;
                result = r;
            }
            if (r != ACT_RESTS && !is_sick(activation, effect) &&
                !strings_contain(&activation->before->was_down, effect->unit ? effect->unit : ""))
                *vec_push(activation->arena, &running) = *effect;
        }
    }
    return result < 0 ? result : prove_settled(activation, &running, err);
}
