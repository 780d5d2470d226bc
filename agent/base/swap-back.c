/* SPDX-License-Identifier: Apache-2.0 */
/* The way back, and the end. Upholds the invariants of swap.c, which see; by content, never relative (promise 5):
 *
 *     live is            what swap_revert does
 *     before             nothing
 *     after              exchanges it for the original
 *     absent, foreign    gives the original its name back; a foreign file comes out and goes aside
 *
 * Then whatever lies under the dot name and is neither side goes aside too: a crash may have come between the two
 * steps. What goes aside and can be a version of the file is given to the caller; anything else (a FIFO, a directory, a
 * huge file) is told and stays under a name of its own. */
#include <string.h>

#include "base/files-at.h"
#include "base/swap-site.h"

typedef struct Back {
    Arena *arena;
    const Edit *edit;
    Site site;
    const char *aside; /* where foreign bytes went */
    bool foreign;
} Back;

/* Moves what is foreign to a name of its own (invariant 4): a version of the file, or something else (invariant 7). */
static int put_aside(Back *back, int dir, const char *name, const FileState *found, Err *err)
{
    Site *site = &back->site;
    if (!site_may_be_version(site, found))
        return site_evict(back->arena, site, dir, name, err);
    int r = site_move_aside(back->arena, site, dir, name, site->aside, &back->aside, err);
    if (r == 0)
        back->foreign = true;
    return r == FILES_MISSING ? 0 : r;
}

/* What lies under a dot name and is neither side goes aside. */
static int rescue(Back *back, const char *name, Err *err)
{
    FileState dot;
    int r = site_read_dot(back->arena, &back->site, name, &dot, err);
    if (r < 0 || dot.type == FILE_ABSENT || site_knows(&back->site, &dot))
        return r;
    return put_aside(back, back->site.dot_dir, name, &dot, err);
}

/* --- Finding the original --- */

/* 1: the name holds it. */
static int hold_original(Back *back, const char *name, int *ret_fd, Err *err)
{
    CLEANUP(fd_close) int fd = -1;
    FileState found;
    int r = file_hold_at(back->site.dot_dir, name, back->site.shown, &fd, err);
    if (r != 0 || (r = file_look_held(back->arena, fd, back->site.shown, &found, err)) < 0)
        return r < 0 ? r : 0;
    if (!file_state_matches(&back->edit->before, &found))
        return 0;
    *ret_fd = fd;
    fd = -1;
    return 1;
}

/* A directory that somebody filled is not removed. */
static int remove_known(Back *back, const char *name, Err *err)
{
    Site *site = &back->site;
    int r = file_remove_at(site->dot_dir, name, site->shown, err);
    return r == FILES_FILLED ? site_evict(back->arena, site, site->dot_dir, name, err) : r;
}

/* The original is nowhere: written anew from the snapshot's bytes, under the name of the copy. */
static int write_original(Back *back, int *ret_fd, Err *err)
{
    Site *site = &back->site;
    int r = rescue(back, site->original, err);
    if (r < 0 || (r = remove_known(back, site->original, err)) < 0)
        return r;
    return site_make(back->arena, site, site->original, &back->edit->before, false, ret_fd, err);
}

static int find_original(Back *back, const char **ret_name, int *ret_fd, Err *err)
{
    const char *const names[] = {back->site.dot, back->site.original};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        int r = hold_original(back, names[i], ret_fd, err);
        if (r != 0) {
            *ret_name = names[i];
            return r < 0 ? r : 0;
        }
    }
    *ret_name = back->site.original;
    return write_original(back, ret_fd, err);
}

/* --- Putting it back --- */

/* The live name is free, or its file must come out: then it lies where the original was. */
static int put_original(Back *back, const FileState *live, Err *err)
{
    Site *site = &back->site;
    if (site->dir < 0)
        return err_set(err, ERR_FAILED, "%s: its directory is gone", site->shown);
    CLEANUP(fd_close) int original = -1;
    const char *name;
    int r = find_original(back, &name, &original, err);
    if (r < 0)
        return r;
    if (live->type == FILE_ABSENT)
        r = file_move_at(site->dot_dir, name, site->dir, site->name, site->shown, err);
    else
        r = file_exchange_at(site->dot_dir, name, site->dir, site->name, site->shown, err);
    if (r == FILES_UNSUPPORTED) {
        if (!file_state_matches(&back->edit->after, live))
            r = put_aside(back, site->dir, site->name, live, err);
        if (r >= 0)
            r = file_replace_at(site->dot_dir, name, site->dir, site->name, site->shown, err);
    }
    if (r > 0 || (r == 0 && !file_is_at(original, site->dir, site->name)))
        return err_set(err, ERR_FOREIGN, "%s keeps changing while it is put back; try again", site->shown);
    if (r < 0 || (r = site_sync(&back->site, err)) < 0)
        return r;
    return rescue(back, name, err);
}

