/* SPDX-License-Identifier: Apache-2.0 */
/* Findings that Gunicorn's own lines and settings show: worker-timeout, boot-failure, timeout-not-enforced. */
#include "diagnose/gunicorn.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/kinds.h"
#include "stack/live.h"

enum {
    NEAR_SEC = 3,     /* a request fails about when its worker is killed */
    KILL_SEC = 2,     /* the arbiter looks once a second, and may need a second signal */
    LOOP_WORKERS = 3, /* so many in a row are no coincidence */
    ROUTES_SHOWN = 3,
};

static bool has_timeout(const EventLineVec *lines, const EventLine *wanted)
{
    VEC_EACH (line, lines) {
        if (line->pid == wanted->pid && line->realtime / USEC_PER_SEC == wanted->realtime / USEC_PER_SEC)
            return true;
    }
    return false;
}

static bool has_pid(const EventLineVec *lines, uint32_t pid)
{
    VEC_EACH (line, lines) {
        if (line->pid == pid)
            return true;
    }
    return false;
}

void timeouts_of(Arena *arena, const EventLineVec *lines, Timeouts *ret)
{
    Timeouts timeouts = {0};
    VEC_EACH (line, lines) {
        if (line->event != LOG_WORKER_TIMEOUT || has_timeout(&timeouts.lines, line))
            continue;
        timeouts.workers += !has_pid(&timeouts.lines, line->pid);
        *vec_push(arena, &timeouts.lines) = *line;
    }
    *ret = timeouts;
}

static bool near_timeout(const Timeouts *timeouts, usec realtime)
{
    usec near = NEAR_SEC * USEC_PER_SEC;
    VEC_EACH (line, &timeouts->lines) {
        if (realtime + near >= line->realtime && realtime <= line->realtime + near)
            return true;
    }
    return false;
}

static void count_route(Arena *arena, RouteVec *routes, const char *path)
{
    VEC_EACH (route, routes) {
        if (strcmp(route->path, path) == 0) {
            route->n++;
            return;
        }
    }
    *vec_push(arena, routes) = (Route){path, 1};
}

static int compare_routes(const void *a, const void *b)
{
    const Route *x = a, *y = b;
    return x->n > y->n ? -1 : x->n < y->n ? 1 : strcmp(x->path, y->path);
}

void routes_of(Arena *arena, const Timeouts *timeouts, const EventLineVec *gunicorn, const EventLineVec *nginx,
               RouteVec *ret)
{
    RouteVec routes = {0};
    /* nginx sees every version's; Gunicorn names the route from 22 on, and nginx then logs no error. */
    VEC_EACH (line, gunicorn) {
        if (line->event == LOG_REQUEST_ERROR && line->detail[0] && near_timeout(timeouts, line->realtime))
            count_route(arena, &routes, line->detail);
    }
    VEC_EACH (line, nginx) {
        bool upstream = line->event >= LOG_UPSTREAM_TIMEOUT_HEADER && line->event <= LOG_UPSTREAM_RESET;
        if (upstream && line->detail[0] && near_timeout(timeouts, line->realtime))
            count_route(arena, &routes, line->detail);
    }
    if (routes.n > 1)
        qsort(routes.items, routes.n, sizeof *routes.items, compare_routes);
    *ret = routes;
}

/* The worker's timeout or end, whichever is first; NULL while it lives. */
static const EventLine *end_of(const EventLineVec *lines, size_t boot)
{
    uint32_t pid = lines->items[boot].pid;
    for (size_t i = boot + 1; i < lines->n; i++) {
        const EventLine *line = &lines->items[i];
        bool end = line->event == LOG_WORKER_TIMEOUT || line->event == LOG_WORKER_EXITING ||
                   line->event == LOG_WORKER_SIGNALED || line->event == LOG_WORKER_TERMINATED ||
                   line->event == LOG_WORKER_EXITED;
        if (end && line->pid == pid)
            return line;
    }
    return NULL;
}

void boot_trouble_of(Arena *arena, const EventLineVec *lines, usec timeout_usec, usec now, BootTrouble *ret)
{
    BootTrouble trouble = {0};
    usec longest = timeout_usec + KILL_SEC * USEC_PER_SEC;
    bool someone_lived = timeout_usec == 0;
    for (size_t i = 0; i < lines->n; i++) {
        const EventLine *line = &lines->items[i];
        if (line->event == LOG_BOOT_FAILURE || line->event == LOG_BOOT_EXCEPTION || line->event == LOG_BIND_FAILURE)
            *vec_push(arena, &trouble.lines) = *line;
        if (line->event == LOG_REQUEST_ERROR)
            someone_lived = true;
        if (line->event != LOG_WORKER_BOOTING)
            continue;
        const EventLine *end = end_of(lines, i);
        usec until = end ? end->realtime : now;
        if (until > line->realtime + longest)
            someone_lived = true;
        else if (end && end->event == LOG_WORKER_TIMEOUT)
            trouble.young++;
    }
    trouble.loop = trouble.young >= LOOP_WORKERS && !someone_lived;
    *ret = trouble;
}

