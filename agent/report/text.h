/* SPDX-License-Identifier: Apache-2.0 */
/* Events as plain lines: one a step, when it has ended, with the time since the run began in front.
 *
 *      0.0s  baselining
 *      2.1s    pass  health: p95 41ms (24 samples)
 *      2.3s    nginx -t on the candidate: ok (38ms)
 */
#pragma once

#include "report/ink.h"
#include "run/event.h"

typedef enum TextDetail {
    TEXT_QUIET,   /* warnings, failures and the end */
    TEXT_NORMAL,  /* and states, steps, verdicts, notes; a wait every 15 s */
    TEXT_VERBOSE, /* and each step as it begins, each sample */
} TextDetail;

enum { TEXT_TOLD_MAX = 64 };

/* The last verdict of a check that was shown. */
typedef struct TextTold {
    uint64_t check; /* a hash of its name */
    Verdict verdict;
} TextTold;

typedef struct TextReport {
    TextDetail detail;
    bool colour;
    bool waits_shown_elsewhere; /* by the live view */
    usec began;                 /* of the first event; 0: none was seen yet */
    usec last_wait;
    char step[256];               /* the step that is under way */
    TextTold told[TEXT_TOLD_MAX]; /* since the run entered its state: a verdict that stays the same is shown once, but
                                     for TEXT_VERBOSE */
    size_t n_told;
} TextReport;

/* Appends the lines of one event, often none. */
void text_event(TextReport *report, const Event *event, StrBuf *out);

/* "412ms", "3 restarts", "0.5 %": a number with its unit. */
void text_number(StrBuf *out, double value, const char *unit);
InkColour text_colour_of_verdict(Verdict verdict);
InkColour text_colour_of_state(RunState state);
