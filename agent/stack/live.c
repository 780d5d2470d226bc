/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/live.h"

#include <string.h>

#include "config/log-line.h"
#include "host/journal.h"
#include "host/systemd.h"

enum {
    VERSION_LINES = 500
}; /* Gunicorn says its version first of all, but for what preloading and ExecStartPre= say */

struct Live {
    Arena *arena;
    struct Systemd *systemd;
    const char *proc_root;
};

Live *live_new(Arena *arena, struct Systemd *systemd, const char *proc_root)
{
    Live *live = arena_new_of(arena, Live);
    *live = (Live){.arena = arena, .systemd = systemd, .proc_root = arena_strdup(arena, proc_root)};
    return live;
}

/* A process that ended while it was looked at is none. */
static int gone_is_fine(int r, const Err *err)
{
    return r < 0 && err->kind == ERR_NOT_FOUND ? 0 : r;
}

static int read_workers(Live *live, Arena *arena, const char *unit, LiveUnit *out, Err *err)
{
    WorkerVec workers = {0};
    bool nginx = str_equal(unit, NGINX_UNIT);
    int r = nginx ? proc_nginx_workers(live->proc_root, arena, out->main_pid, &workers, err)
                  : proc_gunicorn_workers(live->proc_root, arena, out->main_pid, &workers, err);
    if (r < 0)
        return gone_is_fine(r, err);
    VEC_EACH (worker, &workers) {
        LiveWorker found = {
            .pid = worker->pid, .start_ticks = worker->start_ticks, .shutting_down = worker->shutting_down};
        r = proc_start_time(live->proc_root, worker->pid, &found.start, err);
        if (r < 0 && gone_is_fine(r, err) < 0)
            return r;
        if (r < 0)
            continue;
        Err ignored; /* not told: 0 */
        if (proc_memory(live->proc_root, worker->pid, &found.rss_bytes, NULL, &ignored) < 0)
            found.rss_bytes = 0;
        *vec_push(arena, &out->workers) = found;
    }
    return 0;
}

static int read_process(Live *live, Arena *arena, const char *unit, LiveUnit *out, Err *err)
{
    int r = proc_cmdline(live->proc_root, arena, out->main_pid, &out->argv, err);
    if (r >= 0)
        r = proc_start_time(live->proc_root, out->main_pid, &out->start, err);
    if (r < 0)
        return gone_is_fine(r, err);
    return read_workers(live, arena, unit, out, err);
}

int live_unit(Live *live, Arena *arena, const char *unit, LiveUnit *ret, Err *err)
{
    UnitStatus status;
    int r = systemd_unit_status(live->systemd, arena, unit, &status, err);
    if (r < 0)
        return r;
    LiveUnit out = {.name = unit,
                    .load_state = status.load_state,
                    .active_state = status.active_state,
                    .sub_state = status.sub_state,
                    .result = status.result,
                    .invocation_id = status.invocation_id,
                    .need_daemon_reload = status.need_daemon_reload,
                    .restarts = status.restarts,
                    .dropins = status.drop_in_paths,
                    .main_pid = (pid_t)status.main_pid};
    if (out.main_pid > 0 && (r = read_process(live, arena, unit, &out, err)) < 0)
        return err_prefix(err, "%s", unit);
    *ret = out;
    return 0;
}

bool live_may_have_children(Live *live, pid_t main_pid, uint64_t n)
{
    size_t have;
    Err ignored;
    return proc_child_hint(live->proc_root, main_pid, &have, &ignored) < 0 || have >= n;
}

bool live_is_master(Live *live, pid_t pid)
{
    CLEANUP(arena_free) Arena *scratch = arena_new();
    WorkerVec workers;
    Err ignored; /* it is gone */
    return proc_gunicorn_workers(live->proc_root, scratch, pid, &workers, &ignored) >= 0 && workers.n > 0;
}

int live_written_files(Live *live, Arena *arena, pid_t pid, StringVec *ret, Err *err)
{
    WrittenFileVec files;
    StringVec paths = {0};
    int r = proc_written_files(live->proc_root, arena, pid, &files, err);
    if (r < 0)
        return r;
    VEC_EACH (file, &files)
        *vec_push(arena, &paths) = file->path;
    *ret = paths;
    return 0;
}

int live_state(Live *live, Arena *arena, const char *unit, const char **ret_active_state, const char **ret_type,
               Err *err)
{
    UnitStatus status;
    int r = systemd_unit_status(live->systemd, arena, unit, &status, err);
    if (r < 0)
        return r;
    *ret_active_state = status.active_state;
    *ret_type = status.type;
    return 0;
}

