/* SPDX-License-Identifier: Apache-2.0 */
/* From a unit to what Gunicorn will make of it, in the order in which Application.load_config (app/base.py) does it. */
#include "stack/gunicorn.h"

#include <string.h>

#include "stack/gunicorn-command.h"

static const char *join_path(Arena *arena, const char *directory, const char *path)
{
    return path[0] == '/' ? path : arena_printf(arena, "%s/%s", str_equal(directory, "/") ? "" : directory, path);
}

/* The definition of a variable that counts, env(1) in front of the command included. */
static const UnitEnv *variable(Arena *arena, const GunicornFacts *facts, const UnitVariableVec *assigned,
                               const char *name)
{
    const UnitEnv *found = unit_env(&facts->environment, name);
    VEC_EACH (var, assigned)
        if (str_equal(var->name, name)) {
            UnitEnv *env = arena_new_of(arena, UnitEnv);
            *env = (UnitEnv){.name = var->name,
                             .value = var->value,
                             .path = facts->exec.setting->file,
                             .line = facts->exec.setting->line,
                             .in_effect = true,
                             .setting = facts->exec.setting};
            found = env;
        }
    return found;
}

static int read_arguments(Arena *arena, GunicornFacts *facts, const GunicornCommand *command, Err *err)
{
    StringVec own = {.items = facts->argv.items + facts->program + 1, .n = facts->argv.n - facts->program - 1};
    gunicorn_parse_args(arena, &own, &facts->args);
    facts->cmd_args_from = variable(arena, facts, &command->assigned, "GUNICORN_CMD_ARGS");
    facts->web_concurrency_from = variable(arena, facts, &command->assigned, "WEB_CONCURRENCY");
    if (facts->cmd_args_from) {
        int r = gunicorn_split_args(arena, facts->cmd_args_from->value, &facts->cmd_args, err);
        if (r < 0)
            return err_prefix(err, "%s:%u: GUNICORN_CMD_ARGS", facts->cmd_args_from->path, facts->cmd_args_from->line);
        gunicorn_parse_args(arena, &facts->cmd_args, &facts->env_args);
    }
    facts->application = facts->args.app;
    return 0;
}

/* -c on the command line, in GUNICORN_CMD_ARGS, or gunicorn.conf.py in the working directory: Gunicorn has not changed
 * its directory yet when it looks. */
static int read_conf(View *view, GunicornFacts *facts, const char *directory, Err *err)
{
    Arena *arena = view_arena(view);
    const GunicornFlag *flag = gunicorn_flag(&facts->args, "config");
    facts->conf_from = GUNICORN_FROM_COMMAND;
    if (!flag) {
        flag = gunicorn_flag(&facts->env_args, "config");
        facts->conf_from = flag ? GUNICORN_FROM_CMD_ARGS : GUNICORN_FROM_DEFAULT;
    }
    const char *path = flag && flag->value ? flag->value : "gunicorn.conf.py";
    if (str_starts(path, "python:")) {
        facts->conf_path = path; /* a module: found by Python alone */
        return 0;
    }
    path = join_path(arena, directory, str_starts(path, "file:") ? path + strlen("file:") : path);
    Bytes text;
    int r = view_read(view, path, &text, NULL, err);
    if (r < 0)
        return err_prefix(err, "Gunicorn's configuration file");
    if (r == 0 || flag)
        facts->conf_path = path;
    if (r > 0)
        return 0;
    GunicornConf *conf = arena_new_of(arena, GunicornConf);
    if ((r = gunicorn_conf_parse(arena, path, text, conf, err)) < 0)
        return r;
    facts->conf = conf;
    return 0;
}

/* --- values */

/* The line of a flag inside of an ExecStart= that goes over several lines. */
static unsigned flag_line(const Unit *unit, const UnitSetting *setting, const char *flag)
{
    unsigned line = setting->line, found = setting->line;
    VEC_EACH (file, &unit->files) {
        if (!str_equal((*file)->path, setting->file) || setting->end > (*file)->text.len)
            continue;
        const char *text = (*file)->text.data;
        size_t len = strlen(flag);
        for (size_t i = setting->start; i + len <= setting->end; i++) {
            if (text[i] == '\n')
                line++;
            if (i > 0 && strchr(" \t\n\"'", text[i - 1]) && memcmp(text + i, flag, len) == 0 &&
                (i + len == setting->end || strchr(" =\t\r\n\"'\\", text[i + len])))
                found = line;
        }
    }
    return found;
}

static const char *switch_value(const GunicornFlag *flag)
{
    if (flag->value || flag->setting->type != GUNICORN_BOOL)
        return flag->value;
    return flag->setting->store_false ? "False" : "True";
}

