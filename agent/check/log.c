/* SPDX-License-Identifier: Apache-2.0 */
/* The log check: counts one kind of event in log files.
 *
 * Which files those are follows from the configuration of nginx or Gunicorn, unless a path is given. The baseline reads
 * the end of each file, back to where its lines are old enough, and what salve's own probes cause while it lasts: a
 * sick host is judged again by the same probes. In the window each file is followed from its end at the begin, over
 * rotations: what the processes have open is what is read, also where it was renamed and nobody told them. What cannot
 * be followed (syslog, standard error, a missing file, a truncated one, a file that the service does not write) is
 * blind, with what to do. Requests of salve's own do not count where a line shows who asked. */
#include "check/count.h"
#include "check/kinds.h"
#include "host/log-file.h"
#include "stack/log-event.h"
#include "stack/log-tail.h"
#include "stack/log-writer.h"

typedef struct LogSpec {
    CheckCommon common;
    Value name, source, path, unit, event, no_more_than;
} LogSpec;

static const Field log_fields[] = {
    FIELD_WORD(LogSpec, name, .no_references = true, .help = "What the check is called; made up where not given."),
    FIELD_WORD(LogSpec, source, .required = true,
               .help = "nginx-error, nginx-access or gunicorn-error: which log, and how its lines are written."),
    FIELD_PATH(LogSpec, path, .help = "The file, below /var/log; what the configuration says where not given."),
    FIELD_UNIT(LogSpec, unit, .default_text = "auto", .allow_auto = true,
               .help = "The Gunicorn service: its log, or the logs of the sites that reach it."),
    FIELD_WORD(LogSpec, event, .required = true, .help = "What to count, for example upstream-failure."),
    FIELD_SCALAR(LogSpec, no_more_than, .required = true,
                 .help = "A number for the whole window, or baseline: as often as before the run."),
    CHECK_COMMON_FIELDS(LogSpec),
    FIELDS_END,
};

#define LOG_ROOT "/var/log/"

enum {
    LOOK_EVERY_MSEC = 500,
    LARGEST_TAIL = 16 * 1024 * 1024, /* how much of a file's end the look-back reads at most */
};

typedef struct Followed {
    const char *path;
    LogFile *log;
    LogCounter *counter;
} Followed;

typedef struct LogState {
    CheckContext *context;
    const char *name;
    const LogEventKind *kind;
    LogPlace place;
    CountLimit limit;
    VEC(Followed) files;
    const char *no_files;     /* why there are none */
    const LogService *writer; /* who must be writing; NULL: that is not asked */
    const char *fault;        /* why the baseline shows that there is nothing to read */

    CheckPhase phase;
    Count baseline, count;
} LogState;

static const char *log_name(Arena *arena, const void *spec_)
{
    const LogSpec *spec = spec_;
    if (value_is_set(&spec->name))
        return spec->name.text;
    return arena_printf(arena, "%s %s", spec->source.text, spec->event.text);
}

static int parse(const LogSpec *spec, LogPlace *ret_place, const LogEventKind **ret_kind, CountLimit *ret_limit,
                 Err *err)
{
    int r = log_place_from_string(spec->source.text, ret_place, err);
    if (r < 0)
        return r;
    if (*ret_place == LOG_JOURNAL)
        return err_set(err, ERR_INVALID, "the journal is no log file: use the check \"journal\"");
    r = log_event_kind_in(spec->event.text, *ret_place, ret_kind, err);
    if (r < 0)
        return r;
    if (value_is_set(&spec->path) && !str_starts(spec->path.text, LOG_ROOT))
        return err_set(err, ERR_INVALID, "path: %s is not below %s", spec->path.text, LOG_ROOT);
    return count_limit_parse(&spec->no_more_than, ret_limit, err);
}

static int log_lint(const void *spec, usec window_usec, usec interval_usec, Err *err)
{
    LogPlace place;
    const LogEventKind *kind;
    CountLimit limit;
    return parse(spec, &place, &kind, &limit, err);
}

static int log_preflight(View *view, const void *spec_, const char **ret_why, Err *err)
{
    const LogSpec *spec = spec_;
    const NginxFacts *nginx;
    LogPlace place;
    if (value_is_set(&spec->path)) {
        *ret_why = arena_printf(view_arena(view), "%s is not there", spec->path.text);
        return check_file_is_absent(view, spec->path.text) ? CHECK_ABSENT : 0;
    }
    int r = log_place_from_string(spec->source.text, &place, err);
    if (r < 0 || place == LOG_GUNICORN_ERROR)
        return r;
    *ret_why = "there is no nginx on this host";
    return nginx_load(view, &nginx, err) == NGINX_ABSENT ? CHECK_ABSENT : 0; /* errors are for who opens it to tell */
}

static usec log_window(const void *spec, usec interval_usec, usec longest_request_usec)
{
    return count_window(longest_request_usec);
}

