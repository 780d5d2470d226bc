/* SPDX-License-Identifier: Apache-2.0 */
#include "check/unit-watch.h"

#include <inttypes.h>

static size_t count_working(const LiveWorkerVec *workers)
{
    size_t n = 0;
    VEC_EACH (worker, workers) {
        n += !worker->shutting_down;
    }
    return n;
}

static bool has_worker(const LiveWorkerVec *workers, const LiveWorker *wanted)
{
    VEC_EACH (worker, workers) {
        if (worker->pid == wanted->pid && worker->start_ticks == wanted->start_ticks)
            return true;
    }
    return false;
}

/* Workers of the look before that are gone now. */
static size_t count_gone(const LiveWorkerVec *before, const LiveWorkerVec *now)
{
    size_t gone = 0;
    VEC_EACH (worker, before) {
        gone += !worker->shutting_down && !has_worker(now, worker);
    }
    return gone;
}

/* The first reason stands. */
static void set_once(const char **text, const char *value)
{
    if (!*text)
        *text = value;
}

void unit_watch_begin(UnitWatch *watch, CheckPhase phase)
{
    if (phase == CHECK_VERIFY && watch->looked && watch->baseline_workers == 0)
        watch->baseline_workers = count_working(&watch->last.unit.workers);
    watch->looked = false;
    watch->first = watch->last = (UnitLook){0};
    watch->replaced = 0;
    watch->fails = watch->foreign = watch->problem = NULL;
}

void unit_watch_miss(UnitWatch *watch, const Err *err)
{
    set_once(&watch->problem, arena_strdup(watch->arena, err_text(err)));
}

/* Where the settings do not tell the number (it is computed), it is the baseline's, or one. */
static size_t wanted_workers(const UnitWatch *watch)
{
    if (watch->rules.workers > 0)
        return (size_t)watch->rules.workers;
    return watch->baseline_workers > 0 ? watch->baseline_workers : 1;
}

/* A reload starts a whole set of workers beside the old one, which goes as its requests end; a worker that dies is
 * replaced by one. */
static void compare_workers(UnitWatch *watch, const UnitLook *now)
{
    size_t before = count_working(&watch->last.unit.workers);
    size_t gone = count_gone(&watch->last.unit.workers, &now->unit.workers);
    size_t come = count_gone(&now->unit.workers, &watch->last.unit.workers);
    watch->replaced += gone;
    if ((gone > 1 && gone == before) || (come > gone && before >= wanted_workers(watch)))
        set_once(&watch->foreign, arena_printf(watch->arena, "%s got new workers beside its %zu: somebody reloaded it",
                                               watch->rules.unit, before));
    else if (gone > 0 && watch->rules.workers_all && !watch->rules.recycles)
        set_once(&watch->fails,
                 arena_printf(watch->arena, "%zu of %zu workers ended while it was watched", gone, before));
}

static void compare(UnitWatch *watch, const UnitLook *now)
{
    const UnitLook *first = &watch->first;
    bool other = !str_equal(now->unit.invocation_id, first->unit.invocation_id);
    uint64_t restarts = now->unit.restarts > first->unit.restarts ? now->unit.restarts - first->unit.restarts : 0;
    if (restarts > watch->rules.restarts_allowed)
        set_once(&watch->fails,
                 arena_printf(watch->arena, "systemd restarted it %" PRIu64 " time%s while it was watched", restarts,
                              restarts == 1 ? "" : "s"));
    if (other && restarts == 0)
        set_once(&watch->foreign, arena_printf(watch->arena, "%s was restarted by somebody else", watch->rules.unit));
    if (now->nginx_generation != first->nginx_generation)
        set_once(&watch->foreign, "nginx was reloaded or restarted by somebody else");
    if (!other && now->unit.main_pid == watch->last.unit.main_pid && !str_equal(watch->rules.unit, NGINX_UNIT))
        compare_workers(watch, now);
}

void unit_watch_see(UnitWatch *watch, const UnitLook *now)
{
    if (watch->looked)
        compare(watch, now);
    else
        watch->first = *now;
    watch->last = *now;
    watch->looked = true;
}

static const char *not_running(const UnitWatch *watch, Arena *arena)
{
    const LiveUnit *unit = &watch->last.unit;
    if (str_equal(unit->active_state, "active") && str_equal(unit->sub_state, "running") && unit->main_pid > 0)
        return NULL;
    bool reason = unit->result && *unit->result && !str_equal(unit->result, "success");
    return arena_printf(arena, "%s is %s (%s)%s%s", watch->rules.unit, unit->active_state, unit->sub_state,
                        reason ? ", result " : "", reason ? unit->result : "");
}

static const char *too_few_workers(const UnitWatch *watch, Arena *arena)
{
    size_t n = count_working(&watch->last.unit.workers), wanted = wanted_workers(watch);
    if (!watch->rules.workers_all || n >= wanted)
        return NULL;
    return arena_printf(arena, "%zu of %zu workers", n, wanted);
}

static void conclude(const UnitWatch *watch, Arena *arena, bool closing, CheckResult *result)
{
    const char *fails = watch->fails;
    if (!fails && watch->looked)
        fails = not_running(watch, arena);
    if (!fails && watch->looked)
        fails = too_few_workers(watch, arena);
    result->verdict = VERDICT_BLIND;
    if (watch->foreign) {
        result->reason = arena_printf(arena, "foreign activity: %s", watch->foreign);
    } else if (fails) {
        result->verdict = VERDICT_FAIL;
        result->final = closing || watch->fails || str_equal(watch->last.unit.active_state, "failed");
        result->reason = fails;
    } else if (watch->problem) {
        result->reason = watch->problem;
    } else if (!watch->looked) {
        result->reason = "not looked at yet";
    } else {
        size_t n = count_working(&watch->last.unit.workers);
        result->verdict = VERDICT_PASS;
        result->reason = arena_printf(arena, "running, %zu worker%s", n, n == 1 ? "" : "s");
    }
}

void unit_watch_judge(const UnitWatch *watch, Arena *arena, bool closing, CheckResult *ret)
{
    CheckResult result = {.name = ret->name};
    conclude(watch, arena, closing, &result);
    if (watch->looked) {
        uint32_t first = watch->first.unit.restarts, last = watch->last.unit.restarts;
        size_t workers = count_working(&watch->last.unit.workers);
        *vec_push(arena, &result.measures) = (Measure){"restarts", last > first ? last - first : 0, ""};
        *vec_push(arena, &result.measures) = (Measure){"workers", (double)workers, ""};
        *vec_push(arena, &result.measures) = (Measure){"replaced", (double)watch->replaced, ""};
    }
    if (watch->rules.workers_all && watch->rules.workers_from)
        *vec_push(arena, &result.dropped) =
            arena_printf(arena, "workers: compared with the baseline's number: %s", watch->rules.workers_from);
    *ret = result;
}
