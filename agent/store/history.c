/* SPDX-License-Identifier: Apache-2.0 */
#include "store/history.h"

/* So many runs may be there beyond what is to be kept, a part of it, before a run is followed by pruning. */
enum { SLACK_PART = 20, SLACK_MAX = 25 };

/* So many runs must have begun since a run was too old, before it goes without anybody asking. */
enum { WITNESSES = 50 };

/* What is wrong with the snapshot of a run, or NULL. */
static const char *snapshot_problem(const Store *store, Arena *arena, const RunRecord *run)
{
    char commit[65];
    Err err;
    int r = store->repo ? snapshot_find(store->repo, run->id, commit, &err) : REPO_NONE;
    if (r == REPO_NONE)
        return arena_printf(arena, "its snapshot %.12s is missing", run->commit);
    if (r == 0 && !str_equal(commit, run->commit))
        return arena_printf(arena, "its snapshot is %.12s, and another one, %.12s, has its name", run->commit, commit);
    if (r == 0)
        r = repo_verify(store->repo, commit, &err);
    return r < 0 ? arena_printf(arena, "its snapshot is damaged: %s", err_text(&err)) : NULL;
}

/* Whether the run is still there: one that is pruned meanwhile loses its row first. */
static bool is_there(const Store *store, Arena *arena, const char *id)
{
    RunRecord run;
    Err err;
    return ledger_find(store->ledger, arena, id, &run, &err) != -ERR_NOT_FOUND;
}

int history_verify(const Store *store, Arena *arena, ChainReport *ret, Err *err)
{
    RunRecordVec runs = {0};
    *ret = (ChainReport){.head_hash = ""};
    int r = store->ledger ? ledger_verify(store->ledger, arena, ret, err) : 0;
    if (r == 0 && store->ledger)
        r = ledger_list(store->ledger, arena, 0, &runs, err);
    for (size_t i = runs.n; r == 0 && i-- > 0;) {
        const RunRecord *run = &runs.items[i];
        const char *problem = run->commit ? snapshot_problem(store, arena, run) : NULL;
        if (!problem || !is_there(store, arena, run->id))
            continue;
        ret->broken = problem;
        ret->broken_run = run->id;
        return LEDGER_BROKEN;
    }
    return r;
}

/* --- Pruning --- */

static int remove_refs(const Store *store, Arena *arena, const char *glob, Err *err)
{
    StringVec refs = {0};
    int r = repo_refs(store->repo, arena, glob, &refs, err);
    for (size_t i = 0; r >= 0 && i < refs.n; i++)
        r = repo_remove_ref(store->repo, refs.items[i], err);
    return r < 0 ? r : 0;
}

/* A ref may be lost: the ledger knows the commits, too. */
static int sweep(const Store *store, Arena *arena, size_t *ret_objects, Err *err)
{
    RunRecordVec runs = {0};
    StringVec commits = {0};
    int r = ledger_list(store->ledger, arena, 0, &runs, err);
    VEC_EACH (run, &runs) {
        if (run->commit)
            *vec_push(arena, &commits) = run->commit;
    }
    return r < 0 ? r : repo_sweep(store->repo, &commits, ret_objects, err);
}

static int remove_snapshots(const Store *store, Arena *arena, const StringVec *runs, size_t *ret_objects, Err *err)
{
    int r = 0;
    for (size_t i = 0; r >= 0 && i < runs->n; i++) {
        const char *run = runs->items[i];
        r = repo_remove_ref(store->repo, arena_printf(arena, "refs/tags/kept/%s", run), err);
        if (r >= 0)
            r = remove_refs(store, arena, arena_printf(arena, "refs/foreign/%s/*", run), err);
        if (r >= 0)
            r = repo_remove_ref(store->repo, arena_printf(arena, "refs/runs/%s", run), err);
    }
    return r < 0 ? r : sweep(store, arena, ret_objects, err);
}

int history_prune(const Store *store, const Retention *keep, PruneReport *ret, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    PruneReport report = {0};
    StringVec runs = {0};
    int64_t surplus;
    usec now = clock_realtime();
    int r = ledger_count_surplus(store->ledger, keep, now, &surplus, err);
    if (r >= 0 && surplus > 0)
        r = ledger_prune(store->ledger, keep, now, &report.runs, err);
    if (r >= 0)
        r = ledger_pruned(store->ledger, arena, &runs, err);
    if (r >= 0 && runs.n > 0)
        r = remove_snapshots(store, arena, &runs, &report.objects, err);
    if (r >= 0 && runs.n > 0)
        r = ledger_forget_pruned(store->ledger, err);
    if (r < 0)
        return r;
    *ret = report;
    return 0;
}

static bool is_worth_the_while(const Retention *keep, int64_t surplus)
{
    int64_t slack = keep->runs / SLACK_PART;
    return surplus > (slack < SLACK_MAX ? slack : SLACK_MAX);
}

/* Whether a run waits to be brought to an end, or looked at: then nothing is touched. */
static bool is_at_rest(const Store *store, Arena *arena)
{
    RunRecordVec unfinished = {0};
    Hot hot;
    Err err;
    return hot_read(store->dir, &hot, &err) == 1 && ledger_unfinished(store->ledger, arena, &unfinished, &err) >= 0 &&
           unfinished.n == 0;
}

static int wants_pruning(const char *state_dir, const Retention *keep, bool *ret, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(store_close) Store store = {0};
    StringVec left = {0};
    int64_t surplus = 0;
    *ret = false;
    int r = store_open_read(state_dir, &store, err);
    if (r < 0 || !store.ledger || !store.repo || !is_at_rest(&store, arena))
        return r < 0 ? r : 0;
    r = ledger_count_surplus(store.ledger, keep, clock_realtime(), &surplus, err);
    if (r >= 0)
        r = ledger_pruned(store.ledger, arena, &left, err);
    *ret = r >= 0 && (left.n > 0 || is_worth_the_while(keep, surplus));
    return r < 0 ? r : 0;
}

/* Not store_open_write: what is damaged is left to a command that can put it right. */
static int open_plainly(const char *state_dir, Store *ret, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    ret->dir = state_dir;
    int r = lock_take(state_dir, LOCK_PRUNES, 0, &ret->lock, err);
    if (r >= 0)
        r = ledger_open(state_dir, LEDGER_WRITE, &ret->ledger, err);
    if (r >= 0)
        r = repo_open(arena_printf(arena, "%s/snapshots.git", state_dir), false, &ret->repo, err);
    return r;
}

int history_tidy(const char *state_dir, const Retention *asked, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(store_close) Store store = {0};
    Retention keep = *asked;
    PruneReport report;
    bool wanted;
    keep.since = WITNESSES;
    int r = wants_pruning(state_dir, &keep, &wanted, err);
    if (r < 0 || !wanted)
        return r;
    r = open_plainly(state_dir, &store, err);
    if (r == -ERR_BUSY || (r == 0 && !is_at_rest(&store, arena)))
        return 0;
    return r == 0 ? history_prune(&store, &keep, &report, err) : r < 0 ? r : 0;
}
