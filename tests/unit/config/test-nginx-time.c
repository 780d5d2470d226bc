/* SPDX-License-Identifier: Apache-2.0 */
#include "config/nginx-time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define SEC USEC_PER_SEC
#define BAD USEC_INFINITY

static const struct {
    const char *text;
    usec msec_slot, sec_slot; /* as a directive counts; BAD: nginx refuses it */
} times[] = {
    {"60", 60 * SEC, 60 * SEC},
    {"0", 0, 0},
    {"60s", 60 * SEC, 60 * SEC},
    {"1500ms", 1500 * USEC_PER_MSEC, BAD},
    {"1m 30s", 90 * SEC, 90 * SEC},
    {"10m5s", 605 * SEC, 605 * SEC},
    {"1m30", 90 * SEC, 90 * SEC},
    {"5s 3", 8 * SEC, 8 * SEC},
    {" 5", 5 * SEC, 5 * SEC},
    {"5 ", 5 * SEC, 5 * SEC},
    {"1h", 3600 * SEC, 3600 * SEC},
    {"1d", 86400 * SEC, 86400 * SEC},
    {"1w", 604800 * SEC, 604800 * SEC},
    {"1M", BAD, 2592000 * SEC},
    {"1y", BAD, 31536000 * SEC},
    {"5 m", BAD, BAD},
    {"5 3s", BAD, BAD},
    {"1h1h", BAD, BAD},
    {"1s1m", BAD, BAD},
    {"1ms5s", BAD, BAD},
    {"1.5s", BAD, BAD},
    {"-1", BAD, BAD},
    {"", BAD, BAD},
    {"s", BAD, BAD},
    {"9223372036854775807", BAD, BAD},
    {"99999999999999999999999", BAD, BAD},
};

static void times_are_read_as_nginx_reads_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        Err err;
        usec fine = BAD, coarse = BAD;
        int r = nginx_parse_time(times[i].text, &fine, &err);
        if (fine != times[i].msec_slot || (r < 0) != (fine == BAD))
            fail_msg("\"%s\" in milliseconds: %ju", times[i].text, (uintmax_t)fine);
        r = nginx_parse_time_sec(times[i].text, &coarse, &err);
        if (coarse != times[i].sec_slot || (r < 0) != (coarse == BAD))
            fail_msg("\"%s\" in seconds: %ju", times[i].text, (uintmax_t)coarse);
    }
}

static void a_time_is_written_without_loss_or_not_at_all(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *text = NULL;
    Err err;
    assert_int_equal(nginx_format_time(arena, 65 * SEC, &text, &err), 0);
    assert_string_equal(text, "65s");
    assert_int_equal(nginx_format_time(arena, 1500 * USEC_PER_MSEC, &text, &err), 0);
    assert_string_equal(text, "1500ms");
    assert_int_equal(nginx_format_time(arena, 1, &text, &err), -ERR_INVALID);
    assert_int_equal(nginx_format_time(arena, 0, &text, &err), -ERR_INVALID);
    assert_int_equal(nginx_format_time(arena, USEC_INFINITY, &text, &err), -ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_as_nginx_reads_them),
        cmocka_unit_test(a_time_is_written_without_loss_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
