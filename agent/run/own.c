/* SPDX-License-Identifier: Apache-2.0 */
#include "run/own.h"

enum { RUNS_LOOKED_AT = 10 };

static void add_paths(Arena *arena, const Store *store, const RunRecord *run, StringVec *ret)
{
    Snapshot snapshot;
    FileState now;
    Err err;
    if (run->state != RUN_KEPT || !run->commit || snapshot_read(store->repo, arena, run->commit, &snapshot, &err) != 0)
        return;
    VEC_EACH (edit, &snapshot.edits) {
        bool ours = edit->after.type != FILE_ABSENT && !strings_contain(ret, edit->path) &&
                    file_read(arena, "", edit->path, &now, &err) >= 0 && file_state_equal(&now, &edit->after);
        if (ours)
            *vec_push(arena, ret) = edit->path;
    }
}

void own_paths(Arena *arena, const Store *store, StringVec *ret)
{
    RunRecordVec runs = {0};
    Err err;
    if (!store->ledger || !store->repo || ledger_list(store->ledger, arena, RUNS_LOOKED_AT, &runs, &err) < 0)
        return;
    VEC_EACH (run, &runs)
        add_paths(arena, store, run, ret);
}
