/* SPDX-License-Identifier: Apache-2.0 */
/* The live view: lines as in report/text scroll by, and below them a few lines are drawn anew with each event: the
 * state and the step that is under way, how far a wait has come, and for each check its latest sample and the verdict
 * so far.
 *
 * Nothing about the terminal is switched: no cursor is hidden and no mode is set, so that a killed process leaves it as
 * it was. A change of width is seen at the next drawing, without a signal handler. */
#pragma once

#include "report/text.h"

enum { LIVE_MAX_CHECKS = 24 };

typedef struct LiveCheck {
    char name[80], sample[80], verdict[160];
    size_t samples, bad;
    Verdict judged;
    bool has_verdict;
} LiveCheck;

typedef struct LiveView {
    TextReport text; /* the lines that stay */
    RunState state;
    usec now, wait_done, wait_total; /* wait_total 0: nothing to wait for */
    char wait_subject[80];
    LiveCheck checks[LIVE_MAX_CHECKS];
    size_t n_checks;
    size_t drawn[LIVE_MAX_CHECKS + 4]; /* the columns of each line that is on the screen below */
    size_t n_drawn;
    bool ended;
} LiveView;

/* Appends what brings a terminal of this width from the last drawing to the next. */
void live_event(LiveView *view, const Event *event, size_t columns, StrBuf *out);
/* Wipes the drawn lines; what scrolled by stays. */
void live_end(LiveView *view, size_t columns, StrBuf *out);
