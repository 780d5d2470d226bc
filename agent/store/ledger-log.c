/* SPDX-License-Identifier: Apache-2.0 */
/* What happened in a run, and holds. Samples are many and worth little one by one: they wait in memory and are written
 * in the transaction of the next write that matters. */
#include "store/ledger-internal.h"

#include "base/cleanup.h"

enum { PENDING_MAX = 500 };

/* --- Transactions --- */

static int write_samples(Ledger *ledger, Err *err)
{
    if (ledger->pending.n == 0)
        return 0;
    CLEANUP(statement_close) Statement *insert = NULL;
    int r = db_prepare(ledger->db,
                       "INSERT INTO samples (run, realtime, phase, check_name, value, unit, ok, text)"
                       " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                       &insert, err);
    for (size_t i = 0; r == 0 && i < ledger->pending.n; i++) {
        const PendingSample *item = &ledger->pending.items[i];
        statement_reset(insert);
        statement_bind_text(insert, 1, item->run);
        statement_bind_int(insert, 2, (int64_t)item->sample.realtime);
        statement_bind_text(insert, 3, item->sample.phase);
        statement_bind_text(insert, 4, item->sample.check);
        statement_bind_double(insert, 5, item->sample.value);
        statement_bind_text(insert, 6, item->sample.unit);
        statement_bind_int(insert, 7, item->sample.ok);
        statement_bind_text(insert, 8, item->sample.text);
        r = statement_run(insert, NULL, err);
    }
    return r;
}

int ledger_begin(Ledger *ledger, Err *err)
{
    int r = db_begin(ledger->db, err);
    if (r == 0 && (r = write_samples(ledger, err)) < 0)
        db_rollback(ledger->db);
    return r;
}

int ledger_end(Ledger *ledger, int r, Err *err)
{
    if (r == 0)
        r = db_commit(ledger->db, err);
    if (r < 0) {
        db_rollback(ledger->db);
        return r;
    }
    arena_free(ledger->pending_arena);
    ledger->pending_arena = arena_new();
    ledger->pending.items = NULL;
    ledger->pending.n = ledger->pending.capacity = 0;
    return 0;
}

int ledger_run(Ledger *ledger, Statement *statement, int64_t *ret_changed, Err *err)
{
    int r = ledger_begin(ledger, err);
    if (r == 0)
        r = ledger_end(ledger, statement_run(statement, ret_changed, err), err);
    statement_close(statement);
    return r;
}

/* --- Events, samples, verdicts --- */

int ledger_add_event(Ledger *ledger, const char *id, const LedgerEvent *event, Err *err)
{
    Statement *insert;
    int r = db_prepare(ledger->db,
                       "INSERT INTO events (run, realtime, kind, state, subject, text, duration)"
                       " VALUES (?, ?, ?, ?, ?, ?, ?)",
                       &insert, err);
    if (r < 0)
        return r;
    statement_bind_text(insert, 1, id);
    statement_bind_int(insert, 2, (int64_t)event->realtime);
    statement_bind_text(insert, 3, event->kind);
    statement_bind_text(insert, 4, run_state_to_string(event->state));
    statement_bind_text(insert, 5, event->subject);
    statement_bind_text(insert, 6, event->text);
    statement_bind_int(insert, 7, (int64_t)event->duration_usec);
    return ledger_run(ledger, insert, NULL, err);
}

int ledger_add_sample(Ledger *ledger, const char *id, const LedgerSample *sample, Err *err)
{
    Arena *arena = ledger->pending_arena;
    LedgerSample copy = *sample;
    copy.phase = arena_strdup(arena, sample->phase);
    copy.check = arena_strdup(arena, sample->check);
    copy.unit = arena_strdup(arena, sample->unit);
    copy.text = arena_strdup(arena, sample->text);
    *vec_push(arena, &ledger->pending) = (PendingSample){arena_strdup(arena, id), copy};
    if (ledger->pending.n < PENDING_MAX)
        return 0;
    int r = ledger_begin(ledger, err);
    return r == 0 ? ledger_end(ledger, 0, err) : r;
}

int ledger_set_verdict(Ledger *ledger, const char *id, const LedgerVerdict *verdict, Err *err)
{
    Statement *insert;
    int r = db_prepare(ledger->db,
                       "INSERT OR REPLACE INTO verdicts (run, phase, check_name, verdict, reason, measures)"
                       " VALUES (?, ?, ?, ?, ?, ?)",
                       &insert, err);
    if (r < 0)
        return r;
    const char *const texts[] = {
        id, verdict->phase, verdict->check, verdict->verdict, verdict->reason, verdict->measures};
    for (int i = 0; i < (int)ARRAY_LEN(texts); i++)
        statement_bind_text(insert, i + 1, texts[i]);
    return ledger_run(ledger, insert, NULL, err);
}

static int select_of_run(Ledger *ledger, const char *sql, const char *id, Statement **ret, Err *err)
{
    int r = db_prepare(ledger->db, sql, ret, err);
    if (r == 0)
        statement_bind_text(*ret, 1, id);
    return r;
}

int ledger_events(Ledger *ledger, Arena *arena, const char *id, LedgerEventVec *ret, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    LedgerEventVec events = {0};
    int r = select_of_run(ledger,
                          "SELECT realtime, kind, state, subject, text, duration FROM events WHERE run = ?"
                          " ORDER BY rowid",
                          id, &select, err);
    while (r >= 0 && (r = statement_step(select, err)) == DB_ROW) {
        int state = run_state_from_string(statement_text(select, arena, 2));
        *vec_push(arena, &events) = (LedgerEvent){
            .realtime = (usec)statement_int(select, 0),
            .kind = statement_text(select, arena, 1),
            .state = state < 0 ? RUN_PLANNED : (RunState)state,
            .subject = statement_text(select, arena, 3),
            .text = statement_text(select, arena, 4),
            .duration_usec = (usec)statement_int(select, 5),
        };
    }
    if (r == 0)
        *ret = events;
    return r;
}

int ledger_samples(Ledger *ledger, Arena *arena, const char *id, LedgerSampleVec *ret, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    LedgerSampleVec samples = {0};
    int r = select_of_run(ledger,
                          "SELECT realtime, phase, check_name, value, unit, ok, text FROM samples WHERE run = ?"
                          " ORDER BY rowid",
                          id, &select, err);
    while (r >= 0 && (r = statement_step(select, err)) == DB_ROW) {
        *vec_push(arena, &samples) = (LedgerSample){
            .realtime = (usec)statement_int(select, 0),
            .phase = statement_text(select, arena, 1),
            .check = statement_text(select, arena, 2),
            .value = statement_double(select, 3),
            .unit = statement_text(select, arena, 4),
            .ok = statement_int(select, 5) != 0,
            .text = statement_text(select, arena, 6),
        };
    }
    if (r == 0)
        *ret = samples;
    return r;
}

int ledger_verdicts(Ledger *ledger, Arena *arena, const char *id, LedgerVerdictVec *ret, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    LedgerVerdictVec verdicts = {0};
    int r = select_of_run(ledger,
                          "SELECT phase, check_name, verdict, reason, measures FROM verdicts WHERE run = ?"
                          " ORDER BY rowid",
                          id, &select, err);
    while (r >= 0 && (r = statement_step(select, err)) == DB_ROW) {
        *vec_push(arena, &verdicts) = (LedgerVerdict){
            .phase = statement_text(select, arena, 0),
            .check = statement_text(select, arena, 1),
            .verdict = statement_text(select, arena, 2),
            .reason = statement_text(select, arena, 3),
            .measures = statement_text(select, arena, 4),
        };
    }
    if (r == 0)
        *ret = verdicts;
    return r;
}

/* --- Holds --- */

int ledger_hold(Ledger *ledger, const Hold *hold, Err *err)
{
    Statement *insert;
    int r =
        db_prepare(ledger->db, "INSERT OR REPLACE INTO hold (one, since, until, reason, who) VALUES (1, ?, ?, ?, ?)",
                   &insert, err);
    if (r < 0)
        return r;
    statement_bind_int(insert, 1, (int64_t)hold->since);
    statement_bind_int(insert, 2, (int64_t)hold->until); /* USEC_INFINITY is -1 */
    statement_bind_text(insert, 3, hold->reason);
    statement_bind_text(insert, 4, hold->who);
    return ledger_run(ledger, insert, NULL, err);
}

int ledger_release(Ledger *ledger, Err *err)
{
    Statement *delete;
    int r = db_prepare(ledger->db, "DELETE FROM hold", &delete, err);
    if (r < 0)
        return r;
    int64_t changed = 0;
    r = ledger_run(ledger, delete, &changed, err);
    return r < 0 ? r : changed == 0;
}

int ledger_current_hold(Ledger *ledger, Arena *arena, usec now_realtime, Hold *ret, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    int r = db_prepare(ledger->db, "SELECT since, until, reason, who FROM hold", &select, err);
    if (r < 0 || (r = statement_step(select, err)) < 0)
        return r;
    if (r != DB_ROW || (usec)statement_int(select, 1) <= now_realtime)
        return 1;
    *ret = (Hold){(usec)statement_int(select, 0), (usec)statement_int(select, 1), statement_text(select, arena, 2),
                  statement_text(select, arena, 3)};
    return 0;
}
