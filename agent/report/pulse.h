/* SPDX-License-Identifier: Apache-2.0 */
/* The trail tells of a long wait only now and then (trail.h). Whoever follows it counts on between two of its lines, so
 * that a person sees how far the wait has come; only while its writer is there. */
#pragma once

#include "run/event.h"

typedef struct Pulse {
    Event wait; /* the last one, with texts of its own */
    bool waits; /* nothing ended it since */
    usec since; /* CLOCK_BOOTTIME at which the wait began, by that event */
    char run_id[64], subject[80];
} Pulse;

/* What was read from the trail, and when: an event of some time ago counts from then. */
void pulse_take(Pulse *pulse, const Event *event, usec realtime, usec boottime);
/* How far the wait has come now; false: nothing is waited for. */
bool pulse_now(const Pulse *pulse, usec realtime, usec boottime, Event *ret);
