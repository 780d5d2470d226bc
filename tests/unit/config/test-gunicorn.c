/* SPDX-License-Identifier: Apache-2.0 */
#include "config/gunicorn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void the_table_is_sorted_and_no_flag_stands_twice(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    size_t n;
    const GunicornSetting *all = gunicorn_settings(&n);
    StringVec flags = {0};
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(gunicorn_setting(all[i].name), &all[i]);
        assert_true(i == 0 || strcmp(all[i - 1].name, all[i].name) < 0);
        for (const char *const *flag = all[i].flags; flag && *flag; flag++) {
            if (strings_contain(&flags, *flag))
                fail_msg("%s stands twice", *flag);
            *vec_push(arena, &flags) = *flag;
        }
    }
    assert_null(gunicorn_setting("timeot"));
    assert_null(gunicorn_setting("TIMEOUT"));
}

static void whole_numbers_are_read_as_python_reads_them(void **state)
{
    (void)state;
    uint64_t value = 7;
    Err err;
    assert_int_equal(gunicorn_parse_int(" +60 ", &value, &err), 0);
    assert_int_equal(value, 60);
    static const char *const bad[] = {"", "60.5", "x", "-1", "6 0", "99999999999", "None"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(gunicorn_parse_int(bad[i], &value, &err), -ERR_INVALID);
    assert_int_equal(value, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sorted_and_no_flag_stands_twice),
        cmocka_unit_test(whole_numbers_are_read_as_python_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
