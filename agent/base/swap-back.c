/* SPDX-License-Identifier: Apache-2.0 */
/* The way back, and the end. Upholds the invariants of swap.c, which see; by content, never relative (promise 5):
 *
 *     live is            what swap_revert does
 *     before             nothing
 *     after              exchanges it for the original
 *     absent, foreign    gives the original its name back; a foreign file comes out and goes aside
 *
 * Then whatever lies under the dot name and is neither side goes aside too: a crash may have come between the two
 * steps. */
#include <string.h>

#include "base/files-at.h"
#include "base/swap-site.h"

enum { ASIDES_MAX = 1000, REVERTS_MAX = 5 };

typedef struct Back {
    Arena *arena;
    const Edit *edit;
    Site site;
    const char *aside; /* where foreign bytes went */
    bool foreign;
} Back;

/* Moves a foreign file to a name of its own (invariant 4). */
static int put_aside(Back *back, int dir, const char *name, Err *err)
{
    Site *site = &back->site;
    for (unsigned i = 1; i < ASIDES_MAX; i++) {
        const char *aside = i == 1 ? site->aside : arena_printf(back->arena, "%s-%u", site->aside, i);
        int r = file_move_at(dir, name, site->dot_dir, aside, site->shown, err);
        if (r == FILES_EXISTS)
            continue;
        if (r == 0) {
            back->aside = site_dot_path(back->arena, site, aside);
            back->foreign = true;
        }
        return r == FILES_MISSING ? 0 : r;
    }
    return err_set(err, ERR_FAILED, "%s: too many foreign versions were put aside; look at %s/%s*", site->shown,
                   site->dot_shown, site->aside);
}

/* What lies under a dot name and is neither side goes aside. */
static int rescue(Back *back, const char *name, Err *err)
{
    FileState dot;
    int r = site_read_dot(back->arena, &back->site, name, &dot, err);
    if (r < 0 || dot.type == FILE_ABSENT || file_state_matches(&back->edit->before, &dot) ||
        file_state_matches(&back->edit->after, &dot))
        return r;
    return put_aside(back, back->site.dot_dir, name, err);
}

/* --- Finding the original --- */

static int name_holds_original(Back *back, const char *name, Err *err)
{
    FileState found;
    int r = site_read_dot(back->arena, &back->site, name, &found, err);
    return r < 0 ? r : file_state_matches(&back->edit->before, &found);
}

/* The original is nowhere: written anew from the snapshot's bytes, under the name of the copy. */
static int write_original(Back *back, Err *err)
{
    Site *site = &back->site;
    int r = file_remove_at(site->dot_dir, site->fresh, site->shown, err);
    if (r < 0 || (r = rescue(back, site->original, err)) < 0 ||
        (r = file_remove_at(site->dot_dir, site->original, site->shown, err)) < 0 ||
        (r = file_create_at(site->dot_dir, site->fresh, site->shown, &back->edit->before, err)) < 0)
        return r;
    r = file_move_at(site->dot_dir, site->fresh, site->dot_dir, site->original, site->shown, err);
    if (r > 0)
        return err_set(err, ERR_FAILED, "%s: the dot name %s is taken", site->shown, site->original);
    return r;
}

static int find_original(Back *back, const char **ret_name, Err *err)
{
    const char *const names[] = {back->site.dot, back->site.original};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        int r = name_holds_original(back, names[i], err);
        if (r != 0) {
            *ret_name = names[i];
            return r < 0 ? r : 0;
        }
    }
    *ret_name = back->site.original;
    return write_original(back, err);
}

/* --- Putting it back --- */

