/* SPDX-License-Identifier: Apache-2.0 */
#include "run/prove.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "config/log-line.h"
#include "data/value.h"
#include "run/way.h"

#define SOON_USEC       (10 * USEC_PER_MSEC) /* between two looks at processes that are about to come */
#define LOOK_USEC       (50 * USEC_PER_MSEC) /* between two looks at units that should stay */
#define WORKERS_USEC    (30 * USEC_PER_SEC)  /* until all workers must have booted */
#define WAY_USEC        (5 * USEC_PER_SEC)   /* until what listens by itself does */
#define GENERATION_USEC (30 * USEC_PER_SEC)  /* nginx: a busy port alone takes 2.5 s, many certificates take longer */

static int pause_or_cancel(Activation *a, usec pause_usec, Err *err)
{
    if (a->cancel && *a->cancel)
        return err_set(err, ERR_FAILED, "cancelled");
    poll(NULL, 0, (int)(pause_usec / USEC_PER_MSEC));
    return 0;
}

/* --- daemon-reload --- */

static int prove_property(Activation *a, const Wish *wish, Err *err)
{
    const char *value;
    int r = systemd_get_property_string(a->systemd, a->arena, wish->subject, wish->name, &value, err);
    if (r < 0)
        return err_prefix(err, "%s: cannot read %s back", wish->subject, wish->name);
    if (strcmp(value, wish->value) != 0)
        return err_set(err, ERR_FAILED, "%s: %s is %s and not %s after daemon-reload: systemd ignored the setting",
                       wish->subject, wish->name, value, wish->value);
    return 0;
}

int prove_units_loaded(Activation *a, Err *err)
{
    int r = 0;
    for (size_t i = 0; r >= 0 && a->wishes && i < a->wishes->n; i++) {
        const Wish *wish = &a->wishes->items[i];
        UnitStatus status;
        if (wish->kind != WISH_PROPERTY)
            continue;
        r = systemd_unit_status(a->systemd, a->arena, wish->subject, &status, err);
        if (r >= 0 && strcmp(status.load_state, "loaded") != 0)
            return err_set(err, ERR_FAILED, "%s is %s after daemon-reload%s%s", wish->subject, status.load_state,
                           status.load_error[0] ? ": " : "", status.load_error);
        if (r >= 0)
            r = prove_property(a, wish, err);
    }
    return r;
}

/* --- restart --- */

/* How many workers a Gunicorn is to have; 0: not to be told, or no Gunicorn. */
static uint64_t expected_workers(Activation *a, const char *unit)
{
    const GunicornFacts *facts;
    uint64_t workers = 0;
    Err err;
    if (gunicorn_load(a->view, unit, &facts, &err) == 0 && gunicorn_int(facts, "workers", &workers, &err) < 0)
        return 0;
    return workers;
}

static int check_active(const UnitStatus *status, const char *unit, Err *err)
{
    if (strcmp(status->active_state, "active") == 0)
        return 0;
    return err_set(err, ERR_FAILED, "%s is %s (%s%s%s) after the restart; look at: journalctl -u %s", unit,
                   status->active_state, status->sub_state, status->result[0] ? ", result " : "", status->result, unit);
}

/* Until it is worth looking again: asking systemd takes processor time from the workers that boot. */
static int wait_for_children(Activation *a, pid_t main_pid, uint64_t expected, bool last, Err *err)
{
    usec end = clock_boottime() + LOOK_USEC;
    bool busy = last && a->meanwhile;
    int r;
    do {
        if (busy)
            a->meanwhile(a->user, clock_boottime() + SOON_USEC);
        r = pause_or_cancel(a, busy ? 0 : SOON_USEC, err);
    } while (r >= 0 && clock_boottime() < end && !live_may_have_children(a->live, main_pid, expected));
    return r;
}

static int wait_for_workers(Activation *a, const char *unit, uint64_t expected, bool last, Err *err)
{
    usec end = clock_boottime() + WORKERS_USEC;
    for (;;) {
        CLEANUP(arena_free) Arena *scratch = arena_new();
        LiveUnit live;
        int r = live_unit(a->live, scratch, unit, &live, err);
        if (r < 0 || live.workers.n >= expected)
            return r;
        if (strcmp(live.active_state, "active") != 0)
            return err_set(err, ERR_FAILED,
                           "%s became %s while its workers booted (result %s); look at: "
                           "journalctl -u %s",
                           unit, live.active_state, live.result, unit);
        if (clock_boottime() > end)
            return err_set(err, ERR_FAILED, "%s has %zu of %" PRIu64 " workers after %d s; look at: journalctl -u %s",
                           unit, live.workers.n, expected, (int)(WORKERS_USEC / USEC_PER_SEC), unit);
        r = wait_for_children(a, live.main_pid, expected, last, err);
        if (r < 0)
            return r;
    }
}

