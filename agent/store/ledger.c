/* SPDX-License-Identifier: Apache-2.0 */
/* Runs. A state moves by one conditional UPDATE inside one transaction (`... WHERE id = ? AND state = ?`, exactly one
 * row): two processes cannot both move a run, and the move to `kept` is the point of no return.
 *
 * Row numbers tell which run is newer: clocks are set back. */
#include "store/ledger-internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const char *const migrations[] = {
    "CREATE TABLE runs (id TEXT PRIMARY KEY NOT NULL, state TEXT NOT NULL, created INTEGER NOT NULL,"
    "  ended INTEGER NOT NULL, playbook TEXT, target TEXT, variables TEXT, plan_hash TEXT, commit_id TEXT, origin TEXT,"
    "  user TEXT, thoroughness TEXT, reason TEXT, boot_id TEXT, pid INTEGER, acknowledged TEXT) STRICT;"
    "CREATE INDEX runs_by_time ON runs (created, id);"
    "CREATE INDEX runs_by_plan ON runs (plan_hash);"
    "CREATE TABLE events (run TEXT NOT NULL REFERENCES runs (id), realtime INTEGER NOT NULL, kind TEXT NOT NULL,"
    "  state TEXT NOT NULL, subject TEXT, text TEXT, duration INTEGER NOT NULL) STRICT;"
    "CREATE INDEX events_by_run ON events (run);"
    "CREATE TABLE samples (run TEXT NOT NULL REFERENCES runs (id), realtime INTEGER NOT NULL, phase TEXT NOT NULL,"
    "  check_name TEXT NOT NULL, value REAL NOT NULL, unit TEXT, ok INTEGER NOT NULL, text TEXT) STRICT;"
    "CREATE INDEX samples_by_run ON samples (run);"
    "CREATE TABLE verdicts (run TEXT NOT NULL REFERENCES runs (id), phase TEXT NOT NULL, check_name TEXT NOT NULL,"
    "  verdict TEXT NOT NULL, reason TEXT, measures TEXT, PRIMARY KEY (run, phase, check_name)) STRICT;"
    "CREATE TABLE hold (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL, until INTEGER NOT NULL,"
    "  reason TEXT, who TEXT) STRICT;",
    /* What a run left behind: its files, when it ends by itself, what it takes back, whether its plan is to blame. */
    "ALTER TABLE runs ADD COLUMN undoes TEXT;"
    "ALTER TABLE runs ADD COLUMN until INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE runs ADD COLUMN blamed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE runs ADD COLUMN intent TEXT;"
    "CREATE TABLE run_files (run TEXT NOT NULL REFERENCES runs (id), path TEXT NOT NULL, place INTEGER NOT NULL DEFAULT 0,"
    "  before TEXT, after TEXT, PRIMARY KEY (run, path)) STRICT;"
    "CREATE INDEX runs_of_file ON run_files (path);",
    /* A link for each end of a run. Runs up to `unlinked` may have ended before there was a chain. */
    "CREATE TABLE chain (seq INTEGER PRIMARY KEY, run TEXT NOT NULL, record TEXT NOT NULL, hash TEXT NOT NULL) STRICT;"
    "CREATE INDEX chain_of_run ON chain (run);"
    "CREATE TABLE checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL,"
    "  runs INTEGER NOT NULL, realtime INTEGER NOT NULL, unlinked INTEGER NOT NULL) STRICT;"
    "INSERT INTO checkpoint SELECT 1, 0, '', 0, 0, coalesce(max(rowid), 0) FROM runs;",
    /* Runs that retention has dropped, until their snapshots are gone, too. */
    "CREATE TABLE pruned (run TEXT PRIMARY KEY NOT NULL) STRICT;",
    NULL,
};

int ledger_open(const char *state_dir, LedgerMode mode, Ledger **ret, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Db *db;
    static const DbMode modes[] = {[LEDGER_READ] = DB_READ, [LEDGER_WRITE] = DB_WRITE, [LEDGER_STAND_IN] = DB_MEMORY};
    int r = db_open(arena_printf(arena, "%s/ledger.db", state_dir), modes[mode], migrations, &db, err);
    if (r != 0)
        return r < 0 ? r : LEDGER_NONE;
    Ledger *ledger = xmalloc(sizeof *ledger);
    *ledger = (Ledger){.db = db, .pending_arena = arena_new()};
    *ret = ledger;
    return 0;
}

void ledger_close(Ledger *ledger)
{
    if (!ledger)
        return;
    Err err;
    if (ledger->pending.n > 0 && ledger_begin(ledger, DB_SOON, &err) == 0)
        (void)ledger_end(ledger, 0, &err); /* they may be lost: the contract says so */
    db_close(ledger->db);
    arena_free(ledger->pending_arena);
    free(ledger);
}

/* --- Writing --- */

/* States that recovery treats like the one before them, whose loss in a power cut is none: until `staged` nothing was
 * touched, and what the run will touch is recorded (ledger_set_snapshot) before its first dot file is written. */
