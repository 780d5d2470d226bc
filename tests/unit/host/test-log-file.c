/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include "host/log-file.h"

static Err err;

static LogFile *open_end(TempTree *tree, LogMark *mark)
{
    LogFile *log = NULL;
    if (log_file_open_end(tree_path(tree, "log"), &log, mark, &err) < 0)
        fail_msg("%s", err.message);
    return log;
}

/* The next line's text, or NULL at the end. */
static const char *next(TempTree *tree, LogFile *log)
{
    LogFileLine line;
    int r = log_file_next(log, tree->arena, &line, &err);
    if (r < 0)
        fail_msg("%s", err.message);
    return r == LOG_END ? NULL : line.text.data;
}

static void rename_in(TempTree *tree, const char *from, const char *to)
{
    assert_int_equal(rename(tree_path(tree, from), tree_path(tree, to)), 0);
}

static void only_lines_after_the_opening_are_seen(void **state)
{
    TempTree *tree = *state;
    tree_write(tree, "log", "old\n");
    CLEANUP(log_file_close) LogFile *log = open_end(tree, NULL);
    assert_null(next(tree, log));
    tree_append(tree, "log", "one\ntwo\n");
    assert_string_equal(next(tree, log), "one");
    assert_string_equal(next(tree, log), "two");
    assert_null(next(tree, log));
}

static void half_a_line_waits_for_its_end(void **state)
{
    TempTree *tree = *state;
    tree_write(tree, "log", "");
    CLEANUP(log_file_close) LogFile *log = open_end(tree, NULL);
    tree_append(tree, "log", "ha");
    assert_null(next(tree, log));
    LogMark mark = log_file_mark(log);
    assert_int_equal(mark.offset, 0);
    tree_append(tree, "log", "lf\n");
    assert_string_equal(next(tree, log), "half");
}

static void what_is_written_after_the_rename_is_read_too(void **state)
{
    TempTree *tree = *state;
    tree_write(tree, "log", "");
    CLEANUP(log_file_close) LogFile *log = open_end(tree, NULL);
    rename_in(tree, "log", "log.2");
    tree_write(tree, "log", "new\n");
    assert_string_equal(next(tree, log), "new");
    tree_append(tree, "log.2", "still here\n");
    assert_string_equal(next(tree, log), "still here");
    assert_null(next(tree, log));
    rename_in(tree, "log", "log.1");
    tree_write(tree, "log", "newest\n");
    assert_string_equal(next(tree, log), "newest");
    tree_append(tree, "log.1", "one\n");
    tree_append(tree, "log.2", "two\n");
    assert_string_equal(next(tree, log), "one");
    assert_string_equal(next(tree, log), "two");
    assert_null(next(tree, log));
    struct stat st;
    assert_int_equal(stat(tree_path(tree, "log.2"), &st), 0);
    assert_true(log_file_reads(log, st.st_dev, st.st_ino));
    tree_write(tree, "other", "old\n");
    assert_int_equal(stat(tree_path(tree, "other"), &st), 0);
    assert_false(log_file_reads(log, st.st_dev, st.st_ino));
    assert_int_equal(log_file_add_end(log, tree_path(tree, "other"), &err), 0);
    assert_true(log_file_reads(log, st.st_dev, st.st_ino));
    tree_append(tree, "other", "other\n");
    assert_string_equal(next(tree, log), "other");
}

static void rotation_is_followed_and_nothing_is_lost(void **state)
{
    TempTree *tree = *state;
    tree_write(tree, "log", "");
    CLEANUP(log_file_close) LogFile *log = open_end(tree, NULL);
    tree_append(tree, "log", "one\n");
    rename_in(tree, "log", "log.1");
    tree_append(tree, "log.1", "two\nthree without newline");
    assert_string_equal(next(tree, log), "one");
    assert_string_equal(next(tree, log), "two");
    assert_null(next(tree, log)); /* the new file is not there yet */
    tree_write(tree, "log", "four\n");
    assert_string_equal(next(tree, log), "three without newline");
    assert_string_equal(next(tree, log), "four");
    assert_null(next(tree, log));
}

