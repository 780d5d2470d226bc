/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's voice: steps, notes and samples of one run as events to its sink.
 *
 * A step is begun, and ends done or failed; its duration is measured here. */
#pragma once

#include "run/event.h"

typedef struct Progress {
    EventSink sink;
    const char *run_id;
    RunState state;    /* what the events carry; set by the engine at each transition */
    usec step_started; /* boottime */
    char step[256];    /* the one under way: the subject of the event that ends it */
} Progress;

void progress_emit(Progress *progress, Event event); /* fills in time, run and state */
void progress_state(Progress *progress, RunState state);
void progress_step(Progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));
void progress_done(Progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));
void progress_failed(Progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));
void progress_note(Progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));
void progress_warning(Progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));
void progress_wait(Progress *progress, const char *subject, usec elapsed, usec total);
