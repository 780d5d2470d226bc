/* SPDX-License-Identifier: Apache-2.0 */
/* What a run is asked to do: made by the front end (run, rollback), handed to the process that carries the run as
 * RUNTIME/RUN.request. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/vec.h"
#include "data/node.h"

typedef struct Request {
    const char *id;     /* of the run to be */
    const char *kind;   /* "run", "rollback": the row of verb/work.c */
    const char *name;   /* of the playbook, for people; NULL for a rollback */
    const char *source; /* run: the playbook's path or name ... */
    const char *text;   /* ... its bytes ... */
    const Node *values; /* ... and the values of its variables, a JSON object */
    const char *which;  /* rollback: back to before this run, ... */
    const char *to;     /* ... or to right after this one */
    StringVec overrides;
    const char *reason, *user;
    const char *accepted; /* hash of the plan that a person agreed to; NULL: whatever the plan is (--yes) */
    const char *fault;    /* SALVE_FAULT for the run alone (tests) */
    bool once, force, accept_pending, make_permanent, accept_failing_baseline, colour;
    usec confirm_usec, for_usec;
} Request;

char *request_to_json(Arena *arena, const Request *request);
/* *ret lives as long as the arena. */
int request_from_json(Arena *arena, Bytes json, Request *ret, Err *err);
/* "run gunicorn-timeout": what the lock is held for. */
const char *request_what(Arena *arena, const Request *request);
