/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the ledger share: ledger.c (runs), ledger-log.c (what happened in them, holds),
 * ledger-quarantine.c, ledger-chain.c (history that cannot be changed unnoticed). */
#pragma once

#include "store/db.h"
#include "store/ledger.h"

/* What waits for the next write. */
typedef struct Pending {
    enum { PENDING_EVENT, PENDING_SAMPLE, PENDING_VERDICT, PENDING_THOROUGHNESS, PENDING_KINDS } kind;
    const char *run;
    union {
        LedgerEvent event;
        LedgerSample sample;
        LedgerVerdict verdict;
        const char *text;
    };
} Pending;

struct Ledger {
    Db *db;
    Arena *pending_arena; /* what `pending` points to */
    VEC(Pending) pending;
};

/* Begins a transaction with what waits; ledger_end commits (r == 0) or rolls back and hands on r. */
int ledger_begin(Ledger *ledger, DbDurable durable, Err *err);
int ledger_end(Ledger *ledger, int r, Err *err);
/* The columns of a run, in the order in which it is read and written. */
#define RUN_COLUMNS                                                                                                    \
    "id, state, created, ended, playbook, target, variables, plan_hash, commit_id, origin, user, thoroughness, "       \
    "reason, boot_id, undoes, until, blamed, pid"
enum { RUN_COLUMN_COUNT = 18 };

/* Runs that came to a judgement against their plan, and those which no later one of the same plan replaced. */
#define RUN_IS_BLAMED "blamed = 1 AND plan_hash <> '' AND state IN ('rolled-back', 'stuck')"
#define RUN_NONE_SINCE                                                                                                 \
    "NOT EXISTS (SELECT 1 FROM runs AS later WHERE later.plan_hash = past.plan_hash AND later.rowid > past.rowid"
/* One run for each plan in quarantine. */
#define QUARANTINED(columns)                                                                                           \
    "SELECT " columns " FROM runs AS past WHERE " RUN_IS_BLAMED " AND " RUN_NONE_SINCE                                 \
    " AND (later.state = 'kept' OR (later.blamed = 1 AND later.state IN ('rolled-back', 'stuck'))))"

/* The runs of a query (SELECT RUN_COLUMNS) with at most one text parameter. */
int ledger_query_runs(Ledger *ledger, Arena *arena, const char *sql, const char *text, RunRecordVec *ret, Err *err);

/* Runs one statement in a transaction of its own and closes it. ret_changed may be NULL. */
int ledger_run(Ledger *ledger, Statement *statement, int64_t *ret_changed, Err *err);
/* As ledger_run, for one that changes the row of this run: what happens to a run that has ended becomes a link of the
 * chain in the same transaction. */
int ledger_change(Ledger *ledger, Statement *statement, const char *id, DbDurable durable, int64_t *ret_changed,
                  Err *err);
/* Writes what waits. */
int ledger_flush(Ledger *ledger, Err *err);

/* The row of a SELECT RUN_COLUMNS. */
int ledger_read_run(Statement *select, Arena *arena, RunRecord *ret, Err *err);
/* The run with its files and verdicts as one canonical JSON text. 1: there is no such run. */
int ledger_record(Ledger *ledger, Arena *arena, const char *id, RunState *ret_state, char **ret, Err *err);
int ledger_checkpoint(Ledger *ledger, Arena *arena, LedgerCheckpoint *ret, Err *err);
char *ledger_link_hash(Arena *arena, const char *previous, const char *record);
/* A link for the run as it is now, if it has ended; inside a transaction. */
int ledger_link(Ledger *ledger, const char *id, Err *err);
