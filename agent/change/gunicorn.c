/* SPDX-License-Identifier: Apache-2.0 */
/* The change `gunicorn`: settings of a Gunicorn service, changed where they come from now.
 *
 * `at_least` never lowers, `exactly` sets. What is coupled is carried along: TimeoutStopSec with graceful_timeout. What
 * cannot have the effect hoped for is said (a timeout that limits no request) or refused (workers that would not fit
 * the memory; a definition that another one beats). */
#include <inttypes.h>
#include <string.h>

#include "change/dropin.h"
#include "change/gunicorn-place.h"
#include "change/kinds.h"
#include "host/memory.h"
#include "stack/live.h"

/* systemd must not kill Gunicorn while it drains: graceful_timeout and this (domain facts 1.7). */
#define STOP_MARGIN_USEC (5 * USEC_PER_SEC)
/* Of the memory that is available, what more workers may take at most. */
enum { MEMORY_SHARE_PERCENT = 80 };

typedef struct Settings {
    Value timeout, graceful_timeout, keepalive, workers, threads, max_requests, max_requests_jitter, worker_class;
} Settings;

typedef struct GunicornSpec {
    Value unit;
    Settings *at_least, *exactly;
    ValueVec also_affects;
} GunicornSpec;

#define NUMBER_FIELDS                                                                                                  \
    FIELD_DURATION(Settings, timeout, .min = "1s", .max = "1h", .allow_never = true,                                   \
                   .help = "How long a sync worker may be silent: the longest request. Others: a heartbeat only."),    \
        FIELD_DURATION(Settings, graceful_timeout, .min = "1s", .max = "1h",                                           \
                       .help = "How long workers may finish requests when they are told to end; TimeoutStopSec= "      \
                               "follows."),                                                                            \
        FIELD_DURATION(Settings, keepalive, .min = "1s", .max = "1h",                                                  \
                       .help = "Idle connections; not of sync workers."),                                              \
        FIELD_INT(Settings, workers, .min = "1", .max = "1024", .allow_auto = true,                                    \
                  .help = "Worker processes; refused where they would "                                                \
                          "not fit the memory."),                                                                      \
        FIELD_INT(Settings, threads, .min = "1", .max = "1024", .allow_auto = true,                                    \
                  .help = "Threads a worker; more than 1 makes sync "                                                  \
                          "workers gthread."),                                                                         \
        FIELD_INT(Settings, max_requests, .min = "0", .help = "Requests after which a worker is replaced; 0: never."), \
        FIELD_INT(Settings, max_requests_jitter, .min = "0", .help = "Spread of max_requests.")

static const char *const worker_classes[] = {"sync", "gthread", "gevent", "tornado", NULL};

static const Field at_least_fields[] = {NUMBER_FIELDS, FIELDS_END};
static const Field exactly_fields[] = {
    NUMBER_FIELDS,
    FIELD_ENUM(Settings, worker_class, worker_classes, .allow_auto = true,
               .help = "How workers serve; gevent and tornado must be installed."),
    FIELDS_END,
};

static const StructType at_least_type = {
    .name = "at_least", .help = "Raises what is lower.", .fields = at_least_fields, .size = sizeof(Settings)};
static const StructType exactly_type = {.name = "exactly",
                                        .help = "Sets; auto leaves a setting as it is.",
                                        .fields = exactly_fields,
                                        .size = sizeof(Settings)};

static const Field gunicorn_fields[] = {
    FIELD_UNIT(GunicornSpec, unit, .allow_auto = true, .default_text = "auto",
               .help = "The Gunicorn service; auto where the host has just one."),
    FIELD_STRUCT(GunicornSpec, at_least, &at_least_type, .help = "Settings to raise to at least this; never lowers."),
    FIELD_STRUCT(GunicornSpec, exactly, &exactly_type, .help = "Settings to set to exactly this."),
    FIELD_ALSO_AFFECTS(GunicornSpec),
    FIELDS_END,
};

static const struct {
    const char *name;
    size_t offset;
} rows[] = {
    {"timeout", offsetof(Settings, timeout)},
    {"graceful_timeout", offsetof(Settings, graceful_timeout)},
    {"keepalive", offsetof(Settings, keepalive)},
    {"workers", offsetof(Settings, workers)},
    {"threads", offsetof(Settings, threads)},
    {"max_requests", offsetof(Settings, max_requests)},
    {"max_requests_jitter", offsetof(Settings, max_requests_jitter)},
    {"worker_class", offsetof(Settings, worker_class)},
};

/* One application of the change. */
typedef struct Job {
    ChangeContext *context;
    const char *unit;
    const GunicornFacts *facts; /* of the view as it is now */
} Job;

