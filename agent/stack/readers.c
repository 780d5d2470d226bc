/* SPDX-License-Identifier: Apache-2.0 */
/* An edited file's readers. Only units whose text can have to do with the file are loaded: those that hold its name,
 * those with an EnvironmentFile= that may be it (a link, a pattern), and the Gunicorn services. */
#include "stack/readers.h"

#include <string.h>

#include "stack/gunicorn.h"
#include "stack/nginx.h"

const char *reader_how_to_string(ReaderHow how)
{
    static const char *const names[] = {
        [READER_FRAGMENT] = "unit file",
        [READER_DROPIN] = "drop-in",
        [READER_ENVIRONMENT] = "environment file",
        [READER_COMMAND] = "file named on its command line",
        [READER_GUNICORN] = "Gunicorn configuration file",
        [READER_NGINX] = "nginx configuration file",
    };
    return names[how];
}

/* Whether two paths are one file. A path that cannot be followed is only itself. */
static bool same_file(View *view, const char *path, const char *resolved)
{
    const char *own;
    Err ignored;
    if (str_equal(path, resolved))
        return true;
    return path[0] == '/' && view_resolve(view, path, &own, &ignored) >= 0 && str_equal(own, resolved);
}

static bool reads_as_unit_file(View *view, const Unit *unit, const char *resolved, ReaderHow *ret)
{
    if (same_file(view, unit->fragment, resolved)) {
        *ret = READER_FRAGMENT;
        return true;
    }
    VEC_EACH (path, &unit->dropins)
        if (same_file(view, *path, resolved)) {
            *ret = READER_DROPIN;
            return true;
        }
    return false;
}

static bool reads_as_service(View *view, const Unit *unit, const char *resolved, ReaderHow *ret)
{
    UnitEnvironment environment = {0};
    UnitExec exec = {0};
    Err ignored; /* a command or an environment that cannot be read names no file */
    if (!str_equal(unit->type, "service") || unit_environment(view, unit, &environment, &ignored) < 0)
        return false;
    VEC_EACH (file, &environment.files)
        if (same_file(view, file->path, resolved)) {
            *ret = READER_ENVIRONMENT;
            return true;
        }
    if (unit_exec_start(view, unit, &environment, &exec, &ignored) != 0)
        return false;
    VEC_EACH (word, &exec.argv) {
        const char *equals = strchr(*word, '=');
        if (same_file(view, *word, resolved) || (equals && same_file(view, equals + 1, resolved))) {
            *ret = READER_COMMAND;
            return true;
        }
    }
    return false;
}

/* Readers are asked in the order of ReaderHow, but Gunicorn's own file is called that rather than a word of a command.
 */
static bool reads(View *view, const Unit *unit, const GunicornFacts *gunicorn, const char *resolved, ReaderHow *ret)
{
    if (reads_as_unit_file(view, unit, resolved, ret))
        return true;
    if (gunicorn && gunicorn->conf_path && same_file(view, gunicorn->conf_path, resolved)) {
        *ret = READER_GUNICORN;
        return true;
    }
    return reads_as_service(view, unit, resolved, ret);
}

static void add_all(Arena *arena, StringVec *to, const StringVec *from)
{
    VEC_EACH (name, from)
        if (!strings_contain(to, *name))
            *vec_push(arena, to) = *name;
}

/* The units whose own file or drop-in directory the path lies in: they need not name it. */
static int add_owners(View *view, const char *path, StringVec *ret, Err *err)
{
    Arena *arena = view_arena(view);
    for (const char *part = path + 1; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
        size_t len = strcspn(part, "/");
        const char *name = arena_strndup(arena, part, len);
        StringVec units = {0};
        bool dropins = str_ends(name, ".d") && part[len] == '/';
        if (!dropins && (part[len] == '/' || !strchr(name, '.')))
            continue;
        int r = unit_applying(view, dropins ? arena_strndup(arena, name, len - 2) : name, &units, err);
        if (r < 0)
            return r;
        add_all(arena, ret, &units);
    }
    return 0;
}

typedef struct Sought {
    View *view;
    const char *name, *resolved_name; /* file names of the path and of what it leads to */
    const char *resolved;
} Sought;

static bool holds(Bytes content, const char *text)
{
    return memmem(content.data, content.len, text, strlen(text)) != NULL;
}

/* Whether an EnvironmentFile= may be the file: it is, through links, or only an expansion would tell. */
static bool environment_may_be(const Sought *sought, Bytes content)
{
    static const char key[] = "EnvironmentFile=";
    const char *end = content.data + content.len, *at = content.data;
    while ((at = memmem(at, (size_t)(end - at), key, sizeof key - 1)) != NULL) {
        at += sizeof key - 1;
        at += *at == '-';
        const char *value = arena_strndup(view_arena(sought->view), at, strcspn(at, "\r\n"));
        if (strpbrk(value, "%*?[") || same_file(sought->view, value, sought->resolved))
            return true;
    }
    return false;
}

static bool may_read(void *ctx, Bytes content)
{
    const Sought *sought = ctx;
    return holds(content, "gunicorn") || holds(content, sought->name) || holds(content, sought->resolved_name) ||
           environment_may_be(sought, content);
}

static int candidates(View *view, const char *path, const char *resolved, StringVec *ret, Err *err)
{
    Sought sought = {view, strrchr(path, '/') + 1, strrchr(resolved, '/') + 1, resolved};
    StringVec names;
    int r = unit_fitting(view, may_read, &sought, &names, err);
    if (r < 0)
        return r;
    add_all(view_arena(view), ret, &names);
    r = add_owners(view, path, ret, err);
    return r < 0 ? r : add_owners(view, resolved, ret, err);
}

static int nginx_reads(View *view, const char *resolved, ReaderVec *readers, Err *err)
{
    const NginxFacts *facts;
    int r = nginx_load(view, &facts, err);
    if (r != 0) /* a configuration that nginx would refuse is the validation's matter, and its main file's */
        return r < 0 && err->kind != ERR_INVALID && err->kind != ERR_NOT_FOUND && err->kind != ERR_REFUSED ? r : 0;
    VEC_EACH (path, &facts->files)
        if (same_file(view, *path, resolved)) {
            *vec_push(view_arena(view), readers) = (Reader){.unit = NGINX_UNIT, .how = READER_NGINX};
            return 0;
        }
    return 0;
}

int readers_of(View *view, const char *path, ReaderVec *ret, Err *err)
{
    ReaderVec readers = {0};
    StringVec names = {0};
    const char *resolved;
    int r = view_resolve(view, path, &resolved, err);
    if (r >= 0)
        r = candidates(view, path, resolved, &names, err);
    if (r < 0)
        return r;
    strings_sort(&names);
    VEC_EACH (name, &names) {
        const Unit *unit;
        const GunicornFacts *gunicorn = NULL;
        ReaderHow how;
        Err ignored; /* units that systemd would refuse read nothing */
        if (unit_load(view, *name, &unit, &ignored) != 0 || unit->masked)
            continue;
        bool service = str_equal(unit->type, "service") && gunicorn_load(view, *name, &gunicorn, &ignored) == 0;
        if (reads(view, unit, service ? gunicorn : NULL, resolved, &how))
            *vec_push(view_arena(view), &readers) = (Reader){.unit = *name, .how = how, .gunicorn = service};
    }
    if ((r = nginx_reads(view, resolved, &readers, err)) < 0)
        return r;
    *ret = readers;
    return 0;
}
