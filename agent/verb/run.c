/* SPDX-License-Identifier: Apache-2.0 */
#include "report/ink.h"
#include "report/plan.h"
#include "run/due.h"
#include "verb/carry.h"

typedef struct RunVerbOptions {
    StringVec set, overrides;
    const char *verify, *reason;
    usec confirm_usec, for_usec;
    bool yes, accept_pending, force;
} RunVerbOptions;

static const char *const verify_modes[] = {"window", "once", NULL};

static const Option run_options[] = {
    OPTION_LIST(RunVerbOptions, set, "set", 'e', "NAME=VALUE", "Give a variable its value; @FILE reads a YAML file.",
                .completes = COMPLETES_FILE),
    OPTION_FLAG(RunVerbOptions, yes, "yes", 'y', "Do not ask."),
    OPTION_CHOICE(RunVerbOptions, verify, "verify", 0, verify_modes, "HOW",
                  "Verify for the whole window (the default), or with one sample a check (once)."),
    OPTION_DURATION(RunVerbOptions, confirm_usec, "confirm", 0,
                    "Roll back unless salve confirm comes within this time after the checks passed."),
    OPTION_LIST(RunVerbOptions, overrides, "override", 0, "GUARD",
                "Go on though this guard forbids it; needs --reason."),
    OPTION_TEXT(RunVerbOptions, reason, "reason", 0, "TEXT", "Why guards are overridden; recorded."),
    OPTION_DURATION(RunVerbOptions, for_usec, "for", 0,
                    "A temporary change: undone by itself after this time, as a run of its own."),
    OPTION_FLAG(RunVerbOptions, accept_pending, "accept-pending", 0,
                "Go on though the disk holds edits that the running processes never loaded; recorded."),
    OPTION_FLAG(RunVerbOptions, force, "force", 0, "Try a plan again that was rolled back before; recorded."),
    OPTIONS_END,
};

static int check_options(const VerbContext *context, const RunVerbOptions *options, Err *err)
{
    if (options->for_usec == USEC_INFINITY)
        return err_set(err, ERR_INVALID, "--for never: leave --for out, and the change is for good");
    if (options->for_usec && context->globals->state)
        return err_set(err, ERR_INVALID,
                       "--for and --state: the timer that ends temporary changes knows of "
                       "the state directory in the settings only");
    if (options->overrides.n && !options->reason)
        return err_set(err, ERR_INVALID, "--override needs --reason TEXT: the record says why");
    VEC_EACH (name, &options->overrides) {
        StringVec names = {0};
        if (finding_kind_find(*name))
            continue;
        CLEANUP(arena_free) Arena *arena = arena_new();
        for (size_t i = 0; finding_kinds[i]; i++)
            *vec_push(arena, &names) = finding_kinds[i]->name;
        *vec_push(arena, &names) = NULL;
        const char *near = str_nearest(*name, names.items);
        return err_set(err, ERR_INVALID, "--override %s: no guard is called so%s%s%s", *name,
                       near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    }
    return 0;
}

/* Guards are asked before the person is: a refusal needs no y. */
static int plan_and_run(VerbContext *context, Carrier *carrier, const Playbook *playbook, RunOptions *how, Err *err)
{
    const RunVerbOptions *options = context->options;
    Plan *plan;
    PlanOptions planning = prepare_plan_options(context, options->accept_pending);
    View *view = view_new(context->arena, "");
    int r = plan_make(context->arena, playbook, view, engine_live(carrier->engine), &planning, &plan, err);
    if (r < 0)
        return r;
    if (plan->nothing_to_do)
        return carrier_nothing_to_do(context, carrier, plan, err);
    due_note_from(context->arena, engine_store(carrier->engine)->ledger, options->for_usec, plan);
    r = engine_check_quarantine(carrier->engine, plan, how, err);
    if (r >= 0)
        r = engine_check_guards(carrier->engine, plan, how, err);
    if (r < 0)
        return r;
    r = carrier_ask(context, carrier, plan, options->yes, err);
    if (r != 0)
        return r < 0 ? r : 3;
    return carrier_run(context, carrier, plan, how, err);
}

static int run_run(VerbContext *context, Err *err)
{
    const RunVerbOptions *options = context->options;
    const Playbook *playbook;
    CLEANUP(carrier_close) Carrier carrier = {0};
    StringVec overrides = options->overrides;
    *vec_push(context->arena, &overrides) = NULL;
    RunOptions how = {
        .once = str_equal(options->verify, "once"),
        .overrides = overrides.items,
        .reason = options->reason,
        .confirm_usec = options->confirm_usec,
        .force = options->force,
        .for_usec = options->for_usec,
    };
    int r = check_options(context, options, err);
    if (r >= 0)
        r = carrier_may_ask(context, options->yes, err);
    if (r >= 0)
        r = prepare_playbook(context, context->arguments.items[0], &options->set, &playbook, err);
    if (r != 0)
        return r;
    r = carrier_open(context, arena_printf(context->arena, "run %s", playbook->name), &carrier, err);
    if (r >= 0)
        r = engine_ready(carrier.engine, err);
    return r < 0 ? r : plan_and_run(context, &carrier, playbook, &how, err);
}

const Verb verb_run = {
    .name = "run",
    .summary = "Run a playbook on this host; asks first.",
    .arguments = "PLAYBOOK",
    .details =
        "Guards, baseline, snapshot, change, validation, restart of what is affected, verification: then the change\n"
        "is kept, or everything is put back. Ctrl-C puts everything back, too.",
    .options = run_options,
    .options_size = sizeof(RunVerbOptions),
    .min_arguments = 1,
    .max_arguments = 1,
    .completes = COMPLETES_PLAYBOOK,
    .prunes = true,
    .run = run_run,
};
