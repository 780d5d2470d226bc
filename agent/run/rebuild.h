/* SPDX-License-Identifier: Apache-2.0 */
/* A lost ledger, made anew from what the snapshots know. Internal to run/. */
#pragma once

#include "run/engine.h"

/* A row for every snapshot: kept where its tag says so, else rolled back. Not for the run that is hot: recovery makes
 * its row and brings it to an end. What the snapshots do not know (samples, verdicts, quarantine) stays lost, which the
 * caller tells. *ret_runs: how many rows. */
int rebuild_ledger(Engine *engine, size_t *ret_runs, Err *err);
