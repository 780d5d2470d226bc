/* SPDX-License-Identifier: Apache-2.0 */
#include "run/state.h"

#define BIT(state) (1u << (state))

/* From each state, the set of states that may follow. Terminal states have none. */
static const unsigned followers[RUN_STATE_COUNT] = {
    [RUN_PLANNED] = BIT(RUN_BASELINING) | BIT(RUN_REFUSED),
    [RUN_BASELINING] = BIT(RUN_SNAPSHOTTED) | BIT(RUN_REFUSED),
    [RUN_SNAPSHOTTED] = BIT(RUN_STAGED) | BIT(RUN_REFUSED),
    [RUN_STAGED] = BIT(RUN_APPLYING) | BIT(RUN_REFUSED),
    [RUN_APPLYING] = BIT(RUN_ACTIVATING) | BIT(RUN_ROLLING_BACK) | BIT(RUN_FAILED),
    [RUN_ACTIVATING] = BIT(RUN_VERIFYING) | BIT(RUN_ROLLING_BACK) | BIT(RUN_FAILED),
    [RUN_VERIFYING] = BIT(RUN_CONFIRMING) | BIT(RUN_KEPT) | BIT(RUN_ROLLING_BACK) | BIT(RUN_FAILED),
    [RUN_CONFIRMING] = BIT(RUN_KEPT) | BIT(RUN_ROLLING_BACK) | BIT(RUN_FAILED),
    [RUN_ROLLING_BACK] = BIT(RUN_RESTORED) | BIT(RUN_STUCK),
    [RUN_RESTORED] = BIT(RUN_ROLLED_BACK) | BIT(RUN_STUCK) | BIT(RUN_REFUSED),
    [RUN_STUCK] = BIT(RUN_ROLLING_BACK), /* a person asked to try again */
};

bool run_state_may_follow(RunState from, RunState to)
{
    return (followers[from] & BIT(to)) != 0;
}

bool run_state_touched(RunState state)
{
    return (BIT(state) & (BIT(RUN_APPLYING) | BIT(RUN_ACTIVATING) | BIT(RUN_VERIFYING) | BIT(RUN_CONFIRMING) |
                          BIT(RUN_ROLLING_BACK) | BIT(RUN_RESTORED))) != 0;
}

int run_state_exit_status(RunState state)
{
    static const unsigned char statuses[RUN_STATE_COUNT] = {
        [RUN_KEPT] = 0, [RUN_REFUSED] = 3, [RUN_ROLLED_BACK] = 4, [RUN_STUCK] = 5, [RUN_FAILED] = 1,
    };
    return run_state_terminal(state) ? statuses[state] : 1;
}
