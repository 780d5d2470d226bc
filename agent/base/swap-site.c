/* SPDX-License-Identifier: Apache-2.0 */
#include "base/swap-site.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/files-at.h"
#include "base/hash.h"

enum { KEPT_NAME = 180 }; /* bytes of the live name that a dot name repeats, for people: the rest fits NAME_MAX */
enum { COUNTED_NAMES = 9, ASIDE_TRIES = 40 }; /* who takes the counted names in advance cannot guess the others */

const FileState site_probe = {.type = FILE_SYMLINK, .content = {"probe", 5}};

static bool comes_or_goes(const SwapSet *set, const char *dir)
{
    VEC_EACH (edit, set->edits) {
        if (str_equal(edit->path, dir))
            return edit->before.type != edit->after.type;
    }
    return false;
}

const char *site_staying_dir(Arena *arena, const SwapSet *set, const char *path)
{
    const char *dir, *name;
    do {
        path_split(arena, path, &dir, &name);
        path = dir;
    } while (!str_equal(dir, "/") && comes_or_goes(set, dir));
    return dir;
}

static void name_dots(Arena *arena, const SwapSet *set, const char *path, Site *site)
{
    char *key = arena_printf(arena, "%s %s", set->run_id, path);
    char *tag = hash_to_hex(arena, hash_of(key, strlen(key)));
    snprintf(site->dot, sizeof site->dot, ".%.*s.salve-%.16s", KEPT_NAME, site->name, tag);
    snprintf(site->fresh, sizeof site->fresh, "%.220s-w", site->dot);
    snprintf(site->probe, sizeof site->probe, "%.220s-try", site->dot);
    snprintf(site->original, sizeof site->original, "%.220s-old", site->dot);
    snprintf(site->aside, sizeof site->aside, "%.220s-aside", site->dot);
    snprintf(site->taken, sizeof site->taken, "%.220s-taken", site->dot);
}

int site_open(Arena *arena, const SwapSet *set, const Edit *edit, Site *ret, Err *err)
{
    Site site = {.set = set, .edit = edit, .dir = -1, .dot_dir = -1};
    const char *dir, *name;
    path_split(arena, edit->path, &dir, &name);
    if (edit->path[0] != '/' || strlen(name) > NAME_MAX || str_equal(name, "."))
        return err_set(err, ERR_INVALID, "%s is not a path that can be edited", edit->path);
    site.shown = arena_printf(arena, "%s%s", set->root, edit->path);
    site.dot_shown = site_staying_dir(arena, set, edit->path);
    memcpy(site.name, name, strlen(name) + 1);
    name_dots(arena, set, edit->path, &site);
    int r = dir_open(set->root, site.dot_shown, DIR_NO_SYMLINKS, &site.dot_dir, err);
    if (r > 0)
        return err_set(err, ERR_NOT_FOUND, "%s: the directory %s does not exist", site.shown, site.dot_shown);
    if (r == 0)
        r = dir_open(set->root, dir, DIR_NO_SYMLINKS, &site.dir, err);
    if (r < 0) {
        site_close(&site);
        return r;
    }
    *ret = site;
    return 0;
}

void site_close(Site *site)
{
    fd_close(site->dir);
    fd_close(site->dot_dir);
    site->dir = site->dot_dir = -1;
}

int site_read_live(Arena *arena, const Site *site, FileState *ret, Err *err)
{
    if (site->dir < 0) {
        *ret = (FileState){.type = FILE_ABSENT, .content = BYTES("")};
        return 0;
    }
    return file_look_at(arena, site->dir, site->name, site->shown, ret, err);
}

int site_read_dot(Arena *arena, const Site *site, const char *name, FileState *ret, Err *err)
{
    return file_look_at(arena, site->dot_dir, name, site_dot_path(arena, site, name), ret, err);
}

char *site_dot_path(Arena *arena, const Site *site, const char *name)
{
    return arena_printf(arena, "%s/%s", str_equal(site->dot_shown, "/") ? "" : site->dot_shown, name);
}

int site_sync(const Site *site, Err *err)
{
    int r = dir_sync(site->dot_dir, site->shown, err);
    return r == 0 && site->dir >= 0 ? dir_sync(site->dir, site->shown, err) : r;
}

int site_filled(const Site *site, int dir, const char *name, const FileState *state, Err *err)
{
    int r = state->type == FILE_DIRECTORY ? dir_filled_at(dir, name, site->shown, err) : 0;
    bool other = r < 0 && (err->errnum == ENOTDIR || err->errnum == ELOOP || err->errnum == ENOENT);
    return other ? 0 : r; /* it is no directory any more */
}

bool site_knows(const Site *site, const FileState *found)
{
    return file_state_matches(&site->edit->before, found) || file_state_matches(&site->edit->after, found);
}

bool site_may_be_version(const Site *site, const FileState *found)
{
    bool links = site->edit->before.type == FILE_SYMLINK || site->edit->after.type == FILE_SYMLINK;
    return found->type == FILE_REGULAR || (found->type == FILE_SYMLINK && links);
}

