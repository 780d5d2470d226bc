/* SPDX-License-Identifier: Apache-2.0 */
/* A lost ledger, made anew from what the snapshots know. Internal to run/. */
#pragma once

#include "run/engine.h"
#include "store/hot.h"

/* Whether the ledger lacks rows (the mark STORE_REBUILD), or is none: then it cannot say that no run is under way. */
bool rebuild_is_due(Engine *engine);

/* Where rows are missing (as above, or snapshots without any run): a row for every snapshot, kept where its tag says
 * so, else rolled back; but for the run that is hot, whose row says that it is under way, so that recovery brings it to
 * an end. Where there is no hot file, the newest is under way if its files say so. Where the hot file cannot be read,
 * the newest run is taken for it, and rebuilding stays due, since somebody else may be. What the snapshots do not know
 * (samples, verdicts, quarantine) stays lost, which the caller tells. *ret_runs: how many rows. May be cut short, and
 * goes on with the next call. */
int rebuild_ledger(Engine *engine, size_t *ret_runs, Err *err);

/* The row of the hot run, which the ledger does not know: kept where its tag says so, else under way. A row that cannot
 * be written stops no rollback; where the tag cannot be read, it is an error, and nothing may be touched. */
int rebuild_hot(Engine *engine, const Hot *hot, RunRecord *ret, Err *err);