static int revert_change(Back *back, Err *err)
{
    FileState live;
    int r = site_read_live(back->arena, &back->site, &live, err);
    if (r < 0 || file_state_matches(&back->edit->before, &live))
        return r;
    back->foreign = !file_state_matches(&back->edit->after, &live);
    return put_original(back, &live, err);
}

/* The dot name is not free for what was created: ours was never applied, and somebody made the same; or somebody took
 * the name, and the next attempt finds it free. */
static int settle_dot(Back *back, const FileState *live, Err *err)
{
    Site *site = &back->site;
    FileState dot;
    int r = site_read_dot(back->arena, site, site->dot, &dot, err);
    if (r >= 0 && site_knows(site, &dot) && dot.type != FILE_ABSENT)
        return put_aside(back, site->dir, site->name, live, err);
    if (r < 0 || (r = rescue(back, site->dot, err)) < 0)
        return r;
    return err_set(err, ERR_FOREIGN, "%s: somebody took the name %s", site->shown, site->dot);
}

/* The created file moves to its dot name; swap_finish deletes it. */
static int revert_creation(Back *back, Err *err)
{
    Site *site = &back->site;
    CLEANUP(fd_close) int held = -1;
    FileState live;
    int r = site->dir < 0 ? 1 : file_hold_at(site->dir, site->name, site->shown, &held, err);
    if (r != 0 || (r = file_look_held(back->arena, held, site->shown, &live, err)) < 0)
        return r < 0 ? r : 0;
    int filled = site_filled(site, site->dir, site->name, &live, err);
    if (filled != 0) {
        back->aside = back->edit->path;
        back->foreign = true;
        return filled < 0 ? filled : 0;
    }
    back->foreign = !file_state_matches(&back->edit->after, &live);
    if (back->foreign)
        r = put_aside(back, site->dir, site->name, &live, err);
    else
        r = file_move_at(site->dir, site->name, site->dot_dir, site->dot, site->shown, err);
    if (r == FILES_EXISTS)
        r = settle_dot(back, &live, err);
    if (r < 0 || (r = site_sync(&back->site, err)) < 0)
        return r;
    filled = live.type == FILE_DIRECTORY ? dir_filled_at(held, ".", site->shown, err) : 0;
    if (filled <= 0)
        return filled;
    back->aside = back->edit->path; /* somebody was quicker: back with it */
    back->foreign = true;
    r = file_move_at(site->dot_dir, site->dot, site->dir, site->name, site->shown, err);
    if (r == 0 && !file_is_at(held, site->dir, site->name))
        r = site_evict(back->arena, site, site->dir, site->name, err);
    return r < 0 ? r : site_sync(&back->site, err);
}

/* Somebody who writes at this very moment gets another chance to be done. */
static int revert_once(Back *back, Err *err)
{
    return back->edit->before.type == FILE_ABSENT ? revert_creation(back, err) : revert_change(back, err);
}

static int revert_patiently(Back *back, Err *err)
{
    int r = revert_once(back, err);
    for (int tries = 1; r == -ERR_FOREIGN && tries < SWAP_TRIES; tries++)
        r = revert_once(back, err);
    return r;
}

int swap_revert(Arena *arena, const SwapSet *set, const Edit *edit, const char **ret_aside, Err *err)
{
    Back back = {.arena = arena, .edit = edit};
    int r = site_open(arena, set, edit, &back.site, err);
    if (r < 0)
        return r;
    r = revert_patiently(&back, err);
    if (r >= 0)
        r = rescue(&back, back.site.dot, err);
    if (r >= 0)
        r = rescue(&back, back.site.original, err);
    if (r >= 0 && back.aside)
        r = site_sync(&back.site, err);
    site_close(&back.site);
    if (r < 0)
        return r;
    *ret_aside = back.aside;
    return back.foreign ? SWAP_FOREIGN : 0;
}

/* --- Giving theirs its name back --- */

/* Files only: a directory in the place of a file is told when it is met. */
static bool is_theirs(const Edit *edit, const FileState *dot)
{
    return (dot->type == FILE_REGULAR || dot->type == FILE_SYMLINK) && !file_state_matches(&edit->before, dot) &&
           !file_state_matches(&edit->after, dot);
}

static int exchange_names(const Site *site, Err *err)
{
    return file_exchange_at(site->dot_dir, site->dot, site->dir, site->name, site->shown, err);
}

/* Somebody who writes at this very moment is quicker: theirs of now stays live, and theirs of then goes aside in the
 * end. Where the name was taken, that shows in what came out. */
static int give_name_back(Arena *arena, const Site *site, const Edit *edit, Err *err)
{
    bool taken = edit->after.type != FILE_ABSENT, quicker = false;
    FileState came_out;
    int r = taken ? exchange_names(site, err)
                  : file_move_at(site->dot_dir, site->dot, site->dir, site->name, site->shown, err);
    if (r != 0)
        return r < 0 ? r : 0;
    if (taken && (r = site_read_dot(arena, site, site->dot, &came_out, err)) >= 0)
        quicker = !file_state_matches(&edit->after, &came_out);
    if (quicker)
        r = exchange_names(site, err);
    if (r >= 0)
        r = site_sync(site, err);
    return r < 0 ? r : quicker ? 0 : SWAP_FOREIGN;
}

