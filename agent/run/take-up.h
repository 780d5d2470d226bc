/* SPDX-License-Identifier: Apache-2.0 */
/* A run whose process is gone is taken up again, from its snapshot and the ledger. Internal to run/. */
#pragma once

#include "run/intent.h"
#include "run/run.h"

/* Fills in what the snapshot says of the run: its edits and its intent (ret_intent may be NULL). ERR_STUCK where there
 * is none. */
int run_load(Run *run, const char *commit, Intent *ret_intent, Err *err);

/* run_roll_back, judged by the checks that passed at the run's baseline (promise 6). Without a baseline in the ledger,
 * or where the checks cannot be opened, files and processes alone are proved, and that is told. */
void run_roll_back_judged(Run *run, const Intent *intent, const char *reason);
