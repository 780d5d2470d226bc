/* SPDX-License-Identifier: Apache-2.0 */
/* hold and release: keep salve off this host for a time. */
#include "report/record-json.h"
#include "run/engine.h"
#include "verb/carry.h"
#include "verb/who.h"

typedef struct HoldOptions {
    usec for_usec;
    const char *reason;
} HoldOptions;

static const Option hold_options[] = {
    OPTION_DURATION(HoldOptions, for_usec, "for", 0, "End by itself after this time."),
    OPTION_TEXT(HoldOptions, reason, "reason", 'r', "TEXT", "Why; whoever is refused reads it."),
    OPTIONS_END,
};

static int hold_run(VerbContext *context, Err *err)
{
    const HoldOptions *options = context->options;
    CLEANUP(carrier_close) Carrier carrier = {0};
    int r = carrier_open(context, "hold", &carrier, err);
    if (r < 0)
        return r;
    usec now = clock_realtime();
    bool open_end = options->for_usec == 0 || options->for_usec == USEC_INFINITY;
    Hold hold = {
        .since = now,
        .until = open_end ? USEC_INFINITY : now + options->for_usec,
        .reason = options->reason,
        .who = who_asks(context->arena),
    };
    r = ledger_hold(engine_store(carrier.engine)->ledger, &hold, err);
    if (r < 0)
        return r;
    if (context->globals->json)
        return verb_print_json_line(json_of_hold(context->arena, &hold), err);
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(4096);
    strbuf_printf(&text, "Held%s%s: no run is started on this host.\nnext: salve release\n", open_end ? "" : " until ",
                  open_end ? "" : usec_to_local(context->arena, hold.until));
    return verb_print(&text, err);
}

const Verb verb_hold = {
    .name = "hold",
    .summary = "Keep salve off this host.",
    .arguments = "",
    .options = hold_options,
    .options_size = sizeof(HoldOptions),
    .run = hold_run,
};

static int release_run(VerbContext *context, Err *err)
{
    CLEANUP(carrier_close) Carrier carrier = {0};
    int r = carrier_open(context, "release", &carrier, err);
    if (r >= 0)
        r = ledger_release(engine_store(carrier.engine)->ledger, err);
    if (r < 0)
        return r;
    bool was_held = r == 0;
    if (context->globals->json) {
        Node *map = node_map(context->arena);
        node_set_bool(context->arena, map, "was_held", was_held);
        return verb_print_json_line(map, err);
    }
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(4096);
    strbuf_add_str(&text, was_held ? "Released.\n" : "It was not held.\n");
    return verb_print(&text, err);
}

const Verb verb_release = {
    .name = "release",
    .summary = "End a hold.",
    .arguments = "",
    .run = release_run,
};
