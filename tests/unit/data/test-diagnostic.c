/* SPDX-License-Identifier: Apache-2.0 */
#include "data/diagnostic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const char *render(Arena *arena, Diagnostics *diags)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    diagnostics_render(diags, false, &out);
    return strbuf_dup(arena, &out);
}

static void an_error_shows_its_line_with_a_caret(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Source source = {"x.yaml", BYTES("one\n  restrat: true\n")};
    Diagnostics diags = diagnostics_new(arena);
    diag_error_at(&diags, &source, (Pos){2, 3}, "unknown key \"restrat\" in change \"unit\"");
    diag_did_you_mean(&diags, "restrat", (const char *const[]){"unit", "restart", NULL});
    assert_string_equal(render(arena, &diags),
                        "x.yaml:2:3: unknown key \"restrat\" in change \"unit\" (did you mean \"restart\"?)\n"
                        "    2 |   restrat: true\n"
                        "      |   ^\n");
}

static void the_caret_stands_right_behind_tabs_and_wide_text(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Source source = {"x", BYTES("\t\xc3\xa4\xc3\xb6: \x1b[31mred\xff\r\n")};
    Diagnostics diags = diagnostics_new(arena);
    diag_error_at(&diags, &source, (Pos){1, 6}, "here");
    assert_string_equal(render(arena, &diags), "x:1:6: here\n"
                                               "    1 | \t\xc3\xa4\xc3\xb6: \\u001b[31mred\\xff\n"
                                               "      | \t    ^\n");
    Source hidden = {"x\033[2J", BYTES("a\xe2\x80\xae"
                                       "b\n")};
    Diagnostics others = diagnostics_new(arena);
    diag_error_at(&others, &hidden, (Pos){1, 3}, "no \033[31m");
    assert_string_equal(render(arena, &others), "x\\u001b[2J:1:3: no ?[31m\n"
                                                "    1 | a\\u202eb\n"
                                                "      |        ^\n");
}

static void several_are_sorted_by_place_and_warnings_are_marked(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Source source = {"x", BYTES("a\nb\n")};
    Node late = {.source = &source, .pos = {2, 1}}, early = {.source = &source, .pos = {1, 1}};
    Diagnostics diags = diagnostics_new(arena);
    diag_warning(&diags, &late, "second");
    diag_error(&diags, &early, "first");
    diag_error(&diags, NULL, "nowhere");
    assert_string_equal(render(arena, &diags), "nowhere\n"
                                               "x:1:1: first\n    1 | a\n      | ^\n"
                                               "x:2:1: warning: second\n    2 | b\n      | ^\n");
}

static void no_more_than_a_screenful_is_kept_and_the_rest_counted(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Diagnostics diags = diagnostics_new(arena);
    for (unsigned i = 0; i < DIAGNOSTICS_MAX + 7; i++)
        diag_error(&diags, NULL, "error %u", i);
    diag_hint(&diags, "belongs to one that was dropped");
    assert_int_equal(diags.errors, DIAGNOSTICS_MAX + 7);
    const char *text = render(arena, &diags);
    assert_non_null(strstr(text, "and 7 more\n"));
    assert_null(strstr(text, "belongs to"));
}

static void an_err_names_the_first_error_and_counts_the_others(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Source source = {"x", BYTES("a\nb\nc\n")};
    Diagnostics diags = diagnostics_new(arena);
    Err err;
    diag_warning(&diags, &(Node){.source = &source, .pos = {1, 1}}, "only a warning");
    assert_int_equal(diagnostics_to_err(&diags, &err), 0);
    diag_error(&diags, &(Node){.source = &source, .pos = {3, 1}}, "third");
    diag_error(&diags, &(Node){.source = &source, .pos = {2, 1}}, "second");
    diag_hint(&diags, "fix it");
    assert_int_equal(diagnostics_to_err(&diags, &err), -ERR_INVALID);
    assert_string_equal(err_text(&err), "x:2:1: second (fix it), and 1 more");
}

static void a_terminal_never_gets_control_characters_of_the_input(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Diagnostics diags = diagnostics_new(arena);
    diag_error(&diags, NULL, "key \"%s\"", "\033[2J\n");
    assert_string_equal(render(arena, &diags), "key \"?[2J?\"\n");
}

static void a_long_line_is_shown_around_the_caret(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    char *line = arena_alloc(arena, 2001);
    memset(line, 'x', 2000);
    line[1500] = '!';
    Source source = {"x", {line, 2000}};
    Diagnostics diags = diagnostics_new(arena);
    diag_error_at(&diags, &source, (Pos){1, 1501}, "here");
    const char *text = render(arena, &diags);
    assert_true(strlen(text) < 400);
    const char *mark = strchr(text, '!'), *caret = strchr(text, '^');
    assert_int_equal(mark - strstr(text, " 1 | "), caret - strstr(text, "   | "));
}

static void an_err_with_a_place_keeps_it(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Diagnostics diags = diagnostics_new(arena);
    Err err;
    err_at(&err, ERR_INVALID, "t.conf", 3, 4, "unknown name");
    diag_from_err(&diags, NULL, &err);
    assert_string_equal(render(arena, &diags), "t.conf:3:4: unknown name\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_shows_its_line_with_a_caret),
        cmocka_unit_test(the_caret_stands_right_behind_tabs_and_wide_text),
        cmocka_unit_test(several_are_sorted_by_place_and_warnings_are_marked),
        cmocka_unit_test(no_more_than_a_screenful_is_kept_and_the_rest_counted),
        cmocka_unit_test(an_err_names_the_first_error_and_counts_the_others),
        cmocka_unit_test(a_terminal_never_gets_control_characters_of_the_input),
        cmocka_unit_test(a_long_line_is_shown_around_the_caret),
        cmocka_unit_test(an_err_with_a_place_keeps_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