/* As Gunicorn takes it: whole seconds, digits, a word; `never` is 0. */
static int wished_text(Arena *arena, const Value *value, const char **ret, Err *err)
{
    int64_t number = value->integer;
    if (value->kind == VALUE_ENUM) {
        *ret = value->text;
        return 0;
    }
    if (value->kind == VALUE_DURATION && value->duration == USEC_INFINITY)
        number = 0;
    else if (value->kind == VALUE_DURATION && duration_to_seconds(value->duration, &number, err) < 0)
        return err_prefix(err, "Gunicorn takes whole seconds");
    *ret = arena_printf(arena, "%" PRId64, number);
    return 0;
}

/* timeout, max_requests: 0 means never, the most there is. */
static uint64_t rank(const char *name, uint64_t number)
{
    bool never = number == 0 && (strcmp(name, "timeout") == 0 || strcmp(name, "max_requests") == 0);
    return never ? UINT64_MAX : number;
}

/* 1: there is nothing to change. */
static int is_satisfied(Job *job, const char *name, const char *wished, bool at_least, Err *err)
{
    const GunicornValue *now = gunicorn_value(job->facts, name);
    uint64_t have, want;
    if (!at_least)
        return !now->dynamic && str_equal(now->value, wished);
    int r = gunicorn_int(job->facts, name, &have, err);
    if (r >= 0)
        r = gunicorn_parse_int(wished, &want, err);
    return r < 0 ? r : rank(name, have) >= rank(name, want);
}

/* More workers must fit: each takes what the largest takes now. */
static int check_memory(Job *job, const char *wished, Err *err)
{
    LiveUnit live;
    MemoryInfo memory;
    uint64_t wanted, largest = 0;
    Arena *arena = job->context->arena;
    if (!job->context->live) {
        change_note(job->context, NOTE_WARNING, job->unit, "whether %s workers fit the memory was not looked at",
                    wished);
        return 0;
    }
    int r = gunicorn_parse_int(wished, &wanted, err);
    if (r >= 0)
        r = live_unit(job->context->live, arena, job->unit, &live, err);
    if (r >= 0)
        r = memory_info("", &memory, err);
    if (r < 0)
        return r;
    VEC_EACH (worker, &live.workers) {
        if (worker->rss_bytes > largest)
            largest = worker->rss_bytes;
    }
    uint64_t more = wanted > live.workers.n ? wanted - live.workers.n : 0;
    uint64_t room = memory.available / 100 * MEMORY_SHARE_PERCENT;
    if (more * largest <= room)
        return 0;
    return err_set(err, ERR_REFUSED,
                   "%s: %" PRIu64 " workers need about %s more (%" PRIu64 " x %s), and %s of memory is available: take "
                   "fewer workers, or threads",
                   job->unit, wanted, size_to_text(arena, more * largest >> 20 << 20), more,
                   size_to_text(arena, largest >> 20 << 20), size_to_text(arena, memory.available >> 20 << 20));
}

/* The change must have had its effect: what beats it is named. */
static int check_effect(Job *job, const char *name, const char *wished, Err *err)
{
    int r = gunicorn_load(job->context->view, job->unit, &job->facts, err);
    if (r != 0)
        return r < 0 ? r : err_set(err, ERR_REFUSED, "%s would not run Gunicorn any more", job->unit);
    const GunicornValue *now = gunicorn_value(job->facts, name);
    if (!now->dynamic && str_equal(now->value, wished))
        return 0;
    return err_set(err, ERR_REFUSED, "%s: setting %s to %s would have no effect, because %s wins", job->unit, name,
                   wished, gunicorn_describe(job->context->arena, now));
}

static int set(Job *job, const char *name, const Value *value, bool at_least, Err *err)
{
    Arena *arena = job->context->arena;
    const char *wished = NULL;
    int r = wished_text(arena, value, &wished, err);
    if (r >= 0)
        r = is_satisfied(job, name, wished, at_least, err);
    if (r != 0) {
        if (r > 0)
            change_note(job->context, NOTE_INFO, job->unit, "%s stays: %s", name,
                        gunicorn_describe(arena, gunicorn_value(job->facts, name)));
        return r < 0 ? r : 0;
    }
    const GunicornValue *before = gunicorn_value(job->facts, name);
    if (strcmp(name, "workers") == 0)
        r = check_memory(job, wished, err);
    if (r >= 0)
        r = gunicorn_place(job->context, job->facts, gunicorn_setting(name), wished, err);
    if (r < 0)
        return r;
    change_note(job->context, NOTE_INFO, job->unit, "%s becomes %s; it is %s", name, wished,
                gunicorn_describe(arena, before));
    change_wish(job->context, WISH_SETTING, job->unit, name, wished);
    return check_effect(job, name, wished, err);
}

