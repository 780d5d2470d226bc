/* SPDX-License-Identifier: Apache-2.0 */
/* Retention. Which runs may go is one statement; that they are gone is one transaction, with the place and hash from
 * which the chain goes on. Links are only ever cut off from the old end: a run that stays, and whose newest link would
 * be cut off, gets a new one first. What is to be removed from the snapshots is remembered in the same transaction, so
 * that a crash before that loses nothing but time. */
#include "store/ledger-internal.h"

#include "base/cleanup.h"
#include "base/fault.h"

#define ENDED                                                                                                          \
    "(past.state IN ('kept', 'rolled-back', 'refused', 'failed')"                                                      \
    " OR (past.state = 'stuck' AND past.acknowledged IS NOT NULL))"

/* ?1: how many runs stay; ?2: what ended before this is too old. Row numbers tell which run is newer. */
#define TOO_MANY "past.rowid < (SELECT rowid FROM runs ORDER BY rowid DESC LIMIT 1 OFFSET ?1 - 1)"
#define TOO_OLD  "past.ended < ?2"

/* What the known good is made of. SQLite takes the id of a group from the row that has its max(). */
#define KNOWN_GOOD                                                                                                     \
    "past.id IN (SELECT id FROM (SELECT id, max(runs.rowid) FROM run_files JOIN runs ON runs.id = run_files.run"       \
    "  WHERE state = 'kept' AND commit_id IS NOT NULL GROUP BY path))"

#define UNDONE(run)                                                                                                    \
    "EXISTS (SELECT 1 FROM runs AS undoer WHERE undoer.state = 'kept' AND instr(undoer.undoes, " run ".id) > 0)"

/* And nobody took that back, which would bring the run back. */
#define UNDONE_FOR_GOOD(run)                                                                                           \
    "EXISTS (SELECT 1 FROM runs AS undo WHERE undo.state = 'kept' AND instr(undo.undoes, " run ".id) > 0"              \
    " AND NOT " UNDONE("undo") ")"

/* A temporary change whose end is still to come: neither undone, nor superseded by a later change for good. */
#define TEMPORARY                                                                                                      \
    "(past.until > 0 AND past.state = 'kept' AND NOT " UNDONE_FOR_GOOD(                                                \
        "past") " AND NOT EXISTS (SELECT 1 FROM run_files AS mine JOIN run_files AS theirs ON theirs.path = mine.path" \
                "  JOIN runs AS later ON later.id = theirs.run WHERE mine.run = past.id AND later.rowid > past.rowid"  \
                "  AND later.state = 'kept' AND later.until = 0 AND later.undoes IS NULL AND NOT " UNDONE(             \
                    "later") "))"

#define MAY_GO                                                                                                         \
    "SELECT past.id FROM runs AS past WHERE " ENDED " AND (" TOO_MANY " OR " TOO_OLD ") AND NOT " KNOWN_GOOD           \
    " AND NOT " TEMPORARY " AND past.id NOT IN (SELECT id FROM (" QUARANTINED("id") "))"

/* What may go, but for those that take back a run that stays: without them it would stand again. */
#define SURPLUS                                                                                                        \
    "WITH RECURSIVE free(id) AS (" MAY_GO "),"                                                                         \
    " undo AS MATERIALIZED (SELECT id, undoes FROM runs WHERE state = 'kept' AND undoes IS NOT NULL),"                 \
    " stay(id) AS (SELECT id FROM runs WHERE id NOT IN (SELECT id FROM free)"                                          \
    "  UNION SELECT undo.id FROM stay JOIN undo ON instr(undo.undoes, stay.id) > 0)"                                   \
    " SELECT id FROM free EXCEPT SELECT id FROM stay"

/* The time from which age is counted: a clock that is years ahead must not make everything old. */
static int find_reference(Ledger *ledger, const Retention *keep, usec now, usec *ret, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    *ret = now;
    if (keep->since == 0)
        return 0;
    int r = db_prepare(ledger->db, "SELECT created FROM runs ORDER BY rowid DESC LIMIT 1 OFFSET ?1 - 1", &select, err);
    if (r < 0)
        return r;
    statement_bind_int(select, 1, keep->since);
    if ((r = statement_step(select, err)) < 0)
        return r;
    usec began = r == DB_ROW ? (usec)statement_int(select, 0) : 0;
    *ret = began < now ? began : now;
    return 0;
}

static int prepare(Ledger *ledger, const char *sql, const Retention *keep, usec now, Statement **ret, Err *err)
{
    usec reference;
    int r = find_reference(ledger, keep, now, &reference, err);
    if (r < 0 || (r = db_prepare(ledger->db, sql, ret, err)) < 0)
        return r;
    statement_bind_int(*ret, 1, keep->runs);
    statement_bind_int(*ret, 2, keep->age_usec < reference ? (int64_t)(reference - keep->age_usec) : 0);
    return 0;
}

int ledger_count_surplus(Ledger *ledger, const Retention *keep, usec now_realtime, int64_t *ret, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    int r = prepare(ledger, "SELECT count(*) FROM (" SURPLUS ")", keep, now_realtime, &select, err);
    if (r < 0 || (r = statement_step(select, err)) < 0)
        return r;
    *ret = statement_int(select, 0);
    return 0;
}

