/* SPDX-License-Identifier: Apache-2.0 */
/* Which run changed which files, and until when. */
#include "store/ledger-internal.h"
#include "store/way-back.h"

static int set_commit(Ledger *ledger, const char *id, const char *commit, Err *err)
{
    CLEANUP(statement_close) Statement *update = NULL;
    int64_t changed = 0;
    int r =
        db_prepare(ledger->db, "UPDATE runs SET commit_id = ?1 WHERE id = ?2 AND (commit_id IS NULL OR commit_id = ?1)",
                   &update, err);
    if (r < 0)
        return r;
    statement_bind_text(update, 1, commit);
    statement_bind_text(update, 2, id);
    r = statement_run(update, &changed, err);
    return r < 0 || changed == 1 ? r : err_set(err, ERR_FAILED, "it is not where it should be");
}

static int add_files(Ledger *ledger, const char *id, const StringVec *paths, Err *err)
{
    CLEANUP(statement_close) Statement *insert = NULL;
    int r = db_prepare(ledger->db, "INSERT OR IGNORE INTO run_files (run, path) VALUES (?1, ?2)", &insert, err);
    for (size_t i = 0; r == 0 && i < paths->n; i++) {
        statement_reset(insert);
        statement_bind_text(insert, 1, id);
        statement_bind_text(insert, 2, paths->items[i]);
        r = statement_run(insert, NULL, err);
    }
    return r;
}

int ledger_set_snapshot(Ledger *ledger, const char *id, const char *commit, const StringVec *paths,
                        const WayBack *way_back, Err *err)
{
    int r = ledger_begin(ledger, DB_NOW, err);
    if (r == 0) {
        r = set_commit(ledger, id, commit, err);
        if (r == 0)
            r = add_files(ledger, id, paths, err);
        if (r == 0 && way_back)
            r = way_back_write(ledger, id, way_back, err);
        if (r == 0)
            r = ledger_link(ledger, id, err);
        r = ledger_end(ledger, r, err);
    }
    return r < 0 ? err_prefix(err, "cannot record the snapshot of run %s", id) : 0;
}

int ledger_set_until(Ledger *ledger, const char *id, usec until, Err *err)
{
    Statement *update;
    int64_t changed = 0;
    int r = db_prepare(ledger->db, "UPDATE runs SET until = ?1 WHERE id = ?2 AND state NOT IN ('kept', 'rolled-back')",
                       &update, err);
    if (r < 0)
        return r;
    statement_bind_int(update, 1, (int64_t)until);
    statement_bind_text(update, 2, id);
    r = ledger_change(ledger, update, id, DB_NOW, &changed, err);
    if (r == 0 && changed != 1)
        r = err_set(err, ERR_FAILED, "it is not under way");
    return r < 0 ? err_prefix(err, "cannot record when run %s ends", id) : 0;
}

int ledger_had_temporary(Ledger *ledger, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    int r = db_prepare(ledger->db, "SELECT 1 FROM runs WHERE until > 0 AND state = 'kept' LIMIT 1", &select, err);
    if (r >= 0)
        r = statement_step(select, err);
    return r < 0 ? r : r == DB_ROW ? 0 : 1;
}

/* Rows of run, path, commit. */
static int read_files(Ledger *ledger, Arena *arena, const char *sql, LedgerFileVec *ret, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    LedgerFileVec files = {0};
    int r = db_prepare(ledger->db, sql, &select, err);
    while (r >= 0 && (r = statement_step(select, err)) == DB_ROW)
        *vec_push(arena, &files) = (LedgerFile){
            .run = statement_text(select, arena, 0),
            .path = statement_text(select, arena, 1),
            .commit = statement_text(select, arena, 2),
        };
    if (r == 0)
        *ret = files;
    return r;
}

int ledger_list_files(Ledger *ledger, Arena *arena, LedgerFileVec *ret, Err *err)
{
    return read_files(ledger, arena,
                      "SELECT run_files.run, path, commit_id FROM run_files JOIN runs ON runs.id = run_files.run"
                      " ORDER BY runs.rowid DESC, path",
                      ret, err);
}

/* SQLite takes the other columns of a group from the row that has its max(). */
int ledger_known_good(Ledger *ledger, Arena *arena, LedgerFileVec *ret, Err *err)
{
    return read_files(ledger, arena,
                      "SELECT id, path, commit_id, max(runs.rowid) FROM run_files JOIN runs ON runs.id = run_files.run"
                      " WHERE state = 'kept' AND commit_id IS NOT NULL GROUP BY path ORDER BY path",
                      ret, err);
}