/* --- Out of the way --- */

static const char *aside_name(Arena *arena, const char *base, unsigned i)
{
    uint64_t random = i;
    if (i == 1)
        return base;
    if (i <= COUNTED_NAMES)
        return arena_printf(arena, "%s-%u", base, i);
    (void)!getrandom(&random, sizeof random, 0);
    return arena_printf(arena, "%s-%016" PRIx64, base, random);
}

int site_move_aside(Arena *arena, const Site *site, int dir, const char *name, const char *base, const char **ret_path,
                    Err *err)
{
    for (unsigned i = 1; i <= ASIDE_TRIES; i++) {
        const char *aside = aside_name(arena, base, i);
        int r = file_move_at(dir, name, site->dot_dir, aside, site->shown, err);
        if (r == FILES_EXISTS)
            continue;
        if (r == 0)
            *ret_path = site_dot_path(arena, site, aside);
        return r;
    }
    return err_set(err, ERR_FOREIGN,
                   "%s: somebody keeps taking the names %s*; end that, look at them and move them away", site->shown,
                   site_dot_path(arena, site, base));
}

static const char *describe(Arena *arena, const struct stat *st)
{
    switch (st->st_mode & S_IFMT) {
    case S_IFREG: return arena_printf(arena, "a file of %lld bytes", (long long)st->st_size);
    case S_IFDIR: return "a directory";
    case S_IFLNK: return "a symlink";
    case S_IFIFO: return "a FIFO";
    case S_IFSOCK: return "a socket";
    default: return "a device";
    }
}

int site_evict(Arena *arena, const Site *site, int dir, const char *name, Err *err)
{
    const char *found =
        dir == site->dir && str_equal(name, site->name) ? site->edit->path : site_dot_path(arena, site, name);
    const char *aside, *unused, *aside_at;
    struct stat st;
    int r = site_move_aside(arena, site, dir, name, site->taken, &aside, err);
    if (r != 0)
        return r < 0 ? r : 0;
    path_split(arena, aside, &unused, &aside_at);
    if (site->set->told && fstatat(site->dot_dir, aside_at, &st, AT_SYMLINK_NOFOLLOW) == 0)
        site->set->told(site->set->user, describe(arena, &st), found, aside);
    return 0;
}

/* What a kill of ours can have left under a name of no worth: the beginning of one of the sides, or a probe. */
static bool is_leftover(const Site *site, const FileState *found)
{
    const FileState *sides[] = {&site->edit->before, &site->edit->after, &site_probe};
    for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
        if (sides[i]->type == found->type && found->content.len <= sides[i]->content.len &&
            memcmp(found->content.data, sides[i]->content.data, found->content.len) == 0)
            return true;
    }
    return false;
}

int site_clear(Arena *arena, const Site *site, const char *name, Err *err)
{
    FileState found;
    int r = site_read_dot(arena, site, name, &found, err);
    if (r < 0 || found.type == FILE_ABSENT)
        return r;
    r = is_leftover(site, &found) ? file_remove_at(site->dot_dir, name, site->shown, err) : FILES_FILLED;
    if (r == FILES_FILLED)
        r = site_evict(arena, site, site->dot_dir, name, err);
    return r < 0 ? r : 0;
}

/* --- Making --- */

static int check_exact(Arena *arena, const Site *site, int fd, const FileState *state, Err *err)
{
    FileState made;
    int r = file_read_held(arena, fd, site->shown, &made, err);
    if (r < 0 || file_state_matches(state, &made))
        return r;
    return err_set(err, ERR_REFUSED, "the file system does not keep what %s needs: %s", site->shown,
                   file_state_difference(arena, state, &made));
}

/* 1: a name was taken. */
static int make_once(Arena *arena, const Site *site, const char *name, const FileState *state, bool exact, int *ret_fd,
                     Err *err)
{
    CLEANUP(fd_close) int fd = -1;
    int r = site_clear(arena, site, site->fresh, err);
    if (r < 0 || (r = file_make(site->dot_dir, site->fresh, site->shown, state, &fd, err)) != 0)
        return r < 0 ? r : 1;
    if (exact && (r = check_exact(arena, site, fd, state, err)) < 0)
        return r;
    r = file_name(fd, site->dot_dir, site->fresh, name, site->shown, err);
    if (r == FILES_EXISTS)
        r = site_evict(arena, site, site->dot_dir, name, err) < 0 ? -(int)err->kind : r;
    if (r != 0)
        return r < 0 ? r : 1;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

int site_make(Arena *arena, const Site *site, const char *name, const FileState *state, bool exact, int *ret_fd,
              Err *err)
{
    int r = 1;
    for (int i = 0; r > 0 && i < SWAP_TRIES; i++)
        r = make_once(arena, site, name, state, exact, ret_fd, err);
    if (r > 0)
        return err_set(err, ERR_FOREIGN, "%s: somebody keeps taking the names that salve writes under in %s; end that",
                       site->shown, site->dot_shown);
    return r;
}
