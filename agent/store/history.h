/* SPDX-License-Identifier: Apache-2.0 */
/* History over ledger and snapshots together: whether it is what was recorded. */
#pragma once

#include "store/store.h"

/* As ledger_verify, and of each run the snapshot is there, whole, under the run's name. A store where nothing ever ran
 * is sound. */
int history_verify(const Store *store, Arena *arena, ChainReport *ret, Err *err);
