/* SPDX-License-Identifier: Apache-2.0 */
/* How a verb carries a run: the engine with its events on the terminal, Ctrl-C as a wish to roll back, the question
 * before, and what to type next after it. */
#pragma once

#include "report/stream.h"
#include "run/engine.h"
#include "verb/prepare.h"

typedef struct Carrier {
    Engine *engine;
    Stream *stream;
} Carrier;

/* Opens the engine for `what`; a hot run is finished first, told through the stream. From here on a broken output or a
 * lost terminal does not end the process, and SIGINT, SIGTERM and SIGHUP ask for a rollback. */
int carrier_open(VerbContext *context, const char *what, Carrier *ret, Err *err);
/* Standard output as it wants the events. */
Stream *carrier_stream(const VerbContext *context);
void carrier_close(Carrier *carrier);
static inline void carrier_close_cleanup(Carrier *carrier)
{
    carrier_close(carrier);
}

/* Whether somebody asked to stop; for RunOptions.cancel. */
extern volatile sig_atomic_t carrier_cancelled;

/* Shows a plan whose result is already there. */
int carrier_nothing_to_do(VerbContext *context, Carrier *carrier, const Plan *plan, Err *err);

/* 0: go on. Without --yes and without a terminal to ask on: ERR_REFUSED. To be called before anything else happens. */
int carrier_may_ask(const VerbContext *context, bool yes, Err *err);
/* Shows the plan (not with --json) and asks. 1: the answer was no. */
int carrier_ask(VerbContext *context, Carrier *carrier, const Plan *plan, bool yes, Err *err);
/* Runs the plan, prints how it ended and what to type next; the exit status. */
int carrier_run(VerbContext *context, Carrier *carrier, const Plan *plan, RunOptions *options, Err *err);
/* Prints how a run ended; the exit status that goes with it. */
int carrier_end(VerbContext *context, Carrier *carrier, const RunRecord *run, Err *err);
