/* SPDX-License-Identifier: Apache-2.0 */
/* hold and release: keep salve off this host for a time. */
#include <stdio.h>

#include "report/record-json.h"
#include "run/engine.h"
#include "verb/carry.h"
#include "verb/who.h"

enum { STATUS_REFUSED = 3 };

typedef struct HoldOptions {
    usec for_usec;
    const char *reason;
    bool yes;
} HoldOptions;

static const Option hold_options[] = {
    OPTION_DURATION(HoldOptions, for_usec, "for", 0, "End by itself after this time."),
    OPTION_TEXT(HoldOptions, reason, "reason", 'r', "TEXT", "Why; whoever is refused reads it."),
    OPTION_FLAG(HoldOptions, yes, "yes", 'y', "Replace a hold that is there without asking."),
    OPTIONS_END,
};

/* Somebody else may have reasons of their own: their hold is not replaced silently. 1: the answer was no. */
static int may_replace(VerbContext *context, Carrier *carrier, usec now, Err *err)
{
    const HoldOptions *options = context->options;
    Hold old;
    int r = ledger_current_hold(engine_store(carrier->engine)->ledger, context->arena, now, &old, err);
    if (r != 0)
        return r < 0 ? r : 0;
    const char *end = old.until == USEC_INFINITY
                          ? ""
                          : arena_printf(context->arena, " until %s", usec_to_local(context->arena, old.until));
    const char *what = arena_printf(context->arena, "this replaces the hold of %s since %s%s%s%s",
                                    old.who ? old.who : "root", usec_to_local(context->arena, old.since), end,
                                    old.reason ? ": " : "", old.reason ? old.reason : "");
    if (carrier_may_ask(context, options->yes, err) < 0)
        return err_set(err, ERR_REFUSED, "%s; say --yes to replace it", what);
    if (!context->globals->json)
        printf("%c%s.\n", what[0] - 'a' + 'A', what + 1);
    return options->yes ? 0 : carrier_ask(carrier, "Replace it?");
}

static int hold_run(VerbContext *context, Err *err)
{
    const HoldOptions *options = context->options;
    CLEANUP(carrier_close) Carrier carrier = {0};
    int r = carrier_open(context, "hold", &carrier, err);
    if (r < 0)
        return r;
    usec now = clock_realtime();
    r = may_replace(context, &carrier, now, err);
    if (r != 0)
        return r < 0 ? r : STATUS_REFUSED;
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
