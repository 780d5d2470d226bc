/* SPDX-License-Identifier: Apache-2.0 */
/* Watching: drives all checks of a run through a phase and adds up their verdicts.
 *
 * A phase ends when its time is over, never earlier with a pass; it goes on, for a limited time, while a check is
 * undecided, and ends at once with a fail as soon as a check cannot pass any more. A check that cannot observe is blind
 * (promise 10). */
#pragma once

#include <signal.h>

#include "check/check.h"
#include "run/progress.h"

/* A check of the plan, ready to be opened. */
typedef struct PlannedCheck {
    const CheckKind *kind;
    const void *spec;
    const char *name;
    CheckBaseline baseline; /* which baseline ends the run */
} PlannedCheck;

typedef VEC(PlannedCheck) PlannedCheckVec;
typedef VEC(CheckResult) CheckResultVec;

typedef struct WatchInput {
    Arena *arena;
    const char *run_id;
    View *view; /* as planned: where the checks find paths and units */
    struct Systemd *systemd;
    const PlannedCheckVec *checks;
    usec interval_usec;
    bool once;
    Progress *progress;
    const volatile sig_atomic_t *cancel; /* NULL: cannot be cancelled */
} WatchInput;

typedef struct Watch Watch;

/* ERR_REFUSED where a check cannot observe at all: better known before anything is touched. */
int watch_open(const WatchInput *input, Watch **ret, Err *err);
void watch_close(Watch *watch);
DEFINE_CLEANUP(Watch *, watch_close)

typedef struct WatchOutcome {
    Verdict verdict;        /* the worst of all checks */
    bool cancelled;         /* the verdict means nothing */
    const char *reason;     /* of the first check with that verdict; NULL on a pass */
    CheckResultVec results; /* one a check, in the plan's order */
    size_t samples;
    usec elapsed_usec;
} WatchOutcome;

typedef struct WatchPhase {
    CheckPhase phase;
    usec warmup_usec; /* between the beginning, from which logs count, and the first probe */
    usec limit_usec;  /* from the first probe: the baseline's longest duration, or the verification's window */
    usec open_usec;   /* likewise, and later or 0: until then it goes on while a check is undecided */
    usec window_usec; /* the verification's window; a baseline looks back that far in logs */
} WatchPhase;

/* Of a verification with one sample a check: begins it while activation still waits for processes, and lets it go on
 * until `until`. Logs count from here on, requests are sent; what they tell is for watch_phase, and so is what the
 * other checks see. */
void watch_ahead(Watch *watch, usec window_usec, usec until);

int watch_phase(Watch *watch, const WatchPhase *phase, WatchOutcome *ret, Err *err);

/* Why a change with that outcome must not stay: the worst check whose verdict is none of `keeps`. NULL where it may. It
 * is asked of each check, because a verdict that is kept can hide a better one that is not. */
const char *watch_unwanted(Arena *arena, const WatchOutcome *outcome, const bool keeps[static VERDICT_COUNT]);

/* From now on the watch judges a rollback, by the configuration that is there again: one sample a check is enough,
 * because nobody should wait for a whole window, and no cancel ends it, because a rollback without evidence would be
 * taken for a good one. */
void watch_for_rollback(Watch *watch, View *restored);

/* Whether every check that passed at the baseline passes now: how a rollback is judged (promise 6). ret_reason names
 * the first one that does not. ret_sick gets those that failed then and fail now: of a check that
 * could not tell anything then (CheckResult.fault, no evidence) nothing is said. */
bool watch_as_before(Arena *arena, const CheckResultVec *baseline, const CheckResultVec *now, const char **ret_reason,
                     StringVec *ret_sick);
