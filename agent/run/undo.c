/* SPDX-License-Identifier: Apache-2.0 */
#include "run/undo.h"

#include <stdlib.h>
#include <string.h>

#include "run/intent.h"
#include "run/standing.h"

static int read_snapshot(Arena *arena, const Store *store, const RunRecord *run, Snapshot *ret, Err *err)
{
    int r = snapshot_read(store->repo, arena, run->commit, ret, err);
    return r == REPO_NONE
               ? err_set(err, ERR_FAILED, "the snapshot %.12s of run %s is gone: what was there then is not known",
                         run->commit, run->id)
               : r;
}

/* The run, what it changed, and the playbook as it was then. */
static int load(Arena *arena, const Store *store, const char *which, Undo *ret, Snapshot *snapshot, Err *err)
{
    Intent intent;
    int r = ledger_find(store->ledger, arena, which, &ret->run, err);
    if (r < 0)
        return r;
    const RunRecord *run = &ret->run;
    if (run->state != RUN_KEPT)
        return err_set(err, ERR_REFUSED,
                       run->state == RUN_ROLLED_BACK ? "run %s was rolled back already; only a kept run can be undone"
                                                     : "run %s is %s; only a kept run can be undone",
                       run->id, run_state_to_string(run->state));
    if (!run->commit)
        return err_set(err, ERR_REFUSED, "run %s changed no file: there is nothing to take back", run->id);
    r = read_snapshot(arena, store, run, snapshot, err);
    if (r >= 0)
        r = intent_from_json(arena, snapshot->intent, &intent, err);
    return r < 0 ? r : intent_playbook(arena, &intent, &ret->playbook, err);
}

/* The checks that passed in a phase of the run: what the way back to there is judged by. */
static int find_passed(Arena *arena, const Store *store, const char *phase, Undo *undo, Err *err)
{
    StringVec *passed = arena_new_of(arena, StringVec);
    LedgerVerdictVec verdicts = {0};
    int r = ledger_verdicts(store->ledger, arena, undo->run.id, &verdicts, err);
    if (r < 0)
        return r;
    *passed = (StringVec){0};
    VEC_EACH (verdict, &verdicts) {
        if (str_equal(verdict->phase, phase) && str_equal(verdict->verdict, verdict_to_string(VERDICT_PASS)))
            *vec_push(arena, passed) = verdict->check;
    }
    undo->record.passed = passed;
    return 0;
}

/* The newest change that stands. A rollback is none: whoever asks twice does not want the first one taken back. */
static int find_newest(Arena *arena, const Store *store, const char **ret, Err *err)
{
    PastRunVec runs = {0};
    int r = standing_load(store->ledger, arena, &runs, err);
    if (r < 0)
        return r;
    VEC_EACH (run, &runs) {
        if (run->stands && !run->record.undoes && run->record.commit) {
            *ret = run->record.id;
            return 0;
        }
    }
    return err_set(err, ERR_NOT_FOUND, "no change that was kept on this host stands: there is nothing to take back%s",
                   runs.n > 0 ? "; salve history lists the runs, and rollback takes one" : "");
}

int undo_run(Arena *arena, const Store *store, const char *which, Undo *ret, Err *err)
{
    Snapshot *snapshot = arena_new_of(arena, Snapshot);
    int r = str_equal(which, "last-kept") ? find_newest(arena, store, &which, err) : 0;
    if (r >= 0)
        r = load(arena, store, which, ret, snapshot, err);
    if (r < 0)
        return r;
    ret->record = (PlanRecord){
        .origin = arena_printf(arena, "rollback of %s", ret->run.id),
        .undoes = ret->run.id,
        .edits = &snapshot->edits,
    };
    return find_passed(arena, store, "baseline", ret, err);
}

/* --- Back to a run --- */

static const Edit *find_edit(const EditVec *edits, const char *path)
{
    VEC_EACH (edit, edits) {
        if (str_equal(edit->path, path))
            return edit;
    }
    return NULL;
}

/* What the newest of them left there. */
static const FileState *left_there(const EditVecVec *later, const char *path)
{
    VEC_EACH (edits, later) {
        const Edit *edit = find_edit(edits, path);
        if (edit)
            return &edit->after;
    }
    return NULL;
}

static int by_path(const void *a, const void *b)
{
    const Edit *left = a, *right = b;
    return strcmp(left->path, right->path);
}

void undo_compose(Arena *arena, const EditVec *own, const EditVecVec *later, EditVec *ret)
{
    EditVec edits = {0};
    VEC_EACH (edit, own) {
        const FileState *there = left_there(later, edit->path);
        *vec_push(arena, &edits) = (Edit){edit->path, edit->after, there ? *there : edit->after};
    }
    for (size_t i = later->n; i-- > 0;) {
        VEC_EACH (edit, &later->items[i]) {
            const FileState *there = left_there(later, edit->path);
            if (there && !find_edit(&edits, edit->path))
                *vec_push(arena, &edits) = (Edit){edit->path, edit->before, *there};
        }
    }
    if (edits.n > 1)
        qsort(edits.items, edits.n, sizeof *edits.items, by_path);
    *ret = edits;
}

/* The kept runs after it, newest first. */
static int load_later(Arena *arena, const Store *store, const RunRecord *run, StringVec *ret_ids, EditVecVec *ret,
                      Err *err)
{
    RunRecordVec runs = {0};
    int r = ledger_list(store->ledger, arena, 0, &runs, err);
    for (size_t i = 0; r >= 0 && i < runs.n && !str_equal(runs.items[i].id, run->id); i++) {
        const RunRecord *later = &runs.items[i];
        Snapshot snapshot;
        if (later->state != RUN_KEPT)
            continue;
        *vec_push(arena, ret_ids) = later->id;
        if (!later->commit)
            continue;
        r = read_snapshot(arena, store, later, &snapshot, err);
        if (r >= 0)
            *vec_push(arena, ret) = snapshot.edits;
    }
    return r;
}

static const char *joined(Arena *arena, const StringVec *words)
{
    const char *text = NULL;
    VEC_EACH (word, words)
        text = text ? arena_printf(arena, "%s %s", text, *word) : *word;
    return text;
}

int undo_to(Arena *arena, const Store *store, const char *which, Undo *ret, Err *err)
{
    EditVec *edits = arena_new_of(arena, EditVec);
    EditVecVec later = {0};
    StringVec ids = {0};
    Snapshot snapshot;
    int r = load(arena, store, which, ret, &snapshot, err);
    if (r >= 0)
        r = load_later(arena, store, &ret->run, &ids, &later, err);
    if (r < 0)
        return r;
    undo_compose(arena, &snapshot.edits, &later, edits);
    ret->record = (PlanRecord){
        .origin = arena_printf(arena, "back to %s", ret->run.id),
        .undoes = joined(arena, &ids),
        .edits = edits,
    };
    return find_passed(arena, store, "verify", ret, err);
}
