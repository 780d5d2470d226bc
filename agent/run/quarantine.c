/* SPDX-License-Identifier: Apache-2.0 */
/* What its checks rolled back is not tried again until its inputs change or a person says --force (promise 8). */
#include <string.h>

#include "run/run.h"

int engine_check_quarantine(Engine *engine, const Plan *plan, const RunOptions *options, Err *err)
{
    RunRecord past;
    int r = options->force ? 0 : ledger_quarantined(engine->store.ledger, engine->arena, plan->hash, &past, err);
    if (r <= 0)
        return r;
    return err_set(err, ERR_REFUSED,
                   "this very plan was rolled back at %s by run %s: %s. It is not tried again until its inputs change; "
                   "see what happened: salve show %s; to try it nevertheless: --force",
                   usec_to_local(engine->arena, past.ended), past.id, past.reason ? past.reason : "no reason recorded",
                   past.id);
}

void run_record_force(Run *run, const Plan *plan)
{
    RunRecord past;
    Err err;
    int r = ledger_quarantined(run->store->ledger, run->arena, plan->hash, &past, &err);
    if (r < 0)
        progress_warning(&run->progress, "%s", err_text(&err));
    else if (r > 0)
        progress_warning(&run->progress, "tried again with --force, though run %s was rolled back: %s", past.id,
                         past.reason ? past.reason : "no reason recorded");
}

/* By the same criterion: the reasons agree up to their first number. */
static bool fails_alike(const CheckResult *one, const CheckResult *other)
{
    size_t len = strcspn(one->reason ? one->reason : "", "0123456789");
    return one->verdict == other->verdict && one->reason && other->reason &&
           strcspn(other->reason, "0123456789") == len && strncmp(one->reason, other->reason, len) == 0;
}

bool run_is_blamed(const CheckResultVec *baseline, const CheckResultVec *now)
{
    for (size_t i = 0; i < now->n; i++) {
        const CheckResult *result = &now->items[i];
        bool alike = i < baseline->n && fails_alike(result, &baseline->items[i]);
        if (result->verdict == VERDICT_FAIL && !alike)
            return true;
    }
    return false;
}
