/* SPDX-License-Identifier: Apache-2.0 */
#include "report/history.h"
#include "store/runtime.h"
#include "store/store.h"
#include "verb/follow.h"
#include "verb/prepare.h"

enum { SHOW_MAX = 64 << 20 };

typedef struct ShowOptions {
    bool diff, follow;
} ShowOptions;

static const Option show_options[] = {
    OPTION_FLAG(ShowOptions, diff, "diff", 'd', "Show what the run changed, secrets masked."),
    OPTION_FLAG(ShowOptions, follow, "follow", 'f', "Show a run that is under way, to its end."),
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

/* The run that is under way; without one, the last that left a trail. */
static int find_followed(VerbContext *context, const char **ret, Err *err)
{
    CLEANUP(store_close) Store store = {0};
    RunRecordVec unfinished = {0};
    const char *which = context->arguments.n ? context->arguments.items[0] : NULL;
    RunRecord run;
    *ret = which;
    if (which && runtime_has_trail(context->settings->runtime_dir, which))
        return 0;
    int r = store_open_read(context->settings->state_dir, &store, err);
    if (r >= 0 && which && store.ledger && (r = ledger_find(store.ledger, context->arena, which, &run, err)) >= 0)
        *ret = run.id;
    if (r < 0 || which)
        return r;
    if (store.ledger && (r = ledger_unfinished(store.ledger, context->arena, &unfinished, err)) >= 0 && unfinished.n)
        *ret = unfinished.items[unfinished.n - 1].id;
    if (r < 0 || *ret)
        return r;
    r = runtime_newest_trail(context->arena, context->settings->runtime_dir, ret, err);
    return r > 0 ? err_set(err, ERR_NOT_FOUND, "no run is under way; salve history lists those that ended") : r;
}

/* What is not under way and has left no trail, because the host was booted since then, is shown as the record of it. */
static int follow(VerbContext *context, Err *err)
{
    CLEANUP(systemd_close) Systemd *systemd = NULL;
    const char *run_id;
    int r = find_followed(context, &run_id, err);
    if (r < 0)
        return r;
    Err ignored; /* without systemd no unit carries it */
    systemd_open(&systemd, &ignored);
    return follow_run(context, systemd, run_id, FOLLOW_ONLY, err);
}

static int show_run(VerbContext *context, Err *err)
{
    const ShowOptions *options = context->options;
    if (options->follow) {
        int r = follow(context, err);
        if (r != -ERR_NOT_FOUND || !context->arguments.n)
            return r;
    }
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
