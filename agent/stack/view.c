/* SPDX-License-Identifier: Apache-2.0 */
/* Two tables: what the disk held when it was first looked at (shared by a view and its view_before), and the states
 * wished since. A lookup asks the wishes first. Keys are paths whose parent holds no symlink, so that one file has one
 * entry however it was named; links are followed by hand, because an absolute link inside --root must stay inside. */
#include "stack/view.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stack/view-table.h"

enum { MAX_LINKS = 40 };

struct View {
    Arena *arena;
    const char *root;
    Table *disk;         /* shared with before */
    Table wishes, memo;  /* memo: paths that were followed since the last wish */
    VEC(Entry *) wished; /* the entries of wishes, in order of creation */
    View *before;
    const char *parent, *parent_resolved; /* the last directory that was followed: the next path is often beside it */
};

View *view_new(Arena *arena, const char *root)
{
    View *view = arena_new_of(arena, View);
    size_t len = strlen(root);
    while (len > 0 && root[len - 1] == '/')
        len--;
    *view = (View){.arena = arena, .root = arena_strndup(arena, root, len), .disk = arena_new_of(arena, Table)};
    return view;
}

Arena *view_arena(const View *view)
{
    return view->arena;
}

const char *view_root(const View *view)
{
    return view->root;
}

View *view_before(View *view)
{
    if (!view->before) {
        view->before = arena_new_of(view->arena, View);
        *view->before = (View){.arena = view->arena, .root = view->root, .disk = view->disk};
        view->before->before = view->before;
    }
    return view->before;
}

/* The state on disk of a path whose parent holds no symlink. Without `whole` only what file_stat tells, and the target
 * of a symlink: following a path must not read the program at its end. */
static int disk_state(View *view, const char *path, bool whole, const FileState **ret, Err *err)
{
    Entry *entry = table_get(view->arena, view->disk, path);
    if (!entry->known) {
        int r = file_stat(view->root, path, &entry->state, err);
        if (r < 0)
            return r;
        entry->known = true;
        entry->whole = entry->state.type == FILE_ABSENT;
    }
    if (!entry->whole && (whole || entry->state.type == FILE_SYMLINK)) {
        int r = file_read(view->arena, view->root, path, &entry->state, err);
        if (r < 0)
            return r;
        entry->whole = true;
    }
    *ret = &entry->state;
    return 0;
}

/* Whether a wish took away or replaced something above the path, so that what the disk has there does not count. */
static bool hidden_by_wish(View *view, const char *path)
{
    for (const char *slash = strchr(path + 1, '/'); slash && view->wished.n > 0; slash = strchr(slash + 1, '/')) {
        const char *above = arena_strndup(view->arena, path, (size_t)(slash - path));
        const Entry *wish = table_find(&view->wishes, above), *disk = wish ? table_find(view->disk, above) : NULL;
        if (wish && (wish->state.type != FILE_DIRECTORY || (disk && disk->state.type != FILE_DIRECTORY)))
            return true;
    }
    return false;
}

static int state_of(View *view, const char *path, bool whole, const FileState **ret, Err *err)
{
    static const FileState absent = {.type = FILE_ABSENT, .content = {"", 0}};
    Entry *wish = table_find(&view->wishes, path);
    if (!wish && !hidden_by_wish(view, path))
        return disk_state(view, path, whole, ret, err);
    *ret = wish ? &wish->state : &absent;
    return 0;
}

/* --- following links */

typedef struct Walk {
    View *view;
    const char *path; /* as asked, for messages */
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
    int r = state_of(walk->view, next, false, &state, err);
    if (r < 0)
        return r;
    if (state->type == FILE_SYMLINK)
        return walk_link(walk, next, state->content, err);
    if (state->type == FILE_ABSENT && walk_in_link(walk, strlen(walk->rest)))
        return err_set(err, ERR_NOT_FOUND, "%s: the link %s leads to a directory that does not exist", walk->path,
                       walk->link);
    if (state->type != FILE_DIRECTORY && state->type != FILE_ABSENT && walk->rest[strspn(walk->rest, "/")] != '\0')
        return err_set(err, ERR_FAILED, "%s: %s is not a directory", walk->path, next);
    walk->done = next;
    return 0;
}