const char *running_class_of(const EventLineVec *lines)
{
    const char *found = NULL;
    VEC_EACH (line, lines) {
        if (line->event == LOG_WORKER_CLASS)
            found = line->detail;
    }
    return str_equal(found, "threads") ? "gthread" : found;
}

static int load_facts(FindingContext *context, const GunicornFacts **ret, Err *err)
{
    int r = gunicorn_load(context->view, context->unit, ret, err);
    if (r == GUNICORN_NOT)
        return err_set(err, ERR_REFUSED, "%s does not run Gunicorn", context->unit);
    return r;
}

/* Whether the processes may run something else than the files say. */
static bool is_pending(FindingContext *context)
{
    LivePendingVec pending = {0};
    Err ignored; /* then it may */
    return context->live &&
           (live_pending(context->live, context->view, context->unit, &pending, &ignored) < 0 || pending.n > 0);
}

/* The timeout that the processes run with: the files' where they are loaded, else what the running command line says.
 * ERR_REFUSED where neither tells. */
static int running_timeout(FindingContext *context, const GunicornFacts *facts, uint64_t *ret, Err *err)
{
    LiveUnit unit;
    GunicornArgs args;
    if (!is_pending(context))
        return gunicorn_int(facts, "timeout", ret, err);
    int r = live_unit(context->live, context->arena, context->unit, &unit, err);
    if (r < 0)
        return r;
    gunicorn_parse_args(context->arena, &unit.argv, &args);
    const GunicornFlag *flag = gunicorn_flag(&args, "timeout");
    if (!flag || !flag->value)
        return err_set(err, ERR_REFUSED, "the files of %s are not what runs, and its command line names no timeout",
                       context->unit);
    return gunicorn_parse_int(flag->value, ret, err);
}

static const char *show_routes(Arena *arena, const RouteVec *routes)
{
    const char *text = "";
    for (size_t i = 0; i < routes->n && i < ROUTES_SHOWN; i++)
        text = arena_printf(arena, "%s%s%s (%zu)", text, i == 0 ? "; at " : ", ", routes->items[i].path,
                            routes->items[i].n);
    return text;
}

static const char *ago(Arena *arena, usec realtime)
{
    usec now = clock_realtime();
    return arena_printf(arena, "%s ago", usec_to_string(arena, now > realtime ? now - realtime : 0));
}

static int examine_worker_timeout(FindingContext *context, const FindingSpec *spec, Finding *ret, Err *err)
{
    Arena *arena = context->arena;
    usec back = finding_since(ret->kind, spec), since = clock_realtime() - back;
    const GunicornFacts *facts;
    int r = load_facts(context, &facts, err);
    if (r < 0)
        return r;
    EventLineVec lines, nginx;
    r = gunicorn_lines(context, facts, since, NULL, &lines, err);
    if (r < 0)
        return r;
    Timeouts timeouts;
    timeouts_of(arena, &lines, &timeouts);
    size_t n = timeouts.lines.n;
    if (n == 0) {
        ret->state = FINDING_ABSENT;
        ret->summary = arena_printf(arena, "no worker timeout in %s", finding_last(arena, back));
        return 0;
    }
    RouteVec routes;
    nginx_lines(context, facts, since, &nginx);
    routes_of(arena, &timeouts, &lines, &nginx, &routes);
    ret->state = FINDING_PRESENT;
    const char *rate =
        n == 1 ? "" : arena_printf(arena, " (%.2g a minute)", (double)n * (double)USEC_PER_MIN / (double)back);
    ret->summary = arena_printf(arena, "%zu worker timeout%s in %s%s, the last one %s%s", n, n == 1 ? "" : "s",
                                finding_last(arena, back), rate, ago(arena, timeouts.lines.items[n - 1].realtime),
                                show_routes(arena, &routes));
    VEC_EACH (line, &timeouts.lines) {
        finding_add_evidence(arena, ret, event_line_show(arena, line));
    }
    ret->advice =
        "Find out what those requests wait for and fix that first; only for requests that are slow and valid, "
        "give them more time: salve run gunicorn-timeout.";
    return 0;
}

const FindingKind finding_worker_timeout = {
    .name = "worker-timeout",
    .help = "Gunicorn killed workers that were silent for longer than its timeout.",
    .default_since_usec = USEC_PER_HOUR,
    .examine = examine_worker_timeout,
};

/* The lines of the present start; of all starts where systemd restarted it or it does not run. */
static int boot_lines(FindingContext *context, const GunicornFacts *facts, usec since, EventLineVec *ret, Err *err)
{
    const char *invocation = NULL;
    usec from = since;
    if (context->live) {
        LiveUnit unit;
        int r = live_unit(context->live, context->arena, context->unit, &unit, err);
        if (r < 0)
            return r;
        if (unit.main_pid > 0 && unit.restarts == 0) {
            invocation = unit.invocation_id && *unit.invocation_id ? unit.invocation_id : NULL;
            usec started = unit.start > USEC_PER_SEC ? unit.start - USEC_PER_SEC : 0;
            from = facts->error_log && started > since ? started : since;
        }
    }
    return gunicorn_lines(context, facts, from, invocation, ret, err);
}

