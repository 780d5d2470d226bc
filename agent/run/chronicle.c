/* SPDX-License-Identifier: Apache-2.0 */
#include "run/chronicle.h"

#include "base/cleanup.h"
#include "config/secret.h"
#include "data/json.h"

static void report(Chronicle *chronicle, const char *run_id, const Err *err)
{
    if (chronicle->failed)
        return;
    chronicle->failed = true;
    Event warning = {.kind = EVENT_WARNING, .realtime = clock_realtime(), .run_id = run_id, .text = err_text(err)};
    if (chronicle->next.emit)
        chronicle->next.emit(chronicle->next.user, &warning);
}

static int write_event(Chronicle *chronicle, const Event *event, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *text = secret_mask_text(arena, event->text);
    if (event->kind == EVENT_SAMPLE) {
        LedgerSample sample = {
            .realtime = event->realtime,
            .phase = chronicle->phase,
            .check = event->subject,
            .value = event->value,
            .unit = event->unit,
            .ok = event->ok,
            .text = text,
        };
        return ledger_add_sample(chronicle->ledger, event->run_id, &sample, err);
    }
    LedgerEvent row = {
        .realtime = event->realtime,
        .kind = event_kind_to_string(event->kind),
        .state = event->state,
        .subject = event->subject,
        .text = text,
        .duration_usec = event->duration_usec,
    };
    return ledger_add_event(chronicle->ledger, event->run_id, &row, err);
}

static void keep(void *user, const Event *event)
{
    Chronicle *chronicle = user;
    Err err;
    /* Steps that began are told by their end; waits only matter while they last. */
    bool lasting = event->kind != EVENT_WAIT && event->kind != EVENT_STEP;
    /* A ledger that somebody else has locked costs seconds a try, and a rollback cannot wait: only states try again. */
    if (chronicle->failed && event->kind != EVENT_STATE)
        lasting = false;
    if (lasting && event->run_id && chronicle->ledger && write_event(chronicle, event, &err) < 0)
        report(chronicle, event->run_id, &err);
    if (chronicle->next.emit)
        chronicle->next.emit(chronicle->next.user, event);
}

EventSink chronicle_sink(Chronicle *chronicle)
{
    return (EventSink){.emit = keep, .user = chronicle};
}

void chronicle_verdict(Chronicle *chronicle, Arena *arena, const char *run_id, const CheckResult *result)
{
    Err err;
    Node *measures = node_map(arena);
    VEC_EACH (measure, &result->measures) {
        Node *number = node_set(arena, measures, measure->name, node_map(arena));
        node_set(arena, number, "value", node_double(arena, measure->value));
        node_set_text(arena, number, "unit", measure->unit ? measure->unit : "");
    }
    LedgerVerdict verdict = {
        .phase = chronicle->phase,
        .check = result->name,
        .verdict = verdict_to_string(result->verdict),
        .reason = secret_mask_text(arena, result->reason),
        .measures = json_to_string(arena, measures, JSON_COMPACT),
    };
    if (ledger_set_verdict(chronicle->ledger, run_id, &verdict, &err) < 0)
        report(chronicle, run_id, &err);
}
