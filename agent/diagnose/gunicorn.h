/* SPDX-License-Identifier: Apache-2.0 */
/* What a Gunicorn service's lines say; pure. Rules: domain facts 1.1 and 1.3. */
#pragma once

#include "diagnose/lines.h"

typedef struct Timeouts {
    EventLineVec lines; /* each once: by pid and second, since some set-ups log twice */
    size_t workers;     /* different ones */
} Timeouts;

void timeouts_of(Arena *arena, const EventLineVec *lines, Timeouts *ret);

typedef struct Route {
    const char *path;
    size_t n;
} Route;

typedef VEC(Route) RouteVec;

/* The routes at which requests failed within a few seconds of a timeout, the most frequent first. */
void routes_of(Arena *arena, const Timeouts *timeouts, const EventLineVec *gunicorn, const EventLineVec *nginx,
               RouteVec *ret);

typedef struct BootTrouble {
    EventLineVec lines; /* the application could not be imported, a worker could not boot, the port was taken */
    size_t young;       /* workers that were killed for their silence before they had lived longer than `timeout` */
    bool loop;          /* every worker was, one after the other: the import takes longer than `timeout` */
} BootTrouble;

/* `timeout` is Gunicorn's; 0: it kills nobody. A loop needs three such workers, none that lived longer, and no request
 * that was being handled. */
void boot_trouble_of(Arena *arena, const EventLineVec *lines, usec timeout_usec, usec now, BootTrouble *ret);

/* The last "Using worker: x", as the worker class is called today ("gthread" for "threads"); NULL where none is seen.
 */
const char *running_class_of(const EventLineVec *lines);