static void add_flags(Arena *arena, GunicornFacts *facts, const GunicornSetting *setting, GunicornOrigin origin)
{
    bool command = origin == GUNICORN_FROM_COMMAND;
    const GunicornArgs *args = command ? &facts->args : &facts->env_args;
    for (size_t i = args->flags.n; i > 0; i--) {
        const GunicornFlag *flag = &args->flags.items[i - 1];
        if (flag->setting != setting)
            continue;
        const UnitSetting *exec = facts->exec.setting;
        *vec_push(arena, &facts->values) = (GunicornValue){
            .setting = setting,
            .origin = origin,
            .value = switch_value(flag),
            .path = command ? exec->file : facts->cmd_args_from->path,
            .line = command ? flag_line(facts->unit, exec, flag->flag) : facts->cmd_args_from->line,
            .index = command ? facts->program + 1 + flag->index : flag->index,
            .words = flag->words,
        };
    }
}

static void add_dynamic(Arena *arena, GunicornFacts *facts, const GunicornSetting *setting, const char *reason,
                        unsigned line, unsigned column)
{
    *vec_push(arena, &facts->values) = (GunicornValue){.setting = setting,
                                                       .origin = GUNICORN_FROM_FILE,
                                                       .dynamic = true,
                                                       .reason = reason,
                                                       .path = facts->conf_path,
                                                       .line = line,
                                                       .column = column};
}

static void add_file_value(Arena *arena, GunicornFacts *facts, const GunicornSetting *setting,
                           const GunicornConfValue *value)
{
    if (!str_equal(value->name, "*") && !str_equal(value->name, setting->name))
        return;
    if (value->kind == GUNICORN_CONF_DYNAMIC) {
        add_dynamic(arena, facts, setting, value->reason, value->line, value->column);
        return;
    }
    *vec_push(arena, &facts->values) = (GunicornValue){.setting = setting,
                                                       .origin = GUNICORN_FROM_FILE,
                                                       .value = value->kind == GUNICORN_CONF_NONE ? NULL : value->text,
                                                       .path = facts->conf->path,
                                                       .line = value->line,
                                                       .column = value->column};
}

/* The last assignment counts, but what a function sets goes first: nobody knows when it runs. */
static void add_file_values(Arena *arena, GunicornFacts *facts, const GunicornSetting *setting)
{
    size_t n = facts->conf ? facts->conf->values.n : 0;
    if (facts->conf_path && str_starts(facts->conf_path, "python:"))
        add_dynamic(arena, facts, setting, "the configuration is a Python module", 0, 0);
    for (int delayed = 1; delayed >= 0; delayed--)
        for (size_t i = n; i > 0; i--)
            if (facts->conf->values.items[i - 1].delayed == (delayed == 1))
                add_file_value(arena, facts, setting, &facts->conf->values.items[i - 1]);
}

/* Gunicorn's defaults that depend on the environment: workers on WEB_CONCURRENCY, bind on PORT. */
static void add_default(Arena *arena, GunicornFacts *facts, const GunicornSetting *setting)
{
    const UnitEnv *port = unit_env(&facts->environment, "PORT");
    GunicornValue value = {.setting = setting, .origin = GUNICORN_FROM_DEFAULT, .value = setting->fallback};
    if (str_equal(setting->name, "workers") && facts->web_concurrency_from)
        *vec_push(arena, &facts->values) = (GunicornValue){.setting = setting,
                                                           .origin = GUNICORN_FROM_WEB_CONCURRENCY,
                                                           .value = facts->web_concurrency_from->value,
                                                           .path = facts->web_concurrency_from->path,
                                                           .line = facts->web_concurrency_from->line};
    if (str_equal(setting->name, "bind") && port)
        value.value = arena_printf(arena, "0.0.0.0:%s", port->value);
    *vec_push(arena, &facts->values) = value;
}

static void collect_values(Arena *arena, GunicornFacts *facts)
{
    size_t n;
    const GunicornSetting *settings = gunicorn_settings(&n);
    for (size_t i = 0; i < n; i++) {
        add_flags(arena, facts, &settings[i], GUNICORN_FROM_COMMAND);
        add_flags(arena, facts, &settings[i], GUNICORN_FROM_CMD_ARGS);
        add_file_values(arena, facts, &settings[i]);
        add_default(arena, facts, &settings[i]);
    }
}

/* --- what follows from the values */

static void judge_timeout(Arena *arena, GunicornFacts *facts)
{
    const GunicornValue *class = gunicorn_value(facts, "worker_class"), *threads = gunicorn_value(facts, "threads");
    const GunicornValue *timeout = gunicorn_value(facts, "timeout");
    uint64_t n = 0;
    Err ignored; /* a value that Gunicorn itself would refuse */
    bool counted = threads->value && gunicorn_parse_int(threads->value, &n, &ignored) >= 0;
    facts->worker_class = class->dynamic ? NULL : class->value ? class->value : "sync";
    if (facts->worker_class && str_equal(facts->worker_class, "sync") && !counted)
        facts->worker_class = NULL;
    else if (facts->worker_class && str_equal(facts->worker_class, "sync") && n > 1)
        facts->worker_class = "gthread";
    if (!facts->worker_class)
        facts->timeout_reason = arena_printf(arena, "the worker class is not known: %s",
                                             gunicorn_describe(arena, class->dynamic ? class : threads));
    else if (!str_equal(facts->worker_class, "sync"))
        facts->timeout_reason =
            arena_printf(arena, "%s workers answer the master on their own: a slow request is never ended by timeout%s",
                         facts->worker_class,
                         class->value && str_equal(class->value, "sync")
                             ? arena_printf(arena, " (threads %s makes them gthread)", threads->value)
                             : "");
    else if (timeout->value && str_equal(timeout->value, "0"))
        facts->timeout_reason = "timeout 0 means that no worker is ever ended";
    facts->timeout_limits_requests = facts->timeout_reason == NULL;
}