static DbDurable durable_with(RunState state)
{
    static const DbDurable waits[RUN_STATE_COUNT] = {
        [RUN_PLANNED] = DB_SOON, [RUN_BASELINING] = DB_SOON, [RUN_SNAPSHOTTED] = DB_SOON,
        [RUN_STAGED] = DB_SOON,  [RUN_VERIFYING] = DB_SOON,
    };
    return waits[state];
}

int ledger_add(Ledger *ledger, const RunRecord *run, Err *err)
{
    Statement *insert;
    int r = db_prepare(
        ledger->db, "INSERT INTO runs (" RUN_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &insert, err);
    if (r < 0)
        return r;
    const char *const texts[] = {run->playbook, run->target,  run->values, run->plan_hash,
                                 run->commit,   run->origin,  run->user,   run->thoroughness,
                                 run->reason,   run->boot_id, run->undoes};
    statement_bind_text(insert, 1, run->id);
    statement_bind_text(insert, 2, run_state_to_string(run->state));
    statement_bind_int(insert, 3, (int64_t)run->created);
    statement_bind_int(insert, 4, (int64_t)run->ended);
    for (int i = 0; i < (int)ARRAY_LEN(texts); i++)
        statement_bind_text(insert, 5 + i, texts[i]);
    statement_bind_int(insert, 16, (int64_t)run->until);
    statement_bind_int(insert, 17, run->blamed);
    statement_bind_int(insert, 18, (int64_t)run->pid);
    r = ledger_change(ledger, insert, run->id, durable_with(run->state), NULL, err);
    return r < 0 ? err_prefix(err, "cannot record run %s", run->id) : 0;
}

static int require_one(int r, int64_t changed, const char *id, const char *doing, Err *err)
{
    if (r < 0)
        return err_prefix(err, "cannot %s of run %s", doing, id);
    return changed == 1 ? 0 : err_set(err, ERR_FAILED, "cannot %s of run %s: it is not where it should be", doing, id);
}

int ledger_advance(Ledger *ledger, const char *id, RunState from, RunState to, const char *reason, Err *err)
{
    Statement *update;
    int r =
        db_prepare(ledger->db,
                   "UPDATE runs SET state = ?1, reason = coalesce(?2, reason), ended = ?3 WHERE id = ?4 AND state = ?5",
                   &update, err);
    if (r < 0)
        return r;
    statement_bind_text(update, 1, run_state_to_string(to));
    statement_bind_text(update, 2, reason);
    statement_bind_int(update, 3, run_state_terminal(to) ? (int64_t)clock_realtime() : 0);
    statement_bind_text(update, 4, id);
    statement_bind_text(update, 5, run_state_to_string(from));
    int64_t changed = 0;
    r = ledger_change(ledger, update, id, durable_with(to), &changed, err);
    if (r == 0 && changed != 1)
        return err_set(err, ERR_FAILED, "run %s is not %s any more: somebody else moved it", id,
                       run_state_to_string(from));
    return r < 0 ? err_prefix(err, "cannot record that run %s is %s", id, run_state_to_string(to)) : 0;
}

int ledger_blame(Ledger *ledger, const char *id, Err *err)
{
    Statement *update;
    int r = db_prepare(ledger->db, "UPDATE runs SET blamed = 1 WHERE id = ?1", &update, err);
    if (r < 0)
        return r;
    statement_bind_text(update, 1, id);
    return ledger_change(ledger, update, id, DB_NOW, NULL, err);
}

static int set_text(Ledger *ledger, const char *sql, const char *id, const char *text, const char *doing, Err *err)
{
    Statement *update;
    int r = db_prepare(ledger->db, sql, &update, err);
    if (r < 0)
        return r;
    statement_bind_text(update, 1, text);
    statement_bind_text(update, 2, id);
    int64_t changed = 0;
    r = ledger_change(ledger, update, id, DB_NOW, &changed, err);
    return require_one(r, changed, id, doing, err);
}

int ledger_acknowledge(Ledger *ledger, const char *id, const char *who, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *text = arena_printf(arena, "%s at %s", who, usec_to_rfc3339(arena, clock_realtime()));
    return set_text(ledger, "UPDATE runs SET acknowledged = ?1 WHERE id = ?2 AND state = 'stuck'", id, text,
                    "record that somebody looked at the stuck state", err);
}

/* --- Reading --- */

int ledger_read_run(Statement *select, Arena *arena, RunRecord *ret, Err *err)
{
    RunRecord run = {.id = statement_text(select, arena, 0)};
    const char *state = statement_text(select, arena, 1);
    int number = run_state_from_string(state);
    if (number < 0)
        return err_set(err, ERR_FAILED, "run %s has the unknown state %s", run.id, state);
    run.state = (RunState)number;
    run.created = (usec)statement_int(select, 2);
    run.ended = (usec)statement_int(select, 3);
    const char **const texts[] = {&run.playbook, &run.target,  &run.values, &run.plan_hash,
                                  &run.commit,   &run.origin,  &run.user,   &run.thoroughness,
                                  &run.reason,   &run.boot_id, &run.undoes};
    for (int i = 0; i < (int)ARRAY_LEN(texts); i++)
        *texts[i] = statement_text(select, arena, 4 + i);
    run.until = (usec)statement_int(select, 15);
    run.blamed = statement_int(select, 16) != 0;
    run.pid = (usec)statement_int(select, 17);
    *ret = run;
    return 0;
}

