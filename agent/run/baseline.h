/* SPDX-License-Identifier: Apache-2.0 */
/* What the baseline says of the checks themselves, before anything is touched. */
#pragma once

#include "run/run.h"

/* Takes the baseline into run->baseline. ERR_REFUSED where a check cannot tell anything on this host
 * (CheckResult.fault), or must pass before the change and does not. With run->accept_failing_baseline each of them is a
 * warning in the run's record instead. */
int baseline_take(Run *run, const Plan *plan, Err *err);
