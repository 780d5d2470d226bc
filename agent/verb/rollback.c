/* SPDX-License-Identifier: Apache-2.0 */
#include "run/intent.h"
#include "verb/carry.h"

typedef struct RollbackOptions {
    bool yes, accept_pending;
    const char *verify;
} RollbackOptions;

static const char *const verify_modes[] = {"window", "once", NULL};

static const Option rollback_options[] = {
    OPTION_FLAG(RollbackOptions, yes, "yes", 'y', "Do not ask."),
    OPTION_CHOICE(RollbackOptions, verify, "verify", 0, verify_modes, "HOW",
                  "Verify for the whole window (the default), or with one sample a check (once)."),
    OPTION_FLAG(RollbackOptions, accept_pending, "accept-pending", 0,
                "Go on though the disk holds edits that the running processes never loaded; recorded."),
    OPTIONS_END,
};

/* What the run changed, and the playbook as it was then. */
static int load(VerbContext *context, Store *store, RunRecord *ret_run, Snapshot *ret, const Playbook **ret_playbook,
                Err *err)
{
    const char *which = context->arguments.n ? context->arguments.items[0] : "last-kept";
    Intent intent;
    int r = ledger_find(store->ledger, context->arena, which, ret_run, err);
    if (r < 0)
        return r;
    if (ret_run->state != RUN_KEPT)
        return err_set(err, ERR_REFUSED, "run %s is %s, so there is nothing of it to take back: only a kept run can be",
                       ret_run->id, run_state_to_string(ret_run->state));
    if (!ret_run->commit)
        return err_set(err, ERR_REFUSED, "run %s changed no file: there is nothing to take back", ret_run->id);
    r = snapshot_read(store->repo, context->arena, ret_run->commit, ret, err);
    if (r == REPO_NONE)
        return err_set(err, ERR_FAILED, "the snapshot %s of run %s is gone", ret_run->commit, ret_run->id);
    if (r >= 0)
        r = intent_from_json(context->arena, ret->intent, &intent, err);
    return r < 0 ? r : intent_playbook(context->arena, &intent, ret_playbook, err);
}

/* The checks that passed before the run: what its rollback is judged by. */
static int passed_before(VerbContext *context, Store *store, const RunRecord *run, StringVec *ret, Err *err)
{
    LedgerVerdictVec verdicts = {0};
    int r = ledger_verdicts(store->ledger, context->arena, run->id, &verdicts, err);
    if (r < 0)
        return r;
    VEC_EACH (verdict, &verdicts) {
        if (str_equal(verdict->phase, "baseline") && str_equal(verdict->verdict, verdict_to_string(VERDICT_PASS)))
            *vec_push(context->arena, ret) = verdict->check;
    }
    return 0;
}

static int reverse(VerbContext *context, Carrier *carrier, Err *err)
{
    const RollbackOptions *options = context->options;
    RunRecord run;
    Snapshot snapshot;
    const Playbook *playbook;
    Plan *plan;
    int r = load(context, engine_store(carrier->engine), &run, &snapshot, &playbook, err);
    if (r < 0)
        return r;
    PlanOptions planning = prepare_plan_options(context, options->accept_pending);
    StringVec passed = {0};
    r = passed_before(context, engine_store(carrier->engine), &run, &passed, err);
    if (r < 0)
        return r;
    PlanRecord record = {.run_id = run.id, .edits = &snapshot.edits, .passed = &passed};
    View *view = view_new(context->arena, "");
    r = plan_make_reverse(context->arena, playbook, &record, view, engine_live(carrier->engine), &planning, &plan, err);
    if (r < 0)
        return err_prefix(err, "rollback of run %s", run.id);
    if (plan->nothing_to_do)
        return carrier_nothing_to_do(context, carrier, plan, err);
    r = carrier_ask(context, carrier, plan, options->yes, err);
    if (r != 0)
        return r < 0 ? r : 3;
    RunOptions how = {.once = str_equal(options->verify, "once")};
    return carrier_run(context, carrier, plan, &how, err);
}

static int rollback_run(VerbContext *context, Err *err)
{
    const RollbackOptions *options = context->options;
    CLEANUP(carrier_close) Carrier carrier = {0};
    int r = carrier_may_ask(context, options->yes, err);
    if (r >= 0)
        r = carrier_open(context, "rollback", &carrier, err);
    if (r >= 0)
        r = engine_ready(carrier.engine, err);
    return r < 0 ? r : reverse(context, &carrier, err);
}

const Verb verb_rollback = {
    .name = "rollback",
    .summary = "Back to before a run (the last kept one), as a run of its own.",
    .arguments = "[RUN]",
    .details =
        "Puts every file of the run back to the content, owner, mode and attributes that it had before, and verifies\n"
        "like any run. What somebody changed since then is kept in the new run's snapshot.",
    .options = rollback_options,
    .options_size = sizeof(RollbackOptions),
    .max_arguments = 1,
    .completes = COMPLETES_RUN,
    .run = rollback_run,
};
