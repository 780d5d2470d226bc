/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/temp-tree.h"

#include "store/db.h"

static const char *const one[] = {"CREATE TABLE t (a TEXT, b INTEGER, c REAL)", NULL};
static const char *const two[] = {"CREATE TABLE t (a TEXT, b INTEGER, c REAL)", "ALTER TABLE t ADD COLUMN d TEXT",
                                  NULL};
static const char *const broken[] = {"CREATE TABLE t (a TEXT); INSERT INTO nothing VALUES (1)", NULL};

static Db *open_db(TempTree *tree, const char *const *migrations)
{
    Db *db = NULL;
    Err err;
    if (db_open(in_tree(tree, "/x.db"), DB_WRITE, migrations, &db, &err) != 0)
        fail_msg("%s", err.message);
    return db;
}

static void values_come_back_as_they_went_in(void **state)
{
    TempTree *tree = *state;
    CLEANUP(db_close) Db *db = open_db(tree, one);
    CLEANUP(statement_close) Statement *insert = NULL;
    CLEANUP(statement_close) Statement *select = NULL;
    Err err;
    int64_t changed = 0;
    assert_int_equal(db_prepare(db, "INSERT INTO t VALUES (?, ?, ?)", &insert, &err), 0);
    statement_bind_text(insert, 1, NULL);
    statement_bind_int(insert, 2, INT64_MAX);
    statement_bind_double(insert, 3, 0.25);
    assert_int_equal(statement_run(insert, &changed, &err), 0);
    assert_int_equal(changed, 1);
    assert_int_equal(db_prepare(db, "SELECT a, b, c FROM t", &select, &err), 0);
    assert_int_equal(statement_step(select, &err), DB_ROW);
    assert_null(statement_text(select, tree->arena, 0));
    assert_int_equal(statement_int(select, 1), INT64_MAX);
    assert_true(statement_double(select, 2) == 0.25);
    assert_int_equal(statement_step(select, &err), 0);
}

static void a_newer_program_migrates_and_an_older_one_refuses(void **state)
{
    TempTree *tree = *state;
    Err err;
    db_close(open_db(tree, one));
    CLEANUP(db_close) Db *db = open_db(tree, two);
    assert_int_equal(db_exec(db, "INSERT INTO t (d) VALUES ('x')", &err), 0);
    Db *old = NULL;
    assert_int_equal(db_open(in_tree(tree, "/x.db"), DB_WRITE, one, &old, &err), -ERR_REFUSED);
    assert_non_null(strstr(err.message, "newer salve"));
}

static void a_reader_of_an_older_format_is_told_what_to_do(void **state)
{
    TempTree *tree = *state;
    Db *db = NULL;
    Err err;
    db_close(open_db(tree, one));
    assert_int_equal(db_open(in_tree(tree, "/x.db"), DB_READ, two, &db, &err), -ERR_REFUSED);
    assert_non_null(strstr(err.message, "salve recover"));
}

static void a_failed_migration_leaves_nothing(void **state)
{
    TempTree *tree = *state;
    Db *db = NULL;
    Err err;
    assert_true(db_open(in_tree(tree, "/x.db"), DB_WRITE, broken, &db, &err) < 0);
    db_close(open_db(tree, one)); /* table t is not there yet */
}

static void a_damaged_file_says_so(void **state)
{
    TempTree *tree = *state;
    Db *db = NULL;
    Err err;
    put_file(tree, "/x.db",
             "this is not a database, but it is long enough to have a header of a hundred bytes........");
    assert_int_equal(db_open(in_tree(tree, "/x.db"), DB_WRITE, one, &db, &err), -ERR_DAMAGED);
    assert_non_null(strstr(err.message, "damaged"));
}

static void reading_finds_nothing_where_nothing_is_and_writes_nothing(void **state)
{
    TempTree *tree = *state;
    Db *db = NULL;
    Err err;
    assert_int_equal(db_open(in_tree(tree, "/x.db"), DB_READ, one, &db, &err), 1);
    assert_null(get_file(tree, "/x.db"));
    db_close(open_db(tree, one));
    assert_int_equal(db_open(in_tree(tree, "/x.db"), DB_READ, one, &db, &err), 0);
    assert_true(db_exec(db, "INSERT INTO t (a) VALUES ('x')", &err) < 0);
    db_close(db);
}

static void the_file_is_private(void **state)
{
    TempTree *tree = *state;
    Db *db = open_db(tree, one);
    assert_int_equal(state_of(tree, "/x.db").mode, 0600);
    assert_int_equal(state_of(tree, "/x.db-wal").mode, 0600);
    db_close(db);
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(values_come_back_as_they_went_in),
        TREE_TEST(a_newer_program_migrates_and_an_older_one_refuses),
        TREE_TEST(a_reader_of_an_older_format_is_told_what_to_do),
        TREE_TEST(a_failed_migration_leaves_nothing),
        TREE_TEST(a_damaged_file_says_so),
        TREE_TEST(reading_finds_nothing_where_nothing_is_and_writes_nothing),
        TREE_TEST(the_file_is_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
