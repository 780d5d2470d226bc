/* SPDX-License-Identifier: Apache-2.0 */
#include "report/ink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void foreign_bytes_cannot_steer_the_terminal(void **state)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1000);
    Ink ink = {&out, false};
    ink_text(&ink, INK_RED,
             "a\033[2Jb\tc\xff\xc2\x9b"
             "d\xe2\x80\xae"
             "e\xc3\xa4\n");
    assert_string_equal(strbuf_str(&out), "a\\u001b[2Jb\tc\\xff\\u009bd\\u202ee\xc3\xa4\n");
}

static void colour_is_written_only_where_it_is_wanted(void **state)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1000);
    Ink ink = {&out, true};
    ink_printf(&ink, INK_GREEN, "%d", 7);
    ink_text(&ink, INK_PLAIN, "x");
    ink_text(&ink, INK_RED, "");
    ink_text(&ink, INK_RED, "two\nlines\n");
    assert_string_equal(strbuf_str(&out), "\033[32m7\033[0mx\033[31mtwo\033[0m\n\033[31mlines\033[0m\n");
}

static void clipping_counts_columns_and_keeps_colours_whole(void **state)
{
    assert_int_equal(ink_width("\033[32mgr\xc3\xbcn\033[0m"), 4);
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1000);
    ink_clip(&out, "\033[32mgr\xc3\xbcner Tee\033[0m", 5);
    assert_string_equal(strbuf_str(&out), "\033[32mgr\xc3\xbcn\xe2\x80\xa6\033[0m");
    strbuf_clear(&out);
    ink_clip(&out, "short", 5);
    assert_string_equal(strbuf_str(&out), "short");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_bytes_cannot_steer_the_terminal),
        cmocka_unit_test(colour_is_written_only_where_it_is_wanted),
        cmocka_unit_test(clipping_counts_columns_and_keeps_colours_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
