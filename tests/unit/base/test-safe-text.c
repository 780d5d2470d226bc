/* SPDX-License-Identifier: Apache-2.0 */
#include "base/safe-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/cleanup.h"

static const struct {
    const char *given;
    SafeFlags flags;
    const char *shown;
} texts[] = {
    {"plain\ttext\n", SAFE_PLAIN, "plain\ttext\n"},
    {"\033]0;title\007\033[2J", SAFE_PLAIN, "\\u001b]0;title\\u0007\\u001b[2J"},
    {"\r\b\x7f", SAFE_PLAIN, "\\u000d\\u0008\\u007f"},
    {"c1 \xc2\x9b", SAFE_PLAIN, "c1 \\u009b"},
    {"bidi \xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c", SAFE_PLAIN, "bidi \\u202e\\u2066\\u200f\\u061c"},
    {"unseen \xe2\x80\x8b\xef\xbb\xbf\xe2\x80\xa8\xf3\xa0\x80\x81", SAFE_PLAIN,
     "unseen \\u200b\\ufeff\\u2028\\udb40\\udc01"},
    {"no UTF-8 \xff\xc0\x80", SAFE_PLAIN, "no UTF-8 \\xff\\xc0\\x80"},
    {"\xc3\xa4 \xe2\x86\x92 \xe2\x80\xa6", SAFE_PLAIN, "\xc3\xa4 \xe2\x86\x92 \xe2\x80\xa6"},
    {"\xc3\xa4 \xe2\x86\x92 \xe2\x80\xa6 \xf0\x9f\x98\x80", SAFE_ASCII, "\\u00e4 -> ... \\ud83d\\ude00"},
    {"\xe2\x86\x92", SAFE_ASCII | SAFE_JSON, "\\u2192"},
    {"\033[31mred\033[0m\033[2J", SAFE_COLOURS, "\033[31mred\033[0m\\u001b[2J"},
    {"\033[2A\r\033[J\033[1m", SAFE_COLOURS | SAFE_MOVES, "\033[2A\r\033[J\033[1m"},
    {"\033[2A\033[1m", SAFE_COLOURS, "\\u001b[2A\033[1m"},
};

static void nothing_steers_a_terminal(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1000);
        safe_add(&out, bytes_of(texts[i].given), texts[i].flags);
        assert_string_equal(strbuf_str(&out), texts[i].shown);
        CLEANUP(strbuf_free) StrBuf again = STRBUF_INIT(1000);
        safe_add(&again, bytes_of(strbuf_str(&out)), texts[i].flags);
        assert_string_equal(strbuf_str(&again), texts[i].shown);
    }
}

static void the_locale_may_ask_for_ascii(void **state)
{
    static const struct {
        const char *lc_all, *lang;
        SafeFlags flags;
    } locales[] = {
        {"", "", SAFE_PLAIN},           {"", "C", SAFE_ASCII},
        {"", "C.UTF-8", SAFE_PLAIN},    {"POSIX", "en_US.UTF-8", SAFE_ASCII},
        {"", "de_DE.utf8", SAFE_PLAIN}, {"", "de_DE@euro", SAFE_ASCII},
    };
    unsetenv("LC_CTYPE");
    for (size_t i = 0; i < ARRAY_LEN(locales); i++) {
        assert_int_equal(setenv("LC_ALL", locales[i].lc_all, 1), 0);
        assert_int_equal(setenv("LANG", locales[i].lang, 1), 0);
        assert_int_equal(safe_locale(), locales[i].flags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_steers_a_terminal),
        cmocka_unit_test(the_locale_may_ask_for_ascii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
