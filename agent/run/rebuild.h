/* SPDX-License-Identifier: Apache-2.0 */
/* A lost ledger, made anew from what the snapshots know. Internal to run/. */
#pragma once

#include "run/engine.h"

/* Where rows are missing (the mark STORE_REBUILD, or snapshots without any run): a row for every snapshot, kept where
 * its tag says so, else rolled back. Not for the run that is hot: recovery makes its row and brings it to an end; where
 * the hot file cannot be read, the newest run without a tag is taken for it. What the snapshots do not know (samples,
 * verdicts, quarantine) stays lost, which the caller tells. *ret_runs: how many rows. May be cut short, and goes on
 * with the next call. */
int rebuild_ledger(Engine *engine, size_t *ret_runs, Err *err);
