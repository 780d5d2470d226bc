/* SPDX-License-Identifier: Apache-2.0 */
#include "report/history.h"

#include "report/chain.h"
#include "report/record-json.h"
#include "store/history.h"
#include "verb/carry.h"
#include "verb/verb.h"

enum { HISTORY_MAX = 16 << 20, HISTORY_RECENT = 20 };

typedef struct HistoryOptions {
    bool all, verify, prune;
} HistoryOptions;

static const Option history_options[] = {
    OPTION_FLAG(HistoryOptions, all, "all", 'a', "All runs, not only the last 20."),
    OPTION_FLAG(HistoryOptions, verify, "verify", 0,
                "Check that nothing in history was changed, taken away or added since it was recorded."),
    OPTION_FLAG(HistoryOptions, prune, "prune", 0, "Remove what need not be kept (`keep` in the settings) now."),
    OPTIONS_END,
};

static int print_verification(const VerbContext *context, const ChainReport *report, Err *err)
{
    if (context->globals->json)
        return verb_print_json(chain_json(context->arena, report), err);
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(HISTORY_MAX);
    chain_show(report, context->colour, &text);
    return verb_print(&text, err);
}

static int verify(VerbContext *context, Err *err)
{
    ChainReport report;
    CLEANUP(store_close) Store store = {0};
    int r = store_open_read(context->settings->state_dir, &store, err);
    if (r >= 0)
        r = history_verify(&store, context->arena, &report, err);
    if (r < 0)
        return r;
    r = print_verification(context, &report, err);
    return r < 0 ? r : report.broken ? 1 : 0;
}

static int prune(VerbContext *context, Err *err)
{
    PruneReport report;
    CLEANUP(carrier_close) Carrier carrier = {0};
    int r = carrier_open(context, LOCK_PRUNES, &carrier, err);
    if (r >= 0)
        r = history_prune(engine_store(carrier.engine), &context->settings->keep, &report, err);
    if (r < 0)
        return r;
    if (context->globals->json) {
        Node *map = node_map(context->arena);
        node_set_int(context->arena, map, "pruned_runs", report.runs);
        node_set_int(context->arena, map, "removed_objects", (int64_t)report.objects);
        return verb_print_json_line(map, err);
    }
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(4096);
    strbuf_printf(&text, "Removed %lld run%s, and %zu object%s of snapshots.\n", (long long)report.runs,
                  report.runs == 1 ? "" : "s", report.objects, report.objects == 1 ? "" : "s");
    return verb_print(&text, err);
}

static int history_run(VerbContext *context, Err *err)
{
    const HistoryOptions *options = context->options;
    RunRecordVec runs = {0};
    if (options->verify && options->prune)
        return err_set(err, ERR_INVALID, "--verify and --prune are two commands");
    if (options->verify || options->prune)
        return options->verify ? verify(context, err) : prune(context, err);
    CLEANUP(store_close) Store store = {0};
    int r = store_open_read(context->settings->state_dir, &store, err);
    if (r >= 0 && store.ledger)
        r = ledger_list(store.ledger, context->arena, options->all ? 0 : HISTORY_RECENT, &runs, err);
    if (r < 0)
        return r;
    if (context->globals->json) {
        Node *map = node_map(context->arena);
        Node *seq = node_set(context->arena, map, "runs", node_seq(context->arena));
        VEC_EACH (run, &runs)
            node_add(context->arena, seq, json_of_run(context->arena, run));
        return verb_print_json(map, err);
    }
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(HISTORY_MAX);
    if (runs.n)
        history_table(&runs, context->colour, &text);
    else
        strbuf_add_str(&text, "Nothing was run on this host yet.\n");
    return verb_print(&text, err);
}

const Verb verb_history = {
    .name = "history",
    .summary = "The runs on this host, newest first.",
    .arguments = "",
    .details =
        "Each run that ends is linked to the one before it by a hash over all that is recorded of it. --verify computes\n"
        "all of them anew, compares them with the runs and their snapshots, and names the first one that does not fit.",
    .options = history_options,
    .options_size = sizeof(HistoryOptions),
    .run = history_run,
};
