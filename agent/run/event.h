/* SPDX-License-Identifier: Apache-2.0 */
/* What happens in a run, as plain events to a sink: the engine knows no terminal and no file. report/ renders them, the
 * ledger keeps them, --json prints them. An event and all it points to is valid only during the call. */
#pragma once

#include "base/clock.h"
#include "check/check.h"
#include "store/run-record.h"

typedef enum EventKind {
    EVENT_STATE,       /* the run entered `state` */
    EVENT_STEP,        /* a step began: text says what ("nginx -t on the candidate") */
    EVENT_STEP_DONE,   /* it ended well: subject = the step; duration_usec; text may add a result ("ok") */
    EVENT_STEP_FAILED, /* it failed: subject = the step; text says why */
    EVENT_SAMPLE,      /* a check took a sample: subject = check, value in unit, ok, text */
    EVENT_VERDICT,     /* a check was judged: subject = check, verdict, text = reason */
    EVENT_NOTE,        /* worth knowing */
    EVENT_WARNING,     /* worth a person's attention */
    EVENT_WAIT,        /* progress of a wait: duration_usec of total_usec */
    EVENT_END,         /* the run ended in `state`; text = reason */
} EventKind;

const char *event_kind_to_string(EventKind kind);
int event_kind_from_string(const char *text); /* -1: no such kind */

typedef struct Event {
    EventKind kind;
    usec realtime;
    const char *run_id;
    RunState state; /* the state that the run is in */
    const char *subject;
    const char *text;
    Verdict verdict;
    bool ok;
    double value;
    const char *unit;
    usec duration_usec, total_usec;
} Event;

typedef struct EventSink {
    void (*emit)(void *user, const Event *event);
    void *user;
} EventSink;
