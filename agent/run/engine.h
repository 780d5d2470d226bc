/* SPDX-License-Identifier: Apache-2.0 */
/* The run engine: takes a plan through the states of design, or puts everything back.
 *
 * The engine alone touches the host. It holds the store's lock for its whole life; whoever opens it for writing first
 * brings a hot run to an end. It talks through an EventSink and ends in a RunRecord. */
#pragma once

#include <signal.h>

#include "run/event.h"
#include "run/plan.h"
#include "store/store.h"

typedef struct RunOptions {
    const char *id;               /* of the run to be; NULL: made here (store_run_id) */
    const char *user;             /* who asked; NULL: whoever started this process */
    bool once;                    /* --verify once */
    bool force;                   /* --force: also a plan in quarantine */
    bool accept_failing_baseline; /* go on though a check forbids it after the baseline (run/baseline.h) */
    usec confirm_usec;            /* --confirm: how long to wait for a confirmation; 0: none is asked for */
    const char *answer_path;      /* where to listen for it (CONFIRM_SOCKET in the runtime directory) */
    usec for_usec;                /* --for: the change is undone after this time; 0: it is for good */
    const char *const *overrides; /* --override GUARD, NULL-terminated */
    const char *reason;           /* --reason: why guards are overridden */
    /* Set by a signal handler: roll back and end. NULL: cannot be cancelled. */
    const volatile sig_atomic_t *cancel;
} RunOptions;

typedef struct Engine Engine;

/* Takes the lock for `what` (ERR_BUSY), and first brings a hot run to an end, saying so through the sink (promise 3).
 * ERR_DENIED without root. */
int engine_open(Arena *arena, const char *state_dir, const char *what, EventSink sink, Engine **ret, Err *err);
/* The first half of that alone, at boot: files are back and systemd has read them, before any service is started. */
int engine_restore(Arena *arena, const char *state_dir, EventSink sink, Err *err);
void engine_close(Engine *engine);
DEFINE_CLEANUP(Engine *, engine_close)

/* Runs from now on name this program in the hot file: the one that recovers them, whatever is installed then. The path
 * must outlive the engine. */
void engine_set_program(Engine *engine, const char *path);

struct Systemd *engine_systemd(Engine *engine);
Live *engine_live(Engine *engine);
Store *engine_store(Engine *engine);

/* ERR_BUSY while the host is held, ERR_STUCK while a run waits for a person, ERR_REFUSED while what a run left cannot
 * be removed; all say what to do. */
int engine_ready(Engine *engine, Err *err);

/* Guards of the playbook; 0: satisfied or overridden; ERR_REFUSED with finding and advice otherwise. Touches nothing.
 */
int engine_check_guards(Engine *engine, const Plan *plan, const RunOptions *options, Err *err);

/* ERR_REFUSED while the plan is in quarantine: a run of it was rolled back because of what it changed (promise 8).
 * options->force goes on nevertheless, and the run's record says so. Touches nothing. */
int engine_check_quarantine(Engine *engine, const Plan *plan, const RunOptions *options, Err *err);

/* Executes the plan to its end. 0: it ended, in ret->state, whatever that is; negative: it could not even begin, and
 * nothing was touched. */
int engine_run(Engine *engine, const Plan *plan, const RunOptions *options, RunRecord *ret, Err *err);

enum { ENGINE_NOTHING_STUCK = 1 };

/* Tries the rollback of the stuck run again. 0: it ended in ret->state. */
int engine_recover(Engine *engine, RunRecord *ret, Err *err);
/* A person put the host right by hand: the stuck run, or one that could not be cleaned up, blocks no more. */
int engine_acknowledge(Engine *engine, const char *who, RunRecord *ret, Err *err);
