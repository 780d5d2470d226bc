/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/log-tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 20000, LARGE = 64 * 1024 * 1024 };

static const usec first_time = 1750000000 * USEC_PER_SEC;

typedef struct Seen {
    size_t lines;
    usec oldest, newest;
    char last[64];
} Seen;

static void see(Bytes line, usec realtime, void *user)
{
    Seen *seen = user;
    if (seen->lines++ == 0)
        seen->oldest = realtime;
    seen->newest = realtime;
    snprintf(seen->last, sizeof seen->last, "%.*s", (int)line.len, line.data);
}

/* One Gunicorn line a second, and a traceback behind the last one. */
static void write_log(char *path, int lines)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    for (int i = 0; i < lines; i++) {
        time_t when = (time_t)(first_time / USEC_PER_SEC) + i;
        struct tm tm;
        char text[64];
        gmtime_r(&when, &tm);
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S +0000", &tm);
        fprintf(file, "[%s] [100] [ERROR] Exception in worker process\n", text);
    }
    fprintf(file, "Traceback (most recent call last):\n");
    fclose(file);
}

static LogTail tail(const char *path, usec since, uint64_t most, Seen *seen)
{
    LogTail result;
    Err err;
    *seen = (Seen){0};
    if (log_tail(LOG_SOURCE_GUNICORN, path, since, most, see, seen, &result, &err) < 0)
        fail_msg("%s", err.message);
    return result;
}

static void only_lines_since_then_are_seen(void **state)
{
    char path[] = "/tmp/salve-test-XXXXXX";
    write_log(path, MANY);
    Seen seen;
    LogTail result = tail(path, first_time + (MANY - 10) * USEC_PER_SEC, LARGE, &seen);
    assert_true(result.complete);
    assert_int_equal(seen.lines, 11);
    assert_true(seen.oldest == first_time + (MANY - 10) * USEC_PER_SEC);
    unlink(path);
}

static void a_line_without_time_has_the_one_before_it(void **state)
{
    char path[] = "/tmp/salve-test-XXXXXX";
    write_log(path, 3);
    Seen seen;
    tail(path, first_time + 2 * USEC_PER_SEC, LARGE, &seen);
    assert_int_equal(seen.lines, 2);
    assert_true(seen.newest == first_time + 2 * USEC_PER_SEC);
    assert_string_equal(seen.last, "Traceback (most recent call last):");
    unlink(path);
}

static void a_whole_file_is_complete(void **state)
{
    char path[] = "/tmp/salve-test-XXXXXX";
    write_log(path, MANY);
    Seen seen;
    LogTail result = tail(path, 1, LARGE, &seen);
    assert_true(result.complete);
    assert_int_equal(seen.lines, MANY + 1);
    assert_true(result.oldest == first_time);
    unlink(path);
}

static void a_bounded_look_tells_that_there_was_more(void **state)
{
    char path[] = "/tmp/salve-test-XXXXXX";
    write_log(path, MANY);
    Seen seen;
    LogTail result = tail(path, 1, 10000, &seen);
    assert_false(result.complete);
    assert_true(seen.lines > 10 && seen.lines < 1000);
    assert_true(result.oldest == seen.oldest);
    unlink(path);
}

static void a_missing_file_is_no_empty_log(void **state)
{
    Seen seen = {0};
    LogTail result;
    Err err;
    assert_true(log_tail(LOG_SOURCE_GUNICORN, "/nowhere/x.log", 1, LARGE, see, &seen, &result, &err) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_lines_since_then_are_seen), cmocka_unit_test(a_line_without_time_has_the_one_before_it),
        cmocka_unit_test(a_whole_file_is_complete),       cmocka_unit_test(a_bounded_look_tells_that_there_was_more),
        cmocka_unit_test(a_missing_file_is_no_empty_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
