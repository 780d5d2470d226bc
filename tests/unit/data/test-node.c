/* SPDX-License-Identifier: Apache-2.0 */
#include "data/node.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void setting_a_key_again_replaces_its_value_in_place(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *map = node_map(arena);
    node_set_text(arena, map, "a", "1");
    node_set_text(arena, map, "b", "2");
    node_set_text(arena, map, "a", "3");
    assert_int_equal(map->pairs.n, 2);
    assert_string_equal(map->pairs.items[0].key->text, "a");
    assert_string_equal(node_get_text(map, "a"), "3");
}

static void reading_nothing_or_the_wrong_kind_finds_nothing(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    int64_t number = 7;
    bool truth = true;
    assert_null(node_get(NULL, "a"));
    assert_null(node_get(node_seq(arena), "a"));
    assert_null(node_get_text(node_map(arena), "a"));
    assert_false(node_to_int(NULL, &number));
    assert_false(node_to_bool(node_seq(arena), &truth));
    assert_int_equal(number, 7);
}

static void only_plain_scalars_are_null_numbers_or_booleans(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    int64_t number;
    bool truth;
    assert_true(node_is_null(node_null(arena)));
    assert_false(node_is_null(node_text(arena, "null")));
    assert_false(node_to_int(node_text(arena, "5"), &number));
    assert_true(node_to_int(node_int(arena, -5), &number));
    assert_int_equal(number, -5);
    assert_false(node_to_bool(node_text(arena, "true"), &truth));
    assert_true(node_to_bool(node_bool(arena, true), &truth));
    assert_true(node_is_null(node_double(arena, NAN)));
}

static void a_number_that_does_not_fit_is_no_int(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *node = node_text(arena, "9223372036854775808");
    node->quoted = false;
    int64_t number;
    assert_false(node_to_int(node, &number));
}

static void a_copy_is_equal_and_the_order_of_keys_does_not_matter(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *a = node_map(arena), *b = node_map(arena);
    node_set_int(arena, a, "x", 1);
    node_add(arena, node_set(arena, a, "y", node_seq(arena)), node_text(arena, "item"));
    node_add(arena, node_set(arena, b, "y", node_seq(arena)), node_text(arena, "item"));
    node_set_int(arena, b, "x", 1);
    assert_true(node_equal(a, b));
    assert_true(node_equal(a, node_dup(arena, a)));
    node_set_text(arena, b, "x", "1");
    assert_false(node_equal(a, b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_a_key_again_replaces_its_value_in_place),
        cmocka_unit_test(reading_nothing_or_the_wrong_kind_finds_nothing),
        cmocka_unit_test(only_plain_scalars_are_null_numbers_or_booleans),
        cmocka_unit_test(a_number_that_does_not_fit_is_no_int),
        cmocka_unit_test(a_copy_is_equal_and_the_order_of_keys_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
