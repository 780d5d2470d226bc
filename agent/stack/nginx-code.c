/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts that run for a request (access_by_lua_file and its like) are the workers' and not meant here. */
#include "stack/nginx-code.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/trust.h"

typedef struct Loads {
    const char *directive;
    bool below_conf; /* a relative path starts beside the main file (ngx_conf_full_name), not at the prefix */
} Loads;

/* The last argument is the path: js_import NAME from PATH. */
static const Loads loads[] = {
    {"load_module", false}, {"init_by_lua_file", false}, {"perl_modules", false},
    {"perl_require", true}, {"js_import", true},         {"js_include", true},
};

typedef struct Check {
    Arena *arena;
    const NginxFacts *facts;
    Err *err;
} Check;

static int fail_at(const NginxNode *node, Err *err)
{
    const Err cause = *err;
    return err_at(err, ERR_REFUSED, node->file->path, node->line, node->column, "nginx loads code as root: %s",
                  cause.message);
}

/* What is not there is for nginx to tell. */
static int check_path(const Check *check, const NginxNode *node, const Loads *load)
{
    const char *path = nginx_arg(node, node->n_args - 1), *main_path = check->facts->main_path;
    const char *conf = arena_strndup(check->arena, main_path, (size_t)(strrchr(main_path, '/') - main_path));
    CLEANUP(fd_close) int fd = -1;
    if (path[0] != '/')
        path = arena_concat(check->arena, load->below_conf ? conf : check->facts->prefix, "/", path);
    int r = trusted_open("", path, &fd, check->err);
    return r < 0 && check->err->kind == ERR_REFUSED ? fail_at(node, check->err) : 0;
}

/* An engine is looked up by name in OpenSSL's own directory; a name with slashes leads out of it. */
static int check_engine(const Check *check, const NginxNode *node)
{
    const char *name = nginx_arg(node, 0);
    if (!strchr(name, '/'))
        return 0;
    err_set(check->err, ERR_REFUSED, "the engine \"%s\" is a path; name an engine that OpenSSL has installed", name);
    return fail_at(node, check->err);
}

static int visit(NginxNode *node, void *ctx)
{
    const Check *check = ctx;
    if (node->n_args == 0)
        return 0;
    if (str_equal(node->name, "ssl_engine"))
        return check_engine(check, node);
    for (size_t i = 0; i < ARRAY_LEN(loads); i++) {
        if (str_equal(node->name, loads[i].directive))
            return check_path(check, node, &loads[i]);
    }
    return 0;
}

int nginx_check_code(const NginxFacts *facts, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Check check = {.arena = arena, .facts = facts, .err = err};
    return geteuid() == 0 ? nginx_walk(facts->tree->root, visit, &check) : 0;
}
