/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void a_time_that_was_printed_for_machines_is_read_back(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const usec times[] = {1, 999999, 1000 * USEC_PER_SEC, 1772334765123456, 4102444799 * USEC_PER_SEC};
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        usec read = 0;
        assert_true(usec_from_rfc3339(usec_to_rfc3339(arena, times[i]), &read));
        assert_int_equal(read, times[i]);
    }
}

static void nothing_else_is_a_time(void **state)
{
    static const char *const wrong[] = {"",
                                        "2026-03-01",
                                        "2026-03-01T03:12:45Z",
                                        "2026-03-01T03:12:45.123456",
                                        "2026-13-01T03:12:45.123456Z",
                                        "2026-03-01T25:12:45.123456Z",
                                        "2026-03-01T03:12:45.12345xZ",
                                        "1901-03-01T03:12:45.123456Z",
                                        "2026-03-01T03:12:45.123456Z ",
                                        " 026-03-01T03:12:45.123456Z"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        usec read = 7;
        assert_false(usec_from_rfc3339(wrong[i], &read));
        assert_int_equal(read, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_that_was_printed_for_machines_is_read_back),
        cmocka_unit_test(nothing_else_is_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