static void a_mark_is_found_again_after_rotation(void **state)
{
    TempTree *tree = *state;
    LogMark mark;
    tree_write(tree, "log", "old\n");
    log_file_close(open_end(tree, &mark));
    tree_append(tree, "log", "one\n");
    rename_in(tree, "log", "log.1");
    tree_write(tree, "log", "two\n");
    CLEANUP(log_file_close) LogFile *log = NULL;
    assert_int_equal(log_file_open_mark(tree_path(tree, "log"), mark, &log, &err), 0);
    assert_string_equal(next(tree, log), "one");
    assert_string_equal(next(tree, log), "two");
    assert_null(next(tree, log));
}

static void a_mark_continues_in_the_same_file(void **state)
{
    TempTree *tree = *state;
    LogMark mark;
    tree_write(tree, "log", "old\n");
    log_file_close(open_end(tree, &mark));
    tree_append(tree, "log", "one\n");
    CLEANUP(log_file_close) LogFile *log = NULL;
    assert_int_equal(log_file_open_mark(tree_path(tree, "log"), mark, &log, &err), 0);
    assert_string_equal(next(tree, log), "one");
    assert_int_equal(log_file_mark(log).offset, 8);
}

static void a_lost_mark_is_told(void **state)
{
    TempTree *tree = *state;
    LogMark mark;
    tree_write(tree, "log", "a long old content\n");
    log_file_close(open_end(tree, &mark));
    tree_write(tree, "log", "new\n"); /* truncated: the same inode, shorter */
    CLEANUP(log_file_close) LogFile *log = NULL;
    assert_int_equal(log_file_open_mark(tree_path(tree, "log"), mark, &log, &err), LOG_MARK_LOST);
    assert_string_equal(next(tree, log), "new");
}

static void truncation_is_noticed_and_told_once(void **state)
{
    TempTree *tree = *state;
    LogFileLine line;
    tree_write(tree, "log", "some old content\n");
    CLEANUP(log_file_close) LogFile *log = open_end(tree, NULL);
    tree_write(tree, "log", "a\nb\n");
    assert_int_equal(log_file_next(log, tree->arena, &line, &err), 0);
    assert_string_equal(line.text.data, "a");
    assert_true(line.truncated);
    assert_int_equal(log_file_next(log, tree->arena, &line, &err), 0);
    assert_string_equal(line.text.data, "b");
    assert_false(line.truncated);
    assert_false(log_file_is_truncated(log));
    tree_write(tree, "log", "");
    assert_null(next(tree, log));
    assert_true(log_file_is_truncated(log));
}

static void a_line_that_is_too_long_is_cut_once(void **state)
{
    TempTree *tree = *state;
    LogFileLine line;
    tree_write(tree, "log", "");
    CLEANUP(log_file_close) LogFile *log = open_end(tree, NULL);
    size_t len = 50000;
    char *text = arena_alloc(tree->arena, len + 2);
    memset(text, 'x', len);
    text[len] = '\n';
    tree_append(tree, "log", text);
    tree_append(tree, "log", "next\n");
    assert_int_equal(log_file_next(log, tree->arena, &line, &err), 0);
    assert_int_equal(line.text.len, 16 << 10);
    assert_true(line.cut);
    assert_int_equal(log_file_next(log, tree->arena, &line, &err), 0);
    assert_string_equal(line.text.data, "next");
    assert_false(line.cut);
}

static void a_log_that_cannot_be_read_is_an_error(void **state)
{
    TempTree *tree = *state;
    LogFile *log = NULL;
    assert_int_equal(log_file_open_end(tree_path(tree, "none"), &log, NULL, &err), -ERR_NOT_FOUND);
    assert_int_equal(log_file_open_mark(tree_path(tree, "none"), (LogMark){0}, &log, &err), -ERR_NOT_FOUND);
    assert_int_equal(log_file_open_end(tree->root, &log, NULL, &err), -ERR_INVALID);
    assert_null(log);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        T(only_lines_after_the_opening_are_seen),
        T(half_a_line_waits_for_its_end),
        T(what_is_written_after_the_rename_is_read_too),
        T(a_mark_is_found_again_after_rotation),
        T(rotation_is_followed_and_nothing_is_lost),
        T(a_mark_is_found_again_after_rotation),
        T(a_mark_continues_in_the_same_file),
        T(a_lost_mark_is_told),
        T(truncation_is_noticed_and_told_once),
        T(a_line_that_is_too_long_is_cut_once),
        T(a_log_that_cannot_be_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