/* The service, where the files depend on it. An nginx log does without: then the logs of all sites count. */
static int load_gunicorn(LogState *state, const LogSpec *spec, const GunicornFacts **ret, Err *err)
{
    View *view = state->context->view;
    const char *unit;
    int r = gunicorn_resolve_unit(view, spec->unit.is_auto ? "auto" : spec->unit.text, &unit, err);
    if (r == 0)
        r = gunicorn_load(view, unit, ret, err);
    if (r < 0 && state->place != LOG_GUNICORN_ERROR && spec->unit.is_auto)
        return 0;
    return r < 0 ? r : 0;
}

static int find_files(LogState *state, const LogSpec *spec, StringVec *ret, Err *err)
{
    Arena *arena = state->context->arena;
    const GunicornFacts *gunicorn = NULL;
    const NginxFacts *nginx = NULL;
    int r = load_gunicorn(state, spec, &gunicorn, err);
    if (r < 0)
        return r;
    if (state->place != LOG_GUNICORN_ERROR) {
        r = nginx_load(state->context->view, &nginx, err);
        if (r < 0)
            return r;
        if (r == NGINX_ABSENT)
            return err_set(err, ERR_NOT_FOUND, "there is no nginx on this host");
    }
    return log_place_paths(arena, state->place, gunicorn, nginx, ret, err);
}

/* Of a file that the playbook names, whoever writes it is right; in a tree nothing runs. */
static const LogService *writer_of(const LogState *state, const LogSpec *spec)
{
    CheckContext *context = state->context;
    LogService *service = arena_new_of(context->arena, LogService);
    Err ignored; /* then there are no files either */
    *service = (LogService){0};
    if (view_root(context->view)[0])
        return NULL;
    if (value_is_set(&spec->path))
        return service;
    if (state->place == LOG_GUNICORN_ERROR)
        (void)gunicorn_resolve_unit(context->view, spec->unit.is_auto ? "auto" : spec->unit.text, &service->unit,
                                    &ignored);
    else
        *service = (LogService){.unit = NGINX_UNIT, .comm = "nginx"};
    return service;
}

static int log_check_open(CheckContext *context, const void *spec_, void **ret_state, Err *err)
{
    const LogSpec *spec = spec_;
    LogState *state = arena_new_of(context->arena, LogState);
    *state = (LogState){.context = context, .name = log_name(context->arena, spec)};
    int r = parse(spec, &state->place, &state->kind, &state->limit, err);
    if (r < 0)
        return r;
    StringVec paths = {0};
    if (value_is_set(&spec->path))
        *vec_push(context->arena, &paths) = spec->path.text;
    else if (find_files(state, spec, &paths, err) < 0)
        state->no_files = arena_strdup(context->arena, err_text(err));
    VEC_EACH (path, &paths) {
        *vec_push(context->arena, &state->files) = (Followed){.path = *path};
    }
    state->writer = writer_of(state, spec);
    state->fault = state->no_files;
    *ret_state = state;
    return 0;
}

static void close_files(LogState *state)
{
    VEC_EACH (file, &state->files) {
        log_file_close(file->log);
        file->log = NULL;
    }
}

static void log_check_close(void *state)
{
    if (state)
        close_files(state);
}

static Count *present(LogState *state)
{
    return state->phase == CHECK_BASELINE ? &state->baseline : &state->count;
}

static void note_problem(LogState *state, const char *reason)
{
    Count *count = present(state);
    if (!count->problem)
        count->problem = reason;
}

static void note_error(LogState *state, const Err *err)
{
    note_problem(state, arena_strdup(state->context->arena, err_text(err)));
}

static int feed(const LogState *state, LogCounter *counter, Bytes text, LogSeen *ret_seen)
{
    const LogInput input = {.place = state->place, .text = text, .utc_offset_sec = log_utc_offset()};
    return log_counter_feed(counter, &input, ret_seen);
}

static const LogSource sources[LOG_PLACE_COUNT] = {
    [LOG_JOURNAL] = LOG_SOURCE_GUNICORN,
    [LOG_NGINX_ERROR] = LOG_SOURCE_NGINX_ERROR,
    [LOG_NGINX_ACCESS] = LOG_SOURCE_NGINX_ACCESS,
    [LOG_GUNICORN_ERROR] = LOG_SOURCE_GUNICORN,
};

typedef struct LookBack {
    const LogState *state;
    LogCounter *counter;
} LookBack;

static void look_at_line(Bytes line, usec realtime, void *user)
{
    LookBack *back = user;
    feed(back->state, back->counter, line, NULL);
}

static int look_back(LogState *state, const Followed *file, usec since, Err *err)
{
    LookBack back = {state, file->counter};
    LogTail tail;
    int r = log_tail(sources[state->place], file->path, since, LARGEST_TAIL, look_at_line, &back, &tail, err);
    if (r < 0)
        return r;
    if (!tail.complete && tail.oldest > since) /* too much to read: the rate of what was read */
        state->baseline.span = clock_realtime() - tail.oldest;
    state->baseline.n += log_counter_events(file->counter);
    return 0;
}

