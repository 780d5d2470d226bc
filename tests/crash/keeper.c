/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "sim.h"
#include "store/git.h"
#include "store/ledger.h"
#include "stranger.h"
#include "tree.h"
#include "world.h"

enum { RECENT_RUNS = 3, BLOBS_MAX = 16 };

Keeper keeper_new(void)
{
    return (Keeper){.arena = arena_new()};
}

void keeper_free(Keeper *keeper)
{
    arena_free(keeper->arena);
}

/* --- Sides --- */

static const SimEdit *edit_of(const char *path)
{
    for (size_t i = 0; i < sim->edit_count; i++) {
        if (str_equal(sim->edits[i].path, path))
            return &sim->edits[i];
    }
    return NULL;
}

/* Lines of one that the other does not have, but for paths that the run or a stranger may touch. */
static const char *first_other(Arena *arena, const char *lines, const char *others)
{
    char *text = arena_strdup(arena, lines), *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        const char *path = arena_strndup(arena, line, strcspn(line, " "));
        if (!edit_of(path) && !stranger_touched(path) && !strstr(others, arena_printf(arena, "%s\n", line)))
            return line;
    }
    return NULL;
}

static const char *judge_rest(Arena *arena, const char *before)
{
    const char *now = tree_print(arena, world_root(), true);
    const char *odd = first_other(arena, now, before);
    if (!odd)
        odd = first_other(arena, before, now);
    return odd ? arena_printf(arena, "%s: that is nobody's business", odd) : NULL;
}

/* 0, 1: the side on which the path is; -1: neither. */
static int side_of(Arena *arena, const SimEdit *edit)
{
    FileState state;
    Err err;
    if (file_read(arena, world_root(), edit->path, &state, &err) < 0)
        return -1;
    const char *hash = tree_hash_state(arena, &state);
    return str_equal(hash, edit->sides[0]) ? 0 : str_equal(hash, edit->sides[1]) ? 1 : -1;
}

const char *keeper_judge_sides(Arena *arena, const char *before, const Row *row)
{
    int wanted = row->known && row->state == RUN_KEPT ? 1 : 0;
    for (size_t i = 0; i < sim->edit_count; i++) {
        const SimEdit *edit = &sim->edits[i];
        if (!stranger_touched(edit->path) && side_of(arena, edit) != wanted)
            return arena_printf(arena, "%s is not %s, and the ledger says %s", edit->path, wanted ? "new" : "old",
                                row->known ? run_state_to_string(row->state) : "nothing");
    }
    if (row->known && !run_state_terminal(row->state))
        return arena_printf(arena, "the ledger says %s", run_state_to_string(row->state));
    return judge_rest(arena, before);
}

const char *keeper_judge_race(Arena *arena)
{
    Bytes content;
    Err err;
    const Deed *deed = &sim->deeds[0];
    const char *path = arena_printf(arena, "%s%s", world_root(), deed->path);
    if (sim->deed_count == 0 || (files_load(arena, path, SIM_TEXT, &content, &err) == 0 &&
                                 strstr(content.data, stranger_mark(arena, deed->tag))))
        return NULL;
    return arena_printf(arena, "%s changed before it was exchanged, and theirs is not in its place", deed->path);
}

/* --- Bytes --- */

static void add_marks(const char *text, Keeper *keeper)
{
    for (const char *at = text; (at = strstr(at, "# foreign ")); at++)
        *vec_push(keeper->arena, &keeper->next) = (unsigned)strtoul(at + strlen("# foreign "), NULL, 10);
}

static void read_marks(Arena *arena, const char *dir, Keeper *keeper)
{
    StringVec names = tree_list(arena, world_root(), dir);
    VEC_EACH (path, &names) {
        FileState state;
        Err err;
        if (file_read(arena, world_root(), *path, &state, &err) < 0)
            continue;
        if (state.type == FILE_DIRECTORY)
            read_marks(arena, *path, keeper);
        else
            add_marks(state.content.data, keeper);
    }
}

static bool has(const unsigned *items, size_t n, unsigned tag)
{
    for (size_t i = 0; i < n; i++) {
        if (items[i] == tag)
            return true;
    }
    return false;
}

static bool commit_holds(Repo *repo, Arena *arena, const char *commit, const char *mark)
{
    static const char *const sides[] = {"before", "after"};
    for (size_t i = 0; i < (size_t)BLOBS_MAX * 2; i++) {
        Bytes content;
        Err err;
        if (repo_read(repo, arena, commit, arena_printf(arena, "%s/%zu", sides[i % 2], i / 2), &content, &err) == 0 &&
            memmem(content.data, content.len, mark, strlen(mark)))
            return true;
    }
    return false;
}

static bool refs_hold(Repo *repo, Arena *arena, const char *glob, const char *mark)
{
    StringVec refs = {0};
    char commit[65];
    Err err;
    if (repo_refs(repo, arena, glob, &refs, &err) < 0)
        return false;
    VEC_EACH (ref, &refs) {
        if (repo_ref(repo, *ref, commit, &err) == 0 && commit_holds(repo, arena, commit, mark))
            return true;
    }
    return false;
}

/* In what the last runs keep: their snapshots, and what they found in their way. */
static bool is_in_git(Arena *arena, const char *mark)
{
    CLEANUP(ledger_close) Ledger *ledger = NULL;
    CLEANUP(repo_close) Repo *repo = NULL;
    RunRecordVec runs = {0};
    Err err;
    const char *dir = arena_printf(arena, "%s%s", world_root(), WORLD_STATE);
    if (ledger_open(dir, LEDGER_READ, &ledger, &err) != 0 ||
        repo_open(arena_printf(arena, "%s/snapshots.git", dir), false, &repo, &err) != 0 ||
        ledger_list(ledger, arena, RECENT_RUNS, &runs, &err) < 0)
        return false;
    VEC_EACH (run, &runs) {
        if ((run->commit && commit_holds(repo, arena, run->commit, mark)) ||
            refs_hold(repo, arena, arena_printf(arena, "refs/foreign/%s/*", run->id), mark))
            return true;
    }
    return false;
}

/* Strangers who remove a file remove what others wrote there as well. */
static bool taken_away(void)
{
    for (size_t i = 0; i < sim->deed_count; i++) {
        if (sim->deeds[i].tag == 0)
            return true;
    }
    return false;
}

const char *keeper_judge_bytes(Keeper *keeper, Arena *arena)
{
    const char *lost = NULL;
    keeper->next.n = 0;
    read_marks(arena, "/etc", keeper);
    for (size_t i = 0; i < sim->deed_count; i++) {
        if (sim->deeds[i].tag)
            *vec_push(keeper->arena, &keeper->live) = sim->deeds[i].tag;
    }
    VEC_EACH (tag, &keeper->live) {
        const char *mark = stranger_mark(arena, *tag);
        if (!lost && !has(keeper->next.items, keeper->next.n, *tag) && !taken_away() && !is_in_git(arena, mark))
            lost = arena_printf(arena, "%.*s is neither on disk nor in git", (int)strcspn(mark, "\n"), mark);
    }
    keeper->live.n = 0;
    VEC_EACH (tag, &keeper->next)
        *vec_push(keeper->arena, &keeper->live) = *tag;
    return lost;
}
