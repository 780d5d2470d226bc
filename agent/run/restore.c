/* SPDX-License-Identifier: Apache-2.0 */
/* The first half of a rollback: the files. By recorded content, never relative (promise 5):
 *
 *     live is            what becomes of it
 *     before             nothing: it is there
 *     after              `before` is exchanged for it; but theirs, where salve died right after it had taken it out
 *     absent             `before` gets its name back: an absence holds nothing that could be lost
 *     anything else      somebody else wrote it. It is kept as a commit first. Where the configuration is valid with it
 *                        and all other files back, and the host is well with it, it stays: a conflict that is told, not
 *                        decided. Else `before` is exchanged for it, too
 *     met while applying never replaced at all: the run is over, and theirs stays (run->theirs)
 *
 * Needs no network and no bus: it works before the system bus is up. An edit that cannot be restored does not stop the
 * others from being. */
#include "run/restore.h"

#include "run/foreign.h"
#include "run/stage.h"

/* 1: live is neither side. Directories, and what is no file, are swap_revert's matter. */
static int look_for_foreign(Run *run, const Edit *edit, FileState *ret, Err *err)
{
    int r = file_look(run->arena, run->swap.root, edit->path, ret, err);
    if (r < 0)
        return r;
    bool holds_bytes = ret->type == FILE_REGULAR || ret->type == FILE_SYMLINK;
    return holds_bytes && !file_state_matches(&edit->before, ret) && !file_state_matches(&edit->after, ret);
}

/* On a full disk there is no commit: should the file not stay, it goes aside, and into a commit later. */
static void add_found(Run *run, const Edit *edit, const FileState *state)
{
    Foreign foreign = {.path = edit->path, .state = *state};
    Err err;
    *vec_push(run->arena, &run->conflicts) = edit->path;
    if (foreign_keep(run, edit->path, state, &foreign.commit, &err) < 0)
        progress_warning(&run->progress, "%s was changed by somebody else meanwhile; it cannot be kept as a commit: %s",
                         edit->path, err_text(&err));
    else
        progress_warning(&run->progress,
                         "conflict: %s was changed by somebody else meanwhile; to bring their version back, should it "
                         "not stay: %s",
                         edit->path, foreign_command(run->arena, run->store->dir, &foreign));
}

static int put_back(Run *run, const Edit *edit, Err *err)
{
    const char *aside = NULL;
    Err later; /* what cannot be kept now is kept when the run is finished */
    int r = swap_revert(run->arena, &run->swap, edit, &aside, err);
    if (r == SWAP_FOREIGN)
        (void)foreign_keep_aside(run, edit, aside, &later);
    return r < 0 ? r : 0;
}

static int restore_edit(Run *run, const Edit *edit, Err *err)
{
    FileState live;
    if (edit == run->theirs) {
        *vec_push(run->arena, &run->conflicts) = edit->path;
        return 0;
    }
    int r = swap_give_back(&run->swap, edit, err);
    if (r >= 0)
        r = look_for_foreign(run, edit, &live, err);
    if (r == 1)
        add_found(run, edit, &live);
    return r != 0 ? (r < 0 ? r : 0) : put_back(run, edit, err);
}

/* Whether the configuration is valid as it is now: everything restored but for what somebody else wrote. */
static bool mix_is_valid(Run *run)
{
    Err err;
    const StageInput input = {
        .arena = run->arena,
        .run_id = run->record.id,
        .systemd = run->systemd,
        .view = run_fresh_view(run),
        .edits = run->swap.edits,
        .effects = run->effects,
        .progress = &run->progress,
        .errors_only = true,
    };
    return stage_validate_live(&input, &err) >= 0;
}

/* Edits in reverse; goes on where one fails, and returns the first failure. */
static int restore_all(Run *run, int (*restore_one)(Run *run, const Edit *edit, Err *err), Err *err)
{
    int result = 0;
    for (size_t i = run->swap.edits->n; i-- > 0;) {
        Err failure;
        int r = restore_one(run, &run->swap.edits->items[i], &failure);
        if (r < 0 && result == 0) {
            *err = failure;
            result = r;
        }
    }
    return result;
}

static int put_back_conflict(Run *run, const Edit *edit, Err *err)
{
    bool ours = edit != run->theirs && strings_contain(&run->conflicts, edit->path);
    return ours ? put_back(run, edit, err) : 0;
}

static int put_back_conflicts(Run *run, Err *err)
{
    int r = restore_all(run, put_back_conflict, err);
    if (r >= 0)
        run->conflicts.n = 0;
    return r;
}

static int restore_files(Run *run, bool can_validate, Err *err)
{
    Err failure;
    run->conflicts.n = 0;
    int result = restore_all(run, restore_edit, err), r = 0;
    if (run->conflicts.n > 0 && !run->theirs && !(can_validate && mix_is_valid(run)))
        r = put_back_conflicts(run, &failure);
    if (r < 0 && result == 0)
        *err = failure;
    return result < 0 ? result : r;
}

/* The rehearsed proof that the files are back: read again and compared. */
static int prove_files(Run *run, Err *err)
{
    VEC_EACH (edit, run->swap.edits) {
        FileState now;
        int r = file_look(run->arena, run->swap.root, edit->path, &now, err);
        if (r < 0)
            return r;
        bool foreign_directory = edit->before.type == FILE_ABSENT && now.type == FILE_DIRECTORY;
        if (!file_state_matches(&edit->before, &now) && !foreign_directory &&
            !strings_contain(&run->conflicts, edit->path))
            return err_set(err, ERR_STUCK, "%s is not as recorded: %s", edit->path,
                           file_state_difference(run->arena, &edit->before, &now));
    }
    return 0;
}

static int tell(Run *run, int r, const Err *err)
{
    if (r < 0)
        progress_failed(&run->progress, "%s", err_text(err));
    else if (run->conflicts.n)
        progress_done(&run->progress, "as recorded, but for %s, which somebody else changed", run->conflicts.items[0]);
    else
        progress_done(&run->progress, "content, owner, mode and attributes are as recorded");
    return r;
}

int restore(Run *run, bool can_validate, Err *err)
{
    size_t n = run->swap.edits->n;
    progress_step(&run->progress, "restore %zu file%s", n, n == 1 ? "" : "s");
    int r = restore_files(run, can_validate, err);
    return tell(run, r < 0 ? r : prove_files(run, err), err);
}

int restore_conflicts(Run *run, Err *err)
{
    progress_step(&run->progress, "restore what somebody else changed");
    int r = put_back_conflicts(run, err);
    return tell(run, r < 0 ? r : prove_files(run, err), err);
}
