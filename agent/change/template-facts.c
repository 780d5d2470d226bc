/* SPDX-License-Identifier: Apache-2.0 */
#include "change/template-facts.h"

#include <string.h>
#include <unistd.h>

#include "host/memory.h"
#include "stack/gunicorn.h"
#include "stack/nginx.h"

static void set_known(Arena *arena, Node *map, const char *key, const char *text)
{
    if (text && text[0])
        node_set_text(arena, map, key, text);
}

Node *facts_host(ChangeContext *context)
{
    Arena *arena = context->arena;
    Node *host = node_map(arena);
    Bytes name;
    MemoryInfo memory;
    Err ignored;
    if (view_read(context->view, "/etc/hostname", &name, NULL, &ignored) == 0)
        set_known(arena, host, "name", arena_strndup(arena, name.data, strcspn(name.data, " \t\r\n")));
    if (view_root(context->view)[0])
        return host; /* the rest is of the machine that this runs on */
    node_set_int(arena, host, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
    if (memory_info("", &memory, &ignored) >= 0)
        node_set_int(arena, host, "memory_mib", (int64_t)(memory.total >> 20));
    return host;
}

/* As `server` of an upstream takes it. */
static const char *backend_of(Arena *arena, const Address *bind)
{
    if (bind->kind == ADDRESS_UNIX)
        return arena_printf(arena, "unix:%s", bind->path);
    if (bind->kind != ADDRESS_TCP)
        return NULL;
    bool any = !bind->host[0] || str_equal(bind->host, "*") || str_equal(bind->host, "0.0.0.0");
    bool any6 = str_equal(bind->host, "::");
    const char *host = any ? "127.0.0.1" : any6 ? "::1" : bind->host;
    return arena_printf(arena, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, bind->port);
}

static void add_settings(Arena *arena, const GunicornFacts *facts, Node *map)
{
    size_t n;
    const GunicornSetting *settings = gunicorn_settings(&n);
    for (size_t i = 0; i < n; i++) {
        const GunicornValue *value = gunicorn_value(facts, settings[i].name);
        if (value->dynamic || !value->value || settings[i].type == GUNICORN_LIST)
            continue;
        if (settings[i].type == GUNICORN_BOOL)
            node_set_bool(arena, map, settings[i].name, str_equal(value->value, "True"));
        else
            node_set_text(arena, map, settings[i].name, value->value);
    }
}

static void add_binds(Arena *arena, const GunicornFacts *facts, Node *map)
{
    Node *binds = node_set(arena, map, "binds", node_seq(arena));
    VEC_EACH (bind, &facts->binds)
        node_add(arena, binds, node_text(arena, bind->text));
    node_set_bool(arena, map, "socket", facts->sockets.n > 0);
    if (facts->binds.n > 0) {
        set_known(arena, map, "bind", facts->binds.items[0].text);
        set_known(arena, map, "backend", backend_of(arena, &facts->binds.items[0]));
    }
}

int facts_gunicorn(ChangeContext *context, const char *unit, const Node **ret, Err *err)
{
    Arena *arena = context->arena;
    const GunicornFacts *facts;
    Node *map = node_map(arena);
    int r = gunicorn_resolve_unit(context->view, unit, &unit, err);
    if (r >= 0)
        r = gunicorn_load(context->view, unit, &facts, err);
    if (r < 0)
        return r;
    add_settings(arena, facts, map); /* first: what follows knows better */
    add_binds(arena, facts, map);
    node_set_text(arena, map, "unit", facts->unit->name);
    set_known(arena, map, "program", facts->exec.command.path);
    set_known(arena, map, "application", facts->application);
    set_known(arena, map, "directory", facts->directory);
    set_known(arena, map, "worker_class", facts->worker_class);
    set_known(arena, map, "config", facts->conf_path);
    set_known(arena, map, "user", unit_value(facts->unit, "Service", "User"));
    set_known(arena, map, "group", unit_value(facts->unit, "Service", "Group"));
    *ret = map;
    return 0;
}

int facts_nginx(ChangeContext *context, const Node **ret, Err *err)
{
    Arena *arena = context->arena;
    const NginxFacts *facts;
    Node *map = node_map(arena);
    int r = nginx_load(context->view, &facts, err);
    if (r < 0)
        return r;
    node_set_bool(arena, map, "present", r != NGINX_ABSENT);
    *ret = map;
    if (r == NGINX_ABSENT)
        return 0;
    const NginxNode *user = nginx_child(facts->tree->root, "user", NULL);
    const char *slash = strrchr(facts->main_path, '/');
    set_known(arena, map, "config", facts->main_path);
    set_known(arena, map, "directory", arena_strndup(arena, facts->main_path, (size_t)(slash - facts->main_path)));
    set_known(arena, map, "user", user ? nginx_arg(user, 0) : NULL);
    set_known(arena, map, "error_log", facts->error_logs.n > 0 ? facts->error_logs.items[0] : NULL);
    return 0;
}