int view_resolve(View *view, const char *path, const char **ret_path, Err *err)
{
    if (path[0] != '/')
        return err_set(err, ERR_INVALID, "%s is not an absolute path", path);
    Entry *memo = table_get(view->arena, &view->memo, path);
    if (memo->resolved) {
        *ret_path = memo->resolved;
        return 0;
    }
    Walk walk = {.view = view, .path = path, .done = arena_strdup(view->arena, ""), .rest = path};
    while (walk.rest[0] != '\0') {
        size_t len = strcspn(walk.rest, "/");
        const char *name = arena_strndup(view->arena, walk.rest, len);
        walk.rest += len + (walk.rest[len] == '/');
        int r = walk_step(&walk, name, err);
        if (r < 0)
            return r;
    }
    *ret_path = memo->resolved = walk.done[0] ? walk.done : "/";
    return 0;
}

/* The path with the symlinks of its parent followed: the key of its entry. */
static int resolve_parent(View *view, const char *path, const char **ret_path, Err *err)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    const char *slash = memrchr(path, '/', len);
    if (path[0] != '/' || !slash)
        return err_set(err, ERR_INVALID, "%s is not an absolute path", path);
    if (len == 1) {
        *ret_path = "/";
        return 0;
    }
    size_t parent_len = (size_t)(slash - path);
    if (!view->parent || strlen(view->parent) != parent_len || memcmp(view->parent, path, parent_len) != 0) {
        const char *parent = arena_strndup(view->arena, path, parent_len), *resolved;
        int r = view_resolve(view, parent[0] ? parent : "/", &resolved, err);
        if (r < 0)
            return r;
        view->parent = parent;
        view->parent_resolved = resolved;
    }
    const char *parent = view->parent_resolved;
    *ret_path = arena_printf(view->arena, "%s/%.*s", str_equal(parent, "/") ? "" : parent,
                             (int)(path + len - slash - 1), slash + 1);
    return 0;
}

/* --- reading */

int view_get(View *view, const char *path, const FileState **ret, Err *err)
{
    const char *key;
    int r = resolve_parent(view, path, &key, err);
    return r < 0 ? r : state_of(view, key, true, ret, err);
}

int view_read(View *view, const char *path, Bytes *ret, const char **ret_resolved, Err *err)
{
    const char *resolved;
    const FileState *state;
    int r = view_resolve(view, path, &resolved, err);
    if (r >= 0)
        r = state_of(view, resolved, false, &state, err);
    if (r < 0)
        return r;
    if (state->type != FILE_ABSENT && state->type != FILE_REGULAR)
        return err_set(err, ERR_FAILED, "%s is a %s, not a regular file", path, file_type_to_string(state->type));
    r = state_of(view, resolved, true, &state, err);
    if (r < 0)
        return r;
    *ret = state->type == FILE_ABSENT ? BYTES("") : state->content;
    if (ret_resolved)
        *ret_resolved = resolved;
    return state->type == FILE_ABSENT;
}

static int disk_list(View *view, const char *dir, const StringVec **ret, Err *err)
{
    Entry *entry = table_get(view->arena, view->disk, dir);
    *ret = &entry->names;
    if (entry->listed)
        return 0;
    const char *path = arena_printf(view->arena, "%s%s", view->root, dir);
    DIR *stream = opendir(path);
    if (!stream)
        return err_errno(err, errno, "cannot list %s", path);
    errno = 0;
    for (struct dirent *item; (item = readdir(stream)) != NULL; errno = 0)
        if (!str_equal(item->d_name, ".") && !str_equal(item->d_name, ".."))
            *vec_push(view->arena, &entry->names) = arena_strdup(view->arena, item->d_name);
    int failed = errno;
    closedir(stream);
    if (failed)
        return err_errno(err, failed, "cannot list %s", path);
    strings_sort(&entry->names);
    entry->names.capacity = entry->names.n; /* whoever adds to a copy gets memory of his own */
    entry->listed = true;
    return 0;
}

