/* SPDX-License-Identifier: Apache-2.0 */
/* What happened in a run, and holds. Events, samples and verdicts are many and decide nothing by themselves: they wait
 * in memory and are written in the transaction of the next write that does, so that a run costs a dozen commits and not
 * a hundred. The verdicts of a phase are durable with the state that follows from them, never after it. */
#include "store/ledger-internal.h"

#include "base/cleanup.h"

enum { PENDING_MAX = 500 };

/* --- Transactions --- */

static void bind_event(Statement *insert, const Pending *item)
{
    const LedgerEvent *event = &item->event;
    statement_bind_text(insert, 1, item->run);
    statement_bind_int(insert, 2, (int64_t)event->realtime);
    statement_bind_text(insert, 3, event->kind);
    statement_bind_text(insert, 4, run_state_to_string(event->state));
    statement_bind_text(insert, 5, event->subject);
    statement_bind_text(insert, 6, event->text);
    statement_bind_int(insert, 7, (int64_t)event->duration_usec);
}

static void bind_sample(Statement *insert, const Pending *item)
{
    const LedgerSample *sample = &item->sample;
    statement_bind_text(insert, 1, item->run);
    statement_bind_int(insert, 2, (int64_t)sample->realtime);
    statement_bind_text(insert, 3, sample->phase);
    statement_bind_text(insert, 4, sample->check);
    statement_bind_double(insert, 5, sample->value);
    statement_bind_text(insert, 6, sample->unit);
    statement_bind_int(insert, 7, sample->ok);
    statement_bind_text(insert, 8, sample->text);
}

static void bind_verdict(Statement *insert, const Pending *item)
{
    const LedgerVerdict *verdict = &item->verdict;
    const char *const texts[] = {item->run,        verdict->phase,  verdict->check,
                                 verdict->verdict, verdict->reason, verdict->measures};
    for (int i = 0; i < (int)ARRAY_LEN(texts); i++)
        statement_bind_text(insert, i + 1, texts[i]);
}

static void bind_thoroughness(Statement *update, const Pending *item)
{
    statement_bind_text(update, 1, item->text);
    statement_bind_text(update, 2, item->run);
}

static const struct {
    const char *sql;
    void (*bind)(Statement *insert, const Pending *item);
} writers[PENDING_KINDS] = {
    [PENDING_EVENT] = {"INSERT INTO events (run, realtime, kind, state, subject, text, duration)"
                       " VALUES (?, ?, ?, ?, ?, ?, ?)",
                       bind_event},
    [PENDING_SAMPLE] = {"INSERT INTO samples (run, realtime, phase, check_name, value, unit, ok, text)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        bind_sample},
    [PENDING_VERDICT] = {"INSERT OR REPLACE INTO verdicts (run, phase, check_name, verdict, reason, measures)"
                         " VALUES (?, ?, ?, ?, ?, ?)",
                         bind_verdict},
    [PENDING_THOROUGHNESS] = {"UPDATE runs SET thoroughness = ?1 WHERE id = ?2", bind_thoroughness},
};

static int write_kind(Ledger *ledger, int kind, Err *err)
{
    CLEANUP(statement_close) Statement *insert = NULL;
    int r = 0;
    for (size_t i = 0; r == 0 && i < ledger->pending.n; i++) {
        const Pending *item = &ledger->pending.items[i];
        if ((int)item->kind != kind)
            continue;
        if (insert)
            statement_reset(insert);
        else if ((r = db_prepare(ledger->db, writers[kind].sql, &insert, err)) < 0)
            break;
        writers[kind].bind(insert, item);
        r = statement_run(insert, NULL, err);
    }
    return r;
}

/* The kinds from `first` on. */
static int write_pending(Ledger *ledger, int first, Err *err)
{
    int r = 0;
    for (int kind = first; r == 0 && ledger->pending.n > 0 && kind < PENDING_KINDS; kind++)
        r = write_kind(ledger, kind, err);
    return r;
}

static void forget_pending(Ledger *ledger)
{
    arena_free(ledger->pending_arena);
    ledger->pending_arena = arena_new();
    ledger->pending.items = NULL;
    ledger->pending.n = ledger->pending.capacity = 0;
}

/* What cannot be written with all that waits is written with the verdicts alone, and at last without them: what waits
 * decides nothing. */
int ledger_begin(Ledger *ledger, DbDurable durable, Err *err)
{
    static const int firsts[] = {PENDING_EVENT, PENDING_VERDICT};
    for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
        Err lost;
        int r = db_begin(ledger->db, durable, err);
        if (r < 0 || write_pending(ledger, firsts[i], &lost) >= 0)
            return r;
        db_rollback(ledger->db);
    }
    forget_pending(ledger);
    return db_begin(ledger->db, durable, err);
}

