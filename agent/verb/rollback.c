/* SPDX-License-Identifier: Apache-2.0 */
#include "run/due.h"
#include "run/undo.h"
#include "verb/carry.h"

typedef struct RollbackOptions {
    bool yes, accept_pending, force;
    const char *verify, *to;
} RollbackOptions;

static const char *const verify_modes[] = {"window", "once", NULL};

static const Option rollback_options[] = {
    OPTION_TEXT(RollbackOptions, to, "to", 0, "RUN", "Back to how the files were right after RUN, a kept run.",
                .completes = COMPLETES_RUN),
    OPTION_FLAG(RollbackOptions, yes, "yes", 'y', "Do not ask."),
    OPTION_CHOICE(RollbackOptions, verify, "verify", 0, verify_modes, "HOW",
                  "Verify for the whole window (the default), or with one sample a check (once)."),
    OPTION_FLAG(RollbackOptions, accept_pending, "accept-pending", 0,
                "Go on though the disk holds edits that the running processes never loaded; recorded."),
    OPTION_FLAG(RollbackOptions, force, "force", 0, "Try a plan again that was rolled back before; recorded."),
    OPTIONS_END,
};

static int reverse(VerbContext *context, Carrier *carrier, Err *err)
{
    const RollbackOptions *options = context->options;
    const char *which = context->arguments.n ? context->arguments.items[0] : "last-kept";
    const Store *store = engine_store(carrier->engine);
    Undo undo;
    Plan *plan;
    int r = options->to ? undo_to(context->arena, store, options->to, &undo, err)
                        : undo_run(context->arena, store, which, &undo, err);
    if (r < 0)
        return r;
    PlanOptions planning = prepare_plan_options(context, options->accept_pending);
    View *view = view_new(context->arena, "");
    r = plan_make_reverse(context->arena, undo.playbook, &undo.record, view, engine_live(carrier->engine), &planning,
                          &plan, err);
    if (r < 0)
        return err_prefix(err, "%s", undo.record.origin);
    if (plan->nothing_to_do)
        return carrier_nothing_to_do(context, carrier, plan, err);
    due_note_from(context->arena, store->ledger, 0, plan);
    RunOptions how = {.once = str_equal(options->verify, "once"), .force = options->force};
    r = engine_check_quarantine(carrier->engine, plan, &how, err);
    if (r >= 0)
        r = carrier_ask(context, carrier, plan, options->yes, err);
    if (r != 0)
        return r < 0 ? r : 3;
    return carrier_run(context, carrier, plan, &how, err);
}

static int rollback_run(VerbContext *context, Err *err)
{
    const RollbackOptions *options = context->options;
    CLEANUP(carrier_close) Carrier carrier = {0};
    if (options->to && context->arguments.n)
        return err_set(err, ERR_INVALID,
                       "rollback takes RUN (back to before it) or --to RUN (back to right after it), not both");
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
        "like any run. What somebody changed since then is kept in the new run's snapshot.\n"
        "\n"
        "With --to, what that run left in its own files comes back, and in every other file that a later run touched\n"
        "what was there before the first of them: all later runs are undone at once.",
    .options = rollback_options,
    .options_size = sizeof(RollbackOptions),
    .max_arguments = 1,
    .completes = COMPLETES_RUN,
    .prunes = true,
    .run = rollback_run,
};
