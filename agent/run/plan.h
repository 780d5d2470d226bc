/* SPDX-License-Identifier: Apache-2.0 */
/* A plan: edits + effects + checks, computed without side effects and without starting any program.
 *
 * The changes of the playbook are applied one after the other to a view; effects derive once, from the final edits,
 * whoever made them (run/effects.h). The plan holds all that a run needs and all that a person wants to read before
 * typing y. It lives in the arena given. */
#pragma once

#include "base/hash.h"
#include "change/change.h"
#include "check/check.h"
#include "playbook/playbook.h"
#include "run/effects.h"
#include "run/watch.h"
#include "stack/live.h"

/* How a guard of the playbook stands right now; a run asks again. */
typedef struct PlannedGuard {
    const char *name;
    bool refuses;     /* a run would be refused, unless it overrides the guard */
    const char *text; /* what was found, or why a run would be refused */
} PlannedGuard;

typedef VEC(PlannedGuard) PlannedGuardVec;

typedef struct Plan {
    const Playbook *playbook; /* bound: its variables have values */
    const char *origin;       /* "manual", "rollback of RUN" */
    View *view;
    EditVec edits;
    EffectVec effects; /* in the order of execution; validations first */
    NoteVec notes;
    WishVec wishes;
    AffectedVec affected; /* other units that read an edited file or are pulled along, allowed by the playbook */
    PlannedCheckVec checks;
    PlannedGuardVec guards; /* empty until guards_look */
    LivePendingVec pending; /* edits on disk that the running processes never loaded; accepted if not empty */
    usec warmup_usec, window_usec, interval_usec, settle_usec;
    usec window_most_usec;       /* so long it may go on while a check is undecided; window_usec where not longer */
    usec longest_request_usec;   /* 0: not known */
    bool nothing_to_do;          /* there are changes that make edits, and their result is already there */
    bool only_restarts;          /* no edits by design: nothing to restore, nothing quarantined */
    const char *undoes;          /* the runs that it takes back, ids with spaces between, or NULL */
    const char *makes_permanent; /* the temporary change that would not end by itself any more, or NULL (run/due.h) */
    usec for_usec;               /* it is undone after this time (run/due.h sets it); 0: for good */
    const char *target;          /* the host's name, or the root's path */
    const char *hash;            /* hex over target, edits and checks: what quarantine remembers */
} Plan;

typedef struct PlanOptions {
    bool accept_pending;                            /* promise 11: go on though the disk holds edits that never ran */
    const StringVec *template_dirs, *managed_roots; /* of the settings */
} PlanOptions;

/* view is fresh; live is NULL with --root. ERR_REFUSED where a change, another unit or a pending edit forbids it. */
int plan_make(Arena *arena, const Playbook *playbook, View *view, Live *live, const PlanOptions *options, Plan **ret,
              Err *err);

/* What runs did, to be taken back (run/undo.h makes it). */
typedef struct PlanRecord {
    const char *origin;      /* "rollback of RUN" */
    const char *undoes;      /* as in Plan */
    const EditVec *edits;    /* before: what is wished; after: what is expected to be there now. Ordered by path */
    const StringVec *passed; /* names of the checks that passed then: what the host can be expected to do again */
} PlanRecord;

/* A plan that puts every path back to its recorded `before`. */
int plan_make_reverse(Arena *arena, const Playbook *playbook, const PlanRecord *record, View *view, Live *live,
                      const PlanOptions *options, Plan **ret, Err *err);

/* The longest time for which new connections may be refused, over all effects. */
usec plan_refused_usec(const Plan *plan);