/* The live name is free, or its file must come out: then it lies where the original was. */
static int put_original(Back *back, const FileState *live, Err *err)
{
    Site *site = &back->site;
    if (site->dir < 0)
        return err_set(err, ERR_FAILED, "%s: its directory is gone", site->shown);
    const char *name;
    int r = find_original(back, &name, err);
    if (r < 0)
        return r;
    if (live->type == FILE_ABSENT)
        r = file_move_at(site->dot_dir, name, site->dir, site->name, site->shown, err);
    else
        r = file_exchange_at(site->dot_dir, name, site->dir, site->name, site->shown, err);
    if (r == FILES_UNSUPPORTED) {
        if (!file_state_matches(&back->edit->after, live))
            r = put_aside(back, site->dir, site->name, err);
        if (r >= 0)
            r = file_replace_at(site->dot_dir, name, site->dir, site->name, site->shown, err);
    }
    if (r > 0)
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
    if (live.type == FILE_DIRECTORY || back->edit->before.type == FILE_DIRECTORY) {
        if (live.type != FILE_ABSENT) { /* somebody made a directory here: what it holds stays reachable */
            back->aside = back->edit->path;
            back->foreign = true;
            return 0;
        }
    }
    return put_original(back, &live, err);
}

/* The created file moves to its dot name; swap_finish deletes it. */
static int revert_creation(Back *back, Err *err)
{
    Site *site = &back->site;
    FileState live, came_out;
    int r = site_read_live(back->arena, &back->site, &live, err);
    if (r < 0 || live.type == FILE_ABSENT)
        return r;
    int filled = site_filled(site, site->dir, site->name, &live, err);
    if (filled != 0) {
        back->aside = back->edit->path;
        back->foreign = true;
        return filled < 0 ? filled : 0;
    }
    if (!file_state_matches(&back->edit->after, &live))
        r = put_aside(back, site->dir, site->name, err);
    else
        r = file_move_at(site->dir, site->name, site->dot_dir, site->dot, site->shown, err);
    if (r == FILES_EXISTS) /* ours was never applied, and somebody made the same */
        r = put_aside(back, site->dir, site->name, err);
    if (r < 0 || (r = site_sync(&back->site, err)) < 0 ||
        (r = site_read_dot(back->arena, &back->site, site->dot, &came_out, err)) < 0)
        return r;
    filled = site_filled(site, site->dot_dir, site->dot, &came_out, err);
    if (filled <= 0)
        return filled;
    back->aside = back->edit->path; /* somebody was quicker: back with it */
    back->foreign = true;
    r = file_move_at(site->dot_dir, site->dot, site->dir, site->name, site->shown, err);
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
    for (int tries = 1; r == -ERR_FOREIGN && tries < REVERTS_MAX; tries++)
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
    FileState dot;
    int r = rescue(back, name, err);
    if (r < 0 || (r = site_read_dot(back->arena, &back->site, name, &dot, err)) < 0 || dot.type == FILE_ABSENT)
        return r;
    int filled = site_filled(site, site->dot_dir, name, &dot, err);
    if (filled > 0)
        return put_aside(back, site->dot_dir, name, err);
    return filled < 0 ? filled : file_remove_at(site->dot_dir, name, site->shown, err);
}

/* A foreign file that lies aside since an earlier call, which may have been another process. Directories stay where
 * they are: they were told when they were met. */
static int find_aside(Back *back, Err *err)
{
    for (unsigned i = 1; i < ASIDES_MAX && !back->aside; i++) {
        const char *name = i == 1 ? back->site.aside : arena_printf(back->arena, "%s-%u", back->site.aside, i);
        FileState state;
        int r = file_stat_at(back->site.dot_dir, name, back->site.shown, &state, err);
        if (r < 0 || state.type == FILE_ABSENT)
            return r;
        if (state.type != FILE_DIRECTORY)
            back->aside = site_dot_path(back->arena, &back->site, name);
    }
    return 0;
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
        r = file_remove_at(back.site.dot_dir, back.site.fresh, back.site.shown, err);
    if (r >= 0)
        r = file_remove_at(back.site.dot_dir, back.site.probe, back.site.shown, err);
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
    int r = file_read(arena, set->root, edit->path, &live, err);
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
