/* SPDX-License-Identifier: Apache-2.0 */
/* The run engine: takes a plan through the states of design, or puts everything back.
 *
 * The engine alone touches the host. It holds the store's lock for its whole life; whoever opens it for writing first
 * brings a hot run to an end (promise 3). It talks through an EventSink and ends in a RunRecord. */
#pragma once

#include <signal.h>

#include "run/event.h"
#include "run/plan.h"
#include "store/store.h"

typedef struct RunOptions {
    bool once;                    /* --verify once */
    bool accept_pending;          /* recorded */
    bool force;                   /* --force: quarantine */
    const char *const *overrides; /* --override GUARD, NULL-terminated */
    const char *reason;           /* --reason: why guards are overridden */
    /* Set by a signal handler: roll back and end. NULL: cannot be cancelled. */
    const volatile sig_atomic_t *cancel;
} RunOptions;

typedef struct Engine Engine;

/* Takes the lock (ERR_BUSY), refuses while the host is held (ERR_BUSY) or stuck (ERR_STUCK), and first finishes a hot
 * run, saying so through the sink. */
int engine_open(Arena *arena, const char *state_dir, EventSink sink, Engine **ret, Err *err);
void engine_close(Engine *engine);
DEFINE_CLEANUP(Engine *, engine_close)

/* What the verbs need to make a plan. */
struct Systemd *engine_systemd(Engine *engine);
Store *engine_store(Engine *engine);

/* Guards of the playbook; 0: satisfied or overridden; ERR_REFUSED with finding and advice otherwise. Touches nothing.
 */
int engine_check_guards(Engine *engine, const Plan *plan, Live *live, const RunOptions *options, Err *err);

/* Executes the plan to its end. 0: it ended, in ret->state, whatever that is; negative: it could not even begin, and
 * nothing was touched. */
int engine_run(Engine *engine, Plan *plan, const RunOptions *options, RunRecord *ret, Err *err);
