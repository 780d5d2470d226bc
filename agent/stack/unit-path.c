/* SPDX-License-Identifier: Apache-2.0 */
/* systemd.unit(5) "unit file load path" and "description" (drop-ins), as unit-file.c and dropin.c of systemd do it. */
#include "stack/unit-path.h"

#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\"

enum { NAME_MAX_LEN = 255, ALIAS_DEPTH = 8 };

/* /lib is a place of its own only where it is no link to /usr/lib; looking twice does no harm. */
const char *const unit_load_path[] = {
    "/etc/systemd/system.control", "/run/systemd/system.control",
    "/run/systemd/transient",      "/run/systemd/generator.early",
    "/etc/systemd/system",         "/etc/systemd/system.attached",
    "/run/systemd/system",         "/run/systemd/system.attached",
    "/run/systemd/generator",      "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",     "/lib/systemd/system",
    "/run/systemd/generator.late", NULL,
};

static const char *const unit_types[] = {"service", "socket", "timer",  "target", "path",     "mount",
                                         "slice",   "scope",  "device", "swap",   "automount"};

int unit_name_parse(Arena *arena, const char *name, UnitName *ret, Err *err)
{
    const char *dot = strrchr(name, '.');
    bool known = false;
    for (size_t i = 0; dot && i < ARRAY_LEN(unit_types); i++)
        known = known || str_equal(dot + 1, unit_types[i]);
    if (!known || dot == name || strlen(name) > NAME_MAX_LEN)
        return err_set(err, ERR_INVALID, "\"%s\" is not the name of a unit (like gunicorn.service)", name);
    size_t len = (size_t)(dot - name);
    const char *at = memchr(name, '@', len);
    if (at == name || strspn(name, NAME_CHARACTERS "@") != strlen(name))
        return err_set(err, ERR_INVALID, "\"%s\" is not the name of a unit: letters, digits and :-_.\\@ are allowed",
                       name);
    *ret = (UnitName){.prefix = arena_strndup(arena, name, at ? (size_t)(at - name) : len),
                      .instance = at ? arena_strndup(arena, at + 1, (size_t)(dot - at) - 1) : NULL,
                      .type = arena_strdup(arena, dot + 1)};
    return 0;
}

char *unit_name_build(Arena *arena, const char *prefix, const char *instance, const char *type)
{
    return arena_printf(arena, "%s%s%s.%s", prefix, instance ? "@" : "", instance ? instance : "", type);
}

/* The first place that has exactly this file name, with the target of a link ("" for a file). 1: none. */
static int find_file(View *view, const char *name, const char **ret_path, const FileState **ret_state, Err *err)
{
    for (size_t i = 0; unit_load_path[i]; i++) {
        const char *path = arena_concat(view_arena(view), unit_load_path[i], "/", name);
        const FileState *state;
        int r = view_get(view, path, &state, err);
        if (r < 0)
            return r;
        if (state->type == FILE_REGULAR || state->type == FILE_SYMLINK) {
            *ret_path = path;
            *ret_state = state;
            return 0;
        }
    }
    return UNIT_PLACE_NONE;
}

static int find_fragment(View *view, const char *name, const UnitName *parts, const char **ret_path,
                         const FileState **ret_state, Err *err)
{
    int r = find_file(view, name, ret_path, ret_state, err);
    if (r != UNIT_PLACE_NONE || !parts->instance || !parts->instance[0])
        return r;
    return find_file(view, unit_name_build(view_arena(view), parts->prefix, "", parts->type), ret_path, ret_state, err);
}

/* The name behind a link: that of its target where it differs; an instance keeps its instance. */
static int alias_target(Arena *arena, const char *name, const UnitName *parts, const char *fragment, Bytes target,
                        const char **ret, Err *err)
{
    const char *slash = strrchr(target.data, '/'), *file = slash ? slash + 1 : target.data;
    const char *own = strrchr(fragment, '/') + 1;
    UnitName other;
    *ret = name;
    if (str_equal(file, own))
        return 0;
    int r = unit_name_parse(arena, file, &other, err);
    if (r < 0)
        return err_prefix(err, "%s is a link to %s", fragment, target.data);
    bool to_template = other.instance && other.instance[0] == '\0' && parts->instance;
    *ret = to_template ? unit_name_build(arena, other.prefix, parts->instance, other.type) : file;
    return 0;
}

int unit_place_find(View *view, const char *name, UnitPlace *ret, Err *err)
{
    for (unsigned depth = 0; depth < ALIAS_DEPTH; depth++) {
        UnitName parts;
        const char *fragment = NULL, *resolved, *next = name;
        const FileState *state = NULL;
        int r = unit_name_parse(view_arena(view), name, &parts, err);
        if (r >= 0)
            r = find_fragment(view, name, &parts, &fragment, &state, err);
        if (r != 0)
            return r;
        if ((r = view_resolve(view, fragment, &resolved, err)) < 0)
            return err_prefix(err, "unit %s", name);
        bool masked = str_equal(resolved, "/dev/null") || (state->type == FILE_REGULAR && state->content.len == 0);
        if (!masked && state->type == FILE_SYMLINK)
            r = alias_target(view_arena(view), name, &parts, fragment, state->content, &next, err);
        if (r < 0)
            return r;
        if (str_equal(next, name)) {
            *ret = (UnitPlace){.name = arena_strdup(view_arena(view), name), .fragment = fragment, .masked = masked};
            return 0;
        }
        name = next;
    }
    return err_set(err, ERR_INVALID, "unit %s: its aliases lead in a circle", name);
}

