/* SPDX-License-Identifier: Apache-2.0 */
/* This process is the service that writes. */
#include "stack/log-writer.h"

#include "tree.h"

static size_t count(Tree *tree, const LogService *service, const char *path, WrittenFileVec *ret)
{
    assert_done(tree, log_writers("", tree->arena, service, tree_path(tree, path), ret, &tree->err));
    return ret->n;
}

static void the_files_that_a_service_writes_are_found_after_a_rename(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    ProcStat self;
    WrittenFileVec files;
    assert_done(&tree, proc_stat("", tree.arena, getpid(), &self, &tree.err));
    const LogService ours = {.comm = self.comm}, anybody = {0}, other = {.comm = "nobody", .unit = "none.service"};
    tree_write(&tree, "/log/error.log", "");
    assert_int_equal(count(&tree, &ours, "/log/error.log", &files), 0);
    FILE *log = fopen(tree_path(&tree, "/log/error.log"), "ae");
    FILE *same = fopen(tree_path(&tree, "/log/error.log"), "ae");
    assert_true(log && same);
    assert_int_equal(count(&tree, &ours, "/log/error.log", &files), 1);
    assert_int_equal(count(&tree, &anybody, "/log/error.log", &files), 1);
    assert_int_equal(count(&tree, &other, "/log/error.log", &files), 0);
    assert_int_equal(rename(tree_path(&tree, "/log/error.log"), tree_path(&tree, "/log/error.log-20260301")), 0);
    tree_write(&tree, "/log/error.log", "");
    assert_int_equal(count(&tree, &ours, "/log/error.log", &files), 1);
    assert_true(str_ends(files.items[0].path, "/error.log-20260301"));
    assert_int_equal(remove(tree_path(&tree, "/log/error.log-20260301")), 0);
    assert_int_equal(count(&tree, &ours, "/log/error.log", &files), 1);
    struct stat st;
    assert_int_equal(stat(files.items[0].open, &st), 0);
    assert_int_equal(st.st_ino, files.items[0].inode);
    assert_int_equal(fclose(log) | fclose(same), 0);
}

static void a_file_in_a_directory_of_the_logs_name_is_another(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    WrittenFileVec files;
    FILE *log = fopen(tree_path(&tree, "/log/error.log.d/x"), "ae");
    assert_non_null(log);
    assert_int_equal(count(&tree, &(LogService){0}, "/log/error.log", &files), 0);
    assert_int_equal(fclose(log), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_files_that_a_service_writes_are_found_after_a_rename),
        cmocka_unit_test(a_file_in_a_directory_of_the_logs_name_is_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
