/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/plan.h"
#include "run/progress.h"

struct RunOptions;

/* Looks at every guard of the plan's playbook for somebody who only plans: fills in plan->guards and context->unit. */
int guards_look(FindingContext *context, Plan *plan, Err *err);

/* Examines every guard of the plan's playbook, telling each; ERR_REFUSED with the first that is neither satisfied nor
 * overridden. Fills in context->unit. */
int guards_check(FindingContext *context, const Plan *plan, Progress *progress, const struct RunOptions *options,
                 Err *err);