static int select_runs(Statement *select, Arena *arena, RunRecordVec *ret, Err *err)
{
    RunRecordVec runs = {0};
    int r;
    while ((r = statement_step(select, err)) == DB_ROW) {
        RunRecord run;
        if ((r = ledger_read_run(select, arena, &run, err)) < 0)
            break;
        *vec_push(arena, &runs) = run;
    }
    if (r == 0)
        *ret = runs;
    statement_close(select);
    return r;
}

int ledger_query_runs(Ledger *ledger, Arena *arena, const char *sql, const char *text, RunRecordVec *ret, Err *err)
{
    Statement *select;
    int r = db_prepare(ledger->db, sql, &select, err);
    if (r < 0)
        return r;
    if (text)
        statement_bind_text(select, 1, text);
    return select_runs(select, arena, ret, err);
}

int ledger_list(Ledger *ledger, Arena *arena, unsigned limit, RunRecordVec *ret, Err *err)
{
    Statement *select;
    int r = db_prepare(ledger->db, "SELECT " RUN_COLUMNS " FROM runs ORDER BY rowid DESC LIMIT ?", &select, err);
    if (r < 0)
        return r;
    statement_bind_int(select, 1, limit > 0 ? (int64_t)limit : -1);
    return select_runs(select, arena, ret, err);
}

int ledger_unfinished(Ledger *ledger, Arena *arena, RunRecordVec *ret, Err *err)
{
    return ledger_query_runs(ledger, arena,
                             "SELECT " RUN_COLUMNS
                             " FROM runs WHERE state NOT IN ('kept', 'rolled-back', 'refused', 'failed')"
                             " AND acknowledged IS NULL ORDER BY rowid",
                             NULL, ret, err);
}

/* 1: no row. */
static int query_one(Ledger *ledger, Arena *arena, const char *sql, const char *text, RunRecord *ret, Err *err)
{
    RunRecordVec runs;
    int r = ledger_query_runs(ledger, arena, sql, text, &runs, err);
    if (r < 0)
        return r;
    if (runs.n == 0)
        return 1;
    *ret = runs.items[0];
    return 0;
}

int ledger_last_known_good(Ledger *ledger, Arena *arena, RunRecord *ret, Err *err)
{
    return query_one(ledger, arena,
                     "SELECT " RUN_COLUMNS " FROM runs WHERE state = 'kept' AND commit_id IS NOT NULL"
                     " ORDER BY rowid DESC LIMIT 1",
                     NULL, ret, err);
}

static int find_by_prefix(Ledger *ledger, Arena *arena, const char *prefix, RunRecord *ret, Err *err)
{
    RunRecordVec runs;
    int r = ledger_query_runs(ledger, arena,
                              "SELECT " RUN_COLUMNS
                              " FROM runs WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id = ?1 DESC, id"
                              " LIMIT 4",
                              prefix, &runs, err);
    if (r < 0)
        return r;
    if (runs.n == 0 || !*prefix)
        return err_set(err, ERR_NOT_FOUND, "there is no run %s; salve history lists them", prefix);
    if (runs.n > 1 && !str_equal(runs.items[0].id, prefix)) {
        CLEANUP(strbuf_free) StrBuf names = STRBUF_INIT(300);
        for (size_t i = 0; i < runs.n && i < 3; i++)
            strbuf_printf(&names, "%s%s", i ? ", " : "", runs.items[i].id);
        return err_set(err, ERR_INVALID, "%s could be %s%s", prefix, strbuf_str(&names), runs.n > 3 ? ", ..." : "");
    }
    *ret = runs.items[0];
    return 0;
}

int ledger_find(Ledger *ledger, Arena *arena, const char *which, RunRecord *ret, Err *err)
{
    static const struct {
        const char *word, *sql, *missing;
    } words[] = {
        {"last", "SELECT " RUN_COLUMNS " FROM runs ORDER BY rowid DESC LIMIT 1", "nothing ever ran here"},
        {"last-kept", "SELECT " RUN_COLUMNS " FROM runs WHERE state = 'kept' ORDER BY rowid DESC LIMIT 1",
         "no run was kept on this host"},
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_equal(which, words[i].word)) {
            int r = query_one(ledger, arena, words[i].sql, NULL, ret, err);
            return r > 0 ? err_set(err, ERR_NOT_FOUND, "%s", words[i].missing) : r;
        }
    }
    return find_by_prefix(ledger, arena, which, ret, err);
}
