/* SPDX-License-Identifier: Apache-2.0 */

#include "verb/carry.h"
#include "verb/who.h"

typedef struct RecoverOptions {
    bool again, acknowledge;
} RecoverOptions;

static const Option recover_options[] = {
    OPTION_FLAG(RecoverOptions, again, "again", 0, "Try the rollback of a stuck run once more."),
    OPTION_FLAG(RecoverOptions, acknowledge, "acknowledge", 0,
                "The host was put right by hand: the stuck run blocks no more."),
    OPTIONS_END,
};

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

static int recover_run(VerbContext *context, Err *err)
{
    const RecoverOptions *options = context->options;
    CLEANUP(carrier_close) Carrier carrier = {0};
    RunRecord run;
    if (options->again && options->acknowledge)
        return err_set(err, ERR_INVALID, "--again and --acknowledge exclude each other");
    int r = carrier_open(context, "recover", &carrier, err);
    if (r < 0)
        return r;
    if (!options->again && !options->acknowledge) {
        r = engine_ready(carrier.engine, err); /* a hold is no matter here */
        return r < 0 && err->kind != ERR_BUSY ? r : say(context, "nothing is hot", NULL, err);
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
    .summary = "Finish whatever is hot.",
    .arguments = "",
    .details =
        "Every command that writes does this first. A run that was interrupted is brought to its end: kept if it was\n"
        "decided, else rolled back.",
    .options = recover_options,
    .options_size = sizeof(RecoverOptions),
    .run = recover_run,
};
