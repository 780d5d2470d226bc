/* SPDX-License-Identifier: Apache-2.0 */
#include "data/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static Node *parse(Arena *arena, const char *text)
{
    Diagnostics diags = diagnostics_new(arena);
    Node *root = NULL;
    assert_int_equal(yaml_parse(arena, "x.yaml", bytes_of(text), &diags, &root), 0);
    assert_int_equal(diags.errors, 0);
    return root;
}

/* The first error, as people see it. */
static const char *error_of(Arena *arena, Bytes text)
{
    Diagnostics diags = diagnostics_new(arena);
    Node *root = NULL;
    assert_int_equal(yaml_parse(arena, "x.yaml", text, &diags, &root), -ERR_INVALID);
    assert_null(root);
    Err err;
    assert_int_equal(diagnostics_to_err(&diags, &err), -ERR_INVALID);
    return arena_strdup(arena, err_text(&err));
}

static void assert_error(const char *text, const char *expected)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *error = error_of(arena, bytes_of(text));
    if (!strstr(error, expected))
        fail_msg("expected \"%s\" in \"%s\"", expected, error);
}

static void every_node_knows_its_place(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *root = parse(arena, "a: 1\nb:\n  - x\n  - \xc3\xa4: y\n");
    Node *list = node_get(root, "b");
    assert_int_equal(list->items.items[0]->pos.line, 3);
    assert_int_equal(list->items.items[0]->pos.column, 5);
    Node *value = list->items.items[1]->pairs.items[0].value;
    assert_int_equal(value->pos.line, 4);
    assert_int_equal(value->pos.column, 8); /* characters, not bytes */
    assert_string_equal(value->source->name, "x.yaml");
}

static void scalars_stay_text_and_remember_their_quotes(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *root = parse(arena, "a: no\nb: 'null'\nc: null\nd: 010\n");
    assert_string_equal(node_get(root, "a")->text, "no");
    assert_false(node_is_null(node_get(root, "b")));
    assert_true(node_is_null(node_get(root, "c")));
    assert_string_equal(node_get(root, "d")->text, "010");
}

static void what_makes_a_file_mean_something_else_is_refused(void **state)
{
    assert_error("a: &x 1\n", "x.yaml:1:4: anchors");
    assert_error("a: 1\nb: *x\n", "x.yaml:2:4: aliases");
    assert_error("a: !!int 1\n", "x.yaml:1:4: tags");
    assert_error("a: !secret x\n", "x.yaml:1:4: tags");
    assert_error("%YAML 1.1\n---\na: 1\n", "directives");
    assert_error("a: 1\n---\nb: 2\n", "x.yaml:2:1: a second document");
    assert_error("? [a]\n: 1\n", "a key must be a name");
    assert_error("unit: {{ unit }}\n", "in quotes: \"{{ name }}\"");
}

static void all_duplicate_keys_are_reported_with_the_first_place(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Diagnostics diags = diagnostics_new(arena);
    Node *root = NULL;
    yaml_parse(arena, "x", BYTES("a: 1\nb: 1\na: 2\nb: 3\n"), &diags, &root);
    assert_int_equal(diags.errors, 2);
    diagnostics_sort(&diags);
    assert_string_equal(diags.items.items[0].message, "key \"a\" is given twice");
    assert_string_equal(diags.items.items[0].hint, "first on line 1");
    assert_int_equal(diags.items.items[0].pos.line, 3);
}

static void rubbish_is_refused_with_its_place(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_error("", "the document is empty");
    assert_error("a: [1\n", "x.yaml:2:1");
    assert_error("a:\n\t- b\n", "no tabs");
    assert_error("a: @b\n", "must be quoted");
    assert_error("a: \"\\0\"\n", "NUL");
    assert_error("a: b\n\xff\n", "x.yaml:2:1: not UTF-8");
    assert_error("k: v\xc3\n", "x.yaml:1:5: not UTF-8");
    assert_non_null(strstr(error_of(arena, (Bytes){"a: \0b\n", 6}), "x.yaml:1:4"));
}

static void depth_and_size_are_bounded(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    char deep[201] = "";
    memset(deep, '[', 200);
    assert_error(deep, "nested too deep");

    size_t len = YAML_MAX_BYTES + 1;
    char *large = arena_alloc(arena, len + 1);
    memset(large, 'x', len);
    assert_non_null(strstr(error_of(arena, (Bytes){large, len}), "larger than"));

    CLEANUP(strbuf_free) StrBuf many = STRBUF_INIT(YAML_MAX_BYTES);
    for (size_t i = 0; i <= YAML_MAX_NODES; i++)
        strbuf_add_str(&many, "- \n");
    assert_non_null(strstr(error_of(arena, strbuf_bytes(arena, &many)), "too many values"));
}

static void a_file_that_is_not_there_is_named(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Diagnostics diags = diagnostics_new(arena);
    Node *root = NULL;
    Err err;
    assert_int_equal(yaml_load(arena, "/nonexistent/x.yaml", &diags, &root, &err), -ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nonexistent/x.yaml"));
    assert_int_equal(yaml_load(arena, "/", &diags, &root, &err), -ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_knows_its_place),
        cmocka_unit_test(scalars_stay_text_and_remember_their_quotes),
        cmocka_unit_test(what_makes_a_file_mean_something_else_is_refused),
        cmocka_unit_test(all_duplicate_keys_are_reported_with_the_first_place),
        cmocka_unit_test(rubbish_is_refused_with_its_place),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
