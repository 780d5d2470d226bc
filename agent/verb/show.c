/* SPDX-License-Identifier: Apache-2.0 */
#include "report/history.h"
#include "store/store.h"
#include "verb/prepare.h"

enum { SHOW_MAX = 64 << 20 };

typedef struct ShowOptions {
    bool diff;
} ShowOptions;

static const Option show_options[] = {
    OPTION_FLAG(ShowOptions, diff, "diff", 'd', "Show what the run changed, secrets masked."),
    OPTIONS_END,
};

/* A snapshot that cannot be read is told; the rest of the record is still worth showing. */
static void load_snapshot(VerbContext *context, const Store *store, RunReport *report)
{
    Err err;
    Snapshot *snapshot = arena_new_of(context->arena, Snapshot);
    if (!report->run.commit)
        return;
    int r = store->repo ? snapshot_read(store->repo, context->arena, report->run.commit, snapshot, &err) : REPO_NONE;
    if (r == 0)
        report->snapshot = snapshot;
    else
        report->snapshot_error = r == REPO_NONE ? "it is gone" : arena_strdup(context->arena, err_text(&err));
}

static int load(VerbContext *context, const Store *store, RunReport *ret, Err *err)
{
    const char *which = context->arguments.n ? context->arguments.items[0] : "last";
    if (!store->ledger)
        return err_set(err, ERR_NOT_FOUND, "nothing was run on this host yet");
    int r = ledger_find(store->ledger, context->arena, which, &ret->run, err);
    if (r >= 0)
        r = ledger_events(store->ledger, context->arena, ret->run.id, &ret->events, err);
    if (r >= 0)
        r = ledger_verdicts(store->ledger, context->arena, ret->run.id, &ret->verdicts, err);
    if (r >= 0 && context->globals->json)
        r = ledger_samples(store->ledger, context->arena, ret->run.id, &ret->samples, err);
    if (r < 0)
        return r;
    Err ignored; /* a snapshot store that cannot be read is told with the run's own snapshot */
    ret->state_dir = context->settings->state_dir;
    (void)foreign_list(store, context->arena, ret->run.id, &ret->foreign, &ignored);
    load_snapshot(context, store, ret);
    return 0;
}

static int show_run(VerbContext *context, Err *err)
{
    const ShowOptions *options = context->options;
    RunReport report = {0};
    CLEANUP(store_close) Store store = {0};
    int r = store_open_read(context->settings->state_dir, &store, err);
    if (r >= 0)
        r = load(context, &store, &report, err);
    if (r < 0)
        return r;
    if (context->globals->json)
        return verb_print_json(history_show_json(context->arena, &report, options->diff), err);
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(SHOW_MAX);
    DiffOptions diff = prepare_diff_options(context);
    history_show(&report, options->diff, &diff, &text);
    return verb_print(&text, err);
}

const Verb verb_show = {
    .name = "show",
    .summary = "What happened in a run (the last one): timeline, verdicts, files.",
    .arguments = "[RUN]",
    .details = "RUN is an id, the beginning of one, \"last\" or \"last-kept\".",
    .options = show_options,
    .options_size = sizeof(ShowOptions),
    .max_arguments = 1,
    .completes = COMPLETES_RUN,
    .run = show_run,
};
