/* SPDX-License-Identifier: Apache-2.0 */
#include "run/baseline.h"

#include "run/before.h"

/* A baseline takes no longer than this: somebody waits, and the site is down. */
#define BASELINE_USEC (15 * USEC_PER_SEC)
/* Likewise, where it has fewer samples than a comparison needs. */
#define BASELINE_MOST_USEC (60 * USEC_PER_SEC)

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

static int judge(Run *run, const PlannedCheckVec *checks, const WatchOutcome *baseline, Err *err)
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

int baseline_take(Run *run, const Plan *plan, Err *err)
{
    WatchPhase phase = {CHECK_BASELINE, 0, BASELINE_USEC, BASELINE_MOST_USEC, plan->window_usec};
    WatchOutcome outcome;
    int r = run_enter(run, RUN_BASELINING, NULL, err);
    if (r >= 0)
        r = before_look(run, err);
    if (r < 0)
        return r;
    run->chronicle->phase = "baseline";
    progress_step(&run->progress, "baseline: %zu check%s", plan->checks.n, plan->checks.n == 1 ? "" : "s");
    r = watch_phase(run->watch, &phase, &outcome, err);
    if (r >= 0 && outcome.cancelled)
        r = err_set(err, ERR_REFUSED, "cancelled");
    if (r < 0) {
        progress_failed(&run->progress, "%s", err_text(err));
        return r;
    }
    run_keep_verdicts(run, &outcome);
    run->baseline = outcome.results;
    progress_done(&run->progress, "%zu sample%s%s%s", outcome.samples, outcome.samples == 1 ? "" : "s",
                  outcome.reason ? "; " : "", outcome.reason ? outcome.reason : "");
    return judge(run, &plan->checks, &outcome, err);
}
