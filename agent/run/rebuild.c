/* SPDX-License-Identifier: Apache-2.0 */
#include "run/rebuild.h"

#include <time.h>
#include <unistd.h>

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

/* Two transactions, each of which may be the last: the row is at its end from the first one on. */
static int add_row(Engine *engine, const RunRecord *run, const Snapshot *snapshot, const char *commit, bool known,
                   Err *err)
{
    StringVec paths = {0};
    VEC_EACH (edit, &snapshot->edits)
        *vec_push(engine->arena, &paths) = edit->path;
    int r = known ? 0 : ledger_add(engine->store.ledger, run, err);
    return r < 0 ? r : ledger_set_snapshot(engine->store.ledger, run->id, commit, &paths, NULL, err);
}

/* What is known of a run's end: its tag says that it was kept. A hot run without one is recovered from its hot file;
 * the newest run without one may be hot, where the hot file does not say which is: then it is recovered from here. */
static const char *const reasons[RUN_STATE_COUNT] = {
    [RUN_KEPT] = "kept; the record of how was lost",
    [RUN_ROLLED_BACK] = "not kept; the record of how it ended was lost",
};

typedef enum Heat { COLD, MAY_BE_HOT, HOT } Heat;

/* 1: it is there, or not over, or the snapshot cannot be read, so that there is nothing that could be recorded. */
static int rebuild_run(Engine *engine, const char *id, const char *commit, Heat heat, Err *err)
{
    Arena *arena = engine->arena;
    Snapshot snapshot;
    Intent intent;
    RunRecord there;
    char tag[65];
    int known = ledger_find(engine->store.ledger, arena, id, &there, err);
    int r = repo_ref(engine->store.repo, arena_printf(arena, "refs/tags/kept/%s", id), tag, err);
    if ((known < 0 && known != -ERR_NOT_FOUND) || r < 0)
        return known < 0 && known != -ERR_NOT_FOUND ? known : r;
    if ((known == 0 && there.commit) || (r != 0 && heat == HOT))
        return 1;
    RunState end = r == 0 ? RUN_KEPT : heat == MAY_BE_HOT ? RUN_APPLYING : RUN_ROLLED_BACK;
    if (snapshot_read(engine->store.repo, arena, commit, &snapshot, err) != 0 ||
        intent_from_json(arena, snapshot.intent, &intent, err) < 0)
        return 1;
    const RunRecord run = {
        .id = id,
        .state = end,
        .reason = reasons[end],
        .created = began(id),
        .ended = run_state_terminal(end) ? began(id) : 0,
        .playbook = intent.playbook->name,
        .target = "this host",
        .values = json_to_string(arena, intent.values ? intent.values : node_map(arena), JSON_COMPACT),
        .plan_hash = "",
        .origin = "made anew from its snapshot: the ledger was lost",
        .user = "root",
        .undoes = intent.undoes,
        .until = end == RUN_KEPT && intent.for_usec ? began(id) + intent.for_usec : 0, /* rather early than never */
        .boot_id = "",
    };
    return add_row(engine, &run, &snapshot, commit, known == 0, err);
}

static int rebuild_all(Engine *engine, const StringVec *refs, size_t *ret_runs, Err *err)
{
    Hot hot = {0};
    Err unreadable;
    bool doubtful = hot_read(engine->store.dir, &hot, &unreadable) < 0;
    for (size_t i = 0; i < refs->n; i++) {
        const char *id = refs->items[i] + sizeof RUNS - 1;
        char commit[65];
        Heat heat = str_equal(id, hot.run_id) ? HOT : doubtful && i + 1 == refs->n ? MAY_BE_HOT : COLD;
        int r = repo_ref(engine->store.repo, refs->items[i], commit, err);
        if (r == 0)
            r = rebuild_run(engine, id, commit, heat, err);
        if (r < 0)
            return r;
        *ret_runs += r == 0;
    }
    return 0;
}

/* A ledger without any run, although there are snapshots, was lost, too. */
static int is_wanted(Engine *engine, const char *mark, Err *err)
{
    RunRecord last;
    if (access(mark, F_OK) == 0)
        return 1;
    int r = ledger_find(engine->store.ledger, engine->arena, "last", &last, err);
    return r == -ERR_NOT_FOUND ? 1 : r;
}

int rebuild_ledger(Engine *engine, size_t *ret_runs, Err *err)
{
    StringVec refs = {0};
    const char *mark = arena_printf(engine->arena, "%s/" STORE_REBUILD, engine->store.dir);
    *ret_runs = 0;
    int r = is_wanted(engine, mark, err);
    if (r == 0)
        return 0;
    if (r > 0)
        r = repo_refs(engine->store.repo, engine->arena, RUNS "*", &refs, err);
    if (r >= 0)
        r = rebuild_all(engine, &refs, ret_runs, err);
    if (r >= 0 && !engine->store.stand_in)
        r = files_unlink(mark, err);
    return r < 0 ? err_prefix(err, "cannot make the ledger anew") : 0;
}
