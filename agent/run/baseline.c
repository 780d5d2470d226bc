/* SPDX-License-Identifier: Apache-2.0 */
#include "run/baseline.h"

#define GO_ON "; --accept-failing-baseline goes on nevertheless"

/* Why a run should not go on from this baseline; NULL: nothing speaks against it. */
static const char *objection(Arena *arena, const PlannedCheck *check, const CheckResult *result)
{
    if (check->baseline != CHECK_MAY_FAIL && result->fault)
        return arena_printf(arena, "it cannot tell anything on this host: %s", result->fault);
    if (check->baseline == CHECK_MUST_PASS && result->verdict == VERDICT_FAIL)
        return arena_printf(arena, "it must pass before the change, and does not: %s",
                            result->reason ? result->reason : verdict_to_string(result->verdict));
    return NULL;
}

int baseline_judge(Run *run, const PlannedCheckVec *checks, const WatchOutcome *baseline, Err *err)
{
    for (size_t i = 0; i < checks->n && i < baseline->results.n; i++) {
        const PlannedCheck *check = &checks->items[i];
        const char *why = objection(run->arena, check, &baseline->results.items[i]);
        if (why && !run->accept_failing_baseline)
            return err_set(err, ERR_REFUSED, "check \"%s\": %s" GO_ON, check->name, why);
        if (why)
            progress_warning(&run->progress, "accepted with --accept-failing-baseline: check \"%s\": %s", check->name,
                             why);
    }
    return 0;
}
