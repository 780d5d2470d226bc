/* SPDX-License-Identifier: Apache-2.0 */
/* History over ledger and snapshots together: whether it is what was recorded, and that it does not grow for ever. */
#pragma once

#include "store/store.h"

/* As ledger_verify, and of each run the snapshot is there, whole, under the run's name. A store where nothing ever ran
 * is sound. */
int history_verify(const Store *store, Arena *arena, ChainReport *ret, Err *err);

typedef struct PruneReport {
    int64_t runs;   /* dropped */
    size_t objects; /* removed from the snapshots */
} PruneReport;

/* Drops the runs that retention lets go (ledger_prune), then their snapshots and whatever else no ref reaches. A crash
 * at any point is made good by the next call. The caller holds the lock, and no run is under way. */
int history_prune(const Store *store, const Retention *keep, PruneReport *ret, Err *err);

/* The same on its own, after a run: where enough has gathered to be worth the while, and nobody else is at work. What
 * only age would remove stays until enough runs say that so much time has passed: a clock may be years ahead. */
int history_tidy(const char *state_dir, const Retention *keep, Err *err);
