/* SPDX-License-Identifier: Apache-2.0 */
/* Taking back what runs did: a rollback of one run, or back to how things were right after one. What comes out is the
 * record for plan_make_reverse: by recorded content, never relative (promise 5). */
#pragma once

#include "run/plan.h"
#include "store/store.h"

typedef struct Undo {
    RunRecord run;            /* the one that was named */
    const Playbook *playbook; /* as it was then: its checks judge */
    PlanRecord record;
} Undo;

/* Back to before a run. which: as ledger_find takes it; "last-kept" is the newest change that stands, no rollback.
 * ERR_REFUSED where it was not kept or changed nothing. */
int undo_run(Arena *arena, const Store *store, const char *which, Undo *ret, Err *err);
/* Back to how the managed files were right after a kept run: what it left in its own files, and in files that only
 * later kept runs touched what was there before the earliest of them. All later kept runs count as undone, those that
 * were undone already as well: so whoever takes this back has them back as they were. */
int undo_to(Arena *arena, const Store *store, const char *which, Undo *ret, Err *err);

/* The edits of undo_to: of the run itself, and of the later kept ones, newest first. */
typedef VEC(EditVec) EditVecVec;
void undo_compose(Arena *arena, const EditVec *own, const EditVecVec *later, EditVec *ret);