int swap_give_back(const SwapSet *set, const Edit *edit, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(site_close) Site site = {.dir = -1, .dot_dir = -1};
    FileState live, dot;
    int r = site_open(arena, set, edit, &site, err);
    if (r < 0 || edit->before.type == FILE_ABSENT || site.dir < 0)
        return r;
    if ((r = site_read_dot(arena, &site, site.dot, &dot, err)) < 0 || !is_theirs(edit, &dot) ||
        (r = site_read_live(arena, &site, &live, err)) < 0 || !file_state_matches(&edit->after, &live))
        return r;
    return give_name_back(arena, &site, edit, err);
}

/* --- The end --- */

static int finish_name(Back *back, const char *name, Err *err)
{
    Site *site = &back->site;
    CLEANUP(fd_close) int fd = -1;
    FileState dot;
    int r = rescue(back, name, err);
    if (r < 0 || (r = file_hold_at(site->dot_dir, name, site->shown, &fd, err)) != 0)
        return r < 0 ? r : 0;
    if ((r = file_look_held(back->arena, fd, site->shown, &dot, err)) < 0)
        return r;
    if (!site_knows(site, &dot) || !file_is_at(fd, site->dot_dir, name))
        return put_aside(back, site->dot_dir, name, &dot, err);
    return remove_known(back, name, err);
}

/* A foreign version that lies aside since an earlier call, which may have been another process. What cannot be one is
 * none, whatever it is called. */
static int find_aside(Back *back, Err *err)
{
    DIR *list = dir_list_at(back->site.dot_dir, ".", back->site.dot_shown, err);
    int r = list ? 0 : -(int)err->kind;
    for (const struct dirent *entry; r >= 0 && !back->aside && (entry = readdir(list));) {
        FileState state;
        if (str_starts(entry->d_name, back->site.aside) &&
            (r = site_read_dot(back->arena, &back->site, entry->d_name, &state, err)) >= 0 &&
            site_may_be_version(&back->site, &state))
            back->aside = site_dot_path(back->arena, &back->site, entry->d_name);
    }
    if (list)
        closedir(list);
    return r < 0 ? r : 0;
}

int swap_finish(Arena *arena, const SwapSet *set, const Edit *edit, const char **ret_aside, Err *err)
{
    Back back = {.arena = arena, .edit = edit};
    int r = site_open(arena, set, edit, &back.site, err);
    if (r < 0)
        return r;
    r = finish_name(&back, back.site.dot, err);
    if (r >= 0)
        r = finish_name(&back, back.site.original, err);
    if (r >= 0)
        r = site_clear(arena, &back.site, back.site.fresh, err);
    if (r >= 0)
        r = site_clear(arena, &back.site, back.site.probe, err);
    if (r >= 0)
        r = find_aside(&back, err);
    if (r >= 0)
        r = dir_sync(back.site.dot_dir, back.site.shown, err);
    site_close(&back.site);
    if (r < 0)
        return r;
    *ret_aside = back.aside;
    return back.aside ? SWAP_FOREIGN : 0;
}

/* --- Looking --- */

int swap_locate(const SwapSet *set, const Edit *edit, SwapPlace *ret, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    FileState live;
    int r = file_look(arena, set->root, edit->path, &live, err);
    if (r < 0)
        return r;
    *ret = file_state_matches(&edit->before, &live)  ? SWAP_IS_BEFORE
           : file_state_matches(&edit->after, &live) ? SWAP_IS_AFTER
                                                     : SWAP_IS_FOREIGN;
    return 0;
}

int swap_dot_state(Arena *arena, const SwapSet *set, const Edit *edit, FileState *ret, const char **ret_path, Err *err)
{
    Back back = {.arena = arena, .edit = edit};
    int r = site_open(arena, set, edit, &back.site, err);
    if (r < 0)
        return r;
    FileState dot;
    const char *name = back.site.original;
    r = site_read_dot(arena, &back.site, name, &dot, err);
    if (r >= 0 && dot.type == FILE_ABSENT)
        r = site_read_dot(arena, &back.site, name = back.site.dot, &dot, err);
    site_close(&back.site);
    if (r < 0)
        return r;
    *ret = dot;
    *ret_path = site_dot_path(arena, &back.site, name);
    return 0;
}

int swap_discard_aside(const SwapSet *set, const char *aside, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *dir, *name;
    path_split(arena, aside, &dir, &name);
    CLEANUP(fd_close) int fd = -1;
    int r = dir_open(set->root, dir, DIR_NO_SYMLINKS, &fd, err);
    if (r != 0)
        return r < 0 ? r : 0;
    if (name[0] != '.' || !strstr(name, ".salve-") || !strstr(name, "-aside"))
        return 0; /* a directory that stayed where it is */
    r = file_remove_at(fd, name, aside, err);
    return r < 0 ? r : dir_sync(fd, aside, err);
}
