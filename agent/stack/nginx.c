/* SPDX-License-Identifier: Apache-2.0 */
/* From the tree of directives to servers, locations and where they lead. */
#include "stack/nginx.h"

#include <stdlib.h>
#include <string.h>

#include "stack/nginx-logs.h"

#define DEFAULT_CONF   "/etc/nginx/nginx.conf"
#define DEFAULT_PREFIX "/usr/share/nginx"

enum { HTTP_PORT = 80, HTTPS_PORT = 443 };

typedef struct Build {
    Arena *arena;
    NginxFacts *facts;
    const NginxServer *server; /* whose locations are being read */
} Build;

/* --- which configuration */

static int source_read(void *ctx, const char *path, Bytes *ret, const char **ret_resolved, Err *err)
{
    return view_read(ctx, path, ret, ret_resolved, err);
}

static int source_glob(void *ctx, const char *pattern, StringVec *ret, Err *err)
{
    return view_glob(ctx, pattern, ret, err);
}

/* -c and -p of the service; without a service nginx's defaults in Debian. */
static int find_main(View *view, NginxFacts *facts, Err *err)
{
    Arena *arena = view_arena(view);
    const Unit *unit;
    UnitEnvironment environment;
    UnitExec exec = {0};
    facts->main_path = DEFAULT_CONF;
    facts->prefix = DEFAULT_PREFIX;
    int r = unit_load(view, NGINX_UNIT, &unit, err);
    if (r == 0 && !unit->masked) {
        r = unit_environment(view, unit, &environment, err);
        if (r >= 0)
            r = unit_exec_start(view, unit, &environment, &exec, err);
    }
    if (r < 0)
        return r;
    *vec_push(arena, &facts->command) = exec.argv.n > 0 ? exec.command.path : "nginx";
    for (size_t i = 1; i + 1 < exec.argv.n; i++) {
        const char *flag = exec.argv.items[i], *value = exec.argv.items[i + 1];
        if (!str_equal(flag, "-c") && !str_equal(flag, "-p"))
            continue;
        *(flag[1] == 'c' ? &facts->main_path : &facts->prefix) = value;
        *vec_push(arena, &facts->command) = flag;
        *vec_push(arena, &facts->command) = value;
    }
    if (facts->main_path[0] != '/')
        facts->main_path = arena_printf(arena, "%s/%s", facts->prefix, facts->main_path);
    return 0;
}

/* --- addresses */

static Address listen_address(Arena *arena, const char *text)
{
    bool port_only = text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
    Address address = address_of_nginx_peer(arena, port_only ? arena_printf(arena, ":%s", text) : text, HTTP_PORT);
    address.text = arena_strdup(arena, text);
    return address;
}

/* The host part of a proxy_pass URL, without the URI behind it. */
static const char *pass_host(Arena *arena, const char *url, uint16_t *ret_port)
{
    const char *host = strstr(url, "://");
    *ret_port = str_starts(url, "https:") ? HTTPS_PORT : HTTP_PORT;
    if (!host)
        return NULL;
    host += strlen("://");
    if (!str_starts(host, "unix:"))
        return arena_strndup(arena, host, strcspn(host, "/?"));
    const char *end = strchr(host + strlen("unix:"), ':');
    return arena_strndup(arena, host, end ? (size_t)(end - host) : strlen(host));
}

static const NginxUpstream *upstream_named(const NginxFacts *facts, const char *name)
{
    VEC_EACH (upstream, &facts->upstreams)
        if (str_equal(upstream->name, name))
            return upstream;
    return NULL;
}

static void resolve_targets(const Build *build, NginxLocation *location)
{
    uint16_t port;
    const char *url = nginx_arg(location->proxy_pass, 0);
    const char *host = url ? pass_host(build->arena, url, &port) : NULL;
    const NginxUpstream *upstream = host ? upstream_named(build->facts, host) : NULL;
    if (upstream) {
        location->upstream = upstream->name;
        location->targets = upstream->servers;
    } else {
        *vec_push(build->arena, &location->targets) =
            host ? address_of_nginx_peer(build->arena, host, port)
                 : (Address){.kind = ADDRESS_UNKNOWN, .text = url ? url : "", .host = "", .path = ""};
    }
}

/* --- locations */

