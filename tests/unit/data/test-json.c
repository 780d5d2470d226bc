/* SPDX-License-Identifier: Apache-2.0 */
#include "data/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void parse(Arena *arena, const char *text, Node **ret)
{
    Err err;
    assert_int_equal(json_parse(arena, "test", bytes_of(text), ret, &err), 0);
}

static void what_was_parsed_prints_the_same(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    static const char text[] = "{\"b\":[1,-2,2.5,1e+30,true,null],\"a\":{\"x\":\"\\u0001\\n\\\"\\\\ \xc3\xa4\"}}";
    Node *node = NULL;
    parse(arena, text, &node);
    assert_string_equal(json_to_string(arena, node, JSON_COMPACT), text);
}

/* Outputs of other programs, and texts that were cut, are in every encoding; what is printed can be read all the same.
 */
static void what_is_no_utf8_is_printed_so_that_it_can_be_read(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *node = NULL;
    const char *text = json_to_string(arena, node_text(arena, "caf\xe9 \xc3\xa4 \xc3"), JSON_COMPACT);
    assert_string_equal(text, "\"caf\\ufffd \xc3\xa4 \\ufffd\"");
    parse(arena, arena_printf(arena, "[%s]", text), &node);
}

static void what_hides_or_reorders_text_is_printed_as_an_escape_and_read_back(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *node = NULL;
    const char *given = "a\xe2\x80\xae"
                        "b\xc2\x9b\xf3\xa0\x80\x81";
    const char *text = json_to_string(arena, node_text(arena, given), JSON_COMPACT);
    assert_string_equal(text, "\"a\\u202eb\\u009b\\udb40\\udc01\"");
    parse(arena, arena_printf(arena, "[%s]", text), &node);
    assert_string_equal(node->items.items[0]->text, given);
}

static void keys_can_be_sorted_and_lines_indented(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *node = NULL;
    parse(arena, "{\"b\":[1,{}],\"a\":[]}", &node);
    assert_string_equal(json_to_string(arena, node, JSON_PRETTY | JSON_SORT_KEYS),
                        "{\n  \"a\": [],\n  \"b\": [\n    1,\n    {}\n  ]\n}");
}

static void a_string_that_looks_like_a_number_stays_a_string(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *node = NULL;
    parse(arena, "[\"1\",\"true\",\"null\",\"\"]", &node);
    assert_string_equal(json_to_string(arena, node, JSON_COMPACT), "[\"1\",\"true\",\"null\",\"\"]");
}

static void a_plain_word_that_is_no_json_is_printed_as_a_string(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    static const char *const words[] = {"60s", "01", "1.", ".5", "-", "1e", "NaN", "0x10"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        Node *node = node_text(arena, words[i]);
        node->quoted = false;
        assert_string_equal(json_to_string(arena, node, JSON_COMPACT), arena_printf(arena, "\"%s\"", words[i]));
    }
}

static void duplicate_keys_are_refused_with_their_place(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *node = NULL;
    Err err;
    assert_int_equal(json_parse(arena, "x.json", BYTES("{\"a\": 1,\n \"a\": 2}"), &node, &err), -ERR_INVALID);
    assert_non_null(strstr(err_text(&err), "x.json:2:"));
    assert_null(node);
}

static void deep_nesting_is_refused(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    char text[401] = "";
    memset(text, '[', 200);
    memset(text + 200, ']', 200);
    Node *node = NULL;
    Err err;
    assert_int_equal(json_parse(arena, "x", bytes_of(text), &node, &err), -ERR_INVALID);
    assert_non_null(strstr(err.message, "nested deeper"));
}

static void rubbish_nul_and_text_behind_the_end_are_refused(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    static const char *const bad[] = {"", "{", "[1,]", "{} {}", "\"\\u0000\"", "\"\xff\"", "nul"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        Node *node = NULL;
        Err err;
        assert_int_equal(json_parse(arena, "x", bytes_of(bad[i]), &node, &err), -ERR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_parsed_prints_the_same),
        cmocka_unit_test(what_hides_or_reorders_text_is_printed_as_an_escape_and_read_back),
        cmocka_unit_test(what_is_no_utf8_is_printed_so_that_it_can_be_read),
        cmocka_unit_test(keys_can_be_sorted_and_lines_indented),
        cmocka_unit_test(a_string_that_looks_like_a_number_stays_a_string),
        cmocka_unit_test(a_plain_word_that_is_no_json_is_printed_as_a_string),
        cmocka_unit_test(duplicate_keys_are_refused_with_their_place),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(rubbish_nul_and_text_behind_the_end_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
