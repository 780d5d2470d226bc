/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about all units of a view. Some hundred files lie in the load path: their text is searched first, and only
 * the units that can matter are loaded. */
#include "stack/unit.h"

#include <string.h>

#include "stack/unit-path.h"

static const char *const types[] = {"service", "socket", "target", "timer", "path", "mount", NULL};

/* The type of a unit file's name, or NULL. */
static const char *type_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && types[i]; i++)
        if (str_equal(dot + 1, types[i]))
            return types[i];
    return NULL;
}

bool unit_is_salves(const char *name)
{
    static const char *const prefixes[] = {UNIT_CHECK_PREFIX, UNIT_RUN_PREFIX, "salve-recover.", "salve-restore.",
                                           "salve-due."};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (str_starts(name, prefixes[i]))
            return true;
    }
    return false;
}

static bool is_template(const char *name)
{
    const char *at = strchr(name, '@');
    return at && at[1] == '.';
}

/* Enabled instances: the links in .wants and .requires directories. */
static int add_instances(View *view, const char *dir, const char *name, StringVec *ret, Err *err)
{
    StringVec links;
    if (!str_ends(name, ".wants") && !str_ends(name, ".requires"))
        return 0;
    int r = view_list(view, arena_concat(view_arena(view), dir, "/", name), &links, err);
    if (r < 0)
        return r;
    VEC_EACH (link, &links)
        if (type_of(*link) && strchr(*link, '@') && !is_template(*link))
            *vec_push(view_arena(view), ret) = *link;
    return 0;
}

/* Every name that a file or an enabled instance has, templates, aliases and masked ones too. */
static int all_names(View *view, const char *type, StringVec *ret, Err *err)
{
    for (size_t i = 0; unit_load_path[i]; i++) {
        StringVec names;
        int r = view_list(view, unit_load_path[i], &names, err);
        if (r < 0)
            return r;
        VEC_EACH (name, &names) {
            const char *own = type_of(*name);
            if (own && !unit_is_salves(*name))
                *vec_push(view_arena(view), ret) = *name;
            else if (!own && (r = add_instances(view, unit_load_path[i], *name, ret, err)) < 0)
                return r;
        }
    }
    StringVec kept = {0};
    strings_sort(ret);
    VEC_EACH (name, ret) {
        bool again = kept.n > 0 && str_equal(kept.items[kept.n - 1], *name);
        if (!again && (!type || str_equal(type_of(*name), type)))
            *vec_push(view_arena(view), &kept) = *name;
    }
    *ret = kept;
    return 0;
}

int unit_names(View *view, const char *type, StringVec *ret, Err *err)
{
    StringVec all = {0}, found = {0};
    int r = all_names(view, type, &all, err);
    if (r < 0)
        return r;
    VEC_EACH (name, &all) {
        UnitPlace place;
        Err ignored; /* a file whose name is no unit name, a link to nowhere: nothing that could run */
        if (!is_template(*name) && unit_place_find(view, *name, &place, &ignored) == 0 && !place.masked &&
            str_equal(place.name, *name))
            *vec_push(view_arena(view), &found) = *name;
    }
    *ret = found;
    return 0;
}

/* --- by text */

/* A file of the load path: a fragment, or a drop-in. */
typedef struct UnitText {
    const char *name; /* of the fragment, or of NAME.d without its .d */
    Bytes text;
} UnitText;

typedef VEC(UnitText) UnitTextVec;

static void add_text(View *view, UnitTextVec *texts, const char *path, const char *name)
{
    Bytes text;
    Err ignored; /* systemd passes over what it cannot read as well */
    if (view_read(view, path, &text, NULL, &ignored) == 0)
        *vec_push(view_arena(view), texts) = (UnitText){name, text};
}

static void add_dropin_texts(View *view, UnitTextVec *texts, const char *dir, const char *name)
{
    Arena *arena = view_arena(view);
    StringVec names;
    Err ignored;
    if (view_list(view, dir, &names, &ignored) < 0)
        return;
    const char *unit = arena_strndup(arena, name, strlen(name) - 2);
    VEC_EACH (file, &names)
        if (str_ends(*file, ".conf"))
            add_text(view, texts, arena_concat(arena, dir, "/", *file), unit);
}

/* All of them, read once for all the questions that are asked between two wishes. */
static int unit_texts(View *view, const UnitTextVec **ret, Err *err)
{
    static const char key[] = "unit texts";
    Arena *arena = view_arena(view);
    if ((*ret = view_recall(view, key)))
        return 0;
    UnitTextVec *texts = arena_new_of(arena, UnitTextVec);
    *texts = (UnitTextVec){0};
    for (size_t i = 0; unit_load_path[i]; i++) {
        StringVec names;
        int r = view_list(view, unit_load_path[i], &names, err);
        if (r < 0)
            return r;
        VEC_EACH (name, &names) {
            const char *path = arena_concat(arena, unit_load_path[i], "/", *name);
            if (type_of(*name))
                add_text(view, texts, path, *name);
            else if (str_ends(*name, ".d"))
                add_dropin_texts(view, texts, path, *name);
        }
    }
    view_remember(view, key, texts);
    *ret = texts;
    return 0;
}

