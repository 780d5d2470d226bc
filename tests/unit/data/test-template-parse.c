/* SPDX-License-Identifier: Apache-2.0 */
#include "data/template-parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include "config/escape.h"
#include <cmocka.h>

static const Template *parse(Arena *arena, const char *text)
{
    const Template *template = NULL;
    Err err;
    if (template_parse(arena, "t.conf", bytes_of(text), &template, &err) < 0)
        fail_msg("%s", err_text(&err));
    return template;
}

static void assert_bad(const char *text, const char *expected)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Template *template = NULL;
    Err err;
    assert_int_equal(template_parse(arena, "t.conf", bytes_of(text), &template, &err), -ERR_INVALID);
    assert_null(template);
    if (!strstr(err_text(&err), expected))
        fail_msg("expected \"%s\" in \"%s\"", expected, err_text(&err));
}

static void the_first_line_names_the_escaping(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_string_equal(template_escape_name(parse(arena, "{{! escape: nginx }}\nx")), "nginx");
    assert_null(template_escape_name(parse(arena, "x {{! escape: nginx }}\n")));
    assert_null(template_escape_name(parse(arena, "{{! just a comment }}\n")));
    assert_bad("{{! escape: html }}\n", "t.conf:1:1: unknown escaping \"html\"");
}

static void every_escaper_can_be_named(void **state)
{
    for (const char *const *name = escape_names(); *name; name++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        const Template *template = parse(arena, arena_printf(arena, "{{! escape: %s }}", *name));
        assert_string_equal(template_escape_name(template), *name);
    }
}

static void errors_have_line_and_column_in_characters(void **state)
{
    assert_bad("a\n\xc3\xa4 {{ x", "t.conf:2:3: a tag that is not closed with }}");
    assert_bad("{{=<% %>=}}", "t.conf:1:1: delimiters cannot be changed");
    assert_bad("\n {{ a b }}", "t.conf:2:2: \"a b\" is not a name");
    assert_bad("{{}}", "is not a name");
    assert_bad("{{ a..b }}", "is not a name");
    assert_bad("{{/a}}", "section \"a\" ends here but never began");
    assert_bad("{{#a}}\n", "t.conf:1:1: section \"a\" is never ended");
    assert_bad("{{#a}}\n{{#b}}\n{{/a}}\n{{/b}}", "t.conf:3:1: section \"b\" (line 2) is still open where \"a\" ends");
    assert_bad("{{> ../etc/passwd }}", "is not a name");
}

static void sections_cannot_be_nested_without_end(void **state)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(4096);
    for (int i = 0; i <= TEMPLATE_MAX_NESTING; i++)
        strbuf_add_str(&text, "{{#a}}");
    assert_bad(strbuf_str(&text), "nested too deep");
}

static void names_and_partials_are_listed_once(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Template *template = parse(arena, "{{a.b}} {{#c}}{{a.b}}{{.}}{{/c}} {{>head}} {{^d}}{{/d}}");
    StringVec names = {0}, partials = {0};
    template_names(arena, template, &names, &partials);
    assert_int_equal(names.n, 4);
    assert_true(strings_contain(&names, "a.b") && strings_contain(&names, "d"));
    assert_int_equal(partials.n, 1);
    assert_string_equal(partials.items[0], "head");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_names_the_escaping),
        cmocka_unit_test(every_escaper_can_be_named),
        cmocka_unit_test(errors_have_line_and_column_in_characters),
        cmocka_unit_test(sections_cannot_be_nested_without_end),
        cmocka_unit_test(names_and_partials_are_listed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
