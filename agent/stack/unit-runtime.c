/* SPDX-License-Identifier: Apache-2.0 */
/* What a stop of a service takes away: systemd removes its RuntimeDirectory= (systemd.exec(5)), and a socket whose name
 * lies in it is still listened on, but can be reached by nobody. Seen with systemd 252. */
#include "stack/unit.h"

#include <string.h>

static bool is_preserved(const Unit *unit)
{
    const char *value = unit_value(unit, "Service", "RuntimeDirectoryPreserve");
    return value && value[0] && !str_equal(value, "no") && !str_equal(value, "0") && !str_equal(value, "false") &&
           !str_equal(value, "off") && !str_equal(value, "n") && !str_equal(value, "f");
}

/* "NAME:LINK" of later versions names a link beside it. */
static const char *directory_path(Arena *arena, const Unit *unit, const char *word)
{
    const char *name, *colon = strchr(word, ':');
    Err ignored; /* what only the manager can tell */
    if (unit_expand_specifiers(arena, colon ? arena_strndup(arena, word, (size_t)(colon - word)) : word,
                               &unit->specifiers, &name, &ignored) < 0)
        return NULL;
    return arena_concat(arena, "/run/", name, "");
}

int unit_passing_directories(View *view, const Unit *unit, UnitDirectoryVec *ret, Err *err)
{
    Arena *arena = view_arena(view);
    UnitSettingVec settings = {0};
    UnitDirectoryVec directories = {0};
    if (!is_preserved(unit))
        unit_list(arena, &unit->files, "Service", "RuntimeDirectory", &settings);
    VEC_EACH (setting, &settings) {
        StringVec words = {0};
        int r = unit_split_words(arena, setting->value, &words, err);
        if (r < 0)
            return err_prefix(err, "%s:%u: RuntimeDirectory=", setting->file, setting->line);
        VEC_EACH (word, &words) {
            const char *path = directory_path(arena, unit, *word);
            const UnitSetting *kept = arena_memdup(arena, setting, sizeof *setting);
            if (path)
                *vec_push(arena, &directories) = (UnitDirectory){path, kept};
        }
    }
    *ret = directories;
    return 0;
}

bool unit_directory_holds(const UnitDirectory *directory, const char *path)
{
    size_t len = strlen(directory->path);
    return path && str_starts(path, directory->path) && path[len] == '/';
}

static void add_names(Arena *arena, const UnitSocket *socket, const UnitDirectoryVec *directories, bool own,
                      UnitSocketNameVec *names)
{
    for (size_t i = 0; i < socket->listen.n; i++) {
        const Address *address = &socket->listen.items[i];
        VEC_EACH (directory, directories) {
            if (address->kind == ADDRESS_UNIX && unit_directory_holds(directory, address->path))
                *vec_push(arena, names) =
                    (UnitSocketName){socket->name, address->path, &socket->settings.items[i], directory, own};
        }
    }
}

static int add_strangers(View *view, const UnitSocketVec *own, const UnitDirectoryVec *directories,
                         const UnitDirectory *directory, UnitSocketNameVec *names, Err *err)
{
    StringVec mentioning = {0};
    int r = unit_mentioning(view, arena_concat(view_arena(view), directory->path + 1, "/", ""), &mentioning, err);
    for (size_t i = 0; r >= 0 && i < mentioning.n; i++) {
        const char *name = mentioning.items[i];
        const Unit *unit;
        bool is_own = !str_ends(name, ".socket");
        VEC_EACH (socket, own)
            is_own = is_own || str_equal(socket->name, name);
        VEC_EACH (found, names)
            is_own = is_own || str_equal(found->socket, name);
        UnitSocket *socket = arena_new_of(view_arena(view), UnitSocket);
        if (is_own || (r = unit_load(view, name, &unit, err)) != 0 || unit->masked)
            continue;
        r = unit_socket_read(view, unit, socket, err);
        if (r >= 0)
            add_names(view_arena(view), socket, directories, false, names);
    }
    return r < 0 ? r : 0;
}

int unit_passing_sockets(View *view, const Unit *unit, UnitSocketNameVec *ret, Err *err)
{
    Arena *arena = view_arena(view);
    UnitDirectoryVec *directories = arena_new_of(arena, UnitDirectoryVec);
    UnitSocketVec *own = arena_new_of(arena, UnitSocketVec);
    UnitSocketNameVec names = {0};
    *directories = (UnitDirectoryVec){0};
    *own = (UnitSocketVec){0};
    int r = unit_passing_directories(view, unit, directories, err);
    if (r >= 0 && directories->n > 0)
        r = unit_sockets(view, unit, own, err);
    if (r < 0)
        return r;
    VEC_EACH (socket, own)
        add_names(arena, socket, directories, true, &names);
    for (size_t i = 0; r >= 0 && i < directories->n; i++)
        r = add_strangers(view, own, directories, &directories->items[i], &names, err);
    *ret = names;
    return r;
}
