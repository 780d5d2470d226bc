/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/view-walk.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/rights.h"

enum { MAX_LINKS = 40 };

/* --- who steers --- */

static bool is_judged(const View *view)
{
    return view->root[0] == '\0' && geteuid() == 0;
}

/* Adds who could have put an entry at this path: by the directory that it is in, or by one above it. */
static int add_placers(View *view, const char *path, WriterVec *writers, Err *err)
{
    const char *name = path;
    while (name && *name) {
        const char *slash = strchr(name + 1, '/');
        const char *above = name == path ? "/" : arena_strndup(view->arena, path, (size_t)(name - path));
        const char *entry = slash ? arena_strndup(view->arena, path, (size_t)(slash - path)) : path;
        const FileState *directory, *state;
        int r = view_state(view, above, false, &directory, err);
        if (r >= 0 && (directory->mode & S_IWGRP)) /* an ACL may name who */
            r = view_state(view, above, true, &directory, err);
        if (r >= 0)
            r = view_state(view, entry, false, &state, err);
        if (r < 0)
            return r;
        if (directory->type == FILE_DIRECTORY)
            writers_of_entry(view->arena, directory, state, writers);
        name = slash;
    }
    return 0;
}

/* Who chose where this link leads. */
static int add_steerers(View *view, const char *link, const FileState *state, Entry *followed, Err *err)
{
    size_t known = followed->steerers.n;
    int r = 0;
    if (!is_judged(view))
        return 0;
    if (state->uid != 0)
        writers_add(view->arena, &followed->steerers, (Writer){WRITER_USER, state->uid});
    else
        r = add_placers(view, link, &followed->steerers, err);
    if (r >= 0 && known == 0 && followed->steerers.n > 0)
        followed->link = link;
    return r;
}

/* 1: it has other names, so that somebody may have given it this one. */
static int has_other_names(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink > 1;
}

/* What has to be asked of the kernel: a missing file can be written by whoever can write to the directory above, and
 * one that is there by replacing it, too. */
static int ask(View *view, const WriterVec *writers, const char *key, ViewAccess access, Writer *ret_who, Err *err)
{
    const FileState *state;
    int r = view_disk_state(view, key, false, &state, err);
    if (r < 0 || (access == VIEW_READ && state->type == FILE_ABSENT))
        return r;
    if (state->type != FILE_ABSENT && state->type != FILE_SYMLINK) {
        int mode = state->type == FILE_DIRECTORY ? R_OK | X_OK : access == VIEW_WRITE ? R_OK | W_OK : R_OK;
        r = rights_of(view->arena, writers, key, mode, ret_who, err);
        if (r <= 0 || access == VIEW_READ)
            return r;
        if ((r = rights_of(view->arena, writers, key, R_OK, ret_who, err)) != 0)
            return r;
    }
    char *above = arena_strdup(view->arena, key);
    do {
        char *slash = strrchr(above, '/');
        slash[slash == above] = '\0';
        r = view_disk_state(view, above, false, &state, err);
    } while (r >= 0 && state->type == FILE_ABSENT && above[1]);
    if (r >= 0 && (state->mode & S_ISVTX))
        return rights_of(view->arena, writers, key, W_OK, ret_who, err);
    return r < 0 ? r : rights_of(view->arena, writers, above, W_OK | X_OK, ret_who, err);
}

static int refuse(View *view, const Entry *followed, const char *key, ViewAccess access, Writer who, Err *err)
{
    const char *verb = access == VIEW_READ ? "read" : "write", *name = writer_to_string(view->arena, who);
    if (followed->link)
        return err_set(err, ERR_REFUSED,
                       "%s leads to %s through the link %s, which %s could have placed, and who cannot %s %s: salve "
                       "does not follow it. Have root own the link and the directories on its way, or name %s itself",
                       followed->path, key, followed->link, name, verb, key, key);
    return err_set(err, ERR_REFUSED,
                   "%s has several names (hard links), %s could have given it this one, and cannot %s it: salve does "
                   "not touch it. Put a copy in its place",
                   key, name, verb);
}

int view_may(View *view, Entry *followed, const char *key, ViewAccess access, Err *err)
{
    WriterVec writers = followed->steerers, placers = {0};
    Writer who;
    if (!is_judged(view) || (str_equal(key, followed->resolved) && (followed->granted & access)))
        return 0;
    int r = has_other_names(key) ? add_placers(view, key, &placers, err) : 0;
    VEC_EACH (placer, &placers)
        writers_add(view->arena, &writers, *placer);
    if (r >= 0 && writers.n > 0)
        r = ask(view, &writers, key, access, &who, err);
    if (r > 0)
        return refuse(view, followed, key, access, who, err);
    if (r == 0 && str_equal(key, followed->resolved))
        followed->granted |= access;
    return r;
}

/* --- following links --- */

