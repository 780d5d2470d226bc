/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of a run whose process is gone, so that its rollback is judged all the same (promise 6). Internal to run/.
 */
#pragma once

#include "run/intent.h"
#include "run/run.h"

/* Opens the checks that passed at the run's baseline, as the ledger has it, and fills run->watch (the caller's to
 * close) and run->baseline. Checks that judge a change against the baseline's own counts are left out: the counts are
 * gone with the process. No baseline in the ledger: no checks, and a warning. */
int recheck_open(Run *run, const Intent *intent, Err *err);