/* Whether what applies to `file` (the name of a fragment, or of a NAME.d without its .d) applies to the unit. */
static bool applies_to(const char *file, const char *unit)
{
    const char *type = type_of(unit), *dot = strrchr(file, '.'), *at = strchr(file, '@');
    if (str_equal(file, unit) || str_equal(file, type))
        return true;
    if (!dot || !str_equal(dot + 1, type))
        return false;
    if (at && at[1] == '.') /* template */
        return strncmp(file, unit, (size_t)(at - file) + 1) == 0;
    return dot > file && dot[-1] == '-' && strncmp(file, unit, (size_t)(dot - file)) == 0;
}

static int files_fitting(View *view, UnitFits test, void *ctx, StringVec *ret, Err *err)
{
    const UnitTextVec *texts;
    int r = unit_texts(view, &texts, err);
    if (r < 0)
        return r;
    VEC_EACH (file, texts)
        if (test(ctx, file->text))
            *vec_push(view_arena(view), ret) = file->name;
    return 0;
}

/* Names of the units, no templates and no masked ones, to which any of the files applies. */
static int units_of_files(View *view, const StringVec *files, StringVec *ret, Err *err)
{
    StringVec all = {0}, found = {0};
    int r = all_names(view, NULL, &all, err);
    if (r < 0)
        return r;
    VEC_EACH (name, &all) {
        bool hit = false;
        VEC_EACH (file, files)
            hit = hit || applies_to(*file, *name);
        UnitPlace place;
        Err ignored; /* a name that no unit can have, a link to nowhere */
        if (hit && !is_template(*name) && unit_place_find(view, *name, &place, &ignored) == 0 && !place.masked &&
            !strings_contain(&found, place.name))
            *vec_push(view_arena(view), &found) = place.name;
    }
    *ret = found;
    return 0;
}

int unit_fitting(View *view, UnitFits test, void *ctx, StringVec *ret, Err *err)
{
    StringVec files = {0};
    int r = files_fitting(view, test, ctx, &files, err);
    return r < 0 ? r : units_of_files(view, &files, ret, err);
}

static bool holds_text(void *ctx, Bytes content)
{
    const char *text = ctx;
    return memmem(content.data, content.len, text, strlen(text)) != NULL;
}

int unit_mentioning(View *view, const char *text, StringVec *ret, Err *err)
{
    return unit_fitting(view, holds_text, arena_strdup(view_arena(view), text), ret, err);
}

int unit_applying(View *view, const char *file, StringVec *ret, Err *err)
{
    StringVec files = {0};
    *vec_push(view_arena(view), &files) = file;
    return units_of_files(view, &files, ret, err);
}

/* --- sockets */

int unit_socket_read(View *view, const Unit *socket, UnitSocket *ret, Err *err)
{
    Arena *arena = view_arena(view);
    UnitSettingVec settings = {0};
    UnitSocket found = {.name = socket->name};
    unit_list(arena, &socket->files, "Socket", "ListenStream", &settings);
    VEC_EACH (setting, &settings) {
        const char *address;
        int r = unit_expand_specifiers(arena, setting->value, &socket->specifiers, &address, err);
        if (r < 0)
            return err_prefix(err, "%s:%u: ListenStream=", setting->file, setting->line);
        *vec_push(arena, &found.listen) = address_of_listen_stream(arena, address);
        *vec_push(arena, &found.settings) = *setting;
    }
    *ret = found;
    return 0;
}

static bool is_yes(const char *value)
{
    return value && (str_equal(value, "1") || str_equal(value, "yes") || str_equal(value, "true") ||
                     str_equal(value, "y") || str_equal(value, "t") || str_equal(value, "on"));
}

/* Whether the socket starts the service: by its Service=, or by its name. */
static int socket_starts(View *view, const Unit *socket, const Unit *unit, bool *ret, Err *err)
{
    const char *service;
    int r = unit_value_expanded(view, socket, "Socket", "Service", &service, err);
    if (r < 0)
        return r;
    if (!service)
        service = unit_name_build(view_arena(view), socket->prefix, socket->instance, "service");
    *ret = str_equal(service, unit->name) && !is_yes(unit_value(socket, "Socket", "Accept"));
    return 0;
}