typedef struct Walk {
    View *view;
    const char *path; /* as asked, for messages */
    Entry *entry;     /* who steers it so far */
    char *done;       /* the part followed so far, "" or "/a/b" */
    const char *rest; /* the part to come */
    const char *link; /* the link whose target is being followed while rest is at least as long as link_rest */
    size_t link_rest; /* what came behind that link; 0: nothing did */
    unsigned links;
} Walk;

static bool walk_in_link(const Walk *walk, size_t rest)
{
    return walk->link_rest > 0 && rest >= walk->link_rest;
}

static int walk_link(Walk *walk, const char *link, Bytes target, Err *err)
{
    Arena *arena = walk->view->arena;
    if (++walk->links > MAX_LINKS)
        return err_set(err, ERR_FAILED, "%s: too many levels of symbolic links", walk->path);
    size_t rest = strlen(walk->rest);
    if (!walk_in_link(walk, rest)) {
        walk->link = arena_strdup(arena, link);
        walk->link_rest = rest;
    }
    walk->rest = rest > 0 ? arena_concat(arena, target.data, "/", walk->rest) : target.data;
    if (target.data[0] == '/')
        walk->done = arena_strdup(arena, "");
    return 0;
}

static void walk_up(Walk *walk)
{
    char *slash = strrchr(walk->done, '/');
    if (slash)
        *slash = '\0';
}

/* One component. Behind an absent one everything is absent, and is taken as written. */
static int walk_step(Walk *walk, const char *name, Err *err)
{
    if (str_equal(name, ".") || name[0] == '\0')
        return 0;
    if (str_equal(name, "..")) {
        walk_up(walk);
        return 0;
    }
    char *next = arena_concat(walk->view->arena, walk->done, "/", name);
    const FileState *state;
    int r = view_state(walk->view, next, false, &state, err);
    if (r < 0)
        return r;
    if (state->type == FILE_SYMLINK) {
        r = add_steerers(walk->view, next, state, walk->entry, err);
        return r < 0 ? r : walk_link(walk, next, state->content, err);
    }
    if (state->type == FILE_ABSENT && walk_in_link(walk, strlen(walk->rest)))
        return err_set(err, ERR_NOT_FOUND, "%s: the link %s leads to a directory that does not exist", walk->path,
                       walk->link);
    if (state->type != FILE_DIRECTORY && state->type != FILE_ABSENT && walk->rest[strspn(walk->rest, "/")] != '\0')
        return err_set(err, ERR_FAILED, "%s: %s is not a directory", walk->path, next);
    walk->done = next;
    return 0;
}

int view_follow(View *view, const char *path, Entry **ret, Err *err)
{
    if (path[0] != '/')
        return err_set(err, ERR_INVALID, "%s is not an absolute path", path);
    Entry *memo = table_get(view->arena, &view->memo, path);
    *ret = memo;
    if (memo->resolved)
        return 0;
    *memo = (Entry){.next = memo->next, .hash = memo->hash, .path = memo->path, .facts = memo->facts};
    Walk walk = {.view = view, .path = memo->path, .entry = memo, .done = arena_strdup(view->arena, ""), .rest = path};
    while (walk.rest[0] != '\0') {
        size_t len = strcspn(walk.rest, "/");
        const char *name = arena_strndup(view->arena, walk.rest, len);
        walk.rest += len + (walk.rest[len] == '/');
        int r = walk_step(&walk, name, err);
        if (r < 0)
            return r;
    }
    memo->resolved = walk.done[0] ? walk.done : "/";
    return 0;
}

int view_resolve(View *view, const char *path, const char **ret_path, Err *err)
{
    Entry *followed;
    int r = view_follow(view, path, &followed, err);
    if (r >= 0)
        *ret_path = followed->resolved;
    return r;
}

int view_follow_parent(View *view, const char *path, const char **ret_key, Entry **ret_parent, Err *err)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    const char *slash = memrchr(path, '/', len);
    if (path[0] != '/' || !slash)
        return err_set(err, ERR_INVALID, "%s is not an absolute path", path);
    if (len == 1) {
        *ret_key = "/";
        return view_follow(view, "/", ret_parent, err);
    }
    size_t parent_len = (size_t)(slash - path);
    if (!view->parent || strlen(view->parent) != parent_len || memcmp(view->parent, path, parent_len) != 0) {
        const char *parent = arena_strndup(view->arena, path, parent_len);
        int r = view_follow(view, parent[0] ? parent : "/", &view->parent_entry, err);
        if (r < 0) {
            view->parent = NULL;
            return r;
        }
        view->parent = parent;
    }
    const char *parent = view->parent_entry->resolved;
    *ret_parent = view->parent_entry;
    *ret_key = arena_printf(view->arena, "%s/%.*s", str_equal(parent, "/") ? "" : parent, (int)(path + len - slash - 1),
                            slash + 1);
    return 0;
}
