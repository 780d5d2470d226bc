/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/temp-tree.h"

#include <signal.h>

#include "base/clock.h"
#include "store/lock.h"

static void the_second_is_told_who_holds_it(void **state)
{
    TempTree *tree = *state;
    Lock *first = NULL, *second = NULL;
    LockHolder holder;
    Err err;
    assert_int_equal(lock_holder(tree->root, &holder, &err), 1);
    assert_int_equal(lock_take(tree->root, "run 2026-a", 0, &first, &err), 0);
    assert_int_equal(lock_take(tree->root, "run 2026-b", 0, &second, &err), -ERR_BUSY);
    assert_non_null(strstr(err.message, "run 2026-a"));
    assert_non_null(strstr(err.message, arena_printf(tree->arena, "process %d", (int)getpid())));
    assert_int_equal(lock_describe(first, "x", &err), 0);
    assert_int_equal(lock_holder(tree->root, &holder, &err), 0);
    assert_string_equal(holder.what, "x");
    assert_int_equal(holder.pid, getpid());
    lock_release(first);
    assert_int_equal(lock_holder(tree->root, &holder, &err), 1);
    assert_int_equal(lock_take(tree->root, "run 2026-b", 0, &second, &err), 0);
    lock_release(second);
}

static void patience_has_an_end(void **state)
{
    TempTree *tree = *state;
    Lock *first = NULL, *second = NULL;
    Err err;
    assert_int_equal(lock_take(tree->root, "a", 0, &first, &err), 0);
    usec begin = clock_boottime();
    assert_int_equal(lock_take(tree->root, "b", 120 * USEC_PER_MSEC, &second, &err), -ERR_BUSY);
    usec waited = clock_boottime() - begin;
    assert_true(waited >= 120 * USEC_PER_MSEC && waited < 5 * USEC_PER_SEC);
    lock_release(first);
}

static void it_ends_with_its_process(void **state)
{
    TempTree *tree = *state;
    Lock *lock = NULL;
    LockHolder holder;
    Err err;
    pid_t child = fork();
    if (child == 0)
        _exit(lock_take(tree->root, "doomed", 0, &lock, &err) == 0 ? raise(SIGKILL) : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(lock_holder(tree->root, &holder, &err), 1);
    assert_int_equal(lock_take(tree->root, "next", 0, &lock, &err), 0);
    lock_release(lock);
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(the_second_is_told_who_holds_it),
        TREE_TEST(patience_has_an_end),
        TREE_TEST(it_ends_with_its_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