int prove_restarted(Activation *a, const char *unit, const UnitStatus *before, Err *err)
{
    UnitStatus now;
    int r = systemd_unit_status(a->systemd, a->arena, unit, &now, err);
    if (r >= 0)
        r = check_active(&now, unit, err);
    if (r < 0)
        return r;
    if (now.invocation_id[0] && strcmp(now.invocation_id, before->invocation_id) == 0)
        return err_set(err, ERR_FAILED, "%s was not restarted: it is still the same invocation", unit);
    if (now.main_pid != 0 && now.main_pid == before->main_pid)
        return err_set(err, ERR_FAILED, "%s was not restarted: main process %u is still the same", unit, now.main_pid);
    return 0;
}

int prove_workers(Activation *a, const char *unit, bool last, Err *err)
{
    uint64_t expected = expected_workers(a, unit);
    return expected > 0 ? wait_for_workers(a, unit, expected, last, err) : 0;
}

/* --- nginx --- */

int prove_nginx_before(Activation *a, NginxBefore *ret, Err *err)
{
    NginxBefore before = {0};
    const NginxFacts *facts;
    LiveNginx live;
    int r = live_nginx(a->live, a->arena, &live, err);
    if (r < 0)
        return r;
    before.workers = live.unit.workers;
    before.master = live.unit.main_pid;
    if (nginx_load(a->view, &facts, err) == 0 && facts->error_logs.n > 0) {
        /* Without it a rejected reload still shows: no new workers come. Only the reason is not told. */
        Err ignored;
        if (log_file_open_end(facts->error_logs.items[0], &before.log, NULL, &ignored) < 0)
            before.log = NULL;
    }
    *ret = before;
    return 0;
}

void prove_nginx_forget(NginxBefore *before)
{
    log_file_close(before->log);
    before->log = NULL;
}

static bool is_old(const NginxBefore *before, const LiveWorker *worker)
{
    VEC_EACH (old, &before->workers) {
        if (old->pid == worker->pid && old->start_ticks == worker->start_ticks)
            return true;
    }
    return false;
}

/* Workers that were not there before: the master made them because it took the new configuration. The old ones are told
 * to finish a tenth of a second later (ngx_master_process_cycle); prove_settled waits for that. */
static bool has_new_workers(const NginxBefore *before, const LiveWorkerVec *workers)
{
    VEC_EACH (worker, workers) {
        if (!is_old(before, worker) && !worker->shutting_down)
            return true;
    }
    return false;
}

/* nginx tries a port that is taken five times in 2.5 s and logs each failure; only then it gives up. Until it did, it
 * is still at this reload, and would report its end into the next one. */
static bool is_given_up(NginxBefore *before, Arena *arena, const LogLine *event)
{
    static const char last[] = "still could not bind()";
    size_t len = strlen(last);
    bool is_last = event->message.len >= len && memcmp(event->message.data, last, len) == 0;
    if (event->event != LOG_NGINX_BIND || is_last)
        return true;
    before->taken = arena_strndup(arena, event->message.data, event->message.len);
    return false;
}

/* ERR_FAILED with the line when the master logged an emergency since `before`. */
static int check_emergencies(Activation *a, NginxBefore *before, Err *err)
{
    LogFileLine line;
    if (!before->log)
        return 0;
    for (;;) {
        LogLine event;
        int r = log_file_next(before->log, a->arena, &line, err);
        if (r != 0)
            return r == LOG_END ? 0 : r;
        if (log_line_parse(LOG_SOURCE_NGINX_ERROR, line.text, &event) != 1)
            continue;
        bool bad = event.event == LOG_NGINX_BIND || event.event == LOG_NGINX_EMERG;
        if (!bad || event.writer != (uint32_t)before->master || !is_given_up(before, a->arena, &event))
            continue;
        const char *why =
            before->taken ? before->taken : arena_strndup(a->arena, event.message.data, event.message.len);
        return err_set(err, ERR_FAILED, "nginx rejected the reload and runs on with the old configuration: %s", why);
    }
}

int prove_nginx_reloaded(Activation *a, NginxBefore *before, Err *err)
{
    usec end = clock_boottime() + GENERATION_USEC;
    for (;;) {
        CLEANUP(arena_free) Arena *scratch = arena_new();
        LiveNginx live;
        int r = check_emergencies(a, before, err);
        if (r >= 0)
            r = live_nginx(a->live, scratch, &live, err);
        if (r < 0)
            return r;
        if (r == LIVE_NOT_RUNNING)
            return err_set(err, ERR_FAILED, "nginx has no main process after the reload");
        if (has_new_workers(before, &live.unit.workers))
            return check_emergencies(a, before, err);
        if (clock_boottime() > end)
            return err_set(err, ERR_FAILED,
                           "nginx runs no new workers %d s after the reload: it kept the old configuration; look at "
                           "its error log",
                           (int)(GENERATION_USEC / USEC_PER_SEC));
        /* No cancel here: the rollback's reload must not begin before nginx is done with this one. */
        poll(NULL, 0, SOON_USEC / USEC_PER_MSEC);
    }
}

/* --- settling --- */