int live_environment(Live *live, Arena *arena, const char *unit, const char *name, const char **ret, Err *err)
{
    UnitStatus status;
    int r = systemd_unit_status(live->systemd, arena, unit, &status, err);
    if (r < 0)
        return r;
    if (status.main_pid == 0)
        return LIVE_NOT_RUNNING;
    return proc_environ_get(live->proc_root, arena, (pid_t)status.main_pid, name, ret, err);
}

int live_nginx(Live *live, Arena *arena, LiveNginx *ret, Err *err)
{
    LiveNginx out = {0};
    int r = live_unit(live, arena, NGINX_UNIT, &out.unit, err);
    if (r < 0)
        return r;
    if (out.unit.main_pid == 0)
        return LIVE_NOT_RUNNING;
    VEC_EACH (worker, &out.unit.workers) {
        if (worker->shutting_down || (out.generation != 0 && worker->start_ticks >= out.generation_ticks))
            continue;
        out.generation = worker->start;
        out.generation_ticks = worker->start_ticks;
    }
    *ret = out;
    return 0;
}

int live_gunicorn_version(Live *live, Arena *arena, const char *unit, const char **ret, Err *err)
{
    CLEANUP(journal_close) Journal *journal = NULL;
    UnitStatus status;
    int r = systemd_unit_status(live->systemd, arena, unit, &status, err);
    if (r >= 0)
        r = journal_open(&journal, err);
    if (r < 0)
        return r;
    JournalFilter filter = {.unit = unit, .invocation = status.invocation_id[0] ? status.invocation_id : NULL};
    r = journal_filter(journal, &filter, err);
    if (r >= 0)
        r = journal_seek_head(journal, err);
    *ret = NULL;
    for (unsigned i = 0; r == 0 && i < VERSION_LINES; i++) {
        JournalEntry entry;
        LogLine line;
        r = journal_next(journal, arena, &entry, err);
        if (r == 0 && log_line_parse(LOG_SOURCE_GUNICORN, entry.message, &line) == 1 && line.event == LOG_STARTING) {
            *ret = arena_strndup(arena, line.text.data, line.text.len);
            return 0;
        }
    }
    return r < 0 ? r : 0;
}

/* --- the command line */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

LiveMatch live_compare_argv(const StringVec *expected, const StringVec *running)
{
    bool title = running->n > 0 && str_starts(running->items[0], "gunicorn: ");
    if (running->n == 0 || expected->n == 0 || title)
        return LIVE_UNKNOWN;
    if (running->n < expected->n)
        return LIVE_DIFFERS;
    size_t from = running->n - expected->n; /* the interpreter of a script stands in front */
    for (size_t i = 1; i < expected->n; i++)
        if (!str_equal(expected->items[i], running->items[from + i]))
            return LIVE_DIFFERS;
    return str_equal(base_name(expected->items[0]), base_name(running->items[from])) ? LIVE_MATCH : LIVE_DIFFERS;
}

/* The first word in which they differ, for people. Arguments of Gunicorn are no secrets. */
static char *first_difference(Arena *arena, const StringVec *expected, const StringVec *running)
{
    size_t from = running->n > expected->n ? running->n - expected->n : 0;
    for (size_t i = 1; i < expected->n && from + i < running->n; i++)
        if (!str_equal(expected->items[i], running->items[from + i]))
            return arena_printf(arena, "the files say \"%s\" where the process runs with \"%s\"", expected->items[i],
                                running->items[from + i]);
    return arena_printf(arena, "the files say %zu words, the process runs with %zu", expected->n, running->n);
}

int live_command_match(Live *live, Arena *arena, const GunicornFacts *facts, LiveMatch *ret, const char **ret_why,
                       Err *err)
{
    LiveUnit unit;
    int r = live_unit(live, arena, facts->unit->name, &unit, err);
    if (r < 0)
        return r;
    StringVec expected = {.items = facts->argv.items + facts->program, .n = facts->argv.n - facts->program};
    LiveMatch match = live_compare_argv(&expected, &unit.argv);
    *ret_why = "";
    if (match == LIVE_DIFFERS && (facts->exec.inexact || facts->wrapper == GUNICORN_WRAPPED)) {
        match = LIVE_UNKNOWN;
        *ret_why = facts->exec.inexact ? facts->exec.inexact : facts->wrapper_reason;
    } else if (match == LIVE_DIFFERS) {
        *ret_why = first_difference(arena, &expected, &unit.argv);
    } else if (match == LIVE_UNKNOWN) {
        *ret_why = unit.main_pid == 0 ? "it is not running" : "the process has overwritten its command line";
    }
    *ret = match;
    return 0;
}
