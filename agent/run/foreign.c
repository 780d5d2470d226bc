/* SPDX-License-Identifier: Apache-2.0 */
#include "run/foreign.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "run/run.h"

int foreign_keep(Run *run, const char *path, const FileState *state, const char **ret_commit, Err *err)
{
    char commit[65];
    int r = snapshot_keep_foreign(run->store->repo, run->record.id, path, state, commit, err);
    if (r >= 0)
        *ret_commit = arena_strdup(run->arena, commit);
    return r < 0 ? r : 0;
}

static int keep_and_discard(Run *run, const char *path, const char *aside, Foreign *ret, Err *err)
{
    *ret = (Foreign){.path = path};
    int r = file_read(run->arena, run->swap.root, aside, &ret->state, err);
    if (r >= 0)
        r = foreign_keep(run, path, &ret->state, &ret->commit, err);
    return r < 0 ? r : swap_discard_aside(&run->swap, aside, err);
}

int foreign_keep_aside(Run *run, const Edit *edit, const char *aside, Err *err)
{
    Foreign foreign;
    if (!aside || str_equal(aside, edit->path)) {
        progress_warning(&run->progress, "%s was changed by somebody else meanwhile%s", edit->path,
                         aside ? ", and what they put there is left in place" : "; what was recorded is back");
        return FOREIGN_STAYS;
    }
    int r = keep_and_discard(run, edit->path, aside, &foreign, err);
    if (r < 0)
        progress_warning(&run->progress, "%s was changed by somebody else meanwhile; their version is in %s (%s)",
                         edit->path, aside, err_text(err));
    else
        progress_warning(&run->progress, "%s was changed by somebody else meanwhile; to bring their version back: %s",
                         edit->path, foreign_command(run->arena, run->store->dir, &foreign));
    return r < 0 ? r : 0;
}

static void read_foreign(const Store *store, Arena *arena, const char *ref, ForeignVec *ret)
{
    char commit[65];
    Snapshot snapshot;
    Err err;
    if (repo_ref(store->repo, ref, commit, &err) != 0 ||
        snapshot_read(store->repo, arena, commit, &snapshot, &err) != 0 || snapshot.edits.n == 0)
        return;
    const Edit *edit = &snapshot.edits.items[0];
    *vec_push(arena, ret) = (Foreign){.path = edit->path, .commit = arena_strdup(arena, commit), .state = edit->before};
}

int foreign_list(const Store *store, Arena *arena, const char *run_id, ForeignVec *ret, Err *err)
{
    StringVec refs = {0};
    int r =
        store->repo ? repo_refs(store->repo, arena, arena_printf(arena, "refs/foreign/%s/*", run_id), &refs, err) : 0;
    VEC_EACH (ref, &refs)
        read_foreign(store, arena, *ref, ret);
    return r;
}

char *foreign_command(Arena *arena, const char *state_dir, const Foreign *foreign)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(64 * 1024);
    if (foreign->state.type == FILE_SYMLINK) {
        strbuf_add_str(&text, "ln -sfn ");
        strbuf_add_shell_word(&text, foreign->state.content.data);
        strbuf_add_char(&text, ' ');
    } else {
        strbuf_add_str(&text, "git -C ");
        strbuf_add_shell_word(&text, arena_printf(arena, "%s/snapshots.git", state_dir));
        strbuf_printf(&text, " cat-file blob %s:before/0 > ", foreign->commit);
    }
    strbuf_add_shell_word(&text, foreign->path);
    return strbuf_dup(arena, &text);
}
