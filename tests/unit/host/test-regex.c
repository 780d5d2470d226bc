/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include "base/clock.h"
#include "host/regex.h"

static Err err;

static void a_bad_pattern_is_an_error_with_its_place(void **state)
{
    Regex *regex = NULL;
    size_t offset = 0;
    assert_int_equal(regex_compile("abc(", &regex, &offset, &err), -ERR_INVALID);
    assert_int_equal(offset, 4);
    assert_non_null(strstr(err.message, "abc("));
    assert_null(regex);
}

static void groups_are_found_by_number_and_name(void **state)
{
    CLEANUP(regex_free) Regex *regex = NULL;
    assert_int_equal(regex_compile("(?<pid>\\d+)#(x)?", &regex, NULL, &err), 0);
    assert_int_equal(regex_match(regex, BYTES("worker 42# gone"), &err), 0);
    assert_true(bytes_equal(regex_group(regex, 0), BYTES("42#")));
    assert_true(bytes_equal(regex_named(regex, "pid"), BYTES("42")));
    assert_null(regex_group(regex, 2).data);
    assert_null(regex_group(regex, 9).data);
    assert_null(regex_named(regex, "nobody").data);
    assert_int_equal(regex_match(regex, BYTES("nothing"), &err), REGEX_NO_MATCH);
    assert_null(regex_group(regex, 0).data);
}

static void a_line_that_is_not_utf8_can_be_matched(void **state)
{
    CLEANUP(regex_free) Regex *regex = NULL;
    assert_int_equal(regex_compile("b\\x00c.*end", &regex, NULL, &err), 0);
    assert_int_equal(regex_match(regex,
                                 BYTES("a\xff"
                                       "b\0c\xc3 end"),
                                 &err),
                     0);
}

static void a_pattern_that_explodes_is_an_error_and_no_hang(void **state)
{
    CLEANUP(regex_free) Regex *regex = NULL;
    assert_int_equal(regex_compile("^(([a-z])+.)+[A-Z]([a-z])+$", &regex, NULL, &err), 0);
    usec start = clock_monotonic();
    assert_true(
        regex_match(regex, BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), &err) < 0);
    assert_true(clock_monotonic() - start < 20 * USEC_PER_SEC);
    assert_non_null(strstr(err.message, "([a-z])+"));
}

int main(void)
{
#define T(test) cmocka_unit_test(test)
    const struct CMUnitTest tests[] = {
        T(a_bad_pattern_is_an_error_with_its_place),
        T(groups_are_found_by_number_and_name),
        T(a_line_that_is_not_utf8_can_be_matched),
        T(a_pattern_that_explodes_is_an_error_and_no_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
