/* SPDX-License-Identifier: Apache-2.0 */
/* How the units of a run were before anything was touched: what a rollback has to bring back, and what it need not. */
#pragma once

#include "run/run.h"

/* The first look, before the baseline. */
int before_look(Run *run, Err *err);
/* The second look, after it: fills run->before.was_down, run->before.was_sick and run->before.was_up. */
int before_judge(Run *run, Err *err);
