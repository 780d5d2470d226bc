/* SPDX-License-Identifier: Apache-2.0 */
#include "config/nginx-edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static NginxTree *parse(Arena *arena, const char *text)
{
    NginxTree *tree = NULL;
    Err err;
    if (nginx_tree_parse(arena, "app.conf", bytes_of(text), &tree, &err) < 0)
        fail_msg("%s\n%s", text, err_text(&err));
    return tree;
}

/* The directive at a path such as "server/location/proxy_pass"; "" is the root. */
static NginxNode *at(NginxTree *tree, const char *path)
{
    NginxNode *node = tree->root;
    while (*path && node) {
        char name[64];
        size_t len = strcspn(path, "/");
        snprintf(name, sizeof name, "%.*s", (int)len, path);
        node = nginx_child(node, name, NULL);
        path += len + (path[len] == '/');
    }
    assert_non_null(node);
    return node;
}

static const struct {
    const char *what, *block, *before, *after;
} insertions[] = {
    {"behind the last directive, in its indentation", "server", "server {\n\tlisten 80;\n}\n",
     "server {\n\tlisten 80;\n\tx 5s;\n}\n"},
    {"line endings are kept", "server", "server {\r\n  listen 80;\r\n}\r\n",
     "server {\r\n  listen 80;\r\n  x 5s;\r\n}\r\n"},
    {"a block on one line stays so", "s/location", "s {\n  location / { a b; }\n}\n",
     "s {\n  location / { a b; x 5s; }\n}\n"},
    {"without blanks", "s", "s{a b;}", "s{a b; x 5s;}"},
    {"an empty block", "s", "s {}", "s { x 5s; }"},
    {"an empty block with a blank", "s", "s { }", "s { x 5s; }"},
    {"an empty block on two lines", "s", "s {\n}\n", "s {\n    x 5s;\n}\n"},
    {"an empty inner block", "s/l", "s {\n  l {\n  }\n}\n", "s {\n  l {\n    x 5s;\n  }\n}\n"},
    {"an empty inner block with tabs", "s/l", "s {\n\tl {\n\t}\n}\n", "s {\n\tl {\n\t\tx 5s;\n\t}\n}\n"},
    {"only a comment", "s", "s {\n  # nothing\n}\n", "s {\n  # nothing\n  x 5s;\n}\n"},
    {"only a comment, CRLF", "s", "s {\r\n\t# nothing\r\n}\r\n", "s {\r\n\t# nothing\r\n\tx 5s;\r\n}\r\n"},
    {"behind a trailing comment", "s", "s {\n  a b; # c }\n}\n", "s {\n  a b; # c }\n  x 5s;\n}\n"},
    {"behind a block", "s", "s {\n  l {\n    a;\n  }\n}\n", "s {\n  l {\n    a;\n  }\n  x 5s;\n}\n"},
    {"behind a directive of several lines", "s", "s {\n  a b\n    c;\n}\n", "s {\n  a b\n    c;\n  x 5s;\n}\n"},
    {"a brace on the last line", "s", "s {\n  a b; }\n", "s {\n  a b; x 5s; }\n"},
    {"the file's end", "", "a;\nb;\n", "a;\nb;\nx 5s;\n"},
    {"the file's end without a line ending", "", "a;\n# c", "a;\nx 5s;\n# c"},
    {"an empty file", "", "", "x 5s;\n"},
    {"a file with only a comment", "", "# c", "# c\nx 5s;\n"},
};

static void an_insertion_follows_the_style_of_its_block(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(insertions); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        NginxTree *tree = parse(arena, insertions[i].before);
        NginxEdits edits = {.arena = arena};
        Bytes text;
        Err err;
        assert_int_equal(nginx_edit_set(&edits, at(tree, insertions[i].block), NULL, "x", "5s", &err), 0);
        assert_int_equal(nginx_edits_apply(&edits, tree->files.items[0], &text, &err), 0);
        if (!bytes_equal(text, bytes_of(insertions[i].after)))
            fail_msg("%s:\n%s", insertions[i].what, text.data);
    }
}