static void collect_binds(Arena *arena, GunicornFacts *facts)
{
    VEC_EACH (socket, &facts->sockets)
        VEC_EACH (address, &socket->listen)
            *vec_push(arena, &facts->binds) = *address;
    if (facts->binds.n > 0)
        return;
    const GunicornValue *counts = gunicorn_value(facts, "bind");
    GunicornValueVec all = {0};
    gunicorn_definitions(facts, "bind", &all);
    for (size_t i = all.n; i > 0; i--) { /* flags of one source add up; in the file the last assignment counts */
        const GunicornValue *value = &all.items[i - 1];
        bool adds = value->origin == counts->origin && (value->origin >= GUNICORN_FROM_CMD_ARGS || value == all.items);
        if (adds && value->value)
            *vec_push(arena, &facts->binds) = address_of_bind(arena, value->value);
        else if (adds)
            *vec_push(arena, &facts->binds) = address_of_bind(arena, "fd://");
    }
}

static void collect_files(Arena *arena, GunicornFacts *facts)
{
    VEC_EACH (file, &facts->unit->files)
        *vec_push(arena, &facts->files) = (*file)->path;
    VEC_EACH (file, &facts->environment.files)
        if (file->present)
            *vec_push(arena, &facts->files) = file->path;
    if (facts->conf)
        *vec_push(arena, &facts->files) = facts->conf->path;
}

static void derive(Arena *arena, GunicornFacts *facts, const char *directory)
{
    collect_values(arena, facts);
    judge_timeout(arena, facts);
    collect_binds(arena, facts);
    collect_files(arena, facts);
    const GunicornValue *chdir = gunicorn_value(facts, "chdir"), *log = gunicorn_value(facts, "errorlog");
    const GunicornValue *app = gunicorn_value(facts, "wsgi_app");
    bool moved = chdir->origin != GUNICORN_FROM_DEFAULT && chdir->value;
    facts->directory = moved ? join_path(arena, directory, chdir->value) : directory;
    if (log->value && !str_equal(log->value, "-"))
        facts->error_log = join_path(arena, facts->directory, log->value);
    if (!facts->application && !app->dynamic)
        facts->application = app->value;
}

static int check_unit(const char *name, int found, const Unit *unit, Err *err)
{
    if (found == UNIT_NOT_FOUND)
        return err_set(err, ERR_REFUSED, "there is no unit %s", name);
    if (unit->masked)
        return err_set(err, ERR_REFUSED, "unit %s is masked", unit->name);
    if (unit->template_only)
        return err_set(err, ERR_REFUSED, "%s is a template: name an instance (%s@NAME.service)", unit->name,
                       unit->prefix);
    return 0;
}

static int load_facts(View *view, const char *name, const GunicornFacts **ret, Err *err)
{
    Arena *arena = view_arena(view);
    GunicornFacts *facts = arena_new_of(arena, GunicornFacts);
    GunicornCommand command;
    const char *directory;
    int r = unit_load(view, name, &facts->unit, err);
    if (r >= 0)
        r = check_unit(name, r, facts->unit, err);
    if (r >= 0)
        r = unit_environment(view, facts->unit, &facts->environment, err);
    if (r >= 0)
        r = unit_exec_start(view, facts->unit, &facts->environment, &facts->exec, err);
    if (r != 0)
        return r < 0 ? r : GUNICORN_NOT;
    if (gunicorn_command_find(arena, &facts->exec.argv, &command) != 0)
        return GUNICORN_NOT;
    facts->argv = command.argv;
    facts->program = command.program;
    facts->wrapper = command.wrapper;
    facts->wrapper_reason = command.wrapper_reason;
    r = read_arguments(arena, facts, &command, err);
    if (r >= 0)
        r = unit_working_directory(view, facts->unit, &directory, err);
    if (r >= 0)
        r = read_conf(view, facts, directory, err);
    if (r >= 0)
        r = unit_sockets(view, facts->unit, &facts->sockets, err);
    if (r < 0)
        return r;
    derive(arena, facts, directory);
    *ret = facts;
    return 0;
}

int gunicorn_load(View *view, const char *name, const GunicornFacts **ret, Err *err)
{
    const char *key = arena_printf(view_arena(view), "gunicorn %s", name);
    const GunicornFacts *facts = view_recall(view, key);
    int r = facts ? 0 : load_facts(view, name, &facts, err);
    if (r != 0)
        return r;
    view_remember(view, key, facts);
    *ret = facts;
    return 0;
}
