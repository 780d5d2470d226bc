/* SPDX-License-Identifier: Apache-2.0 */
/* Whether history is what was recorded: every link hashes to its hash and follows the one before it; every run that has
 * ended is as its newest link says, and none is missing. */
#include "store/ledger-internal.h"

#include "base/cleanup.h"
#include "data/json.h"

typedef struct Verification {
    Ledger *ledger;
    Arena *arena;
    ChainReport *report;
} Verification;

/* The first thing that is wrong is what is told. */
static int broken(Verification *v, int64_t seq, const char *run, const char *what)
{
    v->report->broken_seq = seq;
    v->report->broken_run = run;
    v->report->broken = what;
    return LEDGER_BROKEN;
}

static int verify_links(Verification *v, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    ChainReport *report = v->report;
    int r = db_prepare(v->ledger->db, "SELECT seq, run, record, hash FROM chain ORDER BY seq", &select, err);
    while (r >= 0 && (r = statement_step(select, err)) == DB_ROW) {
        CLEANUP(arena_free) Arena *scratch = arena_new();
        int64_t seq = statement_int(select, 0);
        const char *run = statement_text(select, v->arena, 1), *hash = statement_text(select, v->arena, 3);
        if (seq != report->head_seq + 1)
            return broken(v, report->head_seq + 1, NULL,
                          arena_printf(v->arena, "the link is missing; the next one is %lld", (long long)seq));
        if (!str_equal(ledger_link_hash(scratch, report->head_hash, statement_text(select, scratch, 2)), hash))
            return broken(v, seq, run,
                          "the link does not hash to what stands there: its record was changed, or its "
                          "hash, or the link before it");
        report->head_seq = seq;
        report->head_hash = hash;
        report->links++;
    }
    return r;
}

/* The names of what differs: "reason, state". */
static const char *differences(Arena *arena, const char *was, const char *is)
{
    CLEANUP(strbuf_free) StrBuf names = STRBUF_INIT(1000);
    Node *before, *now;
    Err err;
    if (json_parse(arena, "link", bytes_of(was), &before, &err) < 0 ||
        json_parse(arena, "run", bytes_of(is), &now, &err) < 0)
        return "the record is no JSON";
    VEC_EACH (pair, &before->pairs) {
        const Node *other = node_get(now, pair->key->text);
        if (!other || !node_equal(pair->value, other))
            strbuf_printf(&names, "%s%s", names.len ? ", " : "", pair->key->text);
    }
    return strbuf_dup(arena, &names);
}

/* Of a run that is being rolled back once more, the link tells how it was stuck. */
static bool is_tried_again(Arena *arena, RunState state, const char *record)
{
    Node *root;
    Err err;
    return !run_state_terminal(state) && json_parse(arena, "link", bytes_of(record), &root, &err) >= 0 &&
           str_equal(node_get_text(root, "state"), run_state_to_string(RUN_STUCK));
}

static int verify_run(Verification *v, Arena *scratch, int64_t seq, const char *run, const char *record, Err *err)
{
    RunState state;
    char *now;
    int r = ledger_record(v->ledger, scratch, run, &state, &now, err);
    if (r < 0)
        return r;
    if (r > 0)
        return broken(v, seq, run, "the run is missing");
    v->report->runs++;
    if (str_equal(now, record) || is_tried_again(scratch, state, record))
        return 0;
    return broken(
        v, seq, run,
        arena_printf(v->arena, "the run is not as the link says: %s changed", differences(scratch, record, now)));
}

/* Each run against its newest link. */
static int verify_runs(Verification *v, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    int r = db_prepare(v->ledger->db, "SELECT max(seq), run, record FROM chain GROUP BY run ORDER BY 1", &select, err);
    while (r >= 0 && (r = statement_step(select, err)) == DB_ROW) {
        CLEANUP(arena_free) Arena *scratch = arena_new();
        int verdict = verify_run(v, scratch, statement_int(select, 0), statement_text(select, v->arena, 1),
                                 statement_text(select, scratch, 2), err);
        if (verdict != 0)
            return verdict;
    }
    return r;
}

static int verify_unlinked(Verification *v, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    int r = db_prepare(v->ledger->db,
                       "SELECT id FROM runs WHERE ended > 0 AND rowid > ?1"
                       " AND NOT EXISTS (SELECT 1 FROM chain WHERE chain.run = runs.id) ORDER BY rowid LIMIT 1",
                       &select, err);
    if (r < 0)
        return r;
    statement_bind_int(select, 1, v->report->checkpoint.unlinked);
    r = statement_step(select, err);
    return r == DB_ROW ? broken(v, 0, statement_text(select, v->arena, 0), "the run has no link") : r;
}

static int verify(Verification *v, Err *err)
{
    ChainReport *report = v->report;
    int r = ledger_checkpoint(v->ledger, v->arena, &report->checkpoint, err);
    report->head_seq = report->checkpoint.seq;
    report->head_hash = report->checkpoint.hash;
    if (r == 0)
        r = verify_links(v, err);
    if (r == 0)
        r = verify_runs(v, err);
    return r == 0 ? verify_unlinked(v, err) : r;
}

/* In a transaction: a run may end while a reader looks. */
int ledger_verify(Ledger *ledger, Arena *arena, ChainReport *ret, Err *err)
{
    Verification v = {.ledger = ledger, .arena = arena, .report = ret};
    *ret = (ChainReport){0};
    int r = db_exec(ledger->db, "BEGIN", err);
    if (r < 0)
        return r;
    r = verify(&v, err);
    db_rollback(ledger->db); /* nothing was written */
    return r;
}
