/* SPDX-License-Identifier: Apache-2.0 */
#include "report/status.h"

#include "report/diff.h"
#include "run/known-good.h"
#include "verb/prepare.h"

enum { STATUS_MAX = 64 << 20 };

typedef struct StatusOptions {
    bool diff, can_remove;
} StatusOptions;

static const Option status_options[] = {
    OPTION_FLAG(StatusOptions, diff, "diff", 'd', "Show what changed since the last known good, secrets masked."),
    OPTION_FLAG(StatusOptions, can_remove, "can-remove", 0,
                "Only say whether salve may be removed: exit status 3 while a run or a temporary change needs it."),
    OPTIONS_END,
};

enum { STATUS_REFUSED = 3 };

/* What the kept runs left, against the disk. That it cannot be told is no reason to tell nothing. */
static void find_drift(Arena *arena, const Store *store, StatusReport *ret)
{
    GoodFileVec files = {0};
    const char *missing = NULL;
    Err err;
    int r = known_good_load(arena, store, &files, &missing, &err);
    if (r >= 0)
        r = known_good_drift(arena, &files, &ret->drift, &err);
    if (r < 0)
        ret->drift_error = arena_strdup(arena, err_text(&err));
    else if (missing)
        ret->drift_error = arena_printf(arena, "not of all files: the snapshot of run %s is gone", missing);
    ret->managed = files.n;
}

static int find_temporaries(Arena *arena, Ledger *ledger, TemporaryVec *ret, Err *err)
{
    PastRunVec runs = {0};
    int r = ledger_had_temporary(ledger, err);
    if (r == 0)
        r = standing_load(ledger, arena, &runs, err);
    if (r == 0)
        temporaries_find(arena, &runs, clock_realtime(), ret);
    return r < 0 ? r : 0;
}

static int read_ledger(Arena *arena, const Store *store, StatusReport *ret, Err *err)
{
    Hold *hold = arena_new_of(arena, Hold);
    RunRecord *good = arena_new_of(arena, RunRecord);
    int r = ledger_unfinished(store->ledger, arena, &ret->unfinished, err);
    if (r < 0)
        return r;
    r = ledger_list_quarantine(store->ledger, arena, &ret->quarantine, err);
    if (r >= 0)
        r = find_temporaries(arena, store->ledger, &ret->temporaries, err);
    if (r < 0)
        return r;
    r = ledger_current_hold(store->ledger, arena, clock_realtime(), hold, err);
    if (r < 0)
        return r;
    ret->hold = r == 0 ? hold : NULL;
    r = ledger_last_known_good(store->ledger, arena, good, err);
    if (r != 0)
        return r < 0 ? r : 0;
    ret->last_good = good;
    find_drift(arena, store, ret);
    return 0;
}

static int gather(VerbContext *context, const Store *store, StatusReport *ret, Err *err)
{
    Hot *hot = arena_new_of(context->arena, Hot);
    LockHolder *holder = arena_new_of(context->arena, LockHolder);
    Err unread; /* the more a person needs all the rest */
    int r = hot_read(store->dir, hot, &unread);
    ret->hot = r == 0 ? hot : NULL;
    ret->hot_error = r < 0 ? arena_strdup(context->arena, err_text(&unread)) : NULL;
    r = lock_holder(store->dir, holder, err);
    if (r < 0)
        return r;
    ret->holder = r == 0 ? holder : NULL;
    return store->ledger ? read_ledger(context->arena, store, ret, err) : 0;
}

/* Who else would bring these to their end? */
static int tell_can_remove(const StatusReport *report, Err *err)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(STATUS_MAX);
    if (report->hot)
        strbuf_printf(&text, "run %s has changed this host and is not at its end: salve recover\n",
                      report->hot->run_id);
    if (report->hot_error)
        strbuf_printf(&text, "whether a run is not at its end is unknown: %s\n", report->hot_error);
    VEC_EACH (temporary, &report->temporaries) {
        if (temporary->state != TEMPORARY_SUPERSEDED)
            strbuf_printf(&text, "temporary change %s is still to be undone: salve rollback %s, or wait\n",
                          temporary->run->record.id, temporary->run->record.id);
    }
    int r = verb_print(&text, err);
    return r < 0 ? r : text.len ? STATUS_REFUSED : 0;
}

static int status_run(VerbContext *context, Err *err)
{
    const StatusOptions *options = context->options;
    StatusReport report = {0};
    CLEANUP(store_close) Store store = {0};
    int r = store_open_read(context->settings->state_dir, &store, err);
    if (r >= 0)
        r = gather(context, &store, &report, err);
    if (r < 0)
        return r;
    if (options->can_remove)
        return tell_can_remove(&report, err);
    if (context->globals->json)
        return verb_print_json(status_json(context->arena, &report), err);
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(STATUS_MAX);
    status_show(&report, context->colour, &text);
    DiffOptions diff = prepare_diff_options(context);
    if (options->diff && report.drift.n) {
        strbuf_add_char(&text, '\n');
        diff_edits(&report.drift, &diff, &text);
    }
    return verb_print(&text, err);
}

const Verb verb_status = {
    .name = "status",
    .summary = "What is under way, stuck, held or in quarantine, and what moved since the last known good.",
    .arguments = "",
    .options = status_options,
    .options_size = sizeof(StatusOptions),
    .run = status_run,
};
