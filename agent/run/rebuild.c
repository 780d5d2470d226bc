/* SPDX-License-Identifier: Apache-2.0 */
#include "run/rebuild.h"

#include <time.h>

#include "data/json.h"
#include "run/intent.h"
#include "run/run.h"

#define RUNS "refs/runs/"

/* When a run began is in its id (store_run_id): 20260301T031245-7f3a9c01, in UTC. */
static usec began(const char *id)
{
    struct tm utc = {0};
    return strptime(id, "%Y%m%dT%H%M%S", &utc) ? (usec)timegm(&utc) * USEC_PER_SEC : 0;
}

static int add_row(Engine *engine, const RunRecord *run, const Snapshot *snapshot, RunState end, Err *err)
{
    Ledger *ledger = engine->store.ledger;
    StringVec paths = {0};
    VEC_EACH (edit, &snapshot->edits)
        *vec_push(engine->arena, &paths) = edit->path;
    int r = ledger_add(ledger, run, err);
    if (r >= 0)
        r = ledger_set_snapshot(ledger, run->id, run->commit, &paths, NULL, err);
    return r < 0 ? r
                 : ledger_advance(ledger, run->id, RUN_PLANNED, end,
                                  end == RUN_KEPT ? "kept; the record of how was lost"
                                                  : "not kept; the record of how it ended was lost",
                                  err);
}

/* 1: the snapshot cannot be read, so there is nothing that could be recorded. */
static int rebuild_run(Engine *engine, const char *id, const char *commit, Err *err)
{
    Arena *arena = engine->arena;
    Snapshot snapshot;
    Intent intent;
    char tag[65];
    int r = repo_ref(engine->store.repo, arena_printf(arena, "refs/tags/kept/%s", id), tag, err);
    if (r < 0)
        return r;
    RunState end = r == 0 ? RUN_KEPT : RUN_ROLLED_BACK;
    if (snapshot_read(engine->store.repo, arena, commit, &snapshot, err) != 0 ||
        intent_from_json(arena, snapshot.intent, &intent, err) < 0)
        return 1;
    const RunRecord run = {
        .id = id,
        .state = RUN_PLANNED,
        .created = began(id),
        .playbook = intent.playbook->name,
        .target = "this host",
        .values = json_to_string(arena, intent.values ? intent.values : node_map(arena), JSON_COMPACT),
        .plan_hash = "",
        .commit = commit,
        .origin = "made anew from its snapshot: the ledger was lost",
        .user = "root",
        .undoes = intent.undoes,
        .until = end == RUN_KEPT && intent.for_usec ? began(id) + intent.for_usec : 0, /* rather early than never */
        .boot_id = "",
    };
    return add_row(engine, &run, &snapshot, end, err);
}

int rebuild_ledger(Engine *engine, size_t *ret_runs, Err *err)
{
    Arena *arena = engine->arena;
    StringVec refs = {0};
    Hot hot = {0};
    Err ignored; /* a damaged hot file names no run */
    *ret_runs = 0;
    (void)hot_read(engine->store.dir, &hot, &ignored);
    int r = repo_refs(engine->store.repo, arena, RUNS "*", &refs, err);
    for (size_t i = 0; r >= 0 && i < refs.n; i++) {
        const char *id = refs.items[i] + sizeof RUNS - 1;
        char commit[65];
        if (str_equal(id, hot.run_id))
            continue;
        r = repo_ref(engine->store.repo, refs.items[i], commit, err);
        if (r == 0)
            r = rebuild_run(engine, id, commit, err);
        *ret_runs += r == 0;
    }
    return r < 0 ? err_prefix(err, "cannot make the ledger anew") : 0;
}
