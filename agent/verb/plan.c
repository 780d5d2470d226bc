/* SPDX-License-Identifier: Apache-2.0 */
#include "report/plan.h"

#include "report/ink.h"
#include "run/due.h"
#include "run/guards.h"
#include "run/own.h"
#include "verb/prepare.h"

enum { PLAN_MAX = 64 << 20 };

typedef struct PlanVerbOptions {
    StringVec set;
    usec for_usec;
    bool accept_pending;
} PlanVerbOptions;

static const Option plan_options[] = {
    OPTION_LIST(PlanVerbOptions, set, "set", 'e', "NAME=VALUE", "Give a variable its value; @FILE reads a YAML file.",
                .completes = COMPLETES_FILE),
    OPTION_DURATION(PlanVerbOptions, for_usec, "for", 0, "For a temporary change, which is undone after this time."),
    OPTION_FLAG(PlanVerbOptions, accept_pending, "accept-pending", 0,
                "Go on though the disk holds edits that the running processes never loaded."),
    OPTIONS_END,
};

static const PlannedGuard *refusing_guard(const Plan *plan)
{
    VEC_EACH (guard, &plan->guards) {
        if (guard->refuses)
            return guard;
    }
    return NULL;
}

static int plan_print(VerbContext *context, const Plan *plan, Err *err)
{
    const PlanVerbOptions *options = context->options;
    const char *playbook = context->arguments.items[0];
    if (context->globals->json)
        return verb_print_json(plan_json(context->arena, plan), err);
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(PLAN_MAX);
    Ink ink = {&text, context->colour};
    DiffOptions diff = prepare_diff_options(context);
    if (context->globals->quiet) {
        plan_summary(plan, &text);
        strbuf_add_char(&text, '\n');
    } else {
        plan_show(plan, &diff, &text);
    }
    const PlannedGuard *refusing = refusing_guard(plan);
    if (refusing)
        ink_printf(&ink, INK_RED, "refused as it stands: guard %s (see Guards above)\n", refusing->name);
    else if (!plan->nothing_to_do && !context->globals->quiet && !*context->settings->root)
        ink_printf(&ink, INK_DIM, "next: %s%s%s\n", prepare_command(context->arena, "run", playbook, &options->set),
                   options->for_usec ? " --for " : "",
                   options->for_usec ? duration_to_text(context->arena, options->for_usec) : "");
    return verb_print(&text, err);
}

/* A ledger that may not be read is told, not a failure: a plan needs none. */
static void note_temporary(VerbContext *context, Plan *plan)
{
    const PlanVerbOptions *options = context->options;
    CLEANUP(ledger_close) Ledger *ledger = NULL;
    Err err;
    if (ledger_open(context->settings->state_dir, LEDGER_READ, &ledger, &err) < 0)
        *vec_push(context->arena, &plan->notes) =
            (Note){.level = NOTE_WARNING,
                   .subject = "temporary changes",
                   .text = arena_printf(context->arena, "whether there are any is not known: %s", err_text(&err))};
    due_note_from(context->arena, ledger, options->for_usec, plan);
}

/* Guards only read. One that cannot be looked at is told, like one that refuses: a run would be refused as well. */
static void look_at_guards(VerbContext *context, const Host *host, Plan *plan)
{
    CLEANUP(store_close) Store store = {0};
    StringVec own = {0};
    Err err; /* without root the record cannot be read; then salve's own edits count as anybody's */
    if (store_open_read(context->settings->state_dir, &store, &err) >= 0)
        own_paths(context->arena, &store, &own);
    FindingContext finding = {
        .arena = context->arena,
        .view = view_before(plan->view),
        .live = host->live,
        .systemd = host->systemd,
        .own = &own,
    };
    if (guards_look(&finding, plan, &err) < 0)
        *vec_push(context->arena, &plan->guards) =
            (PlannedGuard){"unit", true, arena_strdup(context->arena, err_text(&err))};
}

static int plan_run(VerbContext *context, Err *err)
{
    const PlanVerbOptions *options = context->options;
    const Playbook *playbook;
    CLEANUP(host_close) Host host = {0};
    Plan *plan;
    int r = prepare_playbook(context, context->arguments.items[0], &options->set, &playbook, err);
    if (r != 0)
        return r;
    r = prepare_host(context, &host, err);
    if (r < 0)
        return r;
    PlanOptions how = prepare_plan_options(context, options->accept_pending);
    r = plan_make(context->arena, playbook, host.view, host.live, &how, &plan, err);
    if (r >= 0 && !*context->settings->root) {
        note_temporary(context, plan);
        if (!plan->nothing_to_do)
            look_at_guards(context, &host, plan);
    }
    return r < 0 ? r : plan_print(context, plan, err);
}

const Verb verb_plan = {
    .name = "plan",
    .summary = "What a playbook would change: diff, effects, checks. Touches nothing.",
    .arguments = "PLAYBOOK",
    .details =
        "Starts no program and writes nothing. With --root it plans for the tree below DIR; what only a live host\n"
        "can tell is left out then.",
    .options = plan_options,
    .options_size = sizeof(PlanVerbOptions),
    .min_arguments = 1,
    .max_arguments = 1,
    .completes = COMPLETES_PLAYBOOK,
    .takes_root = true,
    .run = plan_run,
};
