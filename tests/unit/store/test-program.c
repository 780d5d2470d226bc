/* SPDX-License-Identifier: Apache-2.0 */
#include "store/program.h"

#include "../base/temp-tree.h"

static void the_copy_is_made_once_and_is_the_program(void **state)
{
    TempTree *tree = *state;
    const char *dir = in_tree(tree, "/state"), *self = program_self(tree->arena);
    const char *path = program_pin(tree->arena, dir);
    struct stat first, second, own;
    assert_true(str_starts(path, in_tree(tree, "/state/bin/salve-")));
    assert_int_equal(stat(path, &first), 0);
    assert_int_equal(stat(self, &own), 0);
    assert_int_equal(first.st_mode & 07777, 0700);
    assert_int_equal(first.st_size, own.st_size);
    assert_string_equal(program_pin(tree->arena, dir), path);
    assert_int_equal(stat(path, &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
}

static void copies_of_other_builds_go(void **state)
{
    TempTree *tree = *state;
    const char *dir = in_tree(tree, "/state");
    const char *path = program_pin(tree->arena, dir);
    put_file(tree, "/state/bin/salve-0.0.1-a-b", "");
    put_file(tree, "/state/bin/note", "");
    program_prune(dir);
    assert_int_equal(access(path, X_OK), 0);
    assert_int_equal(access(in_tree(tree, "/state/bin/salve-0.0.1-a-b"), F_OK), -1);
    assert_int_equal(access(in_tree(tree, "/state/bin/note"), F_OK), 0);
}

static void where_it_cannot_be_copied_the_program_itself_is_used(void **state)
{
    TempTree *tree = *state;
    put_file(tree, "/state", "a file");
    assert_string_equal(program_pin(tree->arena, in_tree(tree, "/state")), program_self(tree->arena));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_copy_is_made_once_and_is_the_program, tree_setup, tree_teardown),
        cmocka_unit_test_setup_teardown(copies_of_other_builds_go, tree_setup, tree_teardown),
        cmocka_unit_test_setup_teardown(where_it_cannot_be_copied_the_program_itself_is_used, tree_setup,
                                        tree_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
