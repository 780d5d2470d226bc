/* SPDX-License-Identifier: Apache-2.0 */
#include "base/swap-site.h"

#include <stdio.h>
#include <string.h>

#include "base/files-at.h"
#include "base/hash.h"

enum { KEPT_NAME = 180 }; /* bytes of the live name that a dot name repeats, for people: the rest fits NAME_MAX */

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
}

int site_open(Arena *arena, const SwapSet *set, const Edit *edit, Site *ret, Err *err)
{
    Site site = {.dir = -1, .dot_dir = -1};
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
    return file_read_at(arena, site->dir, site->name, site->shown, ret, err);
}

int site_read_dot(Arena *arena, const Site *site, const char *name, FileState *ret, Err *err)
{
    return file_read_at(arena, site->dot_dir, name, site_dot_path(arena, site, name), ret, err);
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
    return state->type == FILE_DIRECTORY ? dir_filled_at(dir, name, site->shown, err) : 0;
}
