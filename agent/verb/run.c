/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/launch.h"
#include "verb/work.h"

typedef struct RunVerbOptions {
    StringVec set, overrides;
    const char *verify, *reason;
    usec confirm_usec, for_usec;
    bool yes, accept_pending, make_permanent, accept_failing_baseline, force, foreground;
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
    OPTION_FLAG(RunVerbOptions, make_permanent, "make-permanent", 0,
                "Go on though a temporary change of the same files would not end by itself any more; recorded."),
    OPTION_FLAG(RunVerbOptions, accept_failing_baseline, "accept-failing-baseline", 0,
                "Go on though a check already fails before the change, or cannot tell anything here; recorded."),
    OPTION_FLAG(RunVerbOptions, force, "force", 0, "Try a plan again that was rolled back before; recorded."),
    OPTION_FLAG(RunVerbOptions, foreground, "foreground", 0,
                "Carry the run in this process: it is put back when this process is asked to end."),
    OPTIONS_END,
};

static int check_options(const VerbContext *context, const RunVerbOptions *options, Err *err)
{
    if (options->for_usec == USEC_INFINITY)
        return err_set(err, ERR_INVALID, "--for never: leave --for out, and the change is for good");
    if (options->for_usec && (context->globals->state || context->globals->config))
        return err_set(err, ERR_INVALID,
                       "--for with --state or --config: the timer that ends temporary changes knows of the state "
                       "directory in " SETTINGS_PATH " only; say it there");
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
        return err_set(err, ERR_INVALID, "--override %s: there is no guard of that name%s%s%s", *name,
                       near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    }
    return 0;
}

int run_plan_request(VerbContext *context, Carrier *carrier, const Request *request, Plan **ret, Err *err)
{
    const Playbook *playbook;
    Source *source = arena_new_of(context->arena, Source);
    BindingVec bindings = {0};
    Diagnostics diags = diagnostics_new(context->arena);
    PlanOptions planning = prepare_plan_options(context, request->accept_pending);
    *source = (Source){.name = request->source, .text = bytes_of(request->text)};
    int r = bindings_from_values(context->arena, request->values, &bindings, err);
    if (r >= 0)
        r = playbook_load(context->arena, source, &bindings, &diags, &playbook, err);
    if (r < 0)
        return r;
    View *view = view_new(context->arena, "");
    return plan_make(context->arena, playbook, view, engine_live(carrier->engine), &planning, ret, err);
}

static int run_run(VerbContext *context, Err *err)
{
    const RunVerbOptions *options = context->options;
    const Playbook *playbook;
    int r = check_options(context, options, err);
    if (r >= 0)
        r = carrier_may_ask(context, options->yes, err);
    if (r >= 0)
        r = prepare_playbook(context, context->arguments.items[0], &options->set, &playbook, err);
    if (r != 0)
        return r;
    Request request = {
        .kind = "run",
        .name = playbook->name,
        .source = playbook->source->name,
        .text = playbook->source->text.data,
        .values = playbook_values(context->arena, playbook),
        .overrides = options->overrides,
        .reason = options->reason,
        .once = str_equal(options->verify, "once"),
        .force = options->force,
        .accept_pending = options->accept_pending,
        .make_permanent = options->make_permanent,
        .accept_failing_baseline = options->accept_failing_baseline,
        .confirm_usec = options->confirm_usec,
        .for_usec = options->for_usec,
    };
    return launch(context, &request, (LaunchOptions){.yes = options->yes, .foreground = options->foreground}, err);
}

const Verb verb_run = {
    .name = "run",
    .summary = "Run a playbook on this host; asks first.",
    .arguments = "PLAYBOOK",
    .details =
        "Guards, baseline, snapshot, change, validation, restart of what is affected, verification: then the change\n"
        "is kept, or everything is put back.\n"
        "systemd carries the run as salve-run-ID.service, not this terminal: after Ctrl-C, which asks first, or a lost\n"
        "connection it goes on, and `salve show --follow` sees it again.\n"
        "salve's units know of the state in " SETTINGS_PATH " only. With --state or --config nobody looks after the\n"
        "run at a boot, or again where its recovery failed: then say `salve recover` with the same option.",
    .options = run_options,
    .options_size = sizeof(RunVerbOptions),
    .min_arguments = 1,
    .max_arguments = 1,
    .completes = COMPLETES_PLAYBOOK,
    .prunes = true,
    .run = run_run,
};