/* --- drop-ins */

/* The names whose NAME.d counts for one name, the most specific first: itself, its template, and each with the name cut
 * behind a dash ("a-b-c" -> "a-b-", "a-"). */
static void dropin_names(Arena *arena, const UnitName *name, StringVec *ret)
{
    bool instance = name->instance && name->instance[0];
    char *prefix = arena_strdup(arena, name->prefix);
    for (;;) {
        *vec_push(arena, ret) = unit_name_build(arena, prefix, name->instance, name->type);
        if (instance)
            *vec_push(arena, ret) = unit_name_build(arena, prefix, "", name->type);
        size_t len = strlen(prefix);
        char *dash = len > 1 ? memrchr(prefix, '-', len - 1) : NULL; /* not the dash that it ends in */
        if (!dash || dash == prefix)
            return;
        dash[1] = '\0';
    }
}

/* Other names of the unit that have a drop-in directory: links NAME2 -> ...NAME beside a NAME2.d. */
static int dropin_aliases(View *view, const char *primary, const char *type, StringVec *ret, Err *err)
{
    const char *suffix = arena_printf(view_arena(view), ".%s.d", type);
    for (size_t i = 0; unit_load_path[i]; i++) {
        StringVec names;
        int r = view_list(view, unit_load_path[i], &names, err);
        if (r < 0)
            return r;
        VEC_EACH (name, &names) {
            UnitPlace place;
            Err ignored; /* the directory of a name that is no unit */
            if (!str_ends(*name, suffix))
                continue;
            const char *unit = arena_strndup(view_arena(view), *name, strlen(*name) - 2);
            if (str_equal(unit, primary) || strings_contain(ret, unit))
                continue;
            if (unit_place_find(view, unit, &place, &ignored) == 0 && str_equal(place.name, primary))
                *vec_push(view_arena(view), ret) = unit;
        }
    }
    return 0;
}

static const char *base_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

/* Adds the *.conf of a directory; a file name that is there already came from a place that counts more. */
static int add_dropins(View *view, const char *dir, StringVec *paths, Err *err)
{
    StringVec names;
    int r = view_list(view, dir, &names, err);
    if (r < 0)
        return r;
    VEC_EACH (name, &names) {
        bool shadowed = !str_ends(*name, ".conf") || (*name)[0] == '.';
        VEC_EACH (path, paths)
            shadowed = shadowed || str_equal(base_name(*path), *name);
        if (!shadowed)
            *vec_push(view_arena(view), paths) = arena_concat(view_arena(view), dir, "/", *name);
    }
    return 0;
}

/* Sorted by file name, wherever the files are; masked ones (links to /dev/null) only shadow. */
static int order_dropins(View *view, const StringVec *paths, StringVec *ret, Err *err)
{
    StringVec names = {0}, ordered = {0};
    VEC_EACH (path, paths)
        *vec_push(view_arena(view), &names) = base_name(*path);
    strings_sort(&names);
    VEC_EACH (name, &names) {
        VEC_EACH (path, paths) {
            const char *resolved;
            if (!str_equal(base_name(*path), *name))
                continue;
            int r = view_resolve(view, *path, &resolved, err);
            if (r < 0)
                return r;
            if (!str_equal(resolved, "/dev/null"))
                *vec_push(view_arena(view), &ordered) = *path;
        }
    }
    *ret = ordered;
    return 0;
}

int unit_place_dropins(View *view, const char *name, StringVec *ret, Err *err)
{
    Arena *arena = view_arena(view);
    UnitName parts;
    StringVec names = {0}, paths = {0};
    int r = unit_name_parse(arena, name, &parts, err);
    if (r < 0)
        return r;
    dropin_names(arena, &parts, &names);
    if ((r = dropin_aliases(view, name, parts.type, &names, err)) < 0)
        return r;
    for (size_t i = 0; unit_load_path[i]; i++)
        VEC_EACH (unit, &names)
            if ((r = add_dropins(view, arena_printf(arena, "%s/%s.d", unit_load_path[i], *unit), &paths, err)) < 0)
                return r;
    for (size_t i = 0; unit_load_path[i]; i++) /* "service.d" of all services */
        if ((r = add_dropins(view, arena_printf(arena, "%s/%s.d", unit_load_path[i], parts.type), &paths, err)) < 0)
            return r;
    return order_dropins(view, &paths, ret, err);
}
