/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said without a journald: a journal without entries. The rest is shown on lab hosts. */
#include "tree.h"

#include "host/journal.h"

static Err err;

static void a_missing_journal_is_an_error(void **state)
{
    TempTree *tree = *state;
    Journal *journal = NULL;
    assert_int_equal(journal_open_directory(in_tree(tree, "/none"), &journal, &err), -ERR_NOT_FOUND);
    assert_null(journal);
}

static void an_empty_journal_has_an_end_and_no_cursor(void **state)
{
    TempTree *tree = *state;
    CLEANUP(journal_close) Journal *journal = NULL;
    JournalEntry entry;
    const char *cursor = "";
    assert_int_equal(journal_open_directory(tree->root, &journal, &err), 0);
    const JournalFilter filter = {
        .unit = "a.service", .invocation = "0123456789abcdef0123456789abcdef", .kernel = true};
    assert_int_equal(journal_filter(journal, &filter, &err), 0);
    assert_int_equal(journal_seek_tail(journal, &err), 0);
    assert_int_equal(journal_next(journal, tree->arena, &entry, &err), JOURNAL_END);
    assert_int_equal(journal_last_cursor(journal, tree->arena, &cursor, &err), 0);
    assert_null(cursor);
}

static void a_cursor_of_an_entry_that_is_gone_is_lost_and_nonsense_is_invalid(void **state)
{
    TempTree *tree = *state;
    CLEANUP(journal_close) Journal *journal = NULL;
    const char *gone = "s=00000000000000000000000000000001;i=5;b=00000000000000000000000000000002;m=1;t=1;x=1";
    assert_int_equal(journal_open_directory(tree->root, &journal, &err), 0);
    assert_int_equal(journal_seek_cursor(journal, gone, &err), JOURNAL_CURSOR_LOST);
    assert_int_equal(journal_seek_cursor(journal, "nonsense", &err), -ERR_INVALID);
}

static void a_file_that_comes_or_goes_is_noticed_once(void **state)
{
    TempTree *tree = *state;
    CLEANUP(journal_close) Journal *journal = NULL;
    assert_int_equal(journal_open_directory(tree->root, &journal, &err), 0);
    assert_int_equal(journal_refresh(journal, &err), 0);
    tree_write(tree, "system@1.journal", "");
    assert_int_equal(journal_refresh(journal, &err), JOURNAL_INVALIDATED);
    assert_int_equal(journal_refresh(journal, &err), 0);
    tree_append(tree, "system@1.journal", "more");
    assert_int_equal(journal_refresh(journal, &err), 0);
    assert_int_equal(unlink(in_tree(tree, "/system@1.journal")), 0);
    assert_int_equal(journal_refresh(journal, &err), JOURNAL_INVALIDATED);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        T(a_missing_journal_is_an_error),
        T(an_empty_journal_has_an_end_and_no_cursor),
        T(a_cursor_of_an_entry_that_is_gone_is_lost_and_nonsense_is_invalid),
        T(a_file_that_comes_or_goes_is_noticed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
