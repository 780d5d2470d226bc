/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the ledger share: ledger.c (runs), ledger-log.c (what happened in them, holds),
 * ledger-quarantine.c. */
#pragma once

#include "store/db.h"
#include "store/ledger.h"

/* An event or a sample that waits for the next write. */
typedef struct Pending {
    const char *run;
    bool is_sample;
    LedgerEvent event;
    LedgerSample sample;
} Pending;

struct Ledger {
    Db *db;
    Arena *pending_arena; /* what `pending` points to */
    VEC(Pending) pending;
};

/* Begins a transaction with what waits; ledger_end commits (r == 0) or rolls back and hands on r. */
int ledger_begin(Ledger *ledger, Err *err);
int ledger_end(Ledger *ledger, int r, Err *err);
/* The columns of a run, in the order in which it is read and written. */
#define RUN_COLUMNS                                                                                                    \
    "id, state, created, ended, playbook, target, variables, plan_hash, commit_id, origin, user, thoroughness, "       \
    "reason, boot_id, undoes, until, blamed, pid"

/* The runs of a query (SELECT RUN_COLUMNS) with at most one text parameter. */
int ledger_query_runs(Ledger *ledger, Arena *arena, const char *sql, const char *text, RunRecordVec *ret, Err *err);

/* Runs one statement in a transaction of its own and closes it. ret_changed may be NULL. */
int ledger_run(Ledger *ledger, Statement *statement, int64_t *ret_changed, Err *err);