static int examine_boot_failure(FindingContext *context, const FindingSpec *spec, Finding *ret, Err *err)
{
    Arena *arena = context->arena;
    usec back = finding_since(ret->kind, spec), now = clock_realtime();
    const GunicornFacts *facts;
    int r = load_facts(context, &facts, err);
    if (r < 0)
        return r;
    EventLineVec lines;
    r = boot_lines(context, facts, now - back, &lines, err);
    if (r < 0)
        return r;
    uint64_t timeout = 0;
    Err ignored;
    if (running_timeout(context, facts, &timeout, &ignored) < 0)
        timeout = 0; /* not known: no loop can be told */
    BootTrouble trouble;
    boot_trouble_of(arena, &lines, timeout * USEC_PER_SEC, now, &trouble);
    ret->state = trouble.lines.n > 0 || trouble.loop ? FINDING_PRESENT : FINDING_ABSENT;
    if (trouble.lines.n > 0) {
        ret->summary =
            arena_printf(arena, "Gunicorn failed to boot: %s", trouble.lines.items[trouble.lines.n - 1].text);
        ret->advice = "Look at the traceback in the log; if it began with a deploy, roll the release back.";
    } else if (trouble.loop) {
        ret->summary =
            arena_printf(arena,
                         "%zu workers in a row were killed before they were older than %" PRIu64
                         "s: the application takes longer than that to import, or nothing but slow requests comes",
                         trouble.young, timeout);
        ret->advice = "Make start-up lighter (no network calls, migrations or cache warm-ups on import), or roll the "
                      "release back.";
    } else {
        ret->summary = arena_printf(arena, "no boot failure in %s", finding_last(arena, back));
    }
    VEC_EACH (line, &lines) {
        bool loop = trouble.loop && (line->event == LOG_WORKER_BOOTING || line->event == LOG_WORKER_TIMEOUT);
        if (loop || line->event == LOG_BOOT_FAILURE || line->event == LOG_BOOT_EXCEPTION ||
            line->event == LOG_BIND_FAILURE)
            finding_add_evidence(arena, ret, event_line_show(arena, line));
    }
    return 0;
}

const FindingKind finding_boot_failure = {
    .name = "boot-failure",
    .help =
        "Gunicorn or its workers fail to start: the application cannot be imported, the port is taken, or the import "
        "takes longer than the timeout.",
    .default_since_usec = 15 * USEC_PER_MIN,
    .examine = examine_boot_failure,
};

/* What the running processes said when they started; NULL where that is not known. */
static const char *running_class(FindingContext *context, const GunicornFacts *facts)
{
    LiveUnit unit;
    EventLineVec lines;
    Err err;
    if (!context->live || live_unit(context->live, context->arena, context->unit, &unit, &err) < 0 ||
        unit.main_pid == 0)
        return NULL;
    usec since = unit.start > 5 * USEC_PER_SEC ? unit.start - 5 * USEC_PER_SEC : 0;
    if (gunicorn_lines(context, facts, since, NULL, &lines, &err) < 0)
        return NULL;
    return running_class_of(&lines);
}

static int examine_timeout_not_enforced(FindingContext *context, const FindingSpec *spec, Finding *ret, Err *err)
{
    Arena *arena = context->arena;
    const GunicornFacts *facts;
    int r = load_facts(context, &facts, err);
    if (r < 0)
        return r;
    const char *running = running_class(context, facts);
    const char *class = facts->worker_class && !(running && is_pending(context)) ? facts->worker_class : running;
    if (!class)
        return err_set(err, ERR_REFUSED,
                       "the worker class is computed by the configuration file, and no line of the "
                       "running service tells it");
    if (running)
        finding_add_evidence(arena, ret, arena_printf(arena, "journal: Using worker: %s", running));
    finding_add_evidence(arena, ret, gunicorn_describe(arena, gunicorn_value(facts, "worker_class")));
    finding_add_evidence(arena, ret, gunicorn_describe(arena, gunicorn_value(facts, "threads")));
    uint64_t timeout;
    Err ignored;
    bool never = running_timeout(context, facts, &timeout, &ignored) == 0 && timeout == 0;
    ret->state = never || !str_equal(class, "sync") ? FINDING_PRESENT : FINDING_ABSENT;
    ret->summary = "workers are sync: timeout limits requests";
    if (never) {
        ret->summary = "timeout is 0: Gunicorn never kills a worker, whatever its requests do";
        ret->advice = "Set a timeout first; without one a hanging request holds its worker for ever.";
    } else if (ret->state == FINDING_PRESENT) {
        ret->summary =
            arena_printf(arena, "workers are %s: timeout is the heartbeat of the worker, no limit of a request", class);
        ret->advice = "Changing timeout has no effect on slow requests here: fix the route, or give nginx more time "
                      "(salve run nginx-align).";
    }
    return 0;
}

const FindingKind finding_timeout_not_enforced = {
    .name = "timeout-not-enforced",
    .help = "Gunicorn's timeout limits no request: its workers are not sync, or it is 0.",
    .examine = examine_timeout_not_enforced,
};
