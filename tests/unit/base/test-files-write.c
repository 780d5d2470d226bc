/* SPDX-License-Identifier: Apache-2.0 */
#include "temp-tree.h"

static void a_write_replaces_the_whole_file_and_leaves_no_other_name(void **state)
{
    TempTree *tree = *state;
    Err err;
    const char *path = in_tree(tree, "/state");
    assert_int_equal(files_write(path, 0600, BYTES("first"), &err), 0);
    assert_int_equal(files_write(path, 0644, BYTES("second"), &err), 0);
    assert_string_equal(get_file(tree, "/state"), "second");
    assert_int_equal(state_of(tree, "/state").mode, 0644);
    assert_int_equal(dot_files(tree, ""), 0);
}

static void a_write_through_a_symlink_is_refused(void **state)
{
    TempTree *tree = *state;
    Err err;
    put_file(tree, "/target", "kept");
    assert_int_equal(symlink("target", in_tree(tree, "/link")), 0);
    assert_int_equal(files_write(in_tree(tree, "/link"), 0600, BYTES("x"), &err), -ERR_REFUSED);
    assert_string_equal(get_file(tree, "/target"), "kept");
}

static void a_private_directory_is_made_once(void **state)
{
    TempTree *tree = *state;
    Err err;
    assert_int_equal(files_mkdir(in_tree(tree, "/d"), &err), 0);
    assert_int_equal(files_mkdir(in_tree(tree, "/d"), &err), 1);
    assert_int_equal(state_of(tree, "/d").mode, 0700);
    put_file(tree, "/f", "");
    assert_true(files_mkdir(in_tree(tree, "/f"), &err) < 0);
}

static void loading_is_bounded_and_absence_is_an_outcome(void **state)
{
    TempTree *tree = *state;
    Err err;
    Bytes content;
    assert_int_equal(files_load(tree->arena, in_tree(tree, "/none"), 10, &content, &err), 1);
    put_file(tree, "/f", "0123456789");
    assert_int_equal(files_load(tree->arena, in_tree(tree, "/f"), 10, &content, &err), 0);
    assert_int_equal(content.len, 10);
    assert_int_equal(files_load(tree->arena, in_tree(tree, "/f"), 9, &content, &err), -ERR_INVALID);
}

static void removing_twice_is_an_outcome(void **state)
{
    TempTree *tree = *state;
    Err err;
    put_file(tree, "/f", "");
    put_file(tree, "/.f.new", "a crash came while it was written");
    assert_int_equal(files_unlink(in_tree(tree, "/f"), &err), 0);
    assert_int_equal(state_of(tree, "/.f.new").type, FILE_ABSENT);
    assert_int_equal(files_unlink(in_tree(tree, "/f"), &err), 1);
}

#if SALVE_FAULT_INJECTION
static void each_failing_step_leaves_the_old_content(void **state)
{
    TempTree *tree = *state;
    const char *path = in_tree(tree, "/state");
    bool worked = false;
    for (unsigned at = 1; at < 50 && !worked; at++) {
        Err err;
        put_file(tree, "/state", "old");
        setenv("SALVE_FAULT", arena_printf(tree->arena, "%u:ENOSPC", at), 1);
        fault_reset();
        int r = files_write(path, 0600, BYTES("new"), &err);
        worked = r == 0;
        assert_true(worked || r == -ERR_SPACE);
        const char *found = get_file(tree, "/state");
        /* Past the rename the content is new and only its durability is in doubt. */
        assert_true(str_equal(found, "old") || str_equal(found, "new"));
        if (worked)
            assert_string_equal(found, "new");
    }
    assert_true(worked);
}
#endif

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(a_write_replaces_the_whole_file_and_leaves_no_other_name),
        TREE_TEST(a_write_through_a_symlink_is_refused),
        TREE_TEST(a_private_directory_is_made_once),
        TREE_TEST(loading_is_bounded_and_absence_is_an_outcome),
        TREE_TEST(removing_twice_is_an_outcome),
#if SALVE_FAULT_INJECTION
        TREE_TEST(each_failing_step_leaves_the_old_content),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
