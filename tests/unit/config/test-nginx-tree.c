/* SPDX-License-Identifier: Apache-2.0 */
#include "config/nginx-tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* A file system in a table; "link" names the file that a path leads to. */
typedef struct File {
    const char *path, *text, *link;
} File;

static int fake_read(void *ctx, const char *path, Bytes *ret, const char **ret_resolved, Err *err)
{
    (void)err;
    for (const File *file = ctx; file->path; file++) {
        if (!str_equal(file->path, path))
            continue;
        if (file->link)
            return fake_read(ctx, file->link, ret, ret_resolved, err);
        *ret = bytes_of(file->text);
        *ret_resolved = file->path;
        return 0;
    }
    return 1;
}

static char glob_memory[16][64];

/* Only "folder/\*". */
static int fake_glob(void *ctx, const char *pattern, StringVec *ret, Err *err)
{
    (void)err;
    static const char *paths[16];
    *ret = (StringVec){.items = paths};
    for (const File *file = ctx; file->path; file++) {
        if (strncmp(file->path, pattern, strlen(pattern) - 1) == 0) {
            strncpy(glob_memory[ret->n], file->path, sizeof glob_memory[0] - 1);
            paths[ret->n] = glob_memory[ret->n];
            ret->n++;
        }
    }
    return 0;
}

static NginxTree *load(Arena *arena, const File *files)
{
    NginxSource source = {.ctx = (void *)(uintptr_t)files, .read = fake_read, .glob = fake_glob};
    NginxTree *tree = NULL;
    Err err;
    if (nginx_tree_load(arena, &source, "/etc/nginx/nginx.conf", &tree, &err) < 0)
        fail_msg("%s", err_text(&err));
    return tree;
}

static const char *load_error(Arena *arena, const File *files)
{
    NginxSource source = {.ctx = (void *)(uintptr_t)files, .read = fake_read, .glob = fake_glob};
    NginxTree *tree = NULL;
    static Err err;
    assert_true(nginx_tree_load(arena, &source, "/etc/nginx/nginx.conf", &tree, &err) < 0);
    assert_null(tree);
    return err_text(&err);
}

typedef struct Search {
    const char *name, *arg; /* arg NULL: any */
    NginxNode *found;
} Search;

static int search(NginxNode *node, void *ctx)
{
    Search *s = ctx;
    s->found = node;
    return str_equal(node->name, s->name) && (!s->arg || str_equal(nginx_arg(node, 0), s->arg));
}

/* The root when there is none. */
static NginxNode *node_of(NginxTree *tree, const char *name, const char *arg)
{
    Search s = {name, arg, NULL};
    return nginx_walk(tree->root, search, &s) ? s.found : tree->root;
}

static const File debian[] = {
    {"/etc/nginx/nginx.conf",
     "user www-data;\ninclude modules-enabled/*.conf;\nevents { }\nhttp {\n    proxy_read_timeout 30s;\n"
     "    include mime.types;\n    include sites-enabled/*;\n}\n",
     NULL},
    {"/etc/nginx/mime.types", "types {\n    text/html html htm;\n    proxy_read_timeout 5;\n}\n", NULL},
    {"/etc/nginx/sites-available/app",
     "upstream app { server unix:/run/gunicorn.sock; }\nserver {\n    listen 80;\n    server_name example.org www;\n"
     "    location / {\n        proxy_pass http://app;\n    }\n    location /reports/ {\n"
     "        proxy_pass http://app;\n        proxy_read_timeout 45s;\n    }\n}\n",
     NULL},
    {"/etc/nginx/sites-enabled/app", NULL, "/etc/nginx/sites-available/app"},
    {NULL, NULL, NULL},
};

static void included_directives_stand_in_the_including_block(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    NginxTree *tree = load(arena, debian);
    NginxNode *server = node_of(tree, "server_name", NULL)->parent;
    assert_string_equal(server->name, "server");
    assert_string_equal(server->parent->name, "http");
    assert_string_equal(server->file->path, "/etc/nginx/sites-enabled/app");
    assert_string_equal(server->file->resolved, "/etc/nginx/sites-available/app");
    assert_int_equal(server->line, 2);
    assert_int_equal(tree->files.n, 3);
    assert_int_equal(tree->files.items[2]->included_by->line, 7);
}

