/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold on the simulated host when everything has come to its end (promise 12), seen from outside of it. */
#pragma once

#include "base/err.h"
#include "base/arena.h"
#include "store/run-record.h"

/* A state of the managed files as a whole. */
typedef enum Side { SIDE_OLD, SIDE_NEW, SIDE_MIXED } Side;

typedef struct Judge {
    Arena *arena;
    const char *sides[2]; /* tree_print of the files wholly old and wholly new */
    size_t runs_before;   /* rows in the ledger before the run under test */
} Judge;

/* What the ledger knows of the run under test; `known` false: nothing. */
typedef struct Row {
    bool known;
    RunState state;
    size_t runs;
} Row;

/* false: the ledger cannot be read, err says why. */
bool judge_read_row(const Judge *judge, Row *ret, Err *err);

/* dots: whether what salve leaves beside its targets counts. */
Side judge_side(const Judge *judge, bool dots);

/* Everything at its end: files wholly old or new and nothing left beside them, hot file gone, the ledger in a final
 * state that matches the files, and the services run what lies on disk. NULL, or what is wrong. */
const char *judge_end(const Judge *judge);
/* Half of it, while the fault still lasts: the files are wholly old or new, but for what waits beside them, and the
 * services run them. */
const char *judge_files(const Judge *judge);
