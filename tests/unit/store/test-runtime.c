/* SPDX-License-Identifier: Apache-2.0 */
#include "store/runtime.h"

#include "../base/temp-tree.h"

static void a_request_is_read_once(void **state)
{
    TempTree *tree = *state;
    const char *dir = in_tree(tree, "/run");
    struct stat st;
    Bytes text;
    Err err;
    assert_true(runtime_make(dir, &err) >= 0 && runtime_make(dir, &err) >= 0);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(runtime_put(dir, "r1.request", BYTES("{}"), &err), 0);
    assert_true(runtime_put(dir, "r1.request", BYTES("{}"), &err) < 0);
    assert_int_equal(stat(in_tree(tree, "/run/r1.request"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(runtime_take(tree->arena, dir, "r1.request", 100, &text, &err), 0);
    assert_string_equal(text.data, "{}");
    assert_int_equal(runtime_take(tree->arena, dir, "r1.request", 100, &text, &err), -ERR_NOT_FOUND);
}

static void leave_trail(const char *dir, const char *run)
{
    int fd = -1;
    Err err;
    assert_int_equal(runtime_open_trail(dir, run, &fd, &err), 0);
    close(fd);
}

static void the_newest_trails_are_kept(void **state)
{
    TempTree *tree = *state;
    const char *newest = NULL;
    Err err;
    assert_int_equal(runtime_newest_trail(tree->arena, in_tree(tree, "/none"), &newest, &err), 1);
    assert_int_equal(runtime_newest_trail(tree->arena, tree->root, &newest, &err), 1);
    leave_trail(tree->root, "20260302T000000-b");
    leave_trail(tree->root, "20260301T000000-a");
    leave_trail(tree->root, "20260303T000000-c");
    put_file(tree, "/other", "");
    runtime_prune_trails(tree->root, 2);
    assert_false(runtime_has_trail(tree->root, "20260301T000000-a"));
    assert_true(runtime_has_trail(tree->root, "20260302T000000-b"));
    assert_int_equal(runtime_newest_trail(tree->arena, tree->root, &newest, &err), 0);
    assert_string_equal(newest, "20260303T000000-c");
    assert_int_equal(access(in_tree(tree, "/other"), F_OK), 0);
}

static void a_name_cannot_lead_out_of_the_directory(void **state)
{
    TempTree *tree = *state;
    put_dir(tree, "/run");
    put_file(tree, "/x.events", "");
    assert_false(runtime_has_trail(in_tree(tree, "/run"), "../x"));
    assert_false(runtime_has_trail(in_tree(tree, "/run"), ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_is_read_once, tree_setup, tree_teardown),
        cmocka_unit_test_setup_teardown(the_newest_trails_are_kept, tree_setup, tree_teardown),
        cmocka_unit_test_setup_teardown(a_name_cannot_lead_out_of_the_directory, tree_setup, tree_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