int unit_sockets(View *view, const Unit *unit, UnitSocketVec *ret, Err *err)
{
    Arena *arena = view_arena(view);
    StringVec names = {0}, mentioning;
    UnitSocketVec sockets = {0};
    const char *own = unit_name_build(arena, unit->prefix, unit->instance, "socket");
    *vec_push(arena, &names) = own;
    int r = unit_mentioning(view, unit->prefix, &mentioning, err);
    if (r < 0)
        return r;
    VEC_EACH (name, &mentioning)
        if (str_ends(*name, ".socket") && !str_equal(*name, own))
            *vec_push(arena, &names) = *name;
    VEC_EACH (name, &names) {
        const Unit *socket;
        bool starts = false;
        r = unit_load(view, *name, &socket, err);
        if (r == 0 && !socket->masked)
            r = socket_starts(view, socket, unit, &starts, err);
        UnitSocket found;
        if (r == 0 && starts && (r = unit_socket_read(view, socket, &found, err)) == 0)
            *vec_push(arena, &sockets) = found;
        if (r < 0)
            return r;
    }
    *ret = sockets;
    return 0;
}

/* --- what a restart pulls along */

static int names_in_setting(View *view, const Unit *unit, const char *key, StringVec *ret, Err *err)
{
    Arena *arena = view_arena(view);
    UnitSettingVec settings = {0};
    unit_list(arena, &unit->files, "Unit", key, &settings);
    VEC_EACH (setting, &settings) {
        StringVec words = {0};
        int r = unit_split_words(arena, setting->value, &words, err);
        if (r < 0)
            return err_prefix(err, "%s:%u: %s=", setting->file, setting->line, key);
        VEC_EACH (word, &words) {
            const char *expanded;
            Err ignored; /* names that only the manager can tell stay as written */
            bool known = unit_expand_specifiers(arena, *word, &unit->specifiers, &expanded, &ignored) >= 0;
            *vec_push(arena, ret) = known ? expanded : *word;
        }
    }
    return 0;
}

/* A unit that systemd would refuse to load takes no part. */
static int load_usable(View *view, const char *name, const Unit **ret, Err *err)
{
    int r = unit_load(view, name, ret, err);
    return r < 0 && err->kind == ERR_INVALID ? UNIT_NOT_FOUND : r;
}

static void add_relation(View *view, UnitRelationVec *relations, const char *unit, const char *setting)
{
    VEC_EACH (relation, relations)
        if (str_equal(relation->unit, unit))
            return;
    *vec_push(view_arena(view), relations) = (UnitRelation){unit, setting};
}

static int relations_by_setting(View *view, const Unit *to, UnitRelationVec *relations, Err *err)
{
    static const char *const keys[][2] = {
        {"PartOf", "PartOf="}, {"Requires", "Requires="}, {"BindsTo", "BindsTo="}, {"Requisite", "Requisite="}};
    StringVec names;
    int r = unit_mentioning(view, to->prefix, &names, err);
    if (r < 0)
        return r;
    VEC_EACH (name, &names) {
        const Unit *unit;
        if (str_equal(*name, to->name) || (r = load_usable(view, *name, &unit, err)) > 0)
            continue;
        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(keys); i++) {
            StringVec named = {0};
            r = names_in_setting(view, unit, keys[i][0], &named, err);
            if (r >= 0 && strings_contain(&named, to->name))
                add_relation(view, relations, unit->name, keys[i][1]);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

/* OTHER.requires/NAME: OTHER requires NAME. */
static int relations_by_directory(View *view, const Unit *to, UnitRelationVec *relations, Err *err)
{
    for (size_t i = 0; unit_load_path[i]; i++) {
        StringVec names, links;
        int r = view_list(view, unit_load_path[i], &names, err);
        if (r < 0)
            return r;
        VEC_EACH (name, &names) {
            if (!str_ends(*name, ".requires"))
                continue;
            const char *dir = arena_concat(view_arena(view), unit_load_path[i], "/", *name);
            if ((r = view_list(view, dir, &links, err)) < 0)
                return r;
            if (strings_contain(&links, to->name))
                add_relation(view, relations,
                             arena_strndup(view_arena(view), *name, strlen(*name) - strlen(".requires")), "Requires=");
        }
    }
    return 0;
}

int unit_pulled_along(View *view, const char *name, UnitRelationVec *ret, Err *err)
{
    UnitRelationVec relations = {0};
    const Unit *unit;
    const char *next = name;
    for (size_t i = 0; next; i++) { /* relations grows while it is gone through */
        int r = load_usable(view, next, &unit, err);
        if (r == 0)
            r = relations_by_setting(view, unit, &relations, err);
        if (r >= 0 && r != UNIT_NOT_FOUND)
            r = relations_by_directory(view, unit, &relations, err);
        if (r < 0)
            return r;
        next = i < relations.n ? relations.items[i].unit : NULL;
    }
    UnitRelationVec others = {0}; /* a circle leads back to the unit itself */
    VEC_EACH (relation, &relations)
        if (!str_equal(relation->unit, unit_name_complete(view_arena(view), name)))
            *vec_push(view_arena(view), &others) = *relation;
    *ret = others;
    return 0;
}
