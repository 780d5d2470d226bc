/* SPDX-License-Identifier: Apache-2.0 */
/* What is needed to take a run back where the snapshot store is lost: not the content, which lies beside the files
 * under dot names, but how to know it again. In the ledger, with the run's snapshot. */
#pragma once

#include "store/ledger.h"

typedef struct WayBackFile {
    const char *path;
    const char *before, *after; /* file_state_hash of both sides, hex */
} WayBackFile;

typedef VEC(WayBackFile) WayBackFileVec;

typedef struct WayBack {
    const char *intent; /* as in the snapshot */
    WayBackFileVec files;
} WayBack;

/* For ledger_set_snapshot, in its transaction. */
int way_back_write(Ledger *ledger, const char *id, const WayBack *way_back, Err *err);
/* 1: none is recorded. In the order of the edits. */
int way_back_read(Ledger *ledger, Arena *arena, const char *id, WayBack *ret, Err *err);