static int set_all(Job *job, const Settings *settings, bool at_least, Err *err)
{
    for (size_t i = 0; settings && i < ARRAY_LEN(rows); i++) {
        const Value *value = (const Value *)((const char *)settings + rows[i].offset);
        int r = value_is_known(value) ? set(job, rows[i].name, value, at_least, err) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

/* TimeoutStopSec= as it is in the files; systemd's default is 90 s. */
static usec stop_limit(const Unit *unit)
{
    usec limit = 90 * USEC_PER_SEC;
    Err err;
    const char *text = unit_value(unit, "Service", "TimeoutStopSec");
    const char *both = unit_value(unit, "Service", "TimeoutSec");
    if (!text)
        text = both;
    if (text && text[0] && unit_parse_time(text, &limit, &err) < 0)
        return 0; /* systemd ignores it too; a good one goes in */
    return limit == 0 ? USEC_INFINITY : limit;
}

/* Draining must not be cut short by systemd. */
static int couple_stop_limit(Job *job, Err *err)
{
    uint64_t graceful;
    int r = gunicorn_int(job->facts, "graceful_timeout", &graceful, err);
    if (r < 0)
        return r;
    usec needed = graceful * USEC_PER_SEC + STOP_MARGIN_USEC;
    if (stop_limit(job->facts->unit) >= needed)
        return 0;
    const char *text = unit_format_time(job->context->arena, needed);
    change_note(
        job->context, NOTE_INFO, job->unit,
        "TimeoutStopSec becomes %s along with graceful_timeout, so that systemd does not cut the draining short", text);
    change_wish(job->context, WISH_PROPERTY, job->unit, "TimeoutStopUSec",
                arena_printf(job->context->arena, "%" PRIu64, needed));
    return dropin_set(job->context->view, job->facts->unit, "Service", "TimeoutStopSec", text, err);
}

static bool wishes(const GunicornSpec *spec, size_t offset)
{
    const Settings *both[] = {spec->at_least, spec->exactly};
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        if (both[i] && value_is_known((const Value *)((const char *)both[i] + offset)))
            return true;
    }
    return false;
}

/* What the plan must say of a timeout: whether it limits anything, and how long a request may take then. */
static void tell_timeout(Job *job, bool wished)
{
    uint64_t seconds;
    Err err;
    ChangeContext *context = job->context;
    if (wished && !job->facts->timeout_limits_requests)
        change_note(context, NOTE_WARNING, job->unit,
                    "timeout limits no request here: %s. A slow request ends with nginx's proxy_read_timeout or in the "
                    "application",
                    job->facts->timeout_reason);
    if (gunicorn_int(job->facts, "timeout", &seconds, &err) < 0)
        return;
    if (wished && seconds * USEC_PER_SEC > context->longest_request_usec)
        context->longest_request_usec = seconds * USEC_PER_SEC;
}

/* The class that was asked for is not always the one that runs: threads make sync workers gthread (trap 4). */
static void tell_worker_class(Job *job)
{
    const GunicornValue *asked = gunicorn_value(job->facts, "worker_class");
    if (job->facts->worker_class && asked->value && !str_equal(asked->value, job->facts->worker_class))
        change_note(job->context, NOTE_WARNING, job->unit, "worker_class %s with %s threads runs %s workers%s",
                    asked->value, gunicorn_value(job->facts, "threads")->value, job->facts->worker_class,
                    job->facts->timeout_limits_requests ? "" : ": timeout then limits no request");
}

static int apply_gunicorn(ChangeContext *context, const void *data, Err *err)
{
    const GunicornSpec *spec = data;
    Job job = {.context = context};
    int r = gunicorn_resolve_unit(context->view, spec->unit.text, &job.unit, err);
    if (r >= 0)
        r = gunicorn_load(context->view, job.unit, &job.facts, err);
    if (r < 0)
        return r;
    change_concerns(context, job.unit);
    change_wish_also(context, &spec->also_affects);
    r = set_all(&job, spec->at_least, true, err);
    if (r >= 0)
        r = set_all(&job, spec->exactly, false, err);
    if (r >= 0 && wishes(spec, offsetof(Settings, graceful_timeout)))
        r = couple_stop_limit(&job, err);
    if (r >= 0)
        tell_timeout(&job, wishes(spec, offsetof(Settings, timeout)));
    if (r >= 0 && (wishes(spec, offsetof(Settings, worker_class)) || wishes(spec, offsetof(Settings, threads))))
        tell_worker_class(&job);
    return r;
}

static int lint_gunicorn(const void *data, Err *err)
{
    const GunicornSpec *spec = data;
    size_t wished = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool least = spec->at_least && value_is_set((const Value *)((const char *)spec->at_least + rows[i].offset));
        bool exact = spec->exactly && value_is_set((const Value *)((const char *)spec->exactly + rows[i].offset));
        if (least && exact)
            return err_set(err, ERR_INVALID, "%s is in at_least and in exactly: one of them", rows[i].name);
        wished += least || exact;
    }
    return wished ? 0 : err_set(err, ERR_INVALID, "nothing to do: give a setting in at_least or exactly");
}

const ChangeKind change_gunicorn = {
    .name = "gunicorn",
    .help = "Settings of a Gunicorn service, changed where each comes from now.",
    .fields = gunicorn_fields,
    .spec_size = sizeof(GunicornSpec),
    .lint = lint_gunicorn,
    .apply = apply_gunicorn,
};
