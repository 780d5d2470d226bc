/* SPDX-License-Identifier: Apache-2.0 */
/* A site in a tree: Gunicorn behind nginx, and plans for it. */
#pragma once

#include "../stack/tree.h"
#include "run/plan.h"

#define ENV_PATH   "/etc/site/gunicorn.env"
#define NGINX_PATH "/etc/nginx/nginx.conf"

typedef struct PlanBench {
    Tree tree;
    StringVec roots;
    const char *limit; /* of the check: the longest answer that passes */
} PlanBench;

static inline PlanBench plan_bench(const char *seconds)
{
    PlanBench bench = {.tree = tree_new(), .limit = "1s"};
    Arena *arena = bench.tree.arena;
    *vec_push(arena, &bench.roots) = "/etc/nginx";
    tree_write(&bench.tree, "/etc/systemd/system/gunicorn.service",
               "[Service]\nEnvironmentFile=" ENV_PATH "\n"
               "ExecStart=/usr/bin/gunicorn --bind 127.0.0.1:8000 site.wsgi:application\n");
    tree_write(&bench.tree, ENV_PATH,
               arena_printf(arena, "GUNICORN_CMD_ARGS=\"--timeout %s --graceful-timeout 7\"\n", seconds));
    tree_write(&bench.tree, NGINX_PATH,
               "events { }\nhttp {\n  server {\n    listen 80;\n    location / {\n"
               "      proxy_pass http://127.0.0.1:8000;\n      proxy_read_timeout 40s;\n    }\n  }\n}\n");
    return bench;
}

static inline void plan_bench_free(PlanBench bench)
{
    tree_free(bench.tree);
}
DEFINE_CLEANUP(PlanBench, plan_bench_free)

/* The changes as YAML in flow style: "[{restart: {unit: x}}]". */
static inline const Playbook *plan_playbook(PlanBench *bench, const char *changes)
{
    Arena *arena = bench->tree.arena;
    Source *source = arena_new_of(arena, Source);
    Diagnostics diags = diagnostics_new(arena);
    const Playbook *playbook = NULL;
    *source = (Source){.name = "test.yaml",
                       .text = bytes_of(arena_printf(
                           arena,
                           "salve: 1\nname: test\nsummary: A test.\nchanges: %s\nverify:\n  settle: 3s\n  checks:\n"
                           "    - http:\n        name: health\n        url: \"http://127.0.0.1/health/\"\n"
                           "        max:\n          max: %s\n",
                           changes, bench->limit))};
    if (playbook_load(arena, source, NULL, &diags, &playbook, &bench->tree.err) < 0)
        fail_msg("%s", err_text(&bench->tree.err));
    return playbook;
}

static inline int plan_try(PlanBench *bench, const char *changes, Plan **ret)
{
    PlanOptions options = {.template_dirs = &bench->roots, .managed_roots = &bench->roots};
    return plan_make(bench->tree.arena, plan_playbook(bench, changes), tree_view(&bench->tree), NULL, &options, ret,
                     &bench->tree.err);
}

static inline Plan *plan_of(PlanBench *bench, const char *changes)
{
    Plan *plan = NULL;
    if (plan_try(bench, changes, &plan) < 0)
        fail_msg("%s: %s", changes, err_text(&bench->tree.err));
    return plan;
}

/* "reload nginx.service, restart gunicorn.service": the effects that are no validations. */
static inline const char *plan_actions(const Plan *plan, Arena *arena)
{
    const char *text = "";
    VEC_EACH (effect, &plan->effects) {
        if (!effect_is_validation(effect->kind))
            text = arena_printf(arena, "%s%s%s%s%s", text, *text ? ", " : "", effect_kind_to_string(effect->kind),
                                effect->unit ? " " : "", effect->unit ? effect->unit : "");
    }
    return text;
}

#define TIMEOUT_AND_ALIGN(seconds)                                                                                     \
    "[{gunicorn: {unit: gunicorn.service, exactly: {timeout: " seconds "}}}, "                                         \
    "{nginx: {upstream_of: gunicorn.service, set: {proxy_read_timeout: " seconds "}}}]"
