/* SPDX-License-Identifier: Apache-2.0 */
/* A run whose process is gone is taken up again, from its snapshot and the ledger. Internal to run/. */
#pragma once

#include "run/intent.h"
#include "run/run.h"

/* The commit of the hot run's snapshot, where its row does not say; *ret NULL: it has none, and edits no file. */
int run_find_commit(const Store *store, Arena *arena, const Hot *hot, const char **ret, Err *err);

/* Fills in what the snapshot says of the run: its edits and its intent (ret_intent may be NULL). ERR_STUCK where there
 * is none any more; any other error may pass. */
int run_load(Run *run, const char *commit, Intent *ret_intent, Err *err);

/* run_roll_back, judged by the checks that passed at the run's baseline (promise 6). Without a baseline in the ledger,
 * or where the checks cannot be opened, files and processes alone are proved, and that is told. */
void run_roll_back_judged(Run *run, const Intent *intent, const char *reason);
