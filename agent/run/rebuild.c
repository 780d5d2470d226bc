/* SPDX-License-Identifier: Apache-2.0 */
#include "run/rebuild.h"

#include <time.h>
#include <unistd.h>

#include "config/secret.h"
#include "run/intent.h"
#include "run/run.h"
#include "run/take-up.h"

#define RUNS "refs/runs/"

/* When a run began is in its id (store_run_id): 20260301T031245-7f3a9c01, in UTC. */
static usec began(const char *id)
{
    struct tm utc = {0};
    return strptime(id, "%Y%m%dT%H%M%S", &utc) ? (usec)timegm(&utc) * USEC_PER_SEC : 0;
}

/* Two transactions, each of which may be the last: the row is at its end from the first one on. The snapshot comes with
 * the second, which says that both were made. */
static int add_row(Engine *engine, const RunRecord *run, const StringVec *paths, bool known, Err *err)
{
    RunRecord row = *run;
    row.commit = NULL;
    int r = known ? 0 : ledger_add(engine->store.ledger, &row, err);
    return r < 0 || !run->commit ? r
                                 : ledger_set_snapshot(engine->store.ledger, run->id, run->commit, paths, NULL, err);
}

/* 1: its tag says that it was kept. */
static int is_kept(Engine *engine, const char *id, char ret_commit[65], Err *err)
{
    int r = repo_ref(engine->store.repo, arena_printf(engine->arena, "refs/tags/kept/%s", id), ret_commit, err);
    return r < 0 ? r : r != REPO_NONE;
}

/* What is known of a run's end: its tag says that it was kept. One without it was not, or is hot, and then recovery
 * brings it to its end. */
static const char *const reasons[RUN_STATE_COUNT] = {
    [RUN_KEPT] = "kept; the record of how was lost",
    [RUN_ROLLED_BACK] = "not kept; the record of how it ended was lost",
};

static RunRecord record_of(const char *id, const char *commit, RunState state)
{
    return (RunRecord){
        .id = id,
        .state = state,
        .reason = reasons[state],
        .created = began(id),
        .ended = run_state_terminal(state) ? began(id) : 0,
        .playbook = "a lost record",
        .target = "this host",
        .values = "{}",
        .plan_hash = "",
        .commit = commit,
        .origin = "made anew from its snapshot: the ledger did not know it",
        .user = "root",
        .boot_id = "",
    };
}

/* What its snapshot says of a run. 1: it cannot be read. */
static int describe(Engine *engine, RunRecord *run, StringVec *paths, Err *err)
{
    Arena *arena = engine->arena;
    Snapshot snapshot;
    Intent intent;
    if (!run->commit || snapshot_read(engine->store.repo, arena, run->commit, &snapshot, err) != 0 ||
        intent_from_json(arena, snapshot.intent, &intent, err) < 0)
        return 1;
    VEC_EACH (edit, &snapshot.edits)
        *vec_push(arena, paths) = edit->path;
    run->playbook = intent.playbook->name;
    run->values = secret_json(arena, intent.values ? intent.values : node_map(arena));
    run->undoes = intent.undoes;
    if (run->state == RUN_KEPT && intent.for_usec)
        run->until = began(run->id) + intent.for_usec; /* rather early than never */
    return 0;
}

/* With the hot file lost, too, the files tell: something of the run is live, and its originals wait beside it (or it
 * made the file, and there is none). Who put all back, or was never there, leaves none of that. */
static bool is_half_way(Engine *engine, const char *id, const char *commit)
{
    Snapshot snapshot;
    Intent intent;
    Err ignored; /* what cannot be read cannot be put back either */
    bool applied = false, waits = false;
    if (snapshot_read(engine->store.repo, engine->arena, commit, &snapshot, &ignored) != 0 ||
        intent_from_json(engine->arena, snapshot.intent, &intent, &ignored) < 0)
        return false;
    const SwapSet set = {.root = intent.root, .run_id = id, .edits = &snapshot.edits};
    VEC_EACH (edit, &snapshot.edits) {
        SwapPlace place;
        FileState dot;
        const char *path;
        bool live = swap_locate(&set, edit, &place, &ignored) == 0 && place == SWAP_IS_AFTER;
        bool beside = swap_dot_state(engine->arena, &set, edit, &dot, &path, &ignored) == 0 && dot.type != FILE_ABSENT;
        applied |= live;
        waits |= beside || (live && edit->before.type == FILE_ABSENT);
    }
    return applied && waits;
}

/* --- The ledger --- */

/* 1: it is there, or its snapshot cannot be read, so that there is nothing that could be recorded. `hot`: it may be
 * under way, in that boot; else NULL. */
