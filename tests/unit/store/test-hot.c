/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/temp-tree.h"

#include "store/hot.h"

static Hot some_hot(void)
{
    Hot hot = {.run_id = "20260301T031245-7f3a",
               .commit = "c0ffee",
               .phase = HOT_APPLYING,
               .attempts = 0,
               .deadline = 123456789012,
               .program = "/var/lib/a b/salve"};
    Err err;
    assert_int_equal(hot_boot_id(hot.boot_id, &err), 0);
    return hot;
}

static void what_was_written_last_is_read(void **state)
{
    TempTree *tree = *state;
    Hot hot = some_hot(), found;
    Err err;
    assert_int_equal(hot_read(tree->root, &found, &err), HOT_NONE);
    for (unsigned i = 0; i < 5; i++) {
        hot.attempts = i;
        hot.phase = (HotPhase)(i % HOT_PHASE_COUNT);
        assert_int_equal(hot_write(tree->root, &hot, &err), 0);
        assert_int_equal(hot_read(tree->root, &found, &err), 0);
        assert_memory_equal(&found, &hot, sizeof hot);
    }
    assert_int_equal(hot_remove(tree->root, &err), 0);
    assert_int_equal(hot_remove(tree->root, &err), HOT_NONE);
    assert_int_equal(hot_read(tree->root, &found, &err), HOT_NONE);
}

static void it_never_grows(void **state)
{
    TempTree *tree = *state;
    const Hot hot = some_hot();
    struct stat first, last;
    Err err;
    assert_int_equal(hot_write(tree->root, &hot, &err), 0);
    assert_int_equal(stat(in_tree(tree, "/hot"), &first), 0);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(hot_write(tree->root, &hot, &err), 0);
    assert_int_equal(stat(in_tree(tree, "/hot"), &last), 0);
    assert_int_equal(first.st_ino, last.st_ino);
    assert_int_equal(first.st_size, last.st_size);
    assert_int_equal(first.st_blocks, last.st_blocks);
}

static void a_torn_write_leaves_the_one_before(void **state)
{
    TempTree *tree = *state;
    Hot hot = some_hot(), found;
    Err err;
    for (unsigned writes = 2; writes < 4; writes++) {
        for (unsigned i = 1; i <= writes; i++) {
            hot.attempts = i;
            assert_int_equal(hot_write(tree->root, &hot, &err), 0);
        }
        /* The last write went to slot (writes - 1) % 2; half of it did not arrive. */
        int fd = open(in_tree(tree, "/hot"), O_WRONLY | O_CLOEXEC);
        assert_int_equal(pwrite(fd, "garbage", 7, (off_t)((writes - 1) % 2 * 4096 + 100)), 7);
        fd_close(fd);
        assert_int_equal(hot_read(tree->root, &found, &err), 0);
        assert_int_equal(found.attempts, writes - 1);
        assert_int_equal(hot_remove(tree->root, &err), 0);
    }
}

static void garbage_is_an_error_and_not_an_absence(void **state)
{
    TempTree *tree = *state;
    Hot found;
    Err err;
    put_file(tree, "/hot", "garbage");
    assert_int_equal(hot_read(tree->root, &found, &err), -ERR_DAMAGED);
    put_file(tree, "/hot", "");
    assert_int_equal(hot_read(tree->root, &found, &err), -ERR_DAMAGED);
}

enum { WAIT_SEC = 20 };

static void put_special(TempTree *tree, const char *path, mode_t kind)
{
    if (kind == S_IFIFO)
        assert_int_equal(mkfifo(in_tree(tree, path), 0600), 0);
    else if (kind == S_IFLNK)
        assert_int_equal(symlink("/nowhere", in_tree(tree, path)), 0);
    else
        put_dir(tree, path);
}

static void what_is_no_file_is_damage_that_nobody_waits_for_and_is_set_aside(void **state)
{
    TempTree *tree = *state;
    const Hot hot = some_hot();
    Hot found;
    Err err;
    static const mode_t kinds[] = {S_IFIFO, S_IFLNK, S_IFDIR};
    alarm(WAIT_SEC);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        put_special(tree, "/hot", kinds[i]);
        assert_int_equal(hot_read(tree->root, &found, &err), -ERR_DAMAGED);
        assert_int_equal(hot_write(tree->root, &hot, &err), 0);
        assert_int_equal(hot_read(tree->root, &found, &err), 0);
        assert_int_equal(hot_remove(tree->root, &err), 0);
        put_special(tree, "/hot", kinds[i]);
        assert_int_equal(hot_remove(tree->root, &err), 0);
        assert_int_equal(hot_read(tree->root, &found, &err), HOT_NONE);
    }
    alarm(0);
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(what_was_written_last_is_read),
        TREE_TEST(it_never_grows),
        TREE_TEST(a_torn_write_leaves_the_one_before),
        TREE_TEST(garbage_is_an_error_and_not_an_absence),
        TREE_TEST(what_is_no_file_is_damage_that_nobody_waits_for_and_is_set_aside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