static int effective_time(NginxNode *block, const char *name, NginxTime *ret, Err *err)
{
    const NginxNode *node = nginx_effective(block, name);
    *ret = (NginxTime){.value = USEC_PER_MIN, .node = node};
    if (!node)
        return 0;
    const char *text = nginx_arg(node, 0);
    int r = text ? nginx_parse_time(text, &ret->value, err) : err_set(err, ERR_INVALID, "no time");
    if (r < 0)
        return err_at(err, ERR_INVALID, node->file->path, node->line, node->column, "%s: \"%s\" is no time", name,
                      text ? text : "");
    return 0;
}

/* "= /x" and "=/x" are the same (ngx_http_core_location). */
static void split_location(Arena *arena, const char *first, const char *second, const char **ret_modifier,
                           const char **ret_path)
{
    static const char *const modifiers[] = {"=", "^~", "~*", "~"};
    *ret_modifier = second ? first : "";
    *ret_path = second ? second : first;
    for (size_t i = 0; !second && i < ARRAY_LEN(modifiers); i++)
        if (str_starts(first, modifiers[i])) {
            *ret_modifier = modifiers[i];
            *ret_path = arena_strdup(arena, first + strlen(modifiers[i]));
            return;
        }
}

static int add_location(const Build *build, NginxNode *node, Err *err)
{
    NginxLocation *location = arena_new_of(build->arena, NginxLocation);
    *location = (NginxLocation){.server = build->server,
                                .node = node,
                                .modifier = "",
                                .path = "",
                                .proxy_pass = nginx_child(node, "proxy_pass", NULL)};
    const NginxNode *named = nginx_enclosing(node, "location");
    if (named && nginx_arg(named, 0))
        split_location(build->arena, nginx_arg(named, 0), nginx_arg(named, 1), &location->modifier, &location->path);
    if (location->proxy_pass)
        resolve_targets(build, location);
    int r = effective_time(node, "proxy_read_timeout", &location->read_timeout, err);
    if (r >= 0)
        r = effective_time(node, "proxy_send_timeout", &location->send_timeout, err);
    if (r >= 0)
        r = effective_time(node, "proxy_connect_timeout", &location->connect_timeout, err);
    if (r < 0)
        return r;
    *vec_push(build->arena, &build->facts->locations) = location;
    return 0;
}

