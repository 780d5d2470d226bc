/* SPDX-License-Identifier: Apache-2.0 */
/* History as a hash chain. Each time a run ends, its row, files and verdicts as one JSON text become a link, in the
 * transaction of the state itself; each link's hash covers the text and the hash before it. So no past run can be
 * changed, taken away or put in between without recomputing every link since, and the last hash, noted elsewhere, tells
 * even that. Runs that were pruned leave a checkpoint: the place and hash from which the chain goes on. */
#include "store/ledger-internal.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "data/json.h"

/* --- The record of a run --- */

static Node *node_of_run(Arena *arena, const RunRecord *run)
{
    const struct {
        const char *key, *text;
    } texts[] = {
        {"id", run->id},
        {"state", run_state_to_string(run->state)},
        {"playbook", run->playbook},
        {"target", run->target},
        {"values", run->values},
        {"plan", run->plan_hash},
        {"commit", run->commit},
        {"origin", run->origin},
        {"user", run->user},
        {"thoroughness", run->thoroughness},
        {"reason", run->reason},
        {"undoes", run->undoes},
        {"boot", run->boot_id},
    };
    Node *map = node_map(arena);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        node_set(arena, map, texts[i].key, node_text(arena, texts[i].text));
    node_set_int(arena, map, "created", (int64_t)run->created);
    node_set_int(arena, map, "ended", (int64_t)run->ended);
    node_set_int(arena, map, "until", (int64_t)run->until);
    node_set_int(arena, map, "pid", (int64_t)run->pid);
    node_set_bool(arena, map, "blamed", run->blamed);
    return map;
}

/* The rows of a query with the run as its parameter, each as a list of texts. */
static int node_of_rows(Ledger *ledger, Arena *arena, const char *sql, int columns, const char *id, Node **ret,
                        Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    Node *rows = node_seq(arena);
    int r = db_prepare(ledger->db, sql, &select, err);
    if (r < 0)
        return r;
    statement_bind_text(select, 1, id);
    while ((r = statement_step(select, err)) == DB_ROW) {
        Node *row = node_add(arena, rows, node_seq(arena));
        for (int i = 0; i < columns; i++)
            node_add(arena, row, node_text(arena, statement_text(select, arena, i)));
    }
    *ret = rows;
    return r;
}

/* 1: there is no such run. */
static int find_run(Ledger *ledger, Arena *arena, const char *id, RunRecord *ret, const char **ret_acknowledged,
                    Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    int r = db_prepare(ledger->db, "SELECT " RUN_COLUMNS ", acknowledged FROM runs WHERE id = ?1", &select, err);
    if (r < 0)
        return r;
    statement_bind_text(select, 1, id);
    r = statement_step(select, err);
    if (r != DB_ROW)
        return r < 0 ? r : 1;
    *ret_acknowledged = statement_text(select, arena, RUN_COLUMN_COUNT);
    return ledger_read_run(select, arena, ret, err);
}

int ledger_record(Ledger *ledger, Arena *arena, const char *id, RunState *ret_state, char **ret, Err *err)
{
    RunRecord run;
    const char *acknowledged;
    Node *files = NULL, *verdicts = NULL;
    int r = find_run(ledger, arena, id, &run, &acknowledged, err);
    if (r == 0)
        r = node_of_rows(ledger, arena, "SELECT path, before, after FROM run_files WHERE run = ?1 ORDER BY path", 3, id,
                         &files, err);
    if (r == 0)
        r = node_of_rows(ledger, arena,
                         "SELECT phase, check_name, verdict, reason, measures FROM verdicts WHERE run = ?1"
                         " ORDER BY phase, check_name",
                         5, id, &verdicts, err);
    if (r != 0)
        return r;
    Node *map = node_of_run(arena, &run);
    node_set(arena, map, "acknowledged", node_text(arena, acknowledged));
    node_set(arena, map, "files", files);
    node_set(arena, map, "verdicts", verdicts);
    *ret_state = run.state;
    *ret = json_to_string(arena, map, JSON_COMPACT | JSON_SORT_KEYS);
    return 0;
}

/* --- Links --- */

char *ledger_link_hash(Arena *arena, const char *previous, const char *record)
{
    const char *text = arena_printf(arena, "%s\n%s", previous, record);
    return hash_to_hex(arena, hash_of(text, strlen(text)));
}

int ledger_checkpoint(Ledger *ledger, Arena *arena, LedgerCheckpoint *ret, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    LedgerCheckpoint checkpoint = {.hash = ""};
    int r = db_prepare(ledger->db, "SELECT seq, hash, runs, realtime, unlinked FROM checkpoint", &select, err);
    if (r < 0 || (r = statement_step(select, err)) < 0)
        return r;
    if (r == DB_ROW)
        checkpoint = (LedgerCheckpoint){
            .seq = statement_int(select, 0),
            .hash = statement_text(select, arena, 1),
            .runs = statement_int(select, 2),
            .realtime = (usec)statement_int(select, 3),
            .unlinked = statement_int(select, 4),
        };
    *ret = checkpoint;
    return 0;
}

/* The last link: what the next one goes on from. */
static int find_head(Ledger *ledger, Arena *arena, int64_t *ret_seq, const char **ret_hash, Err *err)
{
    CLEANUP(statement_close) Statement *select = NULL;
    LedgerCheckpoint checkpoint;
    int r = db_prepare(ledger->db, "SELECT seq, hash FROM chain ORDER BY seq DESC LIMIT 1", &select, err);
    if (r < 0 || (r = statement_step(select, err)) < 0)
        return r;
    if (r == DB_ROW) {
        *ret_seq = statement_int(select, 0);
        *ret_hash = statement_text(select, arena, 1);
        return 0;
    }
    r = ledger_checkpoint(ledger, arena, &checkpoint, err);
    if (r < 0)
        return r;
    *ret_seq = checkpoint.seq;
    *ret_hash = checkpoint.hash;
    return 0;
}

static int add_link(Ledger *ledger, Arena *arena, const char *id, const char *record, Err *err)
{
    CLEANUP(statement_close) Statement *insert = NULL;
    int64_t seq;
    const char *hash;
    int r = find_head(ledger, arena, &seq, &hash, err);
    if (r == 0)
        r = db_prepare(ledger->db, "INSERT INTO chain (seq, run, record, hash) VALUES (?, ?, ?, ?)", &insert, err);
    if (r < 0)
        return r;
    statement_bind_int(insert, 1, seq + 1);
    statement_bind_text(insert, 2, id);
    statement_bind_text(insert, 3, record);
    statement_bind_text(insert, 4, ledger_link_hash(arena, hash, record));
    return statement_run(insert, NULL, err);
}

int ledger_link(Ledger *ledger, const char *id, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    RunState state;
    char *record;
    int r = ledger_record(ledger, arena, id, &state, &record, err);
    if (r != 0 || !run_state_terminal(state))
        return r < 0 ? r : 0;
    return add_link(ledger, arena, id, record, err);
}
