/* SPDX-License-Identifier: Apache-2.0 */
/* Shows a run that another process carries, from its first event to its end, by its trail. */
#pragma once

#include "host/systemd.h"
#include "verb/verb.h"

typedef enum FollowMode {
    FOLLOW_OURS, /* this command started the run: on a terminal Ctrl-C asks what to do */
    FOLLOW_ONLY, /* somebody else's: Ctrl-C leaves */
} FollowMode;

/* The exit status of the run. 1 where we left before its end, which does not stop it. ERR_NOT_FOUND: it has no trail.
 */
int follow_run(VerbContext *context, Systemd *systemd, const char *run_id, FollowMode mode, Err *err);
