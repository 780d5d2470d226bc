/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/temp-tree.h"

#include "store/store.h"

static void everything_is_made_private_on_first_use(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store store = {0};
    Err err = {0};
    if (store_open_write(in_tree(tree, "/state"), "run x", 0, &store, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(state_of(tree, "/state").mode, 0700);
    assert_non_null(store.ledger);
    assert_non_null(store.repo);
    Store second;
    assert_int_equal(store_open_write(in_tree(tree, "/state"), "run y", 0, &second, &err), -ERR_BUSY);
}

static void reading_makes_nothing_and_needs_no_lock(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store reader = {0};
    CLEANUP(store_close) Store writer = {0};
    Err err;
    assert_int_equal(store_open_read(in_tree(tree, "/state"), &reader, &err), 0);
    assert_null(reader.ledger);
    assert_int_equal(state_of(tree, "/state").type, FILE_ABSENT);
    assert_int_equal(store_open_write(in_tree(tree, "/state"), "run x", 0, &writer, &err), 0);
    assert_int_equal(store_open_read(in_tree(tree, "/state"), &reader, &err), 0);
    assert_non_null(reader.ledger);
    assert_non_null(reader.repo);
    assert_null(reader.lock);
}

static void a_state_directory_open_to_others_is_refused_with_the_cure(void **state)
{
    TempTree *tree = *state;
    Store store;
    Err err;
    put_dir(tree, "/state");
    assert_int_equal(store_open_write(in_tree(tree, "/state"), "run x", 0, &store, &err), -ERR_REFUSED);
    assert_non_null(strstr(err.message, "chmod 0700"));
    assert_int_equal(store_open_read(in_tree(tree, "/state"), &store, &err), -ERR_REFUSED);
    put_file(tree, "/file", "");
    assert_int_equal(store_open_write(in_tree(tree, "/file"), "run x", 0, &store, &err), -ERR_REFUSED);
}

static void ids_sort_by_time_and_differ(void **state)
{
    TempTree *tree = *state;
    usec now = clock_realtime();
    const char *a = store_run_id(tree->arena, now), *b = store_run_id(tree->arena, now);
    const char *later = store_run_id(tree->arena, now + USEC_PER_SEC);
    assert_string_not_equal(a, b);
    assert_true(strcmp(a, later) < 0 && strcmp(b, later) < 0);
    assert_int_equal(strlen(a), strlen("20260301T031245-7f3a9c01"));
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(everything_is_made_private_on_first_use),
        TREE_TEST(reading_makes_nothing_and_needs_no_lock),
        TREE_TEST(a_state_directory_open_to_others_is_refused_with_the_cure),
        TREE_TEST(ids_sort_by_time_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
