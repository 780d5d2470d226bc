/* SPDX-License-Identifier: Apache-2.0 */
/* The environment and the command line that systemd would give a service, each part with its origin.
 *
 * systemd.exec(5), "Environment variables in spawned processes": Environment= first, then EnvironmentFile= in order, a
 * later assignment winning; UnsetEnvironment= at the end. What the manager adds by itself (PATH, HOME, ...) is not in
 * the files: a command line that uses it is marked inexact. */
#include "stack/unit.h"

#include <string.h>

static int add_settings(View *view, const Unit *unit, UnitEnvironment *out, Err *err)
{
    Arena *arena = view_arena(view);
    UnitSettingVec settings = {0};
    unit_list(arena, &unit->files, "Service", "Environment", &settings);
    VEC_EACH (setting, &settings) {
        UnitVariableVec vars = {0};
        int r = unit_parse_environment(arena, setting->value, &unit->specifiers, &vars, err);
        if (r < 0)
            return err_prefix(err, "%s:%u: Environment=", setting->file, setting->line);
        VEC_EACH (var, &vars)
            *vec_push(arena, &out->vars) = (UnitEnv){.name = var->name,
                                                     .value = var->value,
                                                     .path = setting->file,
                                                     .line = setting->line,
                                                     .setting = setting};
    }
    return 0;
}

static int add_file(View *view, UnitEnvFile *entry, UnitEnvironment *out, Err *err)
{
    Arena *arena = view_arena(view);
    Bytes text;
    EnvFile file;
    int r = view_read(view, entry->path, &text, NULL, err);
    if (r != 0)
        return r < 0 ? r : 0;
    entry->present = true;
    if ((r = env_file_parse(arena, entry->path, text, &file, err)) < 0)
        return r;
    VEC_EACH (var, &file.vars)
        if (var->valid)
            *vec_push(arena, &out->vars) = (UnitEnv){.name = var->name,
                                                     .value = var->value,
                                                     .path = entry->path,
                                                     .line = var->line,
                                                     .from_file = true,
                                                     .setting = entry->setting};
    return 0;
}

static int add_files(View *view, const Unit *unit, UnitEnvironment *out, Err *err)
{
    Arena *arena = view_arena(view);
    UnitSettingVec settings = {0};
    unit_list(arena, &unit->files, "Service", "EnvironmentFile", &settings);
    VEC_EACH (setting, &settings) {
        const char *pattern;
        StringVec paths = {0};
        bool optional = setting->value[0] == '-';
        int r = unit_expand_specifiers(arena, setting->value + optional, &unit->specifiers, &pattern, err);
        if (r >= 0 && pattern[0] == '/')
            r = view_glob(view, pattern, &paths, err);
        if (r < 0)
            return err_prefix(err, "%s:%u: EnvironmentFile=", setting->file, setting->line);
        if (paths.n == 0 && pattern[0] == '/')
            *vec_push(arena, &paths) = pattern;
        VEC_EACH (path, &paths) {
            UnitEnvFile entry = {.path = *path, .optional = optional, .setting = setting};
            if ((r = add_file(view, &entry, out, err)) < 0)
                return r;
            *vec_push(arena, &out->files) = entry;
        }
    }
    return 0;
}

static int drop_unset(View *view, const Unit *unit, UnitEnvironment *out, Err *err)
{
    Arena *arena = view_arena(view);
    UnitSettingVec settings = {0};
    unit_list(arena, &unit->files, "Service", "UnsetEnvironment", &settings);
    VEC_EACH (setting, &settings) {
        StringVec words = {0};
        int r = unit_split_words(arena, setting->value, &words, err);
        if (r < 0)
            return err_prefix(err, "%s:%u: UnsetEnvironment=", setting->file, setting->line);
        VEC_EACH (word, &words)
            VEC_EACH (var, &out->vars)
                if (str_equal(*word, var->name) ||
                    str_equal(*word, arena_printf(arena, "%s=%s", var->name, var->value)))
                    var->in_effect = false;
    }
    return 0;
}

