/* SPDX-License-Identifier: Apache-2.0 */
/* How a person's command becomes a run: the plan is shown and agreed to here, without the lock being held meanwhile;
 * then a transient unit salve-run-ID.service carries the run (verb/carried.c), and this process only follows it. With
 * --foreground this process carries it. */
#pragma once

#include "verb/request.h"
#include "verb/verb.h"

typedef struct LaunchOptions {
    bool yes;        /* do not ask */
    bool foreground; /* carry it here */
} LaunchOptions;

/* Fills in the request's id, user and the like. The exit status of the run, or of the wish not to run it. */
int launch(VerbContext *context, Request *request, LaunchOptions options, Err *err);