static int choose(Ledger *ledger, const Retention *keep, usec now, int64_t *ret_chosen, Err *err)
{
    CLEANUP(statement_close) Statement *insert = NULL;
    int r = prepare(ledger, "INSERT INTO pruned " SURPLUS, keep, now, &insert, err);
    return r < 0 ? r : statement_run(insert, ret_chosen, err);
}

/* The newest link that goes. 1: none. */
static int find_cut(Ledger *ledger, int64_t *ret, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    int r = db_prepare(ledger->db, "SELECT seq FROM chain WHERE run IN pruned ORDER BY seq DESC LIMIT 1", &select, err);
    if (r < 0 || (r = statement_step(select, err)) < 0)
        return r;
    if (r != DB_ROW)
        return 1;
    *ret = statement_int(select, 0);
    return 0;
}

/* Those that stay, with their newest link behind the cut, are linked anew. */
static int link_survivors(Ledger *ledger, Arena *arena, int64_t cut, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    StringVec runs = {0};
    int r = db_prepare(ledger->db,
                       "SELECT run, max(seq) AS newest FROM chain WHERE run NOT IN pruned GROUP BY run"
                       " HAVING newest <= ?1 ORDER BY newest",
                       &select, err);
    if (r < 0)
        return r;
    statement_bind_int(select, 1, cut);
    while ((r = statement_step(select, err)) == DB_ROW)
        *vec_push(arena, &runs) = statement_text(select, arena, 0);
    for (size_t i = 0; r == 0 && i < runs.n; i++)
        r = ledger_link(ledger, runs.items[i], err);
    return r;
}

static int move_checkpoint(Ledger *ledger, int64_t cut, int64_t runs, usec now, Err *err)
{
    CLEANUP(statement_close) Statement *update = NULL;
    CLEANUP(statement_close) Statement *delete = NULL;
    int r = db_prepare(ledger->db,
                       "UPDATE checkpoint SET seq = max(seq, ?1),"
                       " hash = coalesce((SELECT hash FROM chain WHERE chain.seq = ?1), hash),"
                       " runs = runs + ?2, realtime = ?3",
                       &update, err);
    if (r < 0)
        return r;
    statement_bind_int(update, 1, cut);
    statement_bind_int(update, 2, runs);
    statement_bind_int(update, 3, (int64_t)now);
    r = statement_run(update, NULL, err);
    if (r == 0)
        r = db_prepare(ledger->db, "DELETE FROM chain WHERE seq <= ?1", &delete, err);
    if (r < 0)
        return r;
    statement_bind_int(delete, 1, cut);
    return statement_run(delete, NULL, err);
}

static int drop(Ledger *ledger, Arena *arena, const Retention *keep, usec now, int64_t *ret_runs, Err *err)
{
    int64_t cut = 0;
    int r = choose(ledger, keep, now, ret_runs, err);
    if (r == 0)
        r = find_cut(ledger, &cut, err);
    if (r == 0)
        r = link_survivors(ledger, arena, cut, err);
    if (r >= 0)
        r = move_checkpoint(ledger, cut, *ret_runs, now, err);
    if (r >= 0)
        r = db_exec(ledger->db,
                    "DELETE FROM events WHERE run IN pruned; DELETE FROM samples WHERE run IN pruned;"
                    "DELETE FROM verdicts WHERE run IN pruned; DELETE FROM run_files WHERE run IN pruned;"
                    "DELETE FROM runs WHERE id IN pruned",
                    err);
    return r;
}

int ledger_prune(Ledger *ledger, const Retention *keep, usec now_realtime, int64_t *ret_runs, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    ChainReport report;
    int r = ledger_verify(ledger, arena, &report, err);
    if (r == LEDGER_BROKEN)
        return err_set(err, ERR_REFUSED,
                       "history is not sound, so nothing of it is removed; see: salve history --verify");
    int fault = fault_point("prune", "ledger.db");
    if (fault)
        return err_errno(err, fault, "cannot prune the ledger");
    if (r < 0 || (r = ledger_begin(ledger, DB_NOW, err)) < 0)
        return r;
    r = ledger_end(ledger, drop(ledger, arena, keep, now_realtime, ret_runs, err), err);
    return r < 0 ? err_prefix(err, "cannot prune the ledger") : 0;
}

int ledger_pruned(Ledger *ledger, Arena *arena, StringVec *ret, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    StringVec runs = {0};
    int r = db_prepare(ledger->db, "SELECT run FROM pruned ORDER BY run", &select, err);
    while (r >= 0 && (r = statement_step(select, err)) == DB_ROW)
        *vec_push(arena, &runs) = statement_text(select, arena, 0);
    if (r == 0)
        *ret = runs;
    return r;
}

int ledger_forget_pruned(Ledger *ledger, Err *err)
{
    Statement *delete;
    int r = db_prepare(ledger->db, "DELETE FROM pruned", &delete, err);
    return r < 0 ? r : ledger_run(ledger, delete, NULL, err);
}