static int check_still(Activation *a, const char *unit, const UnitStatus *first, Err *err)
{
    CLEANUP(arena_free) Arena *scratch = arena_new(); /* asked many times */
    UnitStatus now;
    int r = systemd_unit_status(a->systemd, scratch, unit, &now, err);
    if (r < 0)
        return r;
    if (strcmp(now.active_state, "active") != 0 || now.restarts != first->restarts)
        return err_set(err, ERR_FAILED, "%s did not stay up: it is %s (%s, result %s); look at: journalctl -u %s", unit,
                       now.active_state, now.sub_state, now.result, unit);
    if (strcmp(now.invocation_id, first->invocation_id) != 0)
        return err_set(err, ERR_BUSY, "%s was restarted again by somebody else", unit);
    return 0;
}

static int settle(Activation *a, const StringVec *units, Err *err)
{
    VEC(UnitStatus) first = {0};
    VEC_EACH (unit, units) {
        int r = systemd_unit_status(a->systemd, a->arena, *unit, vec_push(a->arena, &first), err);
        if (r < 0)
            return r;
    }
    usec started = clock_boottime(), now = started;
    for (; now < started + a->settle_usec; now = clock_boottime()) {
        for (size_t i = 0; i < units->n; i++) {
            int r = check_still(a, units->items[i], &first.items[i], err);
            if (r < 0)
                return r;
        }
        progress_wait(a->progress, "settle", now - started, a->settle_usec);
        int r = pause_or_cancel(a, LOOK_USEC, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static bool is_file_pending(const LivePendingVec *pending, const char *path)
{
    VEC_EACH (item, pending) {
        if (item->is_file && str_equal(item->path, path))
            return true;
    }
    return false;
}

/* nginx names the link in sites-enabled, and the edit is of the file that it leads to. */
static bool is_ours(Activation *a, const char *path)
{
    const char *target;
    Err ignored;
    if (view_resolve(a->view, path, &target, &ignored) < 0)
        target = path;
    VEC_EACH (edit, a->ours) {
        if (str_equal(edit->path, path) || str_equal(edit->path, target))
            return true;
    }
    return false;
}

/* The first thing that was not loaded and that counts: for a rollback only what lies at its own paths. What somebody
 * else put beside them meanwhile is not its to activate, and is told (*ret_theirs). */
static const LivePending *first_pending(Activation *a, const LivePendingVec *pending, const LivePending **ret_theirs)
{
    *ret_theirs = NULL;
    VEC_EACH (item, pending) {
        bool theirs = a->ours && item->path && !is_ours(a, item->path) && is_file_pending(pending, item->path);
        if (!theirs)
            return item;
        *ret_theirs = item;
    }
    return NULL;
}

/* Promise 11: the processes loaded what is on disk. nginx's old workers may still be about to be told to finish. */
static int prove_loaded(Activation *a, const char *unit, Err *err)
{
    LivePendingVec pending = {0};
    const LivePending *theirs = NULL, *first = NULL;
    usec end = clock_boottime() + (str_equal(unit, NGINX_UNIT) ? GENERATION_USEC : 0);
    int r = live_pending(a->live, a->view, unit, &pending, err);
    while (r >= 0 && (first = first_pending(a, &pending, &theirs)) != NULL && clock_boottime() < end) {
        poll(NULL, 0, SOON_USEC / USEC_PER_MSEC);
        r = live_pending(a->live, a->view, unit, &pending, err);
    }
    if (r < 0)
        return r;
    if (theirs)
        progress_warning(a->progress, "%s holds an edit of somebody else's that it never loaded: %s %s", unit,
                         theirs->path, theirs->reason);
    if (!first)
        return 0;
    return err_set(err, ERR_FAILED, "%s does not use what is on disk: %s%s%s", unit, first->path ? first->path : "",
                   first->path ? " " : "", first->reason);
}

int prove_settled(Activation *a, const EffectVec *effects, Err *err)
{
    StringVec restarted = {0}, all = {0};
    VEC_EACH (effect, effects) {
        if (effect->kind == EFFECT_RESTART)
            *vec_push(a->arena, &restarted) = effect->unit;
        if (effect->kind == EFFECT_RESTART || effect->kind == EFFECT_RELOAD)
            *vec_push(a->arena, &all) = effect->unit;
    }
    if (all.n == 0)
        return 0;
    progress_step(a->progress, "services stay up and run what is on disk");
    int r = restarted.n > 0 ? settle(a, &restarted, err) : 0;
    for (size_t i = 0; r >= 0 && i < all.n; i++)
        r = prove_loaded(a, all.items[i], err);
    for (size_t i = 0; r >= 0 && i < restarted.n; i++)
        r = prove_workers(a, restarted.items[i], i + 1 == restarted.n, err);
    const Way way = {a->arena, a->view, a->live};
    for (size_t i = 0; r >= 0 && i < all.n; i++)
        r = way_prove(&way, all.items[i], &a->before->no_way, WAY_USEC, err);
    if (r < 0)
        progress_failed(a->progress, "%s", err_text(err));
    else
        progress_done(a->progress, "the running processes use what is on disk");
    return r;
}
