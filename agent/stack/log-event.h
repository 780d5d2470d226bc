/* SPDX-License-Identifier: Apache-2.0 */
/* Log events by name, whatever version wrote the line: what checks count and findings are made of.
 *
 * config/log-line.h says what one line is; here lines become events: duplicates that some versions log are counted
 * once, a SIGKILL is told apart from the arbiter's own after a timeout, salve's own probes are subtracted where a line
 * shows who asked. Reading logs is the caller's. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "stack/gunicorn.h"
#include "stack/nginx.h"

typedef enum LogPlace {
    LOG_JOURNAL,        /* the unit's journal, and the kernel's lines for oom-kill */
    LOG_NGINX_ERROR,    /* files: the error_log directives */
    LOG_NGINX_ACCESS,   /* files: the access_log directives; lines must start as "combined" */
    LOG_GUNICORN_ERROR, /* a file: the errorlog setting, where it is not the journal */
    LOG_PLACE_COUNT,
} LogPlace;

typedef struct LogPlaceKind {
    const char *name; /* "journal", "nginx-error", "nginx-access", "gunicorn-error" */
    const char *help;
} LogPlaceKind;

extern const LogPlaceKind log_places[LOG_PLACE_COUNT];
/* ERR_INVALID with "did you mean". */
int log_place_from_string(const char *name, LogPlace *ret, Err *err);

typedef struct LogEventKind {
    const char *name; /* "worker-timeout" */
    const char *help;
    unsigned places;            /* bits 1 << LogPlace: where it can be seen */
    const struct LogRule *rule; /* of log-event.c */
} LogEventKind;

/* Ends with a NULL name. */
extern const LogEventKind log_event_kinds[];
const LogEventKind *log_event_kind(const char *name);
/* The event by name, if it can be seen in that place; ERR_INVALID with "did you mean", or with where to look. */
int log_event_kind_in(const char *name, LogPlace place, const LogEventKind **ret, Err *err);

/* How salve names itself to servers: the User-Agent header starts with it ("salve-probe/RUN"). */
#define LOG_OWN_AGENT "salve"

typedef struct LogInput {
    LogPlace place;
    Bytes text;
    usec realtime;          /* of the journal; 0: taken from the line */
    int32_t utc_offset_sec; /* for lines without a zone (nginx-error) */
    uint32_t pid;           /* that wrote it; 0: not known */
    bool kernel;            /* a kernel line of the journal */
    const char *message_id; /* of the journal; NULL or "": none */
    const char *cgroup;     /* kernel lines count only for this control group's name ("gunicorn.service"); NULL: any */
} LogInput;

typedef struct LogSeen {
    usec realtime;    /* 0: not known */
    uint32_t pid;     /* that it is about; 0: not named */
    const char *text; /* the line, printable, at most 300 bytes; lives in the counter's arena */
} LogSeen;

typedef struct LogCounter LogCounter;

LogCounter *log_counter_new(Arena *arena, const LogEventKind *kind);

/* Lines must come in their order. 1: the event happened; ret (may be NULL) tells of it. */
int log_counter_feed(LogCounter *counter, const LogInput *input, LogSeen *ret);
uint64_t log_counter_events(const LogCounter *counter);
uint64_t log_counter_lines(const LogCounter *counter); /* all lines fed: 0 is no evidence */
uint64_t log_counter_own(const LogCounter *counter);   /* events that salve's own probes caused; not in events */

/* The files behind a place, absolute. LOG_JOURNAL: none. facts may be NULL where the place does not need them. With
 * gunicorn and nginx both given, the nginx logs are those of the servers that reach the service, where there are any.
 * ERR_REFUSED when there is no such file: logging goes to syslog or is off (the message says which). */
int log_place_paths(Arena *arena, LogPlace place, const GunicornFacts *gunicorn, const NginxFacts *nginx,
                    StringVec *ret, Err *err);
