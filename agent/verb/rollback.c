/* SPDX-License-Identifier: Apache-2.0 */
#include "run/undo.h"
#include "verb/launch.h"
#include "verb/work.h"

typedef struct RollbackOptions {
    bool yes, accept_pending, make_permanent, force, foreground;
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
    OPTION_FLAG(RollbackOptions, make_permanent, "make-permanent", 0,
                "Go on though a temporary change of the same files would not end by itself any more; recorded."),
    OPTION_FLAG(RollbackOptions, force, "force", 0, "Try a plan again that was rolled back before; recorded."),
    OPTION_FLAG(RollbackOptions, foreground, "foreground", 0,
                "Carry the run in this process: it is taken back when this process is asked to end."),
    OPTIONS_END,
};

int rollback_plan_request(VerbContext *context, Carrier *carrier, const Request *request, Plan **ret, Err *err)
{
    const Store *store = engine_store(carrier->engine);
    Undo undo;
    PlanOptions planning = prepare_plan_options(context, request->accept_pending);
    int r = request->to ? undo_to(context->arena, store, request->to, &undo, err)
                        : undo_run(context->arena, store, request->which, &undo, err);
    if (r < 0)
        return r;
    View *view = view_new(context->arena, "");
    r = plan_make_reverse(context->arena, undo.playbook, &undo.record, view, engine_live(carrier->engine), &planning,
                          ret, err);
    return r < 0 ? err_prefix(err, "%s", undo.record.origin) : r;
}

static int rollback_run(VerbContext *context, Err *err)
{
    const RollbackOptions *options = context->options;
    if (options->to && context->arguments.n)
        return err_set(err, ERR_INVALID,
                       "rollback takes RUN (back to before it) or --to RUN (back to right after it), not both");
    int r = carrier_may_ask(context, options->yes, err);
    if (r < 0)
        return r;
    Request request = {
        .kind = "rollback",
        .which = context->arguments.n ? context->arguments.items[0] : "last-kept",
        .to = options->to,
        .once = str_equal(options->verify, "once"),
        .force = options->force,
        .accept_pending = options->accept_pending,
        .make_permanent = options->make_permanent,
    };
    return launch(context, &request, (LaunchOptions){.yes = options->yes, .foreground = options->foreground}, err);
}

const Verb verb_rollback = {
    .name = "rollback",
    .summary = "Back to before a run (the last change that stands), as a run of its own.",
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