static int read_locations(const Build *build, NginxNode *block, Err *err)
{
    VEC_EACH (child, &block->children) {
        bool location = str_equal((*child)->name, "location");
        bool inner = str_equal((*child)->name, "if") || str_equal((*child)->name, "limit_except");
        int r = 0;
        if (!(*child)->block || (*child)->data || (!location && !inner))
            continue;
        if (location || nginx_child(*child, "proxy_pass", NULL))
            r = add_location(build, *child, err);
        if (r >= 0)
            r = read_locations(build, *child, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* --- servers and upstreams */

static void add_listen(Arena *arena, NginxServer *server, const NginxNode *node)
{
    const char *text = nginx_arg(node, 0);
    NginxListen listen = {.text = text ? text : "", .node = node};
    listen.address = listen_address(arena, listen.text);
    for (size_t i = 1; i < node->n_args; i++) {
        listen.ssl = listen.ssl || str_equal(nginx_arg(node, i), "ssl");
        listen.default_server = listen.default_server || str_equal(nginx_arg(node, i), "default_server");
    }
    *vec_push(arena, &server->listens) = listen;
}

static NginxServer *read_server(Arena *arena, NginxNode *node)
{
    NginxServer *server = arena_new_of(arena, NginxServer);
    server->node = node;
    VEC_EACH (child, &node->children) {
        if (str_equal((*child)->name, "listen"))
            add_listen(arena, server, *child);
        for (size_t i = 0; str_equal((*child)->name, "server_name") && i < (*child)->n_args; i++)
            *vec_push(arena, &server->names) = nginx_arg(*child, i);
    }
    if (server->listens.n == 0)
        *vec_push(arena, &server->listens) =
            (NginxListen){.text = "*:80", .address = listen_address(arena, "80"), .node = node};
    return server;
}

static void read_upstream(Arena *arena, NginxFacts *facts, const NginxNode *node)
{
    NginxUpstream upstream = {.name = nginx_arg(node, 0) ? nginx_arg(node, 0) : "", .node = node};
    for (const NginxNode *server = nginx_child(node, "server", NULL); server;
         server = nginx_child(node, "server", server))
        if (nginx_arg(server, 0))
            *vec_push(arena, &upstream.servers) = address_of_nginx_peer(arena, nginx_arg(server, 0), HTTP_PORT);
    *vec_push(arena, &facts->upstreams) = upstream;
}

/* Upstreams first: a proxy_pass may name one that stands behind it. */
static int read_http(Arena *arena, NginxFacts *facts, const NginxNode *http, Err *err)
{
    VEC_EACH (child, &http->children)
        if (str_equal((*child)->name, "upstream"))
            read_upstream(arena, facts, *child);
    VEC_EACH (child, &http->children) {
        if (!str_equal((*child)->name, "server") || !(*child)->block)
            continue;
        NginxServer *server = read_server(arena, *child);
        *vec_push(arena, &facts->servers) = server;
        Build build = {arena, facts, server};
        int r = read_locations(&build, *child, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* --- conflicts */

typedef struct Claim {
    const char *key; /* "*:80 example.org" */
    const NginxServer *server;
    size_t order;
} Claim;

static int claim_order(const void *a, const void *b)
{
    const Claim *left = a, *right = b;
    int order = strcmp(left->key, right->key);
    return order ? order : (left->order > right->order) - (left->order < right->order);
}

static char *listen_key(Arena *arena, const Address *address)
{
    bool any = str_equal(address->host, "") || str_equal(address->host, "0.0.0.0");
    if (address->kind == ADDRESS_UNIX)
        return arena_printf(arena, "unix:%s", address->path);
    return arena_printf(arena, "%s:%u", any ? "*" : address->host, address->port);
}

static void find_conflicts(Arena *arena, NginxFacts *facts)
{
    VEC(Claim) claims = {0};
    StringVec nameless = {0};
    *vec_push(arena, &nameless) = "\"\"";
    VEC_EACH (server, &facts->servers) {
        const StringVec *names = (*server)->names.n > 0 ? &(*server)->names : &nameless;
        VEC_EACH (listen, &(*server)->listens)
            VEC_EACH (name, names) {
                const char *key = arena_printf(arena, "%s on %s", *name, listen_key(arena, &listen->address));
                *vec_push(arena, &claims) = (Claim){key, *server, claims.n};
            }
    }
    if (claims.n > 1)
        qsort(claims.items, claims.n, sizeof *claims.items, claim_order);
    for (size_t i = 1; i < claims.n; i++) {
        const NginxNode *first = claims.items[i - 1].server->node, *second = claims.items[i].server->node;
        if (first != second && str_equal(claims.items[i - 1].key, claims.items[i].key))
            *vec_push(arena, &facts->conflicts) =
                arena_printf(arena, "server name %s is in %s:%u and %s:%u: nginx uses the first", claims.items[i].key,
                             first->file->path, first->line, second->file->path, second->line);
    }
}

static int load_facts(View *view, const NginxFacts **ret, Err *err)
{
    Arena *arena = view_arena(view);
    NginxFacts *facts = arena_new_of(arena, NginxFacts);
    NginxSource source = {.ctx = view, .read = source_read, .glob = source_glob};
    Bytes text;
    int r = find_main(view, facts, err);
    if (r >= 0)
        r = view_read(view, facts->main_path, &text, NULL, err);
    if (r != 0)
        return r < 0 ? r : NGINX_ABSENT;
    if ((r = nginx_tree_load(arena, &source, facts->main_path, &facts->tree, err)) < 0)
        return r;
    for (const NginxNode *http = nginx_child(facts->tree->root, "http", NULL); http;
         http = nginx_child(facts->tree->root, "http", http))
        if ((r = read_http(arena, facts, http, err)) < 0)
            return r;
    VEC_EACH (file, &facts->tree->files) {
        *vec_push(arena, &facts->files) = (*file)->path;
        if (!str_equal((*file)->path, (*file)->resolved))
            *vec_push(arena, &facts->files) = (*file)->resolved;
    }
    nginx_collect_logs(arena, facts);
    find_conflicts(arena, facts);
    *ret = facts;
    return 0;
}

int nginx_load(View *view, const NginxFacts **ret, Err *err)
{
    const NginxFacts *facts = view_recall(view, "nginx");
    int r = facts ? 0 : load_facts(view, &facts, err);
    if (r != 0)
        return r;
    view_remember(view, "nginx", facts);
    *ret = facts;
    return 0;
}
