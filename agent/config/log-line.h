/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines of Gunicorn and nginx as events. One line in, at most one event out; reading files and journals, and
 * counting (dedupe by pid and time, OOM evidence), are the callers'.
 *
 * Gunicorn: every version from 19 on, told apart by the message alone; the prefix "[time] [pid] [LEVEL]" is optional,
 * since syslog, journal and JSON setups write others. nginx: error.log, and access logs that start as "combined". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/strbuf.h"

typedef enum LogSource { LOG_SOURCE_GUNICORN, LOG_SOURCE_NGINX_ERROR, LOG_SOURCE_NGINX_ACCESS } LogSource;

typedef enum LogEvent {
    LOG_NONE, /* an ordinary line */
    /* Gunicorn */
    LOG_WORKER_TIMEOUT,    /* WORKER TIMEOUT (pid:N): count these */
    LOG_WORKER_SIGNALED,   /* killed by a signal; `signal` says which. After a timeout it is the arbiter's own */
    LOG_WORKER_TERMINATED, /* SIGTERM: an ordinary stop or reload (21-23 log it as an error) */
    LOG_WORKER_EXITED,     /* exited with a code: logged twice by 21-23 */
    LOG_WORKER_BOOTING,    /* Booting worker with pid: N */
    LOG_WORKER_EXITING,    /* Worker exiting (pid: N) */
    LOG_WORKER_RECYCLED,   /* Autorestarting worker after current request. */
    LOG_BOOT_FAILURE,      /* Worker failed to boot. / App failed to load. */
    LOG_BOOT_EXCEPTION,    /* Exception in worker process */
    LOG_BIND_FAILURE,      /* Connection in use / Can't connect to / connection to (...) failed */
    LOG_REQUEST_ERROR,     /* Error handling request */
    LOG_STARTING,          /* Starting gunicorn X.Y.Z; `text` is the version */
    LOG_LISTENING,         /* Listening at: URL; `text` */
    LOG_WORKER_CLASS,      /* Using worker: X; `text` */
    LOG_HANDLING_SIGNAL,   /* Handling signal: hup; `text` */
    LOG_SHUTTING_DOWN,     /* Shutting down: Master */
    LOG_PARENT_CHANGED,    /* Parent changed, shutting down */
    LOG_CONTROL_SOCKET,    /* Control server error (25+): harmless */
    /* nginx error log: all of LOG_UPSTREAM_* are the group "upstream-failure" */
    LOG_UPSTREAM_TIMEOUT_HEADER,  /* timed out while reading response header: 504 */
    LOG_UPSTREAM_TIMEOUT_BODY,    /* timed out while reading upstream: a truncated 200 */
    LOG_UPSTREAM_TIMEOUT_CONNECT, /* timed out while connecting or sending: 504 */
    LOG_UPSTREAM_CLOSED,          /* prematurely closed connection: 502 */
    LOG_UPSTREAM_RESET,           /* Connection reset by peer: 502 */
    LOG_UPSTREAM_REFUSED,         /* Connection refused: 502 */
    LOG_UPSTREAM_NO_SOCKET,       /* unix socket: No such file or directory: 502 */
    LOG_UPSTREAM_DENIED,          /* unix socket: Permission denied: 502 */
    LOG_UPSTREAM_BACKLOG,         /* unix socket: Resource temporarily unavailable: 502 */
    LOG_UPSTREAM_NONE_LIVE,       /* no live upstreams: 502 */
    LOG_UPSTREAM_BIG_HEADER,      /* upstream sent too big header: 502; no sign of slowness */
    LOG_NGINX_BIND,               /* bind() to ... failed, still could not bind() */
    LOG_NGINX_EMERG,              /* any other [emerg] or [alert] */
    /* nginx access log */
    LOG_ACCESS, /* a request; `status` */
    LOG_EVENT_COUNT
} LogEvent;

typedef struct LogLine {
    LogEvent event;
    uint32_t pid;    /* that the event is about (the worker), 0 when not named */
    uint32_t writer; /* the process that wrote, from the prefix; 0 when there is none */
    int32_t signal;  /* number of a known signal, else 0 */
    int32_t exit_code;
    Bytes level;   /* "CRITICAL", "error"; empty without prefix */
    Bytes time;    /* as written; empty without prefix */
    Bytes message; /* behind the prefix */
    Bytes text;    /* what the event says about itself, else empty */
    /* Access lines */
    unsigned status;
    uint64_t body_bytes;
    Bytes remote, request, user_agent;
} LogLine;

/* One line without its line ending. Gives 1 and sets *ret when the line has the source's format or is an event, else 0
 * with *ret untouched. All Bytes are ranges of the line (not NUL-terminated). */
int log_line_parse(LogSource source, Bytes line, LogLine *ret);

/* The realtime of a line. Gunicorn writes the zone; nginx error.log writes local time without one, for which
 * utc_offset_sec (east positive) is taken. 1: found, 0: no time that can be read. */
int log_line_time(LogSource source, const LogLine *line, int32_t utc_offset_sec, usec *ret_realtime);

/* Walks a text line by line and calls `found` for each event that is not LOG_NONE; lines that cannot hold one are
 * passed over quickly. Ends and returns what `found` returned when that is not 0. An unfinished last line is not
 * looked at: *ret_consumed (may be NULL) says where it starts. */
typedef int (*LogFound)(const LogLine *line, void *ctx);
int log_scan(LogSource source, Bytes text, LogFound found, void *ctx, size_t *ret_consumed);

/* "worker-timeout", "upstream-timeout-header", ...; "none" for LOG_NONE. */
const char *log_event_name(LogEvent event);
/* Whether an event belongs to a name: its own, or a group: "upstream-failure" (all of LOG_UPSTREAM_* except
 * big-header), "upstream-timeout". */
bool log_event_is(LogEvent event, const char *name);
/* The names and groups of a source, NULL-terminated, for schemas and messages. */
const char *const *log_event_names(LogSource source);