static int rebuild_run(Engine *engine, const char *id, const char *commit, const Hot *hot, Err *err)
{
    RunRecord there;
    StringVec paths = {0};
    char tag[65];
    int known = ledger_find(engine->store.ledger, engine->arena, id, &there, err);
    if (known < 0 && known != -ERR_NOT_FOUND)
        return known;
    if (known == 0 && there.commit)
        return 1;
    int kept = is_kept(engine, id, tag, err);
    if (kept < 0)
        return kept;
    RunRecord run = record_of(id, commit, kept ? RUN_KEPT : hot ? RUN_APPLYING : RUN_ROLLED_BACK);
    if (hot)
        run.boot_id = hot->boot_id;
    return describe(engine, &run, &paths, err) != 0 ? 1 : add_row(engine, &run, &paths, known == 0, err);
}

/* Where the hot file does not say which run is hot, the newest may be. */
static int rebuild_all(Engine *engine, const StringVec *refs, const Hot *hot, bool doubtful, size_t *ret_runs, Err *err)
{
    bool none = hot->run_id[0] == '\0';
    for (size_t i = 0; i < refs->n; i++) {
        const char *id = refs->items[i] + sizeof RUNS - 1;
        char commit[65];
        bool newest = i + 1 == refs->n, may_be_hot = doubtful ? newest : str_equal(id, hot->run_id);
        int r = repo_ref(engine->store.repo, refs->items[i], commit, err);
        if (r == 0 && none && newest)
            may_be_hot |= is_half_way(engine, id, commit);
        if (r == 0)
            r = rebuild_run(engine, id, commit, may_be_hot ? hot : NULL, err);
        if (r < 0)
            return r;
        *ret_runs += r == 0;
    }
    return 0;
}

static const char *mark_path(Engine *engine)
{
    return arena_printf(engine->arena, "%s/" STORE_REBUILD, engine->store.dir);
}

bool rebuild_is_due(Engine *engine)
{
    return engine->store.stand_in || access(mark_path(engine), F_OK) == 0;
}

/* A ledger without any run, although there are snapshots, was lost, too: from its first row on, the mark says so. */
static int find_lost(Engine *engine, StringVec *refs, Err *err)
{
    RunRecord last;
    bool due = rebuild_is_due(engine);
    int r = due ? -ERR_NOT_FOUND : ledger_find(engine->store.ledger, engine->arena, "last", &last, err);
    if (r != -ERR_NOT_FOUND)
        return r;
    r = repo_refs(engine->store.repo, engine->arena, RUNS "*", refs, err);
    return r < 0 || due || refs->n == 0 ? r : files_write(mark_path(engine), 0600, bytes_of("\n"), err);
}

int rebuild_ledger(Engine *engine, size_t *ret_runs, Err *err)
{
    StringVec refs = {0};
    Hot hot = {0};
    Err unreadable;
    *ret_runs = 0;
    int r = find_lost(engine, &refs, err);
    if (r >= 0 && !rebuild_is_due(engine))
        return 0;
    bool doubtful = hot_read(engine->store.dir, &hot, &unreadable) < 0;
    if (r >= 0 && hot.run_id[0] == '\0')
        r = hot_boot_id(hot.boot_id, err); /* nobody knows in which it began */
    if (r >= 0)
        r = rebuild_all(engine, &refs, &hot, doubtful, ret_runs, err);
    if (r >= 0 && !doubtful && !engine->store.stand_in)
        r = files_unlink(mark_path(engine), err);
    return r < 0 ? err_prefix(err, "cannot make the ledger anew") : 0;
}

/* --- The hot run --- */

static void warn(Engine *engine, const Err *err)
{
    Progress progress = {.sink = engine->chronicle.next};
    progress_warning(&progress, "%s", err_text(err));
}

int rebuild_hot(Engine *engine, const Hot *hot, RunRecord *ret, Err *err)
{
    StringVec paths = {0};
    char tag[65];
    const char *commit = tag;
    int kept = is_kept(engine, hot->run_id, tag, err);
    int r = kept == 0 ? run_find_commit(&engine->store, engine->arena, hot, &commit, err) : kept;
    if (r < 0)
        return r;
    RunRecord run = record_of(arena_strdup(engine->arena, hot->run_id),
                              commit ? arena_strdup(engine->arena, commit) : NULL, kept ? RUN_KEPT : RUN_APPLYING);
    run.boot_id = arena_strdup(engine->arena, hot->boot_id);
    bool described = describe(engine, &run, &paths, err) == 0;
    /* What is left of a kept run can wait for its row; the files of the others cannot. */
    r = kept && (!described || rebuild_is_due(engine)) ? 0 : add_row(engine, &run, &paths, false, err);
    if (r < 0 && kept)
        return r;
    if (r < 0)
        warn(engine, err);
    *ret = run;
    return 0;
}
