/* SPDX-License-Identifier: Apache-2.0 */
/* What lies on disk that the running processes never loaded (promise 11).
 *
 * A process is compared with the files as exactly as it shows itself: its command line and the two variables that
 * Gunicorn reads. Of a configuration file only its times can be compared; ctime counts too, since a copy may bring an
 * old mtime. */
#include "stack/live-reread.h"

#include <string.h>
#include <sys/stat.h>

#include "host/journal.h"
#include "stack/log-tail.h"

/* The kernel counts the start of a process in ticks and cuts: it may really have started this much later. */
#define START_PRECISION_USEC (10 * USEC_PER_MSEC)
/* A file whose time lies further in the future was changed before the clock was set back. Such a time says nothing
 * about a process whose start is told by the new clock: every file would count, for as long as the step was. */
#define CLOCK_PRECISION_USEC (2 * USEC_PER_SEC)

enum { MOST_TEXT = 300, LARGEST_TAIL = 1024 * 1024 };

/* Where `systemctl set-property` writes: it applies at once what it writes, and only what can be applied at once. */
static const char *const control_directories[] = {"/etc/systemd/system.control/", "/run/systemd/system.control/"};

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

/* When a file changed that a process should have read when it started at `start`; 0: not since. */
static usec changed_since(const Ask *ask, const char *path, usec start)
{
    const char *resolved;
    Err ignored; /* a file that cannot be reached now is not what the process would load */
    usec changed = changed_at(ask, path);
    if (view_resolve(ask->view, path, &resolved, &ignored) >= 0 && !str_equal(resolved, path)) {
        usec target = changed_at(ask, resolved);
        changed = target > changed ? target : changed;
    }
    bool clock_was_set_back = changed > clock_realtime() + CLOCK_PRECISION_USEC;
    return start > 0 && changed > start + START_PRECISION_USEC && !clock_was_set_back ? changed : 0;
}

static void ask_file(const Ask *ask, const char *path, usec start, const char *who)
{
    usec changed = changed_since(ask, path, start);
    if (changed > 0)
        add(ask, true, path,
            arena_printf(ask->arena, "changed %s after %s", usec_to_string(ask->arena, changed - start), who));
}

/* Gunicorn's own file, which a HUP makes it read again. */
static void ask_configuration(const Ask *ask, const GunicornFacts *facts, const LiveUnit *unit)
{
    usec changed = changed_since(ask, facts->conf_path, unit->start);
    if (changed == 0)
        return;
    RereadEvidence evidence;
    const char *why;
    reread_look(ask->live, ask->arena, facts, unit, changed, &evidence);
    Reread reread = reread_judge(ask->arena, facts, &evidence, &why);
    if (reread == REREAD_DONE)
        return;
    ask_file(ask, facts->conf_path, unit->start, "the process started");
    if (reread == REREAD_NEVER)
        return;
    LivePending *item = &ask->pending->items[ask->pending->n - 1];
    item->unsure = true;
    item->reason = arena_printf(ask->arena, "%s: %s", item->reason, why);
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

static bool is_control(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(control_directories); i++)
        if (str_starts(path, control_directories[i]))
            return true;
    return false;
}

/* systemctl set-property appends its drop-in to those that are loaded, where a reload would have sorted it in: from
 * then on NeedDaemonReload may be true with nothing to load (seen). Then only the files themselves count. */
static bool has_set_property(const LiveUnit *unit)
{
    VEC_EACH (path, &unit->dropins)
        if (is_control(*path))
            return true;
    return false;
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
    if (unit.need_daemon_reload && !has_set_property(&unit))
        add(ask, true, facts->unit->fragment, "systemd says that its files changed (NeedDaemonReload)");
    ask_dropins(ask, facts, &unit);
    VEC_EACH (path, &facts->files) {
        bool applied = is_control(*path) && strings_contain(&unit.dropins, *path);
        if (facts->conf_path && str_equal(*path, facts->conf_path))
            ask_configuration(ask, facts, &unit);
        else if (!applied)
            ask_file(ask, *path, unit.start, "the process started");
    }
    return ask_environment(ask, facts, err);
}

/* The newest [emerg] of nginx since the files changed: why it went on with the old ones. */
typedef struct Refusal {
    Arena *arena;
    usec realtime;
    const char *text;
} Refusal;

static void see_nginx_line(Bytes text, usec realtime, void *user)
{
    Refusal *refusal = user;
    const char *emerg = memmem(text.data, text.len, "[emerg]", 7);
    if (!emerg || realtime < refusal->realtime)
        return;
    size_t len = text.len - (size_t)(emerg - text.data);
    refusal->realtime = realtime;
    refusal->text = arena_strndup(refusal->arena, emerg, len < MOST_TEXT ? len : MOST_TEXT);
}

/* What the master says is in its log; what `nginx -s reload` says before it tells the master is in the journal. */
static const char *refusal_of(const Ask *ask, const NginxFacts *facts, usec since)
{
    Refusal refusal = {.arena = ask->arena};
    CLEANUP(journal_close) Journal *journal = NULL;
    Err ignored; /* then the reason is not told */
    VEC_EACH (path, &facts->error_logs) {
        LogTail tail;
        (void)log_tail(LOG_SOURCE_NGINX_ERROR, *path, since / USEC_PER_SEC * USEC_PER_SEC, LARGEST_TAIL, see_nginx_line,
                       &refusal, &tail, &ignored);
    }
    int r = journal_open(&journal, &ignored);
    if (r >= 0)
        r = journal_filter(journal, &(JournalFilter){.unit = NGINX_UNIT}, &ignored);
    if (r >= 0)
        r = journal_seek_realtime(journal, since, &ignored);
    JournalEntry entry;
    while (r == 0 && (r = journal_next(journal, ask->arena, &entry, &ignored)) == 0)
        see_nginx_line(entry.message, entry.realtime, &refusal);
    return refusal.text;
}

static void tell_refusal(const Ask *ask, const NginxFacts *facts, usec generation)
{
    const char *refusal = ask->pending->n > 0 ? refusal_of(ask, facts, generation) : NULL;
    for (size_t i = 0; refusal && i < ask->pending->n; i++) {
        LivePending *item = &ask->pending->items[i];
        item->reason = arena_printf(ask->arena, "%s; nginx refused it: %s", item->reason, refusal);
    }
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
    tell_refusal(ask, facts, nginx.generation);
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
