/* SPDX-License-Identifier: Apache-2.0 */
/* glob(3) over a view, component by component, so that links inside --root stay inside and pending edits are seen. */
#include "stack/view.h"

#include <fnmatch.h>
#include <string.h>

static bool has_magic(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

/* Whether something is there; `directory` demands a directory behind the links. A link to nothing is there. */
static int path_exists(View *view, const char *path, bool directory, bool *ret, Err *err)
{
    const FileState *state;
    int r = directory ? view_resolve(view, path, &path, err) : 0;
    if (r >= 0)
        r = view_get(view, path, &state, err);
    if (r < 0 && err->kind != ERR_NOT_FOUND && err->kind != ERR_FAILED)
        return r;
    *ret = r >= 0 && (directory ? state->type == FILE_DIRECTORY : state->type != FILE_ABSENT);
    return 0;
}

/* The candidates for one component below a directory. */
static int candidates(View *view, const char *base, const char *part, StringVec *ret, Err *err)
{
    if (!has_magic(part)) {
        *vec_push(view_arena(view), ret) = part;
        return 0;
    }
    StringVec names;
    bool directory;
    int r = path_exists(view, base, true, &directory, err);
    if (r < 0 || !directory)
        return r;
    if ((r = view_list(view, base, &names, err)) < 0)
        return r;
    VEC_EACH (name, &names)
        if (fnmatch(part, *name, FNM_PERIOD) == 0)
            *vec_push(view_arena(view), ret) = *name;
    return 0;
}

static int glob_below(View *view, const char *base, const char *pattern, StringVec *out, Err *err)
{
    Arena *arena = view_arena(view);
    pattern += strspn(pattern, "/");
    size_t len = strcspn(pattern, "/");
    const char *part = arena_strndup(arena, pattern, len), *rest = pattern + len;
    bool last = rest[strspn(rest, "/")] == '\0', magic = has_magic(part);
    StringVec names = {0};
    int r = candidates(view, base[0] ? base : "/", part, &names, err);
    VEC_EACH (name, &names) {
        const char *path = arena_concat(arena, base, "/", *name);
        bool there = true;
        if (r >= 0 && !(last && magic)) /* a listed name is there */
            r = path_exists(view, path, !last, &there, err);
        if (r < 0)
            return r;
        if (there && last)
            *vec_push(arena, out) = path;
        else if (there)
            r = glob_below(view, path, rest, out, err);
    }
    return r;
}

int view_glob(View *view, const char *pattern, StringVec *ret, Err *err)
{
    if (pattern[0] != '/')
        return err_set(err, ERR_INVALID, "%s is not an absolute path", pattern);
    StringVec found = {0};
    int r = glob_below(view, "", pattern, &found, err);
    if (r < 0)
        return r;
    strings_sort(&found);
    *ret = found;
    return 0;
}
