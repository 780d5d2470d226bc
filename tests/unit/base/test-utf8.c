/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void well_formed_text_is_valid_to_its_end(void **state)
{
    static const char *const good[] = {
        "", "ascii", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\x8d", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(utf8_valid_len(bytes_of(good[i])), bytes_of(good[i]).len);
}

static void overlong_forms_surrogates_and_stumps_are_not_valid(void **state)
{
    static const char *const bad[] = {"\xc0\x80",     "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xff",         "\x80",         "\xc3",         "\xe2\x82",
                                      "\xf0\x9f\x90", "\xc3(",        "\xe2\x82\x28", "\xf8\x88\x80\x80\x80"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(utf8_valid_len(bytes_of(bad[i])), 0);
}

static void characters_are_counted_not_bytes(void **state)
{
    assert_int_equal(utf8_count(BYTES("a\xc3\xa4\xe2\x82\xac")), 3);
    assert_int_equal(utf8_count(BYTES("\xff\xfe")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_text_is_valid_to_its_end),
        cmocka_unit_test(overlong_forms_surrogates_and_stumps_are_not_valid),
        cmocka_unit_test(characters_are_counted_not_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
