/* SPDX-License-Identifier: Apache-2.0 */
/* How a verb carries a run: the engine with its events on the terminal, Ctrl-C as a wish to roll back, the question
 * before, and what to type next after it. */
#pragma once

#include "report/stream.h"
#include "report/trail.h"
#include "run/engine.h"
#include "verb/prepare.h"

typedef struct Carrier {
    Engine *engine;
    Stream *stream;
    Trail *trail;
    bool unattended; /* nobody sees what is printed but the journal: no plan, no JSON */
    bool asks;       /* a person is asked: the plan is shown even with -q */
    bool unfinished; /* the run is not at its end: a recovery is to follow, and tells how it ended */
    VEC(Node *) recovered;
} Carrier;

/* Opens the engine for `what`; a hot run is finished first, told through the stream. From here on a broken output or a
 * lost terminal does not end the process, and SIGINT, SIGTERM and SIGHUP ask for a rollback. */
int carrier_open(VerbContext *context, const char *what, Carrier *ret, Err *err);
/* The same for the run `run_id`, whose trail gets all that is said. `ret` may have `unattended` or `asks` set. */
int carrier_open_run(VerbContext *context, const char *what, const char *run_id, Carrier *ret, Err *err);
/* Tells those who follow runs that were finished first how they ended. Closing does it, too: to be called where that is
 * a long time away. */
void carrier_tell_recovered(Carrier *carrier);
/* Standard output as this command line wants the events. */
Stream *carrier_stream(const VerbContext *context);
void carrier_close(Carrier *carrier);
static inline void carrier_close_cleanup(Carrier *carrier)
{
    carrier_close(carrier);
}

/* The last line of a run, as JSON. */
Node *carrier_record(Arena *arena, const RunRecord *run);

/* Whether somebody asked to stop; for RunOptions.cancel. */
extern volatile sig_atomic_t carrier_cancelled;

/* The plan as people read it, in its event in a trail. */
#define PLAN_RENDERED "rendered"

/* Shows the plan, also to those who follow; with --json as an event "plan", or "nothing-to-do". */
int carrier_show_plan(VerbContext *context, Carrier *carrier, const Plan *plan, const DiffOptions *diff, Err *err);

/* 0: go on. Without --yes and without a terminal to ask on: ERR_REFUSED. To be called before anything else happens. */
int carrier_may_ask(const VerbContext *context, bool yes, Err *err);
/* Asks the question ("Apply?"). 1: the answer was no, and that nothing was touched was said. */
int carrier_ask(Carrier *carrier, const char *question);
/* Runs the plan, prints how it ended and what to type next; the exit status. */
int carrier_run(VerbContext *context, Carrier *carrier, const Plan *plan, RunOptions *options, Err *err);
/* Closes the engine and tells how a run ended; the exit status that goes with it. */
int carrier_end(VerbContext *context, Carrier *carrier, const RunRecord *run, Err *err);
