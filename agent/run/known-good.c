/* SPDX-License-Identifier: Apache-2.0 */
#include "run/known-good.h"

#include <stdlib.h>
#include <string.h>

/* What one run left behind, of the paths that no later kept run touched. A path that its snapshot does not know cannot
 * be. */
static void add_files_of(Arena *arena, const LedgerFileVec *owners, const char *run, const EditVec *edits,
                         GoodFileVec *files)
{
    VEC_EACH (edit, edits) {
        VEC_EACH (owner, owners) {
            if (str_equal(owner->run, run) && str_equal(owner->path, edit->path))
                *vec_push(arena, files) = (GoodFile){edit->path, owner->run, edit->after};
        }
    }
}

static int by_path(const void *a, const void *b)
{
    const GoodFile *left = a, *right = b;
    return strcmp(left->path, right->path);
}

int known_good_load(Arena *arena, const Store *store, GoodFileVec *ret, const char **ret_missing, Err *err)
{
    LedgerFileVec owners = {0};
    GoodFileVec files = {0};
    StringVec seen = {0};
    const char *missing = NULL;
    int r = store->ledger && store->repo ? ledger_known_good(store->ledger, arena, &owners, err) : 0;
    if (r < 0)
        return r;
    VEC_EACH (owner, &owners) {
        Snapshot snapshot;
        if (strings_contain(&seen, owner->run))
            continue;
        *vec_push(arena, &seen) = owner->run;
        r = snapshot_read(store->repo, arena, owner->commit, &snapshot, err);
        if (r < 0)
            return err_prefix(err, "snapshot of run %s", owner->run);
        if (r == REPO_NONE)
            missing = owner->run;
        else
            add_files_of(arena, &owners, owner->run, &snapshot.edits, &files);
    }
    if (files.n > 1)
        qsort(files.items, files.n, sizeof *files.items, by_path);
    *ret = files;
    if (ret_missing)
        *ret_missing = missing;
    return 0;
}

int known_good_drift(Arena *arena, const GoodFileVec *files, EditVec *ret, Err *err)
{
    EditVec drift = {0};
    VEC_EACH (file, files) {
        FileState now;
        int r = file_read(arena, "", file->path, &now, err);
        if (r < 0)
            return r;
        if (!file_state_equal(&file->state, &now))
            *vec_push(arena, &drift) = (Edit){file->path, file->state, now};
    }
    *ret = drift;
    return 0;
}
