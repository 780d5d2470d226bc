/* SPDX-License-Identifier: Apache-2.0 */
/* error_log and access_log may stand several times at a level; a level that has one inherits none from outside. */
#include "stack/nginx-logs.h"

#include <string.h>

/* What Debian's and nginx.org's packages are built with, and what their nginx.conf names. */
#define DEFAULT_ERROR_LOG  "/var/log/nginx/error.log"
#define DEFAULT_ACCESS_LOG "/var/log/nginx/access.log"

typedef struct Collect {
    Arena *arena;
    NginxFacts *facts;
    const char *directive;
    StringVec *files;
} Collect;

static void add_once(Arena *arena, StringVec *strings, const char *text)
{
    if (!strings_contain(strings, text))
        *vec_push(arena, strings) = text;
}

/* The file that a directive names, or NULL when it names none. */
static const char *log_file(Arena *arena, const NginxFacts *facts, const NginxNode *node)
{
    const char *target = nginx_arg(node, 0);
    if (!target || str_equal(target, "off") || str_equal(target, "stderr") || strchr(target, '$') ||
        str_starts(target, "syslog:") || str_starts(target, "memory:") || target[0] == '|')
        return NULL;
    return target[0] == '/' ? target : arena_printf(arena, "%s/%s", facts->prefix, target);
}

static int collect_all(NginxNode *node, void *ctx)
{
    Collect *collect = ctx;
    if (!str_equal(node->name, collect->directive))
        return 0;
    const char *file = log_file(collect->arena, collect->facts, node), *target = nginx_arg(node, 0);
    if (file)
        add_once(collect->arena, collect->files, file);
    else
        add_once(collect->arena, &collect->facts->log_notes,
                 arena_printf(collect->arena, "%s %s (%s:%u)", node->name, target ? target : "", node->file->path,
                              node->line));
    return 0;
}

static int collect_files(NginxNode *node, void *ctx)
{
    Collect *collect = ctx;
    const char *file =
        str_equal(node->name, collect->directive) ? log_file(collect->arena, collect->facts, node) : NULL;
    if (file)
        add_once(collect->arena, collect->files, file);
    return 0;
}

/* The nearest level at or around a block that has the directive, or NULL. */
static const NginxNode *level_of(const NginxNode *block, const char *directive)
{
    while (block && !nginx_child(block, directive, NULL))
        block = block->parent;
    return block;
}

/* What a server writes: the logs of the level that counts for it, and those set inside of it. */
static void server_logs(Arena *arena, NginxFacts *facts, NginxServer *server, const char *directive,
                        const char *fallback, StringVec *files)
{
    const NginxNode *level = level_of(server->node, directive);
    for (const NginxNode *node = level ? nginx_child(level, directive, NULL) : NULL; node;
         node = nginx_child(level, directive, node)) {
        const char *file = log_file(arena, facts, node);
        if (file)
            add_once(arena, files, file);
    }
    if (!level)
        add_once(arena, files, fallback);
    Collect collect = {arena, facts, directive, files};
    nginx_walk(server->node, collect_files, &collect);
}

/* The compiled default counts where no enclosing level sets the directive. */
static bool default_counts(const NginxFacts *facts, const char *directive)
{
    const NginxNode *http = nginx_child(facts->tree->root, "http", NULL);
    return !nginx_child(facts->tree->root, directive, NULL) && !(http && nginx_child(http, directive, NULL));
}

void nginx_collect_logs(Arena *arena, NginxFacts *facts)
{
    const struct {
        const char *directive, *fallback;
        StringVec *files;
    } logs[] = {
        {"error_log", DEFAULT_ERROR_LOG, &facts->error_logs},
        {"access_log", DEFAULT_ACCESS_LOG, &facts->access_logs},
    };
    for (size_t i = 0; i < ARRAY_LEN(logs); i++) {
        Collect collect = {arena, facts, logs[i].directive, logs[i].files};
        nginx_walk(facts->tree->root, collect_all, &collect);
        if (default_counts(facts, logs[i].directive))
            add_once(arena, logs[i].files, logs[i].fallback);
        VEC_EACH (server, &facts->servers)
            server_logs(arena, facts, *server, logs[i].directive, logs[i].fallback,
                        i == 0 ? &(*server)->error_logs : &(*server)->access_logs);
    }
}
