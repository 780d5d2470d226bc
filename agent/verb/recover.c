/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "run/state.h"
#include "store/store.h"
#include "verb/carry.h"
#include "verb/pinned.h"
#include "verb/recover.h"
#include "verb/who.h"

typedef struct RecoverOptions {
    bool again, acknowledge, unattended, restore;
} RecoverOptions;

static const Option recover_options[] = {
    OPTION_FLAG(RecoverOptions, again, "again", 0, "Try the rollback of a stuck run once more."),
    OPTION_FLAG(RecoverOptions, acknowledge, "acknowledge", 0,
                "The host was put right by hand: the stuck run, or what a run left, blocks no more."),
    OPTION_FLAG(RecoverOptions, unattended, "unattended", 0,
                "As salve's own units do: nothing to do, or a salve at work, is success."),
    OPTION_FLAG(RecoverOptions, restore, "restore", 0,
                "Only put files back, as at boot; services follow with the next recover."),
    OPTIONS_END,
};

static const char *const exclusive = "--again, --acknowledge, --unattended and --restore exclude each other";

static int say(VerbContext *context, const char *text, const RunRecord *run, Err *err)
{
    Arena *arena = context->arena;
    if (context->globals->json) {
        Node *map = node_map(arena);
        node_set_text(arena, map, "done", text);
        node_set_text(arena, map, "run", run ? run->id : NULL);
        return verb_print_json_line(map, err);
    }
    CLEANUP(strbuf_free) StrBuf line = STRBUF_INIT(1000);
    strbuf_printf(&line, "%s%s%s\n", run ? run->id : "", run ? ": " : "", text);
    return verb_print(&line, err);
}

/* The boot half. A state directory that was never made, or that another salve holds, has nothing to restore. */
static int restore(VerbContext *context, Err *err)
{
    CLEANUP(stream_close) Stream *stream = carrier_stream(context);
    if (pinned_take_over(context, "--restore") == 0)
        return 0;
    int r = access(context->settings->state_dir, F_OK) < 0
                ? 0
                : engine_restore(context->arena, context->settings->state_dir, stream_sink(stream), err);
    return r < 0 && err->kind == ERR_BUSY ? 0 : r;
}

/* Unattended, what could not be brought to an end is a failure, and the timer tries again. A stuck run is an end:
 * trying again is for a person to say. */
static int still_hot(VerbContext *context, Engine *engine, Err *err)
{
    RunRecordVec unfinished = {0};
    int r = ledger_unfinished(engine_store(engine)->ledger, context->arena, &unfinished, err);
    for (size_t i = 0; r == 0 && i < unfinished.n; i++) {
        if (run_state_touched(unfinished.items[i].state))
            r = err_set(err, ERR_FAILED, "run %s is %s: not at its end yet", unfinished.items[i].id,
                        run_state_to_string(unfinished.items[i].state));
    }
    return r;
}

/* Nobody is at work and nothing is unfinished; seen without the lock, so that units that look every minute are in
 * nobody's way. What cannot be read is looked at with it. */
static bool is_idle(VerbContext *context)
{
    CLEANUP(store_close) Store store = {0};
    RunRecordVec unfinished = {0};
    Hot hot;
    LockHolder holder;
    Err ignored;
    if (lock_holder(context->settings->state_dir, &holder, &ignored) == 0)
        return false;
    if (access(context->settings->state_dir, F_OK) < 0)
        return true;
    return hot_read(context->settings->state_dir, &hot, &ignored) == HOT_NONE &&
           store_open_read(context->settings->state_dir, &store, &ignored) == 0 && store.ledger &&
           ledger_unfinished(store.ledger, context->arena, &unfinished, &ignored) >= 0 && unfinished.n == 0;
}

void recover_set_timer(VerbContext *context, Systemd *systemd, JobVerb verb)
{
    JobOutcome ignored;
    Err err; /* ExecStopPost, OnFailure and the next boot are there without it */
    if (!context->globals->state && !context->globals->config)
        systemd_job(systemd, context->arena, verb, "salve-recover.timer", &(JobOptions){.no_wait = true}, &ignored,
                    &err);
}

void recover_rest(VerbContext *context)
{
    CLEANUP(systemd_close) Systemd *systemd = NULL;
    Err err;
    if (systemd_open(&systemd, &err) >= 0)
        recover_set_timer(context, systemd, is_idle(context) ? JOB_VERB_STOP : JOB_VERB_START);
}

/* What salve's units call. */
static int unattended(VerbContext *context, Err *err)
{
    CLEANUP(carrier_close) Carrier carrier = {0};
    int r = is_idle(context) ? 0 : carrier_open(context, "recover", &carrier, err);
    if (r < 0 && err->kind == ERR_BUSY)
        return 0;
    if (r >= 0 && carrier.engine)
        r = still_hot(context, carrier.engine, err);
    carrier_close(&carrier);
    recover_rest(context);
    return r;
}

static int recover_run(VerbContext *context, Err *err)
{
    const RecoverOptions *options = context->options;
    CLEANUP(carrier_close) Carrier carrier = {0};
    RunRecord run;
    if (options->again + options->acknowledge + options->unattended + options->restore > 1)
        return err_set(err, ERR_INVALID, "%s", exclusive);
    if (options->restore)
        return restore(context, err);
    if (options->unattended)
        return unattended(context, err);
    int r = carrier_open(context, "recover", &carrier, err);
    if (r < 0)
        return r;
    if (!options->again && !options->acknowledge) {
        r = engine_ready(carrier.engine, err); /* a hold is no matter here */
        return r < 0 && err->kind != ERR_BUSY ? r : say(context, "no interrupted run", NULL, err);
    }
    r = options->again ? engine_recover(carrier.engine, &run, err)
                       : engine_acknowledge(carrier.engine, who_asks(context->arena), &run, err);
    if (r == ENGINE_NOTHING_STUCK)
        return say(context, "no run is stuck", NULL, err);
    if (r < 0)
        return r;
    return options->again ? carrier_end(context, &carrier, &run, err)
                          : say(context, "acknowledged; runs are possible again", &run, err);
}

const Verb verb_recover = {
    .name = "recover",
    .summary = "Finish interrupted runs.",
    .arguments = "",
    .details =
        "Every command that writes does this first. A run that was interrupted is brought to its end: kept if it was\n"
        "decided, else rolled back.",
    .options = recover_options,
    .options_size = sizeof(RecoverOptions),
    .run = recover_run,
};