static const struct {
    const char *node, *before, *after;
} removals[] = {
    {"s/a", "s {\n  a b;\n  c;\n}\n", "s {\n  c;\n}\n"},
    {"s/a", "s {\r\n  a b;\r\n  c;\r\n}\r\n", "s {\r\n  c;\r\n}\r\n"},
    {"s/b", "s { a; b; }", "s { a; }"},
    {"s/a", "s {\n  a; b;\n}", "s {\n  b;\n}"},
    {"s/a", "s {\n  a; # why\n}", "s {\n  # why\n}"},
    {"a", "a;\nb;\n", "b;\n"},
    {"s", "a;\ns {\n  b;\n}\n", "a;\n"},
};

static void a_removal_takes_its_line_when_nothing_else_is_on_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(removals); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        NginxTree *tree = parse(arena, removals[i].before);
        NginxEdits edits = {.arena = arena};
        Bytes text;
        Err err;
        assert_int_equal(nginx_edit_remove(&edits, at(tree, removals[i].node), &err), 0);
        assert_int_equal(nginx_edits_apply(&edits, tree->files.items[0], &text, &err), 0);
        assert_string_equal(text.data, removals[i].after);
    }
}

static void an_argument_is_replaced_and_no_other_byte(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    NginxTree *tree = parse(arena, "s {\n  proxy_read_timeout   60  ; # \xff\n  if ($a = \"b\") { x 'y'; }\n}");
    NginxEdits edits = {.arena = arena};
    Bytes text;
    Err err;
    assert_int_equal(nginx_edit_arg(&edits, at(tree, "s/proxy_read_timeout"), 0, "65s", &err), 0);
    assert_int_equal(nginx_edit_arg(&edits, at(tree, "s/if"), 2, "c", &err), 0);
    assert_int_equal(nginx_edit_arg(&edits, at(tree, "s/if/x"), 0, "two words; \"", &err), 0);
    assert_int_equal(nginx_edits_apply(&edits, tree->files.items[0], &text, &err), 0);
    assert_string_equal(text.data, "s {\n  proxy_read_timeout   65s  ; # \xff\n  if ($a = \"c\") "
                                   "{ x \"two words; \\\"\"; }\n}");
}

static void several_edits_compose_in_one_pass(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    NginxTree *tree = parse(arena, "s {\n  a 1;\n  b 2;\n  l { }\n}\n");
    NginxEdits edits = {.arena = arena};
    Bytes text;
    Err err;
    const NginxNode *s = at(tree, "s"), *a = at(tree, "s/a");
    const char *values[] = {"3", "4"};
    assert_int_equal(nginx_edit_set(&edits, s, a, "x", "1", &err), 0);
    assert_int_equal(nginx_edit_insert(&edits, s, a, "y", values, 2, &err), 0);
    assert_int_equal(nginx_edit_set(&edits, s, NULL, "b", "5", &err), 0);
    assert_int_equal(nginx_edit_set(&edits, at(tree, "s/l"), NULL, "z", "6", &err), 0);
    assert_int_equal(nginx_edit_remove(&edits, a, &err), 0);
    assert_int_equal(nginx_edits_apply(&edits, tree->files.items[0], &text, &err), 0);
    assert_string_equal(text.data, "s {\n  x 1;\n  y 3 4;\n  b 5;\n  l { z 6; }\n}\n");
}

static void the_same_value_is_no_edit(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    NginxTree *tree = parse(arena, "a '60s';");
    NginxEdits edits = {.arena = arena};
    Err err;
    assert_int_equal(nginx_edit_set(&edits, tree->root, NULL, "a", "60s", &err), 0);
    assert_int_equal(edits.files.n, 0);
}

