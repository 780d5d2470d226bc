/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a Gunicorn service that mean something, from wherever it logs. Families judge them by pure functions. */
#pragma once

#include "config/log-line.h"
#include "diagnose/finding.h"
#include "stack/gunicorn.h"

/* A line that is an event. */
typedef struct EventLine {
    usec realtime;
    LogEvent event;
    uint32_t pid; /* of the worker that it is about, else of the process that wrote it; 0: not known */
    int32_t signal;
    const char *detail; /* what the event says about itself: a version, a route; "" otherwise */
    const char *text;   /* the message, printable, at most 200 bytes */
    const char *source; /* "journal" or a path */
} EventLine;

typedef VEC(EventLine) EventLineVec;

/* False for a line without an event. */
bool event_line_parse(Arena *arena, LogSource source, Bytes text, usec realtime, uint32_t writer, const char *from,
                      EventLine *ret);

/* Since a realtime. invocation narrows the journal to one start of the service; NULL: all. ERR_* where the log cannot
 * be read, which is no evidence of anything. */
int gunicorn_lines(FindingContext *context, const GunicornFacts *facts, usec since, const char *invocation,
                   EventLineVec *ret, Err *err);
/* nginx's error lines about upstreams since then, with the route in `detail`. Best effort: what cannot be read is left
 * out. */
void nginx_lines(FindingContext *context, const GunicornFacts *facts, usec since, EventLineVec *ret);

/* "2026-03-01 03:12:45 journal: WORKER TIMEOUT (pid:17)" */
const char *event_line_show(Arena *arena, const EventLine *line);
/* "GET /reports/?x=1 HTTP/1.1" and "/reports/" are "/reports/": a query may hold secrets. "" where there is no path. */
const char *route_of(Arena *arena, Bytes request);
/* Printable, cut at `most` bytes. */
const char *printable(Arena *arena, Bytes text, size_t most);
