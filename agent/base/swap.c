/* SPDX-License-Identifier: Apache-2.0 */
/* What holds at every instant, whatever kills us, and which function keeps it so:
 *
 *  1. The live name holds one whole file: `before`, `after`, or what somebody else put there. It is absent only where a
 *     side of the edit is absence (or where the file system cannot exchange and a foreign file is moved out).
 *  2. A dot file is whole: it is written and synced without a name, or under `-w` where the file system wants one, and
 *     then gets its name (site_make). `-w` (and `-try`, with which EXCHANGE is tried) is worthless after a crash.
 *  3. While the live name does not hold `before`, the original waits under the dot name: as the inode itself, or, where
 *     the file system cannot exchange, as a synced copy under `-old` (swap_prepare makes it before anything is
 *     swapped).
 *  4. Nothing that is neither `before` nor `after` is ever deleted: what comes out of an exchange is looked at, and
 * what is foreign goes back (swap_apply) or aside (swap_revert, swap_finish).
 *  5. What a step has renamed is durable before the next step begins: each directory is synced once, by swap_sync,
 *     when all edits have been prepared or applied. The order among them does not matter, because each path is told
 *     by its content. At once is synced what nobody may come back to: a foreign file that was put back, and what was
 *     removed, since its directory may go next.
 *  6. Who calls again after a crash gets the same end: every function starts from what is there.
 *  7. Somebody else may own the directory, and give any of its names to anything at any moment. So nothing is done to a
 *     name but renaming and removing it: what is made, written, given away and read is held by a descriptor
 * (files-make.c, file_look_at), and what went live is the object that was held, or is taken back (change_once,
 * create_once, put_original). What lies under our names and is none of ours is moved out of the way, unopened, and told
 *     (site_evict). Nothing waits for anybody; who is quicker each time ends the attempt, not the file.
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

/* Tries with two names of no worth. 1: this file system cannot exchange. */
static int try_exchange(Arena *arena, const Site *site, Err *err)
{
    FileState probe = site_probe;
    const char *const names[] = {site->fresh, site->probe};
    int r = 0;
    probe.uid = geteuid();
    probe.gid = getegid();
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(names); i++) {
        CLEANUP(fd_close) int fd = -1;
        r = site_clear(arena, site, names[i], err);
        if (r == 0)
            r = file_make(site->dot_dir, names[i], site->shown, &probe, &fd, err);
    }
    /* Who takes these names in this moment makes us believe that the file system can: most can. */
    int able = r < 0 ? r : file_exchange_at(site->dot_dir, names[0], site->dot_dir, names[1], site->shown, err);
    for (size_t i = 0; able >= 0 && i < ARRAY_LEN(names); i++) {
        r = site_clear(arena, site, names[i], err);
        if (r < 0)
            return r;
    }
    return able < 0 ? able : able == FILES_UNSUPPORTED;
}

/* Invariant 3, where the inode itself cannot be kept. */
static int prepare_original(Arena *arena, const Site *site, Err *err)
{
    CLEANUP(fd_close) int fd = -1;
    FileState original;
    int r = site_read_dot(arena, site, site->original, &original, err);
    if (r < 0 || file_state_matches(&site->edit->before, &original))
        return r;
    r = try_exchange(arena, site, err);
    return r == 1 ? site_make(arena, site, site->original, &site->edit->before, true, &fd, err) : r;
}

/* Holds a dot file that is `after`, which is made where there is none. What else lies there is in the way. */
static int ready_dot(Arena *arena, const Site *site, int *ret_fd, Err *err)
{
    CLEANUP(fd_close) int fd = -1;
    FileState dot;
    int r = file_hold_at(site->dot_dir, site->dot, site->shown, &fd, err);
    if (r == 0 && (r = file_look_held(arena, fd, site->shown, &dot, err)) == 0 &&
        file_state_matches(&site->edit->after, &dot)) {
        *ret_fd = fd;
        fd = -1;
        return 0;
    }
    if (r == 0)
        r = site_evict(arena, site, site->dot_dir, site->dot, err);
    return r < 0 ? r : site_make(arena, site, site->dot, &site->edit->after, true, ret_fd, err);
}

int swap_prepare(const SwapSet *set, const Edit *edit, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(site_close) Site site = {.dir = -1, .dot_dir = -1};
    int r = site_open(arena, set, edit, &site, err);
    if (r < 0 || edit->after.type == FILE_ABSENT)
        return r;
    CLEANUP(fd_close) int made = -1;
    FileState dot, live;
    if ((r = site_read_dot(arena, &site, site.dot, &dot, err)) < 0 ||
        (r = site_read_live(arena, &site, &live, err)) < 0)
        return r;
    if (file_state_matches(&edit->after, &live) && file_state_matches(&edit->before, &dot))
        return 0; /* applied already */
    if (edit->before.type != FILE_ABSENT && (r = prepare_original(arena, &site, err)) < 0)
        return r;
    return ready_dot(arena, &site, &made, err);
}

/* --- Apply --- */

enum { TAKEN = 2 }; /* of one attempt: somebody took a name meanwhile; what was live is live again */

static int exchange_names(const Site *site, Err *err)
{
    return file_exchange_at(site->dot_dir, site->dot, site->dir, site->name, site->shown, err);
}

