/* SPDX-License-Identifier: Apache-2.0 */
#include "config/unit-time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define SEC USEC_PER_SEC

static const struct {
    const char *text;
    usec time; /* 1: refused */
} times[] = {
    {"90", 90 * SEC},
    {"90s", 90 * SEC},
    {"1min 30s", 90 * SEC},
    {"1min30", 90 * SEC},
    {"2 min", 120 * SEC},
    {"5m", 300 * SEC},
    {"100ms", SEC / 10},
    {"1.5s", SEC + SEC / 2},
    {".5s", SEC / 2},
    {"1h 2m 3s 4ms 5us", 3723 * SEC + 4005},
    {"1 day", 86400 * SEC},
    {"1M", 2629800 * SEC},
    {"0", 0},
    {"infinity", USEC_INFINITY},
    {" infinity ", USEC_INFINITY},
    {"", 1},
    {"abc", 1},
    {"-5", 1},
    {"5x", 1},
    {"1.s", 1},
    {"12.34.56", 1},
    {"99999999999999999999", 1},
    {"infinity 5", 1},
};

static void time_spans_are_read_as_systemd_reads_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        Err err;
        usec time = 1;
        int r = unit_parse_time(times[i].text, &time, &err);
        if (time != times[i].time || (r < 0) != (time == 1))
            fail_msg("\"%s\": %ju", times[i].text, (uintmax_t)time);
    }
}

static void a_written_time_span_reads_back(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    static const usec spans[] = {0, 65 * SEC, 1500 * USEC_PER_MSEC, 7, USEC_INFINITY};
    static const char *const texts[] = {"0s", "65s", "1500ms", "7us", "infinity"};
    for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
        usec back = 1;
        Err err;
        assert_string_equal(unit_format_time(arena, spans[i]), texts[i]);
        assert_int_equal(unit_parse_time(texts[i], &back, &err), 0);
        assert_true(back == spans[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_spans_are_read_as_systemd_reads_them),
        cmocka_unit_test(a_written_time_span_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