int ledger_end(Ledger *ledger, int r, Err *err)
{
    if (r == 0)
        r = db_commit(ledger->db, err);
    if (r < 0) {
        db_rollback(ledger->db);
        return r;
    }
    forget_pending(ledger);
    return 0;
}

int ledger_run(Ledger *ledger, Statement *statement, int64_t *ret_changed, Err *err)
{
    int r = ledger_begin(ledger, DB_NOW, err);
    if (r == 0)
        r = ledger_end(ledger, statement_run(statement, ret_changed, err), err);
    statement_close(statement);
    return r;
}

int ledger_change(Ledger *ledger, Statement *statement, const char *id, DbDurable durable, int64_t *ret_changed,
                  Err *err)
{
    int64_t changed = 0;
    int r = ledger_begin(ledger, durable, err);
    if (r == 0) {
        r = statement_run(statement, &changed, err);
        if (r == 0 && changed > 0)
            r = ledger_link(ledger, id, err);
        r = ledger_end(ledger, r, err);
    }
    statement_close(statement);
    if (r == 0 && ret_changed)
        *ret_changed = changed;
    return r;
}

int ledger_flush(Ledger *ledger, Err *err)
{
    if (ledger->pending.n == 0)
        return 0;
    int r = ledger_begin(ledger, DB_SOON, err);
    return r == 0 ? ledger_end(ledger, 0, err) : r;
}

/* --- Events, samples, verdicts --- */

static int wait_for_write(Ledger *ledger, const Pending *item, Err *err)
{
    *vec_push(ledger->pending_arena, &ledger->pending) = *item;
    return ledger->pending.n < PENDING_MAX ? 0 : ledger_flush(ledger, err);
}

int ledger_add_event(Ledger *ledger, const char *id, const LedgerEvent *event, Err *err)
{
    Arena *arena = ledger->pending_arena;
    Pending item = {.kind = PENDING_EVENT, .run = arena_strdup(arena, id), .event = *event};
    item.event.kind = arena_strdup(arena, event->kind);
    item.event.subject = arena_strdup(arena, event->subject);
    item.event.text = arena_strdup(arena, event->text);
    return wait_for_write(ledger, &item, err);
}

int ledger_add_sample(Ledger *ledger, const char *id, const LedgerSample *sample, Err *err)
{
    Arena *arena = ledger->pending_arena;
    Pending item = {.kind = PENDING_SAMPLE, .run = arena_strdup(arena, id), .sample = *sample};
    item.sample.phase = arena_strdup(arena, sample->phase);
    item.sample.check = arena_strdup(arena, sample->check);
    item.sample.unit = arena_strdup(arena, sample->unit);
    item.sample.text = arena_strdup(arena, sample->text);
    return wait_for_write(ledger, &item, err);
}

int ledger_set_verdict(Ledger *ledger, const char *id, const LedgerVerdict *verdict, Err *err)
{
    Arena *arena = ledger->pending_arena;
    Pending item = {.kind = PENDING_VERDICT, .run = arena_strdup(arena, id), .verdict = *verdict};
    item.verdict.phase = arena_strdup(arena, verdict->phase);
    item.verdict.check = arena_strdup(arena, verdict->check);
    item.verdict.verdict = arena_strdup(arena, verdict->verdict);
    item.verdict.reason = arena_strdup(arena, verdict->reason);
    item.verdict.measures = arena_strdup(arena, verdict->measures);
    return wait_for_write(ledger, &item, err);
}

int ledger_set_thoroughness(Ledger *ledger, const char *id, const char *text, Err *err)
{
    Arena *arena = ledger->pending_arena;
    Pending item = {.kind = PENDING_THOROUGHNESS, .run = arena_strdup(arena, id), .text = arena_strdup(arena, text)};
    return wait_for_write(ledger, &item, err);
}

static int select_of_run(Ledger *ledger, const char *sql, const char *id, Statement **ret, Err *err)
{
    int r = ledger_flush(ledger, err);
    if (r >= 0)
        r = db_prepare(ledger->db, sql, ret, err);
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