/* What came out goes back. */
static int undo_exchange(const Site *site, int outcome, Err *err)
{
    int r = exchange_names(site, err);
    if (r == FILES_MISSING) /* and then they removed it: what they wrote goes aside in swap_finish */
        return SWAP_FOREIGN;
    return r < 0 || (r = site_sync(site, err)) < 0 ? r : outcome;
}

/* The plan said so: a writer in this very moment is lost. */
static int replace_live(const Site *site, int made, Err *err)
{
    int r = file_replace_at(site->dot_dir, site->dot, site->dir, site->name, site->shown, err);
    if (r < 0 || file_is_at(made, site->dir, site->name))
        return r;
    return err_set(err, ERR_FOREIGN, "%s: somebody put another file in the place of the new one meanwhile",
                   site->shown);
}

static int change_once(Arena *arena, const Site *site, Err *err)
{
    CLEANUP(fd_close) int made = -1;
    FileState live, came_out;
    int r = site_read_live(arena, site, &live, err);
    if (r < 0 || file_state_matches(&site->edit->after, &live))
        return r;
    if (!file_state_matches(&site->edit->before, &live))
        return SWAP_FOREIGN;
    if ((r = ready_dot(arena, site, &made, err)) < 0 || (r = exchange_names(site, err)) < 0)
        return r;
    if (r == FILES_UNSUPPORTED)
        return replace_live(site, made, err);
    if (r == FILES_MISSING)
        return TAKEN;
    bool ours = file_is_at(made, site->dir, site->name);
    if ((r = site_read_dot(arena, site, site->dot, &came_out, err)) < 0)
        return r;
    bool theirs = !file_state_matches(&site->edit->before, &came_out);
    return ours && !theirs ? 0 : undo_exchange(site, theirs ? SWAP_FOREIGN : TAKEN, err);
}

static int create_once(Arena *arena, const Site *site, Err *err)
{
    CLEANUP(fd_close) int made = -1;
    FileState live, dot;
    int r;
    if ((r = site_read_live(arena, site, &live, err)) < 0 || (r = site_read_dot(arena, site, site->dot, &dot, err)) < 0)
        return r;
    if (file_state_matches(&site->edit->after, &live) && dot.type == FILE_ABSENT)
        return 0; /* it was us, earlier */
    if (live.type != FILE_ABSENT)
        return SWAP_FOREIGN;
    if ((r = ready_dot(arena, site, &made, err)) < 0 ||
        (r = file_move_at(site->dot_dir, site->dot, site->dir, site->name, site->shown, err)) < 0)
        return r;
    if (r > 0)
        return TAKEN;
    if (file_is_at(made, site->dir, site->name))
        return 0;
    return (r = site_evict(arena, site, site->dir, site->name, err)) < 0 ? r : TAKEN;
}

static int remove_once(Arena *arena, const Site *site, Err *err)
{
    FileState live, came_out;
    int r = site_read_live(arena, site, &live, err);
    if (r < 0)
        return r;
    if (live.type == FILE_ABSENT) {
        r = site_read_dot(arena, site, site->dot, &came_out, err);
        return r < 0 ? r : file_state_matches(&site->edit->before, &came_out) ? site_sync(site, err) : SWAP_FOREIGN;
    }
    if (!file_state_matches(&site->edit->before, &live))
        return SWAP_FOREIGN;
    r = file_move_at(site->dir, site->name, site->dot_dir, site->dot, site->shown, err);
    if (r == FILES_EXISTS)
        return (r = site_evict(arena, site, site->dot_dir, site->dot, err)) < 0 ? r : TAKEN;
    if (r > 0)
        return SWAP_FOREIGN;
    if (r < 0 || (r = site_sync(site, err)) < 0 || (r = site_read_dot(arena, site, site->dot, &came_out, err)) < 0)
        return r;
    int filled = site_filled(site, site->dot_dir, site->dot, &came_out, err);
    if (filled < 0 || (filled == 0 && file_state_matches(&site->edit->before, &came_out)))
        return filled;
    r = file_move_at(site->dot_dir, site->dot, site->dir, site->name, site->shown, err);
    return r < 0 || (r = site_sync(site, err)) < 0 ? r : SWAP_FOREIGN;
}

/* Who takes our names is patient, but not quicker each time. */
static int apply_patiently(Arena *arena, const Site *site, int (*once)(Arena *, const Site *, Err *), Err *err)
{
    int r = TAKEN;
    for (int i = 0; r == TAKEN && i < SWAP_TRIES; i++)
        r = once(arena, site, err);
    if (r == TAKEN)
        return err_set(err, ERR_FOREIGN, "%s: somebody keeps taking the names that salve works with in %s; end that",
                       site->shown, site->dot_shown);
    return r;
}

int swap_apply(const SwapSet *set, const Edit *edit, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(site_close) Site site = {.dir = -1, .dot_dir = -1};
    int r = site_open(arena, set, edit, &site, err);
    if (r < 0)
        return r;
    if (edit->before.type == FILE_ABSENT && site.dir < 0)
        return err_set(err, ERR_FAILED, "%s: its directory was not created", site.shown);
    return apply_patiently(arena, &site,
                           edit->before.type == FILE_ABSENT  ? create_once
                           : edit->after.type == FILE_ABSENT ? remove_once
                                                             : change_once,
                           err);
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