int unit_environment(View *view, const Unit *unit, UnitEnvironment *ret, Err *err)
{
    UnitEnvironment out = {0};
    int r = add_settings(view, unit, &out, err);
    if (r >= 0)
        r = add_files(view, unit, &out, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < out.vars.n; i++) {
        out.vars.items[i].in_effect = true;
        for (size_t earlier = 0; earlier < i; earlier++)
            if (str_equal(out.vars.items[earlier].name, out.vars.items[i].name))
                out.vars.items[earlier].in_effect = false;
    }
    if ((r = drop_unset(view, unit, &out, err)) < 0)
        return r;
    *ret = out;
    return 0;
}

const UnitEnv *unit_env(const UnitEnvironment *environment, const char *name)
{
    VEC_EACH (var, &environment->vars)
        if (var->in_effect && str_equal(var->name, name))
            return var;
    return NULL;
}

/* --- the command */

typedef struct Lookup {
    const UnitEnvironment *environment;
    Arena *arena;
    const char *missing; /* the first name that the files do not set */
} Lookup;

static const char *look_up(void *ctx, const char *name)
{
    Lookup *lookup = ctx;
    const UnitEnv *var = unit_env(lookup->environment, name);
    if (!var && !lookup->missing)
        lookup->missing = arena_strdup(lookup->arena, name);
    return var ? var->value : NULL;
}

/* The table with every letter that it lacks standing for itself, so that a command line that cannot be told exactly can
 * still be read. */
static UnitSpecifiers all_specifiers(Arena *arena, const Unit *unit)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    UnitSpecifier *items = arena_array(arena, UnitSpecifier, unit->specifiers.n + sizeof letters);
    size_t n = unit->specifiers.n;
    memcpy(items, unit->specifiers.items, n * sizeof *items);
    for (const char *p = letters; *p; p++) {
        bool known = false;
        for (size_t i = 0; i < unit->specifiers.n; i++)
            known = known || items[i].letter == *p;
        if (!known)
            items[n++] = (UnitSpecifier){*p, arena_printf(arena, "%%%c", *p)};
    }
    return (UnitSpecifiers){items, n};
}

static int parse_command(Arena *arena, const Unit *unit, UnitExec *exec, UnitCommandVec *commands, Err *err)
{
    int r = unit_parse_command(arena, exec->setting->value, &unit->specifiers, commands, err);
    if (r >= 0)
        return r;
    UnitSpecifiers all = all_specifiers(arena, unit);
    Err again;
    *commands = (UnitCommandVec){0};
    if (unit_parse_command(arena, exec->setting->value, &all, commands, &again) < 0)
        return r;
    exec->inexact = arena_strdup(arena, err->message);
    return 0;
}

int unit_exec_start(View *view, const Unit *unit, const UnitEnvironment *environment, UnitExec *ret, Err *err)
{
    Arena *arena = view_arena(view);
    UnitSettingVec settings = {0};
    UnitCommandVec commands = {0};
    UnitExec exec = {0};
    unit_list(arena, &unit->files, "Service", "ExecStart", &settings);
    if (settings.n == 0)
        return UNIT_NO_COMMAND;
    exec.setting = &settings.items[settings.n - 1];
    if (settings.n > 1)
        return err_set(err, ERR_REFUSED, "%s has more than one ExecStart= (%s:%u and %s:%u)", unit->name,
                       settings.items[0].file, settings.items[0].line, exec.setting->file, exec.setting->line);
    int r = parse_command(arena, unit, &exec, &commands, err);
    if (r < 0)
        return err_prefix(err, "%s:%u: ExecStart=", exec.setting->file, exec.setting->line);
    if (commands.n != 1)
        return err_set(err, ERR_REFUSED, "%s:%u: ExecStart= holds %zu commands", exec.setting->file, exec.setting->line,
                       commands.n);
    exec.command = commands.items[0];
    Lookup lookup = {.environment = environment, .arena = arena};
    if ((r = unit_expand_argv(arena, &exec.command, look_up, &lookup, &exec.argv, err)) < 0)
        return err_prefix(err, "%s:%u: ExecStart=", exec.setting->file, exec.setting->line);
    if (lookup.missing && !exec.inexact)
        exec.inexact = arena_printf(arena, "no file sets the variable %s that it uses", lookup.missing);
    *ret = exec;
    return 0;
}