/* What was renamed earlier, and is written still. */
static void add_renamed(LogState *state, Followed *file)
{
    CLEANUP(arena_free) Arena *scratch = arena_new();
    WrittenFileVec written;
    Err ignored; /* whether all is read is asked at the end */
    if (!state->writer || log_writers("", scratch, state->writer, file->path, &written, &ignored) < 0)
        return;
    VEC_EACH (other, &written) {
        if (!log_file_reads(file->log, other->device, other->inode))
            (void)log_file_add_end(file->log, other->open, &ignored);
    }
}

/* At the end: all that the service writes was read, and it does write. */
static void prove_writer(LogState *state, const Followed *file)
{
    CLEANUP(arena_free) Arena *scratch = arena_new();
    Arena *arena = state->context->arena;
    WrittenFileVec written;
    Err err;
    if (!state->writer || !file->log)
        return;
    if (log_writers("", scratch, state->writer, file->path, &written, &err) < 0) {
        note_error(state, &err);
        return;
    }
    const char *nobody =
        state->writer->unit ? arena_printf(scratch, "no process of %s", state->writer->unit) : "no process";
    if (written.n == 0)
        note_problem(state, arena_printf(arena,
                                         "%s has %s open: what is logged does not get there; see error_log in nginx's "
                                         "configuration, errorlog in Gunicorn's",
                                         nobody, file->path));
    VEC_EACH (other, &written) {
        if (!log_file_reads(file->log, other->device, other->inode))
            note_problem(state,
                         arena_printf(arena, "%s is written too, and was not read from the beginning", other->path));
    }
}

static int log_begin(void *state_, CheckPhase phase, usec window_usec, Err *err)
{
    LogState *state = state_;
    close_files(state);
    state->phase = phase;
    usec least = LOOK_BACK_LEAST_SEC * USEC_PER_SEC;
    *present(state) = (Count){.span = window_usec, .problem = state->no_files};
    if (phase == CHECK_BASELINE && window_usec < least)
        state->baseline.span = least;
    usec since = clock_realtime() - state->baseline.span;
    VEC_EACH (file, &state->files) {
        file->counter = log_counter_new(state->context->arena, state->kind);
        int r = phase == CHECK_BASELINE ? look_back(state, file, since, err) : 0;
        if (r >= 0)
            r = log_file_open_end(file->path, &file->log, NULL, err);
        if (r < 0)
            note_error(state, err);
        else
            add_renamed(state, file);
        if (r == -ERR_NOT_FOUND && phase == CHECK_BASELINE)
            state->fault =
                arena_printf(state->context->arena,
                             "%s: write path with the file that is written, or have it opened again", err_text(err));
    }
    return 0;
}

static void read_file(LogState *state, Followed *file, Arena *scratch)
{
    CheckContext *context = state->context;
    LogFileLine line;
    Err err;
    int r;
    bool truncated = false;
    while ((r = log_file_next(file->log, scratch, &line, &err)) == 0) {
        LogSeen seen;
        truncated = truncated || line.truncated;
        if (feed(state, file->counter, line.text, &seen) > 0) {
            present(state)->n++;
            if (context->on_sample && state->phase == CHECK_VERIFY)
                context->on_sample(context->user, state->name, (double)state->count.n, "", false, seen.text);
        }
    }
    if (r < 0)
        note_error(state, &err);
    if (truncated || log_file_is_truncated(file->log))
        note_problem(state, arena_printf(context->arena, "%s was truncated: lines may be missing", file->path));
}

static void read_all(LogState *state)
{
    CLEANUP(arena_free) Arena *scratch = arena_new();
    VEC_EACH (file, &state->files) {
        if (file->log)
            read_file(state, file, scratch);
    }
}

static int log_poll(void *state_, usec now_boottime, usec *ret_next, Err *err)
{
    LogState *state = state_;
    read_all(state);
    *ret_next = now_boottime + LOOK_EVERY_MSEC * USEC_PER_MSEC;
    return state->phase == CHECK_BASELINE || state->context->once;
}

static int log_judge(void *state_, Arena *arena, bool closing, CheckResult *ret, Err *err)
{
    LogState *state = state_;
    if (closing) {
        read_all(state);
        VEC_EACH (file, &state->files)
            prove_writer(state, file);
    }
    CountTrial trial = {
        .what = state->kind->name,
        .limit = state->limit,
        .count = *present(state),
        .baseline = state->phase == CHECK_VERIFY ? &state->baseline : NULL,
    };
    if (state->phase == CHECK_VERIFY)
        trial.count.span += state->context->over_usec;
    CheckResult result = {.name = state->name};
    count_judge(&trial, arena, &result);
    if (state->phase == CHECK_BASELINE)
        result.fault = state->fault;
    *ret = result;
    return 0;
}

const CheckKind check_log = {
    .name = "log",
    .help = "Counts an event in the log files of nginx or Gunicorn.",
    .fields = log_fields,
    .spec_size = sizeof(LogSpec),
    .judges_change = true,
    .name_of = log_name,
    .lint = log_lint,
    .window = log_window,
    .preflight = log_preflight,
    .open = log_check_open,
    .begin = log_begin,
    .poll = log_poll,
    .judge = log_judge,
    .close = log_check_close,
};
