/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/temp-tree.h"

#include "store/ledger.h"

static void add_run(Ledger *ledger, TempTree *tree, const char *id, usec created, RunState state, StringVec files)
{
    const RunRecord run = {
        .id = id, .state = state, .created = created, .commit = arena_printf(tree->arena, "c%s", id)};
    Err err;
    assert_int_equal(ledger_add(ledger, &run, &err), 0);
    assert_int_equal(ledger_set_snapshot(ledger, id, run.commit, &files, NULL, &err), 0);
}

#define FILES(...)                                                                                                     \
    (StringVec)                                                                                                        \
    {                                                                                                                  \
        .items = (const char *[]){__VA_ARGS__}, .n = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)            \
    }

static void the_known_good_of_a_path_is_the_newest_kept_run_that_touched_it(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = NULL;
    LedgerFileVec files = {0};
    Err err;
    assert_int_equal(ledger_open(tree->root, LEDGER_WRITE, &ledger, &err), 0);
    add_run(ledger, tree, "1", 1, RUN_KEPT, FILES("/a", "/b"));
    add_run(ledger, tree, "2", 2, RUN_KEPT, FILES("/b", "/c"));
    add_run(ledger, tree, "3", 3, RUN_ROLLED_BACK, FILES("/a", "/d"));
    assert_int_equal(ledger_known_good(ledger, tree->arena, &files, &err), 0);
    static const char *const expected[][2] = {{"/a", "1"}, {"/b", "2"}, {"/c", "2"}};
    assert_int_equal(files.n, 3);
    for (size_t i = 0; i < files.n; i++) {
        assert_string_equal(files.items[i].path, expected[i][0]);
        assert_string_equal(files.items[i].run, expected[i][1]);
        assert_string_equal(files.items[i].commit, arena_printf(tree->arena, "c%s", expected[i][1]));
    }
}

static void all_files_are_listed_with_the_newest_run_first(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = NULL;
    LedgerFileVec files = {0};
    Err err;
    assert_int_equal(ledger_open(tree->root, LEDGER_WRITE, &ledger, &err), 0);
    add_run(ledger, tree, "1", 1, RUN_KEPT, FILES("/b", "/a"));
    add_run(ledger, tree, "2", 2, RUN_ROLLED_BACK, FILES("/c"));
    assert_int_equal(ledger_list_files(ledger, tree->arena, &files, &err), 0);
    assert_int_equal(files.n, 3);
    assert_string_equal(files.items[0].path, "/c");
    assert_string_equal(files.items[1].path, "/a");
    assert_string_equal(files.items[2].run, "1");
}

static void a_clock_that_was_set_back_does_not_make_a_run_older(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = NULL;
    LedgerFileVec files = {0};
    RunRecordVec runs = {0};
    RunRecord last;
    Err err;
    assert_int_equal(ledger_open(tree->root, LEDGER_WRITE, &ledger, &err), 0);
    add_run(ledger, tree, "20300101", 9, RUN_KEPT, FILES("/a"));
    add_run(ledger, tree, "20260101", 3, RUN_KEPT, FILES("/a"));
    static const char *const words[] = {"last", "last-kept"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        assert_int_equal(ledger_find(ledger, tree->arena, words[i], &last, &err), 0);
        assert_string_equal(last.id, "20260101");
    }
    assert_int_equal(ledger_last_known_good(ledger, tree->arena, &last, &err), 0);
    assert_string_equal(last.id, "20260101");
    assert_int_equal(ledger_list(ledger, tree->arena, 0, &runs, &err), 0);
    assert_string_equal(runs.items[0].id, "20260101");
    assert_int_equal(ledger_list_files(ledger, tree->arena, &files, &err), 0);
    assert_string_equal(files.items[0].run, "20260101");
    assert_int_equal(ledger_known_good(ledger, tree->arena, &files, &err), 0);
    assert_int_equal(files.n, 1);
    assert_string_equal(files.items[0].run, "20260101");
}

#define TREE_TEST(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(the_known_good_of_a_path_is_the_newest_kept_run_that_touched_it),
        TREE_TEST(all_files_are_listed_with_the_newest_run_first),
        TREE_TEST(a_clock_that_was_set_back_does_not_make_a_run_older),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