static void the_innermost_setting_wins(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    NginxTree *tree = load(arena, debian);
    NginxNode *outer = nginx_effective(node_of(tree, "location", "/"), "proxy_read_timeout");
    assert_string_equal(nginx_arg(outer, 0), "30s");
    NginxNode *inner = nginx_effective(node_of(tree, "location", "/reports/"), "proxy_read_timeout");
    assert_string_equal(nginx_arg(inner, 0), "45s");
    assert_null(nginx_effective(node_of(tree, "location", "/"), "proxy_send_timeout"));
    assert_string_equal(nginx_describe(arena, inner), "server example.org www, location /reports/");
}

static void rows_of_data_blocks_are_no_directives(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    NginxTree *tree = load(arena, debian);
    NginxNode *types = node_of(tree, "types", NULL);
    assert_true(types->data);
    assert_int_equal(types->children.n, 2);
    assert_null(nginx_child(types, "proxy_read_timeout", NULL));
    assert_ptr_equal(node_of(tree, "text/html", NULL), tree->root);
}

static void a_file_included_twice_is_not_editable_and_says_both_places(void **state)
{
    (void)state;
    const File files[] = {
        {"/etc/nginx/nginx.conf", "http {\n server { include p; }\n server {\n  include p; }\n}\n", NULL},
        {"/etc/nginx/p", "proxy_read_timeout 5;\n", NULL},
        {NULL, NULL, NULL},
    };
    CLEANUP(arena_free) Arena *arena = arena_new();
    NginxTree *tree = load(arena, files);
    assert_int_equal(tree->files.n, 2);
    assert_null(tree->files.items[0]->uneditable);
    assert_string_equal(tree->files.items[1]->uneditable,
                        "it is included at /etc/nginx/nginx.conf:2 and at /etc/nginx/nginx.conf:4");
}

static void lua_is_skipped_and_its_file_not_editable(void **state)
{
    (void)state;
    const File files[] = {
        {"/etc/nginx/nginx.conf",
         "http {\n  server {\n    content_by_lua_block {\n      local a = \"}\" -- }\n      local b = [==[ }}} ]] ]==]\n"
         "      --[[ } ]]\n      if a then b = {c = '}'} end\n    }\n    listen 81;\n  }\n}\n",
         NULL},
        {NULL, NULL, NULL},
    };
    CLEANUP(arena_free) Arena *arena = arena_new();
    NginxTree *tree = load(arena, files);
    NginxNode *listen = node_of(tree, "listen", "81");
    assert_int_equal(listen->line, 9);
    assert_string_equal(listen->file->uneditable, "it holds Lua code (content_by_lua_block)");
    assert_int_equal(listen->file->uneditable_line, 3);
    assert_int_equal(listen->file->uneditable_column, 5);
}

static void broken_configurations_are_errors_with_their_place(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    const struct {
        const char *text, *error;
    } broken[] = {
        {"http {\n  server {\n  }\n", "1:1: http: this block is never closed with \"}\""},
        {"http { }\n}\n", "2:1: unexpected \"}\""},
        {"include a b;\n", "1:1: include: takes one argument"},
        {"http {\n  include missing;\n}\n", "2:3: the included file /etc/nginx/missing does not exist"},
        {"events { a_by_lua_block { { }", "1:26: the Lua block that starts here is never closed"},
    };
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        const File files[] = {{"/etc/nginx/nginx.conf", broken[i].text, NULL}, {NULL, NULL, NULL}};
        const char *error = load_error(arena, files);
        assert_string_equal(error, arena_printf(arena, "/etc/nginx/nginx.conf:%s", broken[i].error));
    }
    const File itself[] = {{"/etc/nginx/nginx.conf", "include nginx.conf;", NULL}, {NULL, NULL, NULL}};
    assert_non_null(strstr(load_error(arena, itself), "does a file include itself?"));
    const File none[] = {{NULL, NULL, NULL}};
    assert_string_equal(load_error(arena, none), "/etc/nginx/nginx.conf does not exist");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(included_directives_stand_in_the_including_block),
        cmocka_unit_test(the_innermost_setting_wins),
        cmocka_unit_test(rows_of_data_blocks_are_no_directives),
        cmocka_unit_test(a_file_included_twice_is_not_editable_and_says_both_places),
        cmocka_unit_test(lua_is_skipped_and_its_file_not_editable),
        cmocka_unit_test(broken_configurations_are_errors_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
