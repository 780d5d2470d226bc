/* SPDX-License-Identifier: Apache-2.0 */
/* One run on its way through the states: what engine, rollback and recovery share. Internal to run/. */
#pragma once

#include "base/swap.h"
#include "host/systemd.h"
#include "run/chronicle.h"
#include "run/engine.h"
#include "run/progress.h"
#include "run/watch.h"
#include "stack/live.h"

/* Recoveries of one run that may fail. What stops the next one, too, is for a person to find. */
enum { RUN_ATTEMPTS_MAX = 5 };

typedef struct Run {
    Arena *arena;
    Store *store;
    Systemd *systemd;
    Live *live;
    Progress progress;
    Chronicle *chronicle;
    const volatile sig_atomic_t *cancel;
    RunRecord record;
    RunState recorded;             /* what the ledger says: behind record.state where it could not be written */
    SwapSet swap;                  /* root, run id and the edits, which are never changed */
    const EffectVec *effects;      /* in the order of execution */
    VEC(uint32_t) restarts_before; /* of each effect's unit, before the baseline */
    HostBefore before;
    size_t attempted; /* effects begun so far: what a rollback takes back */
    usec settle_usec, window_usec, longest_request_usec;
    Hot hot;
    Watch *watch; /* NULL: no checks */
    CheckResultVec baseline;
    struct Answers *answers; /* open from `confirming` to the end: whoever answered waits for how it ends */
    const Edit *theirs;      /* somebody else changed this file before we could: the run is refused, and it stays */
    StringVec conflicts;     /* paths that a rollback left to whoever changed them meanwhile */
    const char *open;        /* what is kept without a pass, and why; NULL: all checks passed */
    bool looks_first;        /* taken up by somebody else: what is well is not restarted (run/well.h) */
    bool accept_failing_baseline; /* --accept-failing-baseline (run/baseline.h) */
    bool blamed;                  /* what was changed is at fault, should the run be rolled back (promise 8) */
} Run;

struct Engine {
    Arena *arena;
    Store store;
    Systemd *systemd;
    Live *live;
    Chronicle chronicle; /* over the caller's sink */
    const char *program; /* see engine_set_program; NULL */
};

/* A Run of this engine with that id: what all runs have in common. Holds nothing that would need closing, and stays
 * where it is: its swap set speaks through it. */
int run_begin(Engine *engine, Run *ret, const char *id, Err *err);

/* Takes up a run where the ledger has it. */
void run_resume(Run *run, const RunRecord *record);

/* The ledger's durable transition, checked against the table, then the event. */
int run_enter(Run *run, RunState to, const char *reason, Err *err);
/* As above, where going on matters more than the record (rollback): a ledger that cannot be written is a warning, and
 * is filled in by the next transition that can be. */
void run_enter_anyway(Run *run, RunState to, const char *reason);

/* The run is over, but the ledger keeps it where it is, so that the next command that writes cleans up after it. */
void run_end_later(Run *run, RunState to, const char *reason);

/* Whether an activation that failed so is the answer of the host to what lies on disk. It is not where systemd was not
 * reached or gave no answer (a job that does not end is an answer), where somebody else was at work on the same unit,
 * nor where the host could not be looked at: that is not held against a plan (promise 8), and may pass. */
bool run_host_failed(const Err *why);
/* Whether a check fails that did not fail so at the baseline already: then what was changed is at fault. One that
 * failed the same way before tells nothing of it (promise 8). */
bool run_is_blamed(const CheckResultVec *baseline, const CheckResultVec *now);
/* Says in the record that the plan was in quarantine and is run because of --force, if that is so. */
void run_record_force(Run *run, const Plan *plan);

/* A view of the host as it is now. */
View *run_fresh_view(Run *run);

/* Deletes what the run left beside its targets and the hot file: repeatable, after the ledger decided. Foreign bytes go
 * into the snapshot store first. */
int run_finish(Run *run, Err *err);

/* Puts everything back by recorded content, proves it, and judges it by the baseline (promises 5, 6). Ends in
 * RUN_ROLLED_BACK, RUN_STUCK or, where a foreign file stopped the run before anything was activated, RUN_REFUSED, and
 * says so in run->record. While the machine shuts down, or where systemd cannot be asked, it stops half-way, in
 * RUN_RESTORED: the next boot, or the next recovery, does the rest. A recovery that cannot put the files back leaves it
 * where it is, for the next one.
 * Cannot be cancelled. */
void run_roll_back(Run *run, const char *reason);
/* The machine is going down: no job can be had, and what services do now proves nothing. */
bool run_machine_stops(Run *run);
/* The first half alone: the files are back, and systemd has read them. Ends in RUN_RESTORED or as above. */
void run_restore(Run *run, const char *reason);

/* What the checks said, into the chronicle. */
void run_keep_verdicts(Run *run, const WatchOutcome *outcome);
