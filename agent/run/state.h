/* SPDX-License-Identifier: Apache-2.0 */
/* Which state may follow which: the state machine of a run as a table.
 *
 *     planned -> baselining -> snapshotted -> staged -> applying -> activating -> verifying -> [confirming] -> kept
 *        |           |             |            |          \____________\____________\____________/
 *        +-----------+-------------+------------+               rolling-back -> restored -> rolled-back | stuck
 *     refused (nothing was touched)                   failed: a plan without edits has nothing to restore
 *
 * restored -> refused: somebody else changed a file before the run could exchange it. What was exchanged before is
 * back, theirs was never replaced, and nothing was activated. */
#pragma once

#include "store/run-record.h"

/* So the reason of a rolled-back run begins to tell, at its end, of a file that holds what somebody else wrote. */
#define RUN_CONFLICT "(conflict: "

bool run_state_may_follow(RunState from, RunState to);
/* The run may have touched managed files or services: what interrupts it must be put back. */
bool run_state_touched(RunState state);
/* What a verb exits with when a run ended in this state (design: exit codes). */
int run_state_exit_status(RunState state);