/* The name of a wished path in `dir`, or NULL when it lies elsewhere. */
static const char *name_in(const char *path, const char *dir)
{
    size_t len = str_equal(dir, "/") ? 0 : strlen(dir);
    return strncmp(path, dir, len) == 0 && path[len] == '/' && !strchr(path + len + 1, '/') ? path + len + 1 : NULL;
}

/* What the wishes make of the names on disk. */
static void list_wishes(View *view, const char *dir, StringVec *names)
{
    StringVec kept = {0};
    VEC_EACH (name, names) {
        const char *path = arena_printf(view->arena, "%s/%s", str_equal(dir, "/") ? "" : dir, *name);
        const Entry *wish = table_find(&view->wishes, path);
        if (!wish || wish->state.type != FILE_ABSENT)
            *vec_push(view->arena, &kept) = *name;
    }
    VEC_EACH (wish, &view->wished) {
        const char *name = name_in((*wish)->path, dir);
        if (name && (*wish)->state.type != FILE_ABSENT && !strings_contain(&kept, name))
            *vec_push(view->arena, &kept) = name;
    }
    strings_sort(&kept);
    *names = kept;
}

/* Whether a wish is about something directly in the directory. */
static bool wishes_in(const View *view, const char *dir)
{
    VEC_EACH (wish, &view->wished)
        if (name_in((*wish)->path, dir))
            return true;
    return false;
}

int view_list(View *view, const char *dir, StringVec *ret, Err *err)
{
    const char *resolved;
    const FileState *state, *disk;
    int r = view_resolve(view, dir, &resolved, err);
    if (r >= 0)
        r = state_of(view, resolved, false, &state, err);
    if (r >= 0)
        r = disk_state(view, resolved, false, &disk, err);
    if (r < 0)
        return r;
    StringVec names = {0};
    if (state->type != FILE_ABSENT && state->type != FILE_DIRECTORY)
        return err_set(err, ERR_FAILED, "%s is not a directory", dir);
    if (state->type == FILE_DIRECTORY && disk->type == FILE_DIRECTORY) {
        const StringVec *listed;
        if ((r = disk_list(view, resolved, &listed, err)) < 0)
            return r;
        names = *listed;
    }
    if (wishes_in(view, resolved))
        list_wishes(view, resolved, &names);
    *ret = names;
    return 0;
}

/* --- wishing */

static void wish(View *view, const char *key, const FileState *state)
{
    Entry *entry = table_find(&view->wishes, key);
    if (!entry) {
        entry = table_get(view->arena, &view->wishes, key);
        *vec_push(view->arena, &view->wished) = entry;
    }
    entry->state = *state;
    view->parent = NULL; /* it may lead elsewhere now, and so may what was followed */
    view->memo = (Table){0};
}

