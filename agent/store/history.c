/* SPDX-License-Identifier: Apache-2.0 */
#include "store/history.h"

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
