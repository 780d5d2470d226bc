/* SPDX-License-Identifier: Apache-2.0 */
#include "report/record-json.h"

#include <string.h>

#include "data/json.h"
#include "report/secret.h"

static void set_time(Arena *arena, Node *map, const char *key, usec realtime)
{
    if (realtime == USEC_INFINITY || realtime == 0)
        node_set(arena, map, key, node_null(arena));
    else
        node_set_text(arena, map, key, usec_to_rfc3339(arena, realtime));
}

static void set_usec(Arena *arena, Node *map, const char *key, usec duration)
{
    if (duration)
        node_set_int(arena, map, key, (int64_t)duration);
}

/* A key that has a value. */
static void set_known(Arena *arena, Node *map, const char *key, const char *text)
{
    if (text)
        node_set_text(arena, map, key, secret_mask_text(arena, text));
}

/* A JSON text as a tree; as text where it is none. */
static Node *parsed(Arena *arena, const char *text)
{
    Node *root;
    Err err;
    if (!text)
        return node_null(arena);
    if (json_parse(arena, "ledger", bytes_of(text), &root, &err) < 0)
        return node_text(arena, secret_mask_text(arena, text));
    secret_mask_node(arena, root);
    return root;
}

void json_of_event(const Event *event, StrBuf *out)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *map = node_map(arena);
    node_set_text(arena, map, "event", event_kind_to_string(event->kind));
    set_time(arena, map, "time", event->realtime);
    set_known(arena, map, "run", event->run_id);
    node_set_text(arena, map, "state", run_state_to_string(event->state));
    set_known(arena, map, "subject", event->subject);
    set_known(arena, map, "text", event->text);
    if (event->kind == EVENT_VERDICT)
        node_set_text(arena, map, "verdict", verdict_to_string(event->verdict));
    if (event->kind == EVENT_SAMPLE) {
        node_set_bool(arena, map, "ok", event->ok);
        node_set(arena, map, "value", node_double(arena, event->value));
        set_known(arena, map, "unit", event->unit);
    }
    set_usec(arena, map, "duration_usec", event->duration_usec);
    set_usec(arena, map, "total_usec", event->total_usec);
    json_print(map, JSON_COMPACT, out);
    strbuf_add_char(out, '\n');
}

Node *json_of_run(Arena *arena, const RunRecord *run)
{
    Node *map = node_map(arena);
    node_set_text(arena, map, "run", run->id);
    node_set_text(arena, map, "state", run_state_to_string(run->state));
    set_time(arena, map, "created", run->created);
    set_time(arena, map, "ended", run->ended);
    set_known(arena, map, "playbook", run->playbook);
    set_known(arena, map, "host", run->target);
    node_set(arena, map, "values", parsed(arena, run->values));
    set_known(arena, map, "plan_hash", run->plan_hash);
    set_known(arena, map, "commit", run->commit);
    set_known(arena, map, "trigger", run->origin);
    set_known(arena, map, "user", run->user);
    set_known(arena, map, "verification", run->thoroughness);
    set_known(arena, map, "reason", run->reason);
    set_known(arena, map, "boot_id", run->boot_id);
    node_set_bool(arena, map, "blamed", run->blamed);
    set_known(arena, map, "undoes", run->undoes);
    if (run->until)
        set_time(arena, map, "until", run->until);
    return map;
}

Node *json_of_hold(Arena *arena, const Hold *hold)
{
    Node *map = node_map(arena);
    set_time(arena, map, "since", hold->since);
    set_time(arena, map, "until", hold->until);
    set_known(arena, map, "reason", hold->reason);
    set_known(arena, map, "who", hold->who);
    return map;
}

Node *json_of_ledger_events(Arena *arena, const LedgerEventVec *events)
{
    Node *seq = node_seq(arena);
    VEC_EACH (event, events) {
        Node *map = node_add(arena, seq, node_map(arena));
        set_time(arena, map, "time", event->realtime);
        node_set_text(arena, map, "event", event->kind);
        node_set_text(arena, map, "state", run_state_to_string(event->state));
        set_known(arena, map, "subject", event->subject);
        set_known(arena, map, "text", event->text);
        set_usec(arena, map, "duration_usec", event->duration_usec);
    }
    return seq;
}

Node *json_of_samples(Arena *arena, const LedgerSampleVec *samples)
{
    Node *seq = node_seq(arena);
    VEC_EACH (sample, samples) {
        Node *map = node_add(arena, seq, node_map(arena));
        set_time(arena, map, "time", sample->realtime);
        set_known(arena, map, "phase", sample->phase);
        set_known(arena, map, "check", sample->check);
        node_set(arena, map, "value", node_double(arena, sample->value));
        set_known(arena, map, "unit", sample->unit);
        node_set_bool(arena, map, "ok", sample->ok);
        set_known(arena, map, "text", sample->text);
    }
    return seq;
}

Node *json_of_verdicts(Arena *arena, const LedgerVerdictVec *verdicts)
{
    Node *seq = node_seq(arena);
    VEC_EACH (verdict, verdicts) {
        Node *map = node_add(arena, seq, node_map(arena));
        set_known(arena, map, "phase", verdict->phase);
        set_known(arena, map, "check", verdict->check);
        set_known(arena, map, "verdict", verdict->verdict);
        set_known(arena, map, "reason", verdict->reason);
        node_set(arena, map, "measures", parsed(arena, verdict->measures));
    }
    return seq;
}
