/* SPDX-License-Identifier: Apache-2.0 */
/* What ledger.c (runs) and ledger-log.c (what happened in them, holds) share. */
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
/* Runs one statement in a transaction of its own and closes it. ret_changed may be NULL. */
int ledger_run(Ledger *ledger, Statement *statement, int64_t *ret_changed, Err *err);