/* Wishes the missing directories above a path whose parent holds no symlink. */
static int wish_parents(View *view, const char *key, Err *err)
{
    for (const char *slash = strchr(key + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *dir = arena_strndup(view->arena, key, (size_t)(slash - key));
        const FileState *state;
        int r = state_of(view, dir, false, &state, err);
        if (r < 0)
            return r;
        if (state->type == FILE_ABSENT)
            wish(view, dir, &(FileState){.type = FILE_DIRECTORY, .mode = 0755, .content = BYTES("")});
        else if (state->type != FILE_DIRECTORY)
            return err_set(err, ERR_FAILED, "%s: %s is not a directory", key, dir);
    }
    return 0;
}

/* Also makes sure that the whole state on disk is known: it is the `before` of the edit. */
static int wish_state(View *view, const char *key, const FileState *state, Err *err)
{
    const FileState *disk;
    int r = disk_state(view, key, true, &disk, err);
    if (r >= 0 && state->type != FILE_ABSENT)
        r = wish_parents(view, key, err);
    if (r < 0)
        return r;
    wish(view, key, state);
    return 0;
}

int view_write(View *view, const char *path, Bytes content, Err *err)
{
    const char *key;
    const FileState *state;
    int r = view_resolve(view, path, &key, err);
    if (r >= 0)
        r = state_of(view, key, false, &state, err);
    if (r < 0)
        return r;
    if (state->type != FILE_ABSENT && state->type != FILE_REGULAR)
        return err_set(err, ERR_REFUSED, "%s is a %s and cannot be edited", path, file_type_to_string(state->type));
    if ((r = state_of(view, key, true, &state, err)) < 0)
        return r;
    FileState wished = *state;
    if (state->type == FILE_ABSENT)
        wished = (FileState){.type = FILE_REGULAR, .mode = 0644};
    wished.content = bytes_dup(view->arena, content);
    return wish_state(view, key, &wished, err);
}

int view_put(View *view, const char *path, const FileState *state, Err *err)
{
    const char *key;
    int r = resolve_parent(view, path, &key, err);
    if (r < 0)
        return r;
    FileState wished = *state;
    wished.content = state->content.data ? bytes_dup(view->arena, state->content) : BYTES("");
    return wish_state(view, key, &wished, err);
}

int view_remove(View *view, const char *path, Err *err)
{
    const char *key;
    const FileState *state;
    int r = resolve_parent(view, path, &key, err);
    if (r >= 0)
        r = state_of(view, key, true, &state, err);
    if (r < 0)
        return r;
    if (state->type == FILE_DIRECTORY) {
        StringVec names;
        if ((r = view_list(view, key, &names, err)) < 0)
            return r;
        if (names.n > 0)
            return err_set(err, ERR_REFUSED, "%s is not empty (it holds %s)", path, names.items[0]);
    }
    return wish_state(view, key, &(FileState){.type = FILE_ABSENT, .content = BYTES("")}, err);
}

/* --- what came of it */

/* Whether the wish differs from the disk. The disk state of a wished path is known, but for directories that
 * wish_parents made, which were seen to be absent. */
static bool wish_differs(const View *view, const Entry *entry)
{
    const Entry *disk = table_find(view->disk, entry->path);
    return !disk || !file_state_equal(&disk->state, &entry->state);
}

static bool removes_directory(const Edit *edit)
{
    return edit->before.type == FILE_DIRECTORY && edit->after.type == FILE_ABSENT;
}

static int edit_order(const void *a, const void *b)
{
    const Edit *left = a, *right = b;
    int last = removes_directory(left) - removes_directory(right);
    if (last != 0)
        return last;
    return removes_directory(left) ? strcmp(right->path, left->path) : strcmp(left->path, right->path);
}

void view_edits(View *view, EditVec *ret)
{
    EditVec edits = {0};
    VEC_EACH (entry, &view->wished)
        if (wish_differs(view, *entry))
            *vec_push(view->arena, &edits) = (Edit){.path = (*entry)->path,
                                                    .before = table_find(view->disk, (*entry)->path)->state,
                                                    .after = (*entry)->state};
    if (edits.n > 1)
        qsort(edits.items, edits.n, sizeof *edits.items, edit_order);
    *ret = edits;
}

bool view_edited(const View *view, const char *path)
{
    const Entry *entry = table_find(&view->wishes, path);
    return entry && wish_differs(view, entry);
}

const void *view_recall(const View *view, const char *key)
{
    const Entry *entry = table_find(&view->memo, key);
    return entry ? entry->facts : NULL;
}

void view_remember(View *view, const char *key, const void *facts)
{
    table_get(view->arena, &view->memo, key)->facts = facts;
}
