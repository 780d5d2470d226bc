/* SPDX-License-Identifier: Apache-2.0 */
/* What holds at every instant, whatever kills us, and which function keeps it so:
 *
 *  1. The live name holds one whole file: `before`, `after`, or what somebody else put there. It is absent only where a
 *     side of the edit is absence (or where the file system cannot exchange and a foreign file is moved out).
 *  2. A dot file is whole: it is written and synced under the `-w` name first and then renamed (swap_prepare). `-w`
 * (and
 *     `-try`, with which EXCHANGE is tried) is worthless after a crash.
 *  3. While the live name does not hold `before`, the original waits under the dot name: as the inode itself, or, where
 *     the file system cannot exchange, as a synced copy under `-old` (swap_prepare makes it before anything is
 * swapped).
 *  4. Nothing that is neither `before` nor `after` is ever deleted: what comes out of an exchange is looked at, and
 * what is foreign goes back (swap_apply) or aside (swap_revert, swap_finish).
 *  5. What a step has renamed is durable before the next step begins: each directory is synced once, by swap_sync,
 *     when all edits have been prepared or applied. The order among them does not matter, because each path is told
 *     by its content. At once is synced what nobody may come back to: a foreign file that was put back, and what was
 *     removed, since its directory may go next.
 *  6. Who calls again after a crash gets the same end: every function starts from what is there.
 *
 *         absent dot          dot = after          dot = before         dot gone
 *         live = before  -->  live = before  -->   live = after    -->  live = after
 *                     prepare              apply                finish
 *                                    <--                   -->  live = before (finish after revert)
 *                                       revert
 *
 * Creating and removing are moves between live and dot name instead of exchanges; else the same picture. */
#include "base/swap.h"

#include <unistd.h>

#include "base/files-at.h"
#include "base/swap-site.h"

/* --- Prepare --- */

/* Writes a state under the fresh name, reads it back, and gives it its name (invariant 2). */
static int write_dot(Arena *arena, const Site *site, const char *name, const FileState *state, Err *err)
{
    int r = file_remove_at(site->dot_dir, site->fresh, site->shown, err);
    if (r < 0 || (r = file_create_at(site->dot_dir, site->fresh, site->shown, state, err)) < 0)
        return r;
    FileState written;
    if ((r = site_read_dot(arena, site, site->fresh, &written, err)) < 0)
        return r;
    if (!file_state_matches(state, &written))
        return err_set(err, ERR_REFUSED, "the file system does not keep what %s needs: %s", site->shown,
                       file_state_difference(arena, state, &written));
    r = file_move_at(site->dot_dir, site->fresh, site->dot_dir, name, site->shown, err);
    if (r > 0)
        return err_set(err, ERR_FAILED, "%s: the dot name %s is taken", site->shown, name);
    return r;
}

/* Tries with two names of no worth. 1: this file system cannot exchange. */
static int try_exchange(const Site *site, Err *err)
{
    const FileState probe = {FILE_SYMLINK, 0, geteuid(), getegid(), BYTES("probe"), {0}};
    const char *const names[] = {site->fresh, site->probe};
    int r = 0;
    for (size_t i = 0; r >= 0 && i < ARRAY_LEN(names); i++) {
        r = file_remove_at(site->dot_dir, names[i], site->shown, err);
        if (r >= 0)
            r = file_create_at(site->dot_dir, names[i], site->shown, &probe, err);
    }
    int able = r < 0 ? r : file_exchange_at(site->dot_dir, names[0], site->dot_dir, names[1], site->shown, err);
    for (size_t i = 0; able >= 0 && i < ARRAY_LEN(names); i++) {
        r = file_remove_at(site->dot_dir, names[i], site->shown, err);
        if (r < 0)
            return r;
    }
    return able < 0 ? able : able == FILES_UNSUPPORTED;
}

/* Invariant 3, where the inode itself cannot be kept. */
static int prepare_original(Arena *arena, const Site *site, const Edit *edit, Err *err)
{
    FileState original;
    int r = site_read_dot(arena, site, site->original, &original, err);
    if (r < 0 || file_state_matches(&edit->before, &original))
        return r;
    r = try_exchange(site, err);
    return r == 1 ? write_dot(arena, site, site->original, &edit->before, err) : r;
}

int swap_prepare(const SwapSet *set, const Edit *edit, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(site_close) Site site = {.dir = -1, .dot_dir = -1};
    int r = site_open(arena, set, edit, &site, err);
    if (r < 0 || edit->after.type == FILE_ABSENT)
        return r;
    FileState dot, live;
    if ((r = site_read_dot(arena, &site, site.dot, &dot, err)) < 0 ||
        (r = site_read_live(arena, &site, &live, err)) < 0)
        return r;
    if (file_state_matches(&edit->after, &live) && file_state_matches(&edit->before, &dot))
        return 0; /* applied already */
    if (edit->before.type != FILE_ABSENT && (r = prepare_original(arena, &site, edit, err)) < 0)
        return r;
    if (dot.type == FILE_ABSENT)
        return write_dot(arena, &site, site.dot, &edit->after, err);
    if (file_state_matches(&edit->after, &dot))
        return 0;
    return err_set(err, ERR_FOREIGN, "%s/%s is in the way and was not written by this run; look at it and move it away",
                   site.dot_shown, site.dot);
}

