/* SPDX-License-Identifier: Apache-2.0 */
#include "store/run-record.h"

#include "base/strbuf.h"

static const struct {
    const char *name;
    bool terminal;
} states[RUN_STATE_COUNT] = {
    [RUN_PLANNED] = {"planned", false},
    [RUN_BASELINING] = {"baselining", false},
    [RUN_SNAPSHOTTED] = {"snapshotted", false},
    [RUN_STAGED] = {"staged", false},
    [RUN_APPLYING] = {"applying", false},
    [RUN_ACTIVATING] = {"activating", false},
    [RUN_VERIFYING] = {"verifying", false},
    [RUN_CONFIRMING] = {"confirming", false},
    [RUN_KEPT] = {"kept", true},
    [RUN_ROLLING_BACK] = {"rolling-back", false},
    [RUN_RESTORED] = {"restored", false},
    [RUN_ROLLED_BACK] = {"rolled-back", true},
    [RUN_STUCK] = {"stuck", true},
    [RUN_REFUSED] = {"refused", true},
    [RUN_FAILED] = {"failed", true},
};

const char *run_state_to_string(RunState state)
{
    return states[state].name;
}

int run_state_from_string(const char *text)
{
    for (int state = 0; state < RUN_STATE_COUNT; state++) {
        if (str_equal(states[state].name, text))
            return state;
    }
    return -1;
}

bool run_state_terminal(RunState state)
{
    return states[state].terminal;
}