static void what_cannot_be_done_surely_is_refused_with_its_place(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    NginxEdits edits = {.arena = arena};
    Err err;
    NginxTree *tree = parse(arena, "s {\n  access_by_lua_block { return }\n  a 1;\n}\nmap $a $b {\n  default 1;\n}\n");
    assert_int_equal(nginx_edit_arg(&edits, at(tree, "s/a"), 0, "2", &err), -ERR_REFUSED);
    assert_string_equal(err_text(&err),
                        "app.conf:2:3: this file cannot be edited surely: it holds Lua code (access_by_lua_block)");
    tree = parse(arena, "map $a $b {\n  default 1;\n}\na 1 2;\n");
    assert_int_equal(nginx_edit_set(&edits, at(tree, "map"), NULL, "x", "1", &err), -ERR_REFUSED);
    assert_string_equal(err_text(&err), "app.conf:1:1: no directive can be added here: this is no block");
    assert_int_equal(nginx_edit_arg(&edits, at(tree, "map")->children.items[0], 0, "2", &err), -ERR_REFUSED);
    assert_int_equal(nginx_edit_set(&edits, tree->root, NULL, "a", "1", &err), -ERR_REFUSED);
    assert_string_equal(err_text(&err), "app.conf:4:1: this directive does not have exactly one argument");
    assert_int_equal(nginx_edit_arg(&edits, at(tree, "a"), 2, "1", &err), -ERR_REFUSED);
    assert_int_equal(nginx_edit_arg(&edits, at(tree, "a"), 0, "\x01", &err), -ERR_INVALID);
    assert_int_equal(edits.files.n, 0);
}

static Bytes read_sample(Arena *arena, const char *name)
{
    static char buffer[65536];
    const char *path = arena_printf(arena, "%s/tests/fuzz/corpus/nginx/%s", getenv("SALVE_SOURCE"), name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s is missing", path);
    size_t len = fread(buffer, 1, sizeof buffer, file);
    fclose(file);
    return (Bytes){arena_memdup(arena, buffer, len), len};
}

/* Unix and DOS line endings: the same site, the same two edits. */
static void a_real_site_changes_in_two_lines_and_nowhere_else(void **state)
{
    (void)state;
    static const struct {
        const char *name, *newline;
    } samples[] = {{"tls-site.conf", "\n"}, {"crlf.conf", "\r\n"}};
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        Bytes before = read_sample(arena, samples[i].name), after;
        NginxTree *tree = parse(arena, before.data);
        NginxNode *server = nginx_child(tree->root, "server", at(tree, "server"));
        NginxNode *root = nginx_child(server, "location", nginx_child(server, "location", NULL));
        NginxNode *reports = nginx_child(server, "location", root);
        NginxEdits edits = {.arena = arena};
        Err err;
        assert_int_equal(nginx_edit_set(&edits, root, NULL, "proxy_read_timeout", "65s", &err), 0);
        assert_int_equal(nginx_edit_set(&edits, reports, NULL, "proxy_read_timeout", "65s", &err), 0);
        assert_int_equal(nginx_edits_apply(&edits, tree->files.items[0], &after, &err), 0);
        const char *newline = samples[i].newline;
        const char *new_line = arena_printf(arena, "        proxy_read_timeout 65s;%s", newline);
        const char *first = strstr(after.data, new_line), *second = first ? strstr(first + 1, new_line) : NULL;
        assert_non_null(second);
        const char *tail = arena_printf(arena, "    }%s}%s", newline, newline);
        assert_string_equal(second ? second + strlen(new_line) : "", tail);
        assert_int_equal(after.len, before.len + strlen(new_line));
        assert_int_equal(memcmp(after.data, before.data, (size_t)(first - after.data)), 0);
    }
}

static void samples_without_edits_keep_their_bytes(void **state)
{
    (void)state;
    static const char *const names[] = {"debian.conf", "tls-site.conf", "crlf.conf", "lua.conf", "one-line.conf"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        Bytes before = read_sample(arena, names[i]), after;
        NginxTree *tree = parse(arena, before.data);
        NginxEdits edits = {.arena = arena};
        Err err;
        assert_int_equal(nginx_edits_apply(&edits, tree->files.items[0], &after, &err), 0);
        assert_true(bytes_equal(before, after));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_insertion_follows_the_style_of_its_block),
        cmocka_unit_test(a_removal_takes_its_line_when_nothing_else_is_on_it),
        cmocka_unit_test(an_argument_is_replaced_and_no_other_byte),
        cmocka_unit_test(several_edits_compose_in_one_pass),
        cmocka_unit_test(the_same_value_is_no_edit),
        cmocka_unit_test(a_real_site_changes_in_two_lines_and_nowhere_else),
        cmocka_unit_test(samples_without_edits_keep_their_bytes),
        cmocka_unit_test(what_cannot_be_done_surely_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
