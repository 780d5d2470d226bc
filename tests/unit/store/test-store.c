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

enum { WAIT_SEC = 30 };

/* Opens the state for writing once and leaves it behind. */
static int open_once(TempTree *tree, char ret_lost[2][ASIDE_NAME_SIZE], Err *err)
{
    CLEANUP(store_close) Store store = {0};
    alarm(WAIT_SEC);
    int r = store_open_write(in_tree(tree, "/state"), "run x", 0, &store, err);
    alarm(0);
    memcpy(ret_lost[0], store.lost_ledger, ASIDE_NAME_SIZE);
    memcpy(ret_lost[1], store.lost_repo, ASIDE_NAME_SIZE);
    return r;
}

static void take_name(TempTree *tree, const char *path, mode_t kind)
{
    nftw(in_tree(tree, path), remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    if (kind == S_IFIFO)
        assert_int_equal(mkfifo(in_tree(tree, path), 0600), 0);
    else if (kind == S_IFLNK)
        assert_int_equal(symlink("/etc/passwd", in_tree(tree, path)), 0);
    else
        put_dir(tree, path);
}

static const mode_t kinds[] = {S_IFIFO, S_IFLNK, S_IFDIR};

static void a_ledger_that_is_no_file_is_set_aside(void **state)
{
    TempTree *tree = *state;
    static const char *const names[] = {"/state/ledger.db", "/state/ledger.db-wal"};
    char lost[2][ASIDE_NAME_SIZE];
    Err err = {0};
    assert_int_equal(open_once(tree, lost, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(kinds) * ARRAY_LEN(names); i++) {
        take_name(tree, names[i % ARRAY_LEN(names)], kinds[i / ARRAY_LEN(names)]);
        if (open_once(tree, lost, &err) != 0)
            fail_msg("%s", err.message);
        assert_true(str_starts(lost[0], "ledger.db.damaged-"));
        assert_int_equal(open_once(tree, lost, &err), 0);
        assert_string_equal(lost[0], "");
    }
}

static void a_part_of_the_snapshots_that_is_of_another_kind_is_told_or_set_aside(void **state)
{
    TempTree *tree = *state;
    char lost[2][ASIDE_NAME_SIZE];
    Err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        assert_int_equal(open_once(tree, lost, &err), 0);
        take_name(tree, "/state/snapshots.git/HEAD", kinds[i]);
        assert_int_equal(open_once(tree, lost, &err), -ERR_DAMAGED);
        assert_non_null(strstr(err.message, "snapshots.git/HEAD is a "));
        put_file(tree, "/state/hot", ""); /* a run must be finished */
        if (open_once(tree, lost, &err) != 0)
            fail_msg("%s", err.message);
        assert_true(str_starts(lost[1], "snapshots.git.damaged-"));
        assert_int_equal(unlink(in_tree(tree, "/state/hot")), 0);
    }
}

static void a_lock_that_is_no_file_is_told(void **state)
{
    TempTree *tree = *state;
    char lost[2][ASIDE_NAME_SIZE];
    LockHolder holder;
    Err err = {0};
    assert_int_equal(open_once(tree, lost, &err), 0);
    take_name(tree, "/state/lock", S_IFIFO);
    assert_int_equal(open_once(tree, lost, &err), -ERR_REFUSED);
    alarm(WAIT_SEC);
    assert_int_equal(lock_holder(in_tree(tree, "/state"), &holder, &err), -ERR_REFUSED);
    alarm(0);
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(everything_is_made_private_on_first_use),
        TREE_TEST(reading_makes_nothing_and_needs_no_lock),
        TREE_TEST(a_state_directory_open_to_others_is_refused_with_the_cure),
        TREE_TEST(ids_sort_by_time_and_differ),
        TREE_TEST(a_ledger_that_is_no_file_is_set_aside),
        TREE_TEST(a_part_of_the_snapshots_that_is_of_another_kind_is_told_or_set_aside),
        TREE_TEST(a_lock_that_is_no_file_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
