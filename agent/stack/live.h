/* SPDX-License-Identifier: Apache-2.0 */
/* What runs now: the processes and units behind the model, through host/systemd and host/proc; for the live host only.
 *
 * Nothing is cached: each call looks anew, so that two calls can be compared. */
#pragma once

#include "base/clock.h"
#include "host/proc.h"
#include "stack/gunicorn.h"
#include "stack/nginx.h"

struct Systemd;

typedef struct Live Live;

/* `systemd` is borrowed. proc_root: "" (tests give a fixture tree, and may give systemd NULL). */
Live *live_new(Arena *arena, struct Systemd *systemd, const char *proc_root);

typedef struct LiveWorker {
    pid_t pid;
    uint64_t start_ticks;
    usec start;         /* realtime */
    uint64_t rss_bytes; /* 0: not told */
    bool shutting_down; /* nginx: an old generation that drains */
} LiveWorker;

typedef VEC(LiveWorker) LiveWorkerVec;

/* A service and its main process. Strings as in UnitStatus; without a process main_pid is 0 and the rest empty. */
typedef struct LiveUnit {
    const char *name; /* as asked for */
    const char *load_state, *active_state, *sub_state, *result, *invocation_id;
    bool need_daemon_reload; /* true is true; false proves nothing (domain facts 3.3) */
    uint32_t restarts;
    StringVec dropins; /* that systemd has loaded */
    pid_t main_pid;
    StringVec argv;
    usec start;            /* of the main process, realtime */
    LiveWorkerVec workers; /* Gunicorn's or nginx's; else empty */
} LiveUnit;

int live_unit(Live *live, Arena *arena, const char *unit, LiveUnit *ret, Err *err);

/* Only what systemd says: "active", "inactive", ...; "simple", "notify", "oneshot", ... */
int live_state(Live *live, Arena *arena, const char *unit, const char **ret_active_state, const char **ret_type,
               Err *err);

/* Whether the process has that many children, as far as can be seen quickly: a reason to look with live_unit, and no
 * more. True also where it cannot be seen. */
bool live_may_have_children(Live *live, pid_t main_pid, uint64_t n);

/* Whether the process runs workers of its own: a second master that USR2 made. */
bool live_is_master(Live *live, pid_t pid);
/* The paths of the regular files that it has open to write to. */
int live_written_files(Live *live, Arena *arena, pid_t pid, StringVec *ret, Err *err);

enum { LIVE_NOT_RUNNING = 1 };

/* The value of one variable in the environment that the main process was started with; NULL: it has none. */
int live_environment(Live *live, Arena *arena, const char *unit, const char *name, const char **ret, Err *err);

typedef struct LiveNginx {
    LiveUnit unit;
    usec generation; /* when the present workers started: the configuration they use was read before. 0: no workers */
    uint64_t generation_ticks; /* the same in ticks since boot, which never wavers: names the generation */
} LiveNginx;

/* LIVE_NOT_RUNNING: nginx.service has no main process. */
int live_nginx(Live *live, Arena *arena, LiveNginx *ret, Err *err);

/* The version that the running service logged when it started ("20.1.0"); NULL when its journal does not tell. */
int live_gunicorn_version(Live *live, Arena *arena, const char *unit, const char **ret, Err *err);

/* Whether the running command line is what the files say. */
typedef enum LiveMatch {
    LIVE_MATCH,   /* the same words, an interpreter in front aside */
    LIVE_DIFFERS, /* see `why` */
    LIVE_UNKNOWN, /* not running, or the process rewrote its title, or the files do not tell: see `why` */
} LiveMatch;

int live_command_match(Live *live, Arena *arena, const GunicornFacts *facts, LiveMatch *ret, const char **ret_why,
                       Err *err);
/* The pure half: expected and running argv. */
LiveMatch live_compare_argv(const StringVec *expected, const StringVec *running);

/* An edit on disk that the running processes never loaded (promise 11). */
typedef struct LivePending {
    const char *unit, *path; /* path NULL where it is no single file */
    const char *reason;      /* "changed 3min 5s after the process started" */
    bool is_file;            /* the file itself came, went or changed; else what it says differs from what runs */
    bool unsure;             /* it may have been loaded since; the reason says why that cannot be told */
} LivePending;

typedef VEC(LivePending) LivePendingVec;

/* For the unit (a Gunicorn service or nginx.service): command line, NeedDaemonReload, loaded drop-ins, and files that
 * changed since the processes started that should have read them. What a HUP read again (stack/live-reread.h) and what
 * `systemctl set-property` set is loaded. The view's own edits do not count: it asks about the
 * disk, as the view read it; after files were changed on the host, give a fresh one. A unit that does not run has
 * nothing pending. */
int live_pending(Live *live, View *view, const char *unit, LivePendingVec *ret, Err *err);