/* --- Apply --- */

static int apply_change(Arena *arena, const Site *site, const Edit *edit, Err *err)
{
    FileState live, came_out;
    int r = site_read_live(arena, site, &live, err);
    if (r < 0 || file_state_matches(&edit->after, &live))
        return r;
    if (!file_state_matches(&edit->before, &live))
        return SWAP_FOREIGN;
    r = file_exchange_at(site->dot_dir, site->dot, site->dir, site->name, site->shown, err);
    if (r == FILES_UNSUPPORTED) { /* the plan said so: a writer in this very moment is lost */
        return file_replace_at(site->dot_dir, site->dot, site->dir, site->name, site->shown, err);
    }
    if (r == FILES_MISSING)
        return SWAP_FOREIGN;
    if (r < 0 || (r = site_read_dot(arena, site, site->dot, &came_out, err)) < 0)
        return r;
    if (file_state_matches(&edit->before, &came_out))
        return 0;
    r = file_exchange_at(site->dot_dir, site->dot, site->dir, site->name, site->shown, err);
    if (r == FILES_MISSING) /* and then they removed it: what they wrote goes aside in swap_finish */
        return SWAP_FOREIGN;
    return r < 0 || (r = site_sync(site, err)) < 0 ? r : SWAP_FOREIGN;
}

static int apply_creation(Arena *arena, const Site *site, const Edit *edit, Err *err)
{
    if (site->dir < 0)
        return err_set(err, ERR_FAILED, "%s: its directory was not created", site->shown);
    int r = file_move_at(site->dot_dir, site->dot, site->dir, site->name, site->shown, err);
    if (r <= 0)
        return r;
    FileState live, dot;
    if ((r = site_read_live(arena, site, &live, err)) < 0 || (r = site_read_dot(arena, site, site->dot, &dot, err)) < 0)
        return r;
    if (file_state_matches(&edit->after, &live) && dot.type == FILE_ABSENT)
        return 0; /* it was us, earlier */
    if (live.type == FILE_ABSENT)
        return err_set(err, ERR_FAILED, "%s was not prepared", site->shown);
    return SWAP_FOREIGN;
}

static int apply_removal(Arena *arena, const Site *site, const Edit *edit, Err *err)
{
    FileState live, came_out;
    int r = site_read_live(arena, site, &live, err);
    if (r < 0)
        return r;
    if (live.type == FILE_ABSENT) {
        r = site_read_dot(arena, site, site->dot, &came_out, err);
        return r < 0 ? r : file_state_matches(&edit->before, &came_out) ? site_sync(site, err) : SWAP_FOREIGN;
    }
    if (!file_state_matches(&edit->before, &live))
        return SWAP_FOREIGN;
    r = file_move_at(site->dir, site->name, site->dot_dir, site->dot, site->shown, err);
    if (r > 0)
        return SWAP_FOREIGN;
    if (r < 0 || (r = site_sync(site, err)) < 0 || (r = site_read_dot(arena, site, site->dot, &came_out, err)) < 0)
        return r;
    int filled = site_filled(site, site->dot_dir, site->dot, &came_out, err);
    if (filled < 0 || (filled == 0 && file_state_matches(&edit->before, &came_out)))
        return filled;
    r = file_move_at(site->dot_dir, site->dot, site->dir, site->name, site->shown, err);
    return r < 0 || (r = site_sync(site, err)) < 0 ? r : SWAP_FOREIGN;
}

int swap_apply(const SwapSet *set, const Edit *edit, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(site_close) Site site = {.dir = -1, .dot_dir = -1};
    int r = site_open(arena, set, edit, &site, err);
    if (r < 0)
        return r;
    if (edit->before.type == FILE_ABSENT)
        return apply_creation(arena, &site, edit, err);
    if (edit->after.type == FILE_ABSENT)
        return apply_removal(arena, &site, edit, err);
    return apply_change(arena, &site, edit, err);
}

/* --- Sync --- */

static int sync_once(Arena *arena, const SwapSet *set, const char *dir, StringVec *done, Err *err)
{
    if (strings_contain(done, dir))
        return 0;
    CLEANUP(fd_close) int fd = -1;
    int r = dir_open(set->root, dir, DIR_NO_SYMLINKS, &fd, err);
    if (r == 0)
        r = dir_sync(fd, arena_printf(arena, "%s%s", set->root, dir), err);
    *vec_push(arena, done) = dir;
    return r < 0 ? r : 0; /* one that is not there holds nothing */
}

int swap_sync(const SwapSet *set, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    StringVec done = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < set->edits->n; i++) {
        const char *path = set->edits->items[i].path, *dir, *name;
        path_split(arena, path, &dir, &name);
        r = sync_once(arena, set, site_staying_dir(arena, set, path), &done, err);
        if (r == 0)
            r = sync_once(arena, set, dir, &done, err);
    }
    return r;
}
