/* SPDX-License-Identifier: Apache-2.0 */
/* A sink that leaves the trail of each run (store/runtime.h) and passes the events on. Whoever carries a run, or brings
 * it to an end, writes to the same trail; whoever wants to see the run follows it (verb/follow.h). The last line of a
 * trail is the run's record. */
#pragma once

#include "data/node.h"
#include "run/event.h"

/* How often the trail tells of a wait that has lasted for a minute; at first it is every second. */
#define TRAIL_WAIT_EVERY (30 * USEC_PER_SEC)

typedef struct Trail Trail;

/* `own` is the run that this process carries, or NULL: its trail also gets what is said before the run begins, and of
 * other runs that are finished first. Both texts must outlive it. */
Trail *trail_open(const char *runtime_dir, const char *own, EventSink next);
EventSink trail_sink(Trail *trail);
/* Runs other than our own that said something. */
const StringVec *trail_others(const Trail *trail);
/* A line that is no event, to the trail of that run; NULL: our own, if there is one. */
void trail_add(Trail *trail, const char *run_id, const Node *line);
/* NULL is fine. */
void trail_close(Trail *trail);
DEFINE_CLEANUP(Trail *, trail_close)
