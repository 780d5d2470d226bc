/* SPDX-License-Identifier: Apache-2.0 */
#include "store/trail-reader.h"

#include "../base/temp-tree.h"

#include "store/runtime.h"

#define LONG_WAIT (20 * USEC_PER_SEC)

static TrailReader *follow(TempTree *tree, int *ret_fd)
{
    TrailReader *reader = NULL;
    Err err;
    assert_int_equal(runtime_open_trail(tree->root, "r", ret_fd, &err), 0);
    assert_int_equal(trail_reader_open(tree->root, "r", &reader, &err), 0);
    return reader;
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void expect_line(TrailReader *reader, const char *text)
{
    Bytes line;
    Err err;
    assert_int_equal(trail_reader_next(reader, &line, &err), 0);
    assert_string_equal(line.data, text);
    assert_int_equal(line.len, strlen(text));
}

static void expect_nothing(TrailReader *reader)
{
    Bytes line;
    Err err;
    assert_int_equal(trail_reader_next(reader, &line, &err), TRAIL_NO_LINE);
}

static void expect_news(TrailReader *reader, usec limit, TrailNews wanted)
{
    sigset_t none;
    TrailNews news;
    Err err;
    sigemptyset(&none);
    assert_int_equal(trail_reader_wait(reader, limit, &none, &news, &err), 0);
    assert_int_equal(news, wanted);
}

static void lines_come_whole_and_in_order(void **state)
{
    int fd = -1;
    CLEANUP(trail_reader_close) TrailReader *reader = follow(*state, &fd);
    say(fd, "one\ntwo\nthr");
    expect_line(reader, "one");
    expect_line(reader, "two");
    expect_nothing(reader);
    say(fd, "ee\n\n");
    expect_line(reader, "three");
    expect_line(reader, "");
    expect_nothing(reader);
    close(fd);
}

static void a_line_may_be_longer_than_what_is_read_at_once(void **state)
{
    TempTree *tree = *state;
    int fd = -1;
    CLEANUP(trail_reader_close) TrailReader *reader = follow(tree, &fd);
    char *text = arena_alloc(tree->arena, 300000);
    memset(text, 'x', 299999);
    say(fd, text);
    expect_nothing(reader);
    say(fd, "\nshort\n");
    expect_line(reader, text);
    expect_line(reader, "short");
    close(fd);
}

static void waiting_ends_with_what_happened(void **state)
{
    int fd = -1;
    CLEANUP(trail_reader_close) TrailReader *reader = follow(*state, &fd);
    expect_news(reader, 1, TRAIL_QUIET);
    say(fd, "one\n");
    expect_news(reader, LONG_WAIT, TRAIL_WRITTEN);
    close(fd);
    expect_news(reader, LONG_WAIT, TRAIL_LEFT);
    expect_line(reader, "one");
}

static void on_signal(int number)
{
    (void)number;
}

static void a_signal_that_came_before_ends_the_wait(void **state)
{
    int fd = -1;
    CLEANUP(trail_reader_close) TrailReader *reader = follow(*state, &fd);
    struct sigaction take = {.sa_handler = on_signal};
    sigset_t blocked;
    sigaction(SIGUSR1, &take, NULL);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    raise(SIGUSR1);
    expect_news(reader, LONG_WAIT, TRAIL_INTERRUPTED);
    close(fd);
}

static void a_run_without_trail_cannot_be_followed(void **state)
{
    TempTree *tree = *state;
    TrailReader *reader = NULL;
    Err err;
    assert_int_equal(trail_reader_open(tree->root, "r", &reader, &err), -ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_whole_and_in_order, tree_setup, tree_teardown),
        cmocka_unit_test_setup_teardown(a_line_may_be_longer_than_what_is_read_at_once, tree_setup, tree_teardown),
        cmocka_unit_test_setup_teardown(waiting_ends_with_what_happened, tree_setup, tree_teardown),
        cmocka_unit_test_setup_teardown(a_signal_that_came_before_ends_the_wait, tree_setup, tree_teardown),
        cmocka_unit_test_setup_teardown(a_run_without_trail_cannot_be_followed, tree_setup, tree_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
