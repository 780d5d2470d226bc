/* SPDX-License-Identifier: Apache-2.0 */
/* What lies on disk that the running processes never loaded (promise 11).
 *
 * A process is compared with the files as exactly as it shows itself: its command line and the two variables that
 * Gunicorn reads. Of a configuration file only its times can be compared; ctime counts too, since a copy may bring an
 * old mtime. */
#include "stack/live.h"

#include <string.h>
#include <sys/stat.h>

/* The kernel counts the start of a process in ticks and cuts: it may really have started this much later. */
#define START_PRECISION_USEC (10 * USEC_PER_MSEC)
/* A file whose time lies further in the future was changed before the clock was set back. Such a time says nothing
 * about a process whose start is told by the new clock: every file would count, for as long as the step was. */
#define CLOCK_PRECISION_USEC (2 * USEC_PER_SEC)

typedef struct Ask {
    Live *live;
    View *view; /* of the disk */
    Arena *arena;
    const char *unit;
    LivePendingVec *pending;
} Ask;

static void add(const Ask *ask, bool is_file, const char *path, const char *reason)
{
    *vec_push(ask->arena, ask->pending) =
        (LivePending){.unit = ask->unit, .path = path, .reason = reason, .is_file = is_file};
}

static usec time_of(const struct timespec *time)
{
    return (usec)time->tv_sec * USEC_PER_SEC + (usec)time->tv_nsec / 1000;
}

/* When exactly this path changed last; 0 when it is not there. */
static usec changed_at(const Ask *ask, const char *path)
{
    struct stat st;
    if (lstat(arena_printf(ask->arena, "%s%s", view_root(ask->view), path), &st) < 0)
        return 0;
    usec content = time_of(&st.st_mtim), inode = time_of(&st.st_ctim);
    return content > inode ? content : inode;
}

static void ask_file(const Ask *ask, const char *path, usec start, const char *who)
{
    const char *resolved;
    Err ignored; /* a file that cannot be reached now is not what the process would load */
    usec changed = changed_at(ask, path);
    if (view_resolve(ask->view, path, &resolved, &ignored) >= 0 && !str_equal(resolved, path)) {
        usec target = changed_at(ask, resolved);
        changed = target > changed ? target : changed;
    }
    bool clock_was_set_back = changed > clock_realtime() + CLOCK_PRECISION_USEC;
    if (start > 0 && changed > start + START_PRECISION_USEC && !clock_was_set_back)
        add(ask, true, path,
            arena_printf(ask->arena, "changed %s after %s", usec_to_string(ask->arena, changed - start), who));
}

/* The variables that Gunicorn reads; their values may be secret and are not shown. */
static int ask_environment(const Ask *ask, const GunicornFacts *facts, Err *err)
{
    const struct {
        const char *name;
        const UnitEnv *from;
    } vars[] = {{"GUNICORN_CMD_ARGS", facts->cmd_args_from}, {"WEB_CONCURRENCY", facts->web_concurrency_from}};
    for (size_t i = 0; i < ARRAY_LEN(vars); i++) {
        const char *running = NULL;
        int r = live_environment(ask->live, ask->arena, ask->unit, vars[i].name, &running, err);
        if (r != 0)
            return r < 0 ? r : 0;
        /* A variable that no file sets may come from the manager's own environment. */
        if (vars[i].from && (!running || !str_equal(running, vars[i].from->value)))
            add(ask, false, vars[i].from->path,
                arena_printf(ask->arena, "the running process has another %s than line %u sets", vars[i].name,
                             vars[i].from->line));
    }
    return 0;
}

/* One path for one file: systemd may say /lib where the files are found in /usr/lib. */
static StringVec resolve_all(const Ask *ask, const StringVec *paths)
{
    StringVec resolved = {0};
    VEC_EACH (path, paths) {
        const char *target;
        Err ignored;
        bool known = view_resolve(ask->view, *path, &target, &ignored) >= 0;
        *vec_push(ask->arena, &resolved) = known ? target : *path;
    }
    return resolved;
}

static void ask_dropins(const Ask *ask, const GunicornFacts *facts, const LiveUnit *unit)
{
    StringVec on_disk = resolve_all(ask, &facts->unit->dropins), loaded = resolve_all(ask, &unit->dropins);
    VEC_EACH (path, &on_disk)
        if (!strings_contain(&loaded, *path))
            add(ask, true, *path, "systemd has not loaded this drop-in");
    VEC_EACH (path, &loaded)
        if (!strings_contain(&on_disk, *path) && changed_at(ask, *path) == 0)
            add(ask, true, *path, "systemd still uses this drop-in, which is gone");
}

static int ask_gunicorn(const Ask *ask, Err *err)
{
    const GunicornFacts *facts;
    LiveUnit unit;
    LiveMatch match;
    const char *why;
    int r = gunicorn_load(ask->view, ask->unit, &facts, err);
    if (r == 0)
        r = live_unit(ask->live, ask->arena, ask->unit, &unit, err);
    if (r != 0)
        return r < 0 ? r : 0;
    if (unit.main_pid == 0)
        return 0;
    if ((r = live_command_match(ask->live, ask->arena, facts, &match, &why, err)) < 0)
        return r;
    if (match == LIVE_DIFFERS)
        add(ask, false, facts->exec.setting->file, arena_printf(ask->arena, "the command line differs: %s", why));
    if (unit.need_daemon_reload)
        add(ask, true, facts->unit->fragment, "systemd says that its files changed (NeedDaemonReload)");
    ask_dropins(ask, facts, &unit);
    VEC_EACH (path, &facts->files)
        ask_file(ask, *path, unit.start, "the process started");
    return ask_environment(ask, facts, err);
}

static int ask_nginx(const Ask *ask, Err *err)
{
    const NginxFacts *facts;
    LiveNginx nginx;
    int r = live_nginx(ask->live, ask->arena, &nginx, err);
    if (r == 0)
        r = nginx_load(ask->view, &facts, err);
    if (r != 0)
        return r < 0 ? r : 0;
    VEC_EACH (file, &facts->tree->files)
        ask_file(ask, (*file)->path, nginx.generation, "nginx's workers started");
    return 0;
}

int live_pending(Live *live, View *view, const char *unit, LivePendingVec *ret, Err *err)
{
    LivePendingVec pending = {0};
    Ask ask = {live, view_before(view), view_arena(view), unit, &pending};
    int r = str_equal(unit, NGINX_UNIT) ? ask_nginx(&ask, err) : ask_gunicorn(&ask, err);
    if (r < 0)
        return r;
    *ret = pending;
    return 0;
}
