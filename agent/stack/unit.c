/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/unit.h"

#include <string.h>

#include "stack/unit-path.h"

enum { MAX_SPECIFIERS = 24 };

const char *unit_name_complete(Arena *arena, const char *name)
{
    UnitName parts;
    Err ignored;
    return unit_name_parse(arena, name, &parts, &ignored) < 0 ? arena_printf(arena, "%s.service", name)
                                                              : arena_strdup(arena, name);
}

/* unit_name_unescape: "-" is "/", "\x2d" is "-". A bad escape stays as it is. */
static char *unescape(Arena *arena, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    char *out = arena_strdup(arena, text), *to = out;
    for (const char *p = text; *p; p++) {
        const char *high = p[0] == '\\' && p[1] == 'x' && p[2] ? strchr(hex, p[2]) : NULL;
        const char *low = high && p[3] ? strchr(hex, p[3]) : NULL;
        *to++ = low ? (char)((high - hex) * 16 + (low - hex)) : (char)(*p == '-' ? '/' : *p);
        p += low ? 3 : 0;
    }
    *to = '\0';
    return out;
}

/* What systemd.unit(5) says of a system unit and the files tell; the rest needs the manager. */
static UnitSpecifiers specifiers_of(Arena *arena, const Unit *unit)
{
    UnitSpecifier *items = arena_array(arena, UnitSpecifier, MAX_SPECIFIERS);
    size_t n = 0, type_len = strlen(unit->type) + 1;
    const char *instance = unit->instance ? unit->instance : "", *dash = strrchr(unit->prefix, '-');
    const char *last = dash ? dash + 1 : unit->prefix;
    const char *path = unescape(arena, unit->instance ? instance : unit->prefix);
    const UnitSpecifier all[] = {
        {'n', unit->name},
        {'N', arena_strndup(arena, unit->name, strlen(unit->name) - type_len)},
        {'p', unit->prefix},
        {'P', unescape(arena, unit->prefix)},
        {'i', instance},
        {'I', unescape(arena, instance)},
        {'j', last},
        {'J', unescape(arena, last)},
        {'f', path[0] == '/' ? path : arena_printf(arena, "/%s", path)},
        {'t', "/run"},
        {'S', "/var/lib"},
        {'C', "/var/cache"},
        {'L', "/var/log"},
        {'E', "/etc"},
        {'T', "/tmp"},
        {'V', "/var/tmp"},
        {'h', "/root"}, /* of the manager's user, whatever User= says */
        {'u', "root"},
        {'U', "0"},
        {'g', "root"},
        {'G', "0"},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        items[n++] = all[i];
    return (UnitSpecifiers){items, n};
}

static int parse_into(View *view, const char *path, UnitFileVec *files, Err *err)
{
    UnitFile *file = arena_new_of(view_arena(view), UnitFile);
    Bytes text;
    int r = view_read(view, path, &text, NULL, err);
    if (r > 0)
        return err_set(err, ERR_NOT_FOUND, "%s is a link to a file that does not exist", path);
    if (r >= 0)
        r = unit_file_parse(view_arena(view), path, text, file, err);
    if (r < 0)
        return r;
    *vec_push(view_arena(view), files) = file;
    return 0;
}

static int load_files(View *view, Unit *unit, Err *err)
{
    int r = parse_into(view, unit->fragment, &unit->files, err);
    if (r >= 0)
        r = unit_place_dropins(view, unit->name, &unit->dropins, err);
    if (r < 0)
        return r;
    VEC_EACH (path, &unit->dropins)
        if ((r = parse_into(view, *path, &unit->files, err)) < 0)
            return r;
    return 0;
}

int unit_load(View *view, const char *name, const Unit **ret, Err *err)
{
    Arena *arena = view_arena(view);
    UnitPlace place;
    UnitName parts;
    int r = unit_place_find(view, unit_name_complete(arena, name), &place, err);
    if (r == 0)
        r = unit_name_parse(arena, place.name, &parts, err);
    if (r != 0)
        return r < 0 ? r : UNIT_NOT_FOUND;
    Unit *unit = arena_new_of(arena, Unit);
    *unit = (Unit){.name = place.name,
                   .prefix = parts.prefix,
                   .instance = parts.instance && parts.instance[0] ? parts.instance : NULL,
                   .type = parts.type,
                   .masked = place.masked,
                   .template_only = parts.instance && !parts.instance[0],
                   .fragment = place.fragment};
    unit->specifiers = specifiers_of(arena, unit);
    if (!unit->masked && (r = load_files(view, unit, err)) < 0)
        return err_prefix(err, "unit %s", unit->name);
    *ret = unit;
    return 0;
}

const char *unit_value(const Unit *unit, const char *section, const char *key)
{
    const UnitSetting *setting = unit_last(&unit->files, section, key);
    return setting && setting->value[0] ? setting->value : NULL;
}

int unit_value_expanded(View *view, const Unit *unit, const char *section, const char *key, const char **ret, Err *err)
{
    const UnitSetting *setting = unit_last(&unit->files, section, key);
    if (!setting || !setting->value[0]) {
        *ret = NULL;
        return 0;
    }
    int r = unit_expand_specifiers(view_arena(view), setting->value, &unit->specifiers, ret, err);
    return r < 0 ? err_prefix(err, "%s:%u: %s=", setting->file, setting->line, key) : r;
}

/* The sixth field of the user's line in /etc/passwd; NULL when it is not there. */
static int home_of(View *view, const char *user, const char **ret, Err *err)
{
    Arena *arena = view_arena(view);
    Bytes text;
    int r = view_read(view, "/etc/passwd", &text, NULL, err);
    *ret = NULL;
    if (r != 0)
        return r < 0 ? r : 0;
    size_t len = strlen(user);
    for (const char *line = text.data; line && *line;) {
        const char *end = strchrnul(line, '\n'), *field = line;
        bool own = strncmp(line, user, len) == 0 && line[len] == ':';
        for (unsigned i = 0; own && field && i < 5; i++)
            field = memchr(field, ':', (size_t)(end - field)) ? strchr(field, ':') + 1 : NULL;
        if (own && field) {
            const char *stop = memchr(field, ':', (size_t)(end - field));
            *ret = arena_strndup(arena, field, (size_t)((stop ? stop : end) - field));
            return 0;
        }
        line = *end ? end + 1 : end;
    }
    return 0;
}

int unit_working_directory(View *view, const Unit *unit, const char **ret, Err *err)
{
    const char *directory, *user, *home;
    int r = unit_value_expanded(view, unit, "Service", "WorkingDirectory", &directory, err);
    if (r < 0)
        return r;
    if (directory && directory[0] == '-')
        directory++;
    if (directory && str_equal(directory, "~")) {
        r = unit_value_expanded(view, unit, "Service", "User", &user, err);
        if (r >= 0)
            r = home_of(view, user ? user : "root", &home, err);
        if (r < 0)
            return r;
        directory = home;
    }
    *ret = directory ? directory : "/";
    return 0;
}

const char *unit_dropin_path(Arena *arena, const Unit *unit)
{
    return arena_printf(arena, "/etc/systemd/system/%s.d/" UNIT_DROPIN_NAME, unit->name);
}

const UnitSetting *unit_dropin_beaten_by(const Unit *unit, const char *section, const char *key)
{
    const UnitSetting *found = NULL;
    for (size_t i = 1; i < unit->files.n; i++) {
        const UnitFile *file = unit->files.items[i];
        if (strcmp(strrchr(file->path, '/') + 1, UNIT_DROPIN_NAME) <= 0)
            continue;
        VEC_EACH (setting, &file->settings)
            if (str_equal(setting->section, section) && str_equal(setting->key, key))
                found = setting;
    }
    return found;
}
