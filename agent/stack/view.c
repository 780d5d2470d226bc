/* SPDX-License-Identifier: Apache-2.0 */
/* Two tables: what the disk held when it was first looked at (shared by a view and its view_before), and the states
 * wished since. A lookup asks the wishes first. Keys are paths whose parent holds no symlink, so that one file has one
 * entry however it was named; links are followed by hand, because an absolute link inside --root must stay inside. */
#include "stack/view-walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/files-at.h"

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
int view_disk_state(View *view, const char *path, bool whole, const FileState **ret, Err *err)
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
        int r = file_read_real(view->arena, view->root, path, &entry->state, err);
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

int view_state(View *view, const char *path, bool whole, const FileState **ret, Err *err)
{
    static const FileState absent = {.type = FILE_ABSENT, .content = {"", 0}};
    Entry *wish = table_find(&view->wishes, path);
    if (!wish && !hidden_by_wish(view, path))
        return view_disk_state(view, path, whole, ret, err);
    *ret = wish ? &wish->state : &absent;
    return 0;
}

/* --- reading */

int view_get(View *view, const char *path, const FileState **ret, Err *err)
{
    const char *key;
    Entry *parent;
    int r = view_follow_parent(view, path, &key, &parent, err);
    if (r >= 0)
        r = view_state(view, key, false, ret, err);
    if (r >= 0 && (*ret)->type == FILE_REGULAR)
        r = view_may(view, parent, key, VIEW_READ, err);
    return r < 0 ? r : view_state(view, key, true, ret, err);
}

int view_read(View *view, const char *path, Bytes *ret, const char **ret_resolved, Err *err)
{
    Entry *followed;
    const FileState *state;
    int r = view_follow(view, path, &followed, err);
    const char *resolved = r >= 0 ? followed->resolved : NULL;
    if (r >= 0)
        r = view_state(view, resolved, false, &state, err);
    if (r >= 0 && state->type != FILE_ABSENT)
        r = view_may(view, followed, resolved, VIEW_READ, err);
    if (r < 0)
        return r;
    if (state->type != FILE_ABSENT && state->type != FILE_REGULAR)
        return err_set(err, ERR_FAILED, "%s is a %s, not a regular file", path, file_type_to_string(state->type));
    r = view_state(view, resolved, true, &state, err);
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
    int fd, r = dir_open(view->root, dir, DIR_NO_SYMLINKS, &fd, err);
    if (r != 0)
        return r < 0 ? r : err_set(err, ERR_FAILED, "%s went away while it was looked at", path);
    DIR *stream = fdopendir(fd);
    if (!stream) {
        fd_close(fd);
        return err_set(err, ERR_FAILED, "cannot list %s", path);
    }
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
    Entry *followed;
    const FileState *state, *disk;
    int r = view_follow(view, dir, &followed, err);
    const char *resolved = r >= 0 ? followed->resolved : NULL;
    if (r >= 0)
        r = view_state(view, resolved, false, &state, err);
    if (r >= 0 && state->type == FILE_DIRECTORY)
        r = view_may(view, followed, resolved, VIEW_READ, err);
    if (r >= 0)
        r = view_disk_state(view, resolved, false, &disk, err);
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
        int r = view_state(view, dir, false, &state, err);
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
    int r = view_disk_state(view, key, true, &disk, err);
    if (r >= 0 && state->type != FILE_ABSENT)
        r = wish_parents(view, key, err);
    if (r < 0)
        return r;
    wish(view, key, state);
    return 0;
}

int view_write(View *view, const char *path, Bytes content, Err *err)
{
    Entry *followed;
    const FileState *state;
    int r = view_follow(view, path, &followed, err);
    const char *key = r >= 0 ? followed->resolved : NULL;
    if (r >= 0)
        r = view_state(view, key, false, &state, err);
    if (r >= 0)
        r = view_may(view, followed, key, VIEW_WRITE, err);
    if (r < 0)
        return r;
    if (state->type != FILE_ABSENT && state->type != FILE_REGULAR)
        return err_set(err, ERR_REFUSED, "%s is a %s and cannot be edited", path, file_type_to_string(state->type));
    if ((r = view_state(view, key, true, &state, err)) < 0)
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
    Entry *parent;
    int r = view_follow_parent(view, path, &key, &parent, err);
    if (r >= 0)
        r = view_may(view, parent, key, VIEW_WRITE, err);
    if (r < 0)
        return r;
    FileState wished = *state;
    wished.content = state->content.data ? bytes_dup(view->arena, state->content) : BYTES("");
    return wish_state(view, key, &wished, err);
}

int view_remove(View *view, const char *path, Err *err)
{
    const char *key;
    Entry *parent;
    const FileState *state;
    int r = view_follow_parent(view, path, &key, &parent, err);
    if (r >= 0)
        r = view_may(view, parent, key, VIEW_WRITE, err);
    if (r >= 0)
        r = view_state(view, key, true, &state, err);
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
