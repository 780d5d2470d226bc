/* SPDX-License-Identifier: Apache-2.0 */
#include "data/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "data/json.h"
#include <cmocka.h>

typedef struct Case {
    const char *what, *template, *context, *expected;
    const char *partial; /* what {{> partial }} is */
} Case;

/* Cases after the core modules of the Mustache specification, each with the same template, data and outcome. */
static const Case cases[] = {
    {"no interpolation", "Hello from {Mustache}!\n", "{}", "Hello from {Mustache}!\n"},
    {"basic interpolation", "Hello, {{subject}}!\n", "{\"subject\":\"world\"}", "Hello, world!\n"},
    {"blanks in the tag", "| {{ string }} |", "{\"string\":\"---\"}", "| --- |"},
    {"integer", "\"{{mph}} miles an hour!\"", "{\"mph\":85}", "\"85 miles an hour!\""},
    {"decimal", "\"{{power}} jiggawatts!\"", "{\"power\":1.21}", "\"1.21 jiggawatts!\""},
    {"dotted names", "\"{{a.b.c.name}}\"", "{\"a\":{\"b\":{\"c\":{\"name\":\"Phil\"}}}}", "\"Phil\""},
    {"dotted names, first part from inside", "\"{{#a}}{{b.c.d.e.name}}{{/a}}\"",
     "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"name\":\"Phil\"}}}}},\"b\":{\"c\":{\"d\":{\"e\":{\"name\":\"Wrong\"}}}}}",
     "\"Phil\""},
    {"implicit iterator", "Hello, {{.}}!\n", "\"world\"", "Hello, world!\n"},
    {"interpolation keeps surrounding whitespace", "| {{string}} |", "{\"string\":\"---\"}", "| --- |"},
    {"standalone interpolation is no standalone", "  {{string}}\n", "{\"string\":\"---\"}", "  ---\n"},
    {"true section", "\"{{#boolean}}shown{{/boolean}}\"", "{\"boolean\":true}", "\"shown\""},
    {"false section", "\"{{#boolean}}hidden{{/boolean}}\"", "{\"boolean\":false}", "\"\""},
    {"null is false", "\"{{#null}}hidden{{/null}}\"", "{\"null\":null}", "\"\""},
    {"section context", "\"{{#context}}Hi {{name}}.{{/context}}\"", "{\"context\":{\"name\":\"Joe\"}}", "\"Hi Joe.\""},
    {"parent contexts", "\"{{#sec}}{{a}}, {{b}}, {{c.d}}{{/sec}}\"",
     "{\"a\":\"foo\",\"b\":\"wrong\",\"sec\":{\"b\":\"bar\"},\"c\":{\"d\":\"baz\"}}", "\"foo, bar, baz\""},
    {"variable test", "\"{{#foo}}{{.}} is {{foo}}{{/foo}}\"", "{\"foo\":\"bar\"}", "\"bar is bar\""},
    {"list", "\"{{#list}}{{item}}{{/list}}\"", "{\"list\":[{\"item\":1},{\"item\":2},{\"item\":3}]}", "\"123\""},
    {"empty list", "\"{{#list}}Yay lists!{{/list}}\"", "{\"list\":[]}", "\"\""},
    {"nested, same name", "| A {{#bool}}B {{#bool}}C{{/bool}} D{{/bool}} E |", "{\"bool\":true}", "| A B C D E |"},
    {"nested, false", "| A {{#bool}}B {{#bool}}C{{/bool}} D{{/bool}} E |", "{\"bool\":false}", "| A  E |"},
    {"iterator over strings", "\"{{#list}}({{.}}){{/list}}\"", "{\"list\":[\"a\",\"b\",\"c\"]}", "\"(a)(b)(c)\""},
    {"iterator over lists", "\"{{#list}}({{#.}}{{.}}{{/.}}){{/list}}\"", "{\"list\":[[1,2,3],[\"a\",\"b\"]]}",
     "\"(123)(ab)\""},
    {"section keeps surrounding whitespace", " | {{#boolean}}\t|\t{{/boolean}} | \n", "{\"boolean\":true}",
     " | \t|\t | \n"},
    {"section keeps inner lines", " | {{#boolean}} {{! Important Whitespace }}\n {{/boolean}} | \n",
     "{\"boolean\":true}", " |  \n  | \n"},
    {"indented inline sections", " {{#boolean}}YES{{/boolean}}\n {{#boolean}}GOOD{{/boolean}}\n", "{\"boolean\":true}",
     " YES\n GOOD\n"},
    {"standalone lines", "| This Is\n{{#boolean}}\n|\n{{/boolean}}\n| A Line\n", "{\"boolean\":true}",
     "| This Is\n|\n| A Line\n"},
    {"indented standalone lines", "| This Is\n  {{#boolean}}\n|\n  {{/boolean}}\n| A Line\n", "{\"boolean\":true}",
     "| This Is\n|\n| A Line\n"},
    {"standalone, CRLF", "|\r\n{{#boolean}}\r\n{{/boolean}}\r\n|", "{\"boolean\":true}", "|\r\n|"},
    {"standalone without previous line", "  {{#boolean}}\n#{{/boolean}}\n/", "{\"boolean\":true}", "#\n/"},
    {"standalone without newline", "#{{#boolean}}\n/\n  {{/boolean}}", "{\"boolean\":true}", "#\n/\n"},
    {"blanks in section tags", "|{{# boolean }}={{/ boolean }}|", "{\"boolean\":true}", "|=|"},
    {"inverted false", "\"{{^boolean}}shown{{/boolean}}\"", "{\"boolean\":false}", "\"shown\""},
    {"inverted true", "\"{{^boolean}}hidden{{/boolean}}\"", "{\"boolean\":true}", "\"\""},
    {"inverted empty list", "\"{{^list}}Empty list{{/list}}\"", "{\"list\":[]}", "\"Empty list\""},
    {"inverted standalone, CRLF", "|\r\n{{^boolean}}\r\n{{/boolean}}\r\n|", "{\"boolean\":false}", "|\r\n|"},
    {"inline comment", "12345{{! Comment Block! }}67890\n", "{}", "1234567890\n"},
    {"multiline comment", "12345{{!\n  This is a\n  multi-line comment...\n}}67890\n", "{}", "1234567890\n"},
    {"standalone comment", "Begin.\n{{! Comment Block! }}\nEnd.\n", "{}", "Begin.\nEnd.\n"},
    {"indented standalone comment", "Begin.\n  {{! Indented Comment Block! }}\nEnd.\n", "{}", "Begin.\nEnd.\n"},
    {"standalone multiline comment", "Begin.\n{{!\nSomething's going on here...\n}}\nEnd.\n", "{}", "Begin.\nEnd.\n"},
    {"comment without newline", "!\n  {{! I'm Still Standalone }}", "{}", "!\n"},
    {"indented inline comment", "  12 {{! 34 }}\n", "{}", "  12 \n"},
    {"partial", "\"{{>partial}}\"", "{}", "\"from partial\"", "from partial"},
    {"partial sees the context", "\"{{>partial}}\"", "{\"text\":\"content\"}", "\"*content*\"", "*{{text}}*"},
    {"inline partial is not indented", "| {{>partial}} |", "{}", "| \t|\t |", "\t|\t"},
    {"inline indentation", "  {{data}}  {{> partial}}\n", "{\"data\":\"|\"}", "  |  >\n>\n", ">\n>"},
    {"standalone partial, CRLF", "|\r\n{{>partial}}\r\n|", "{}", "|\r\n>|", ">"},
    {"standalone partial without previous line", "  {{>partial}}\n>", "{}", "  >\n  >>", ">\n>"},
    {"standalone partial without newline", ">\n  {{>partial}}", "{}", ">\n  >\n  >", ">\n>"},
    {"standalone indentation", "\\\n {{>partial}}\n/\n", "{\"content\":\"<\\n->\"}", "\\\n |\n <\n->\n |\n/\n",
     "|\n{{content}}\n|\n"},
    {"recursive partial ends with its data", "{{>partial}}",
     "{\"content\":\"X\",\"nodes\":[{\"content\":\"Y\",\"nodes\":[]}]}", "X<Y<>>",
     "{{content}}<{{#nodes}}{{>partial}}{{/nodes}}>"},
};

typedef struct Partials {
    Arena *arena;
    const char *text;
} Partials;

static int find_partial(void *userdata, const char *name, const Template **ret, Err *err)
{
    Partials *partials = userdata;
    if (!partials->text)
        return err_set(err, ERR_NOT_FOUND, "no such template");
    return template_parse(partials->arena, name, bytes_of(partials->text), ret, err);
}

static int shout(StrBuf *out, const char *text, Err *err)
{
    if (strchr(text, '\n'))
        return err_set(err, ERR_INVALID, "a line end cannot be written here");
    strbuf_printf(out, "<%s>", text);
    return 0;
}

static int render(Arena *arena, const Case *c, EscapeFunction escape, const char **ret, Err *err)
{
    const Template *template = NULL;
    Node *context = NULL;
    assert_int_equal(json_parse(arena, "context", bytes_of(c->context), &context, err), 0);
    int r = template_parse(arena, "t", bytes_of(c->template), &template, err);
    if (r < 0)
        return r;
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(4 << 20);
    Partials partials = {arena, c->partial};
    TemplateOptions options = {.escape = escape, .partial = find_partial, .userdata = &partials};
    r = template_render(template, context, &options, &out, err);
    *ret = strbuf_dup(arena, &out);
    return r;
}

static void templates_follow_the_specification(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        const char *text = NULL;
        Err err;
        if (render(arena, &cases[i], NULL, &text, &err) < 0)
            fail_msg("%s: %s", cases[i].what, err_text(&err));
        if (strcmp(text, cases[i].expected) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", cases[i].what, text, cases[i].expected);
    }
}

static void assert_fails(const char *template, const char *context, EscapeFunction escape, const char *expected)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *text = NULL;
    Err err;
    Case c = {"", template, context, NULL, "{{>partial}}"};
    if (render(arena, &c, escape, &text, &err) >= 0)
        fail_msg("rendered: %s", text);
    if (!strstr(err_text(&err), expected))
        fail_msg("expected \"%s\" in \"%s\"", expected, err_text(&err));
}

static void an_unknown_name_is_an_error_with_its_place(void **state)
{
    assert_fails("a\n  {{ timeot }}\n", "{\"timeout\":1}", NULL, "t:2:3: unknown name \"timeot\"");
    assert_fails("{{#a}}x{{/a}}", "{}", NULL, "t:1:1: unknown name \"a\"");
    assert_fails("{{^a.b}}x{{/a.b}}", "{\"a\":{}}", NULL, "unknown name \"a.b\"");
    assert_fails("{{#a}}{{b.c}}{{/a}}", "{\"a\":{\"b\":{}},\"b\":{\"c\":\"outer\"}}", NULL, "unknown name \"b.c\"");
}

static void what_is_no_value_cannot_be_written(void **state)
{
    assert_fails("{{a}}", "{\"a\":{}}", NULL, "\"a\" is a map, not a value");
    assert_fails("{{a}}", "{\"a\":[]}", NULL, "\"a\" is a list, not a value");
    assert_fails("{{a}}", "{\"a\":null}", NULL, "\"a\" is nothing, not a value");
}

static void every_value_is_escaped_and_a_refusal_has_its_place(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *text = NULL;
    Err err;
    assert_int_equal(render(arena, &(Case){"", "a {{x}}", "{\"x\":\"b\"}", NULL, NULL}, shout, &text, &err), 0);
    assert_string_equal(text, "a <b>");
    assert_fails("\n{{x}}", "{\"x\":\"a\\nb\"}", shout, "t:2:1: \"x\": a line end cannot be written here");
}

static void unescaped_forms_need_a_raw_template(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *text = NULL;
    Err err;
    Case raw = {"", "{{! escape: raw }}\n{{{ x }}} {{& x }}\n", "{\"x\":\"<\"}", NULL, NULL};
    assert_int_equal(render(arena, &raw, NULL, &text, &err), 0);
    assert_string_equal(text, "< <\n");
    assert_fails(raw.template, raw.context, shout, "t:2:1: \"x\" would go unescaped");
    assert_fails("{{{ x }}}", "{\"x\":1}", NULL, "would go unescaped");
    assert_fails("{{! escape: nginx }}\n{{& x }}", "{\"x\":1}", NULL, "t:2:1");
}

static void a_template_cannot_run_away(void **state)
{
    assert_fails("{{>partial}}", "{}", NULL, "partials are nested too deep");
    assert_fails("{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}",
                 "{\"a\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}", NULL, "too much text");
    assert_fails("{{#a}}{{#a}}{{#a}}{{#a}}0123456789012345678901234567890123456789{{/a}}{{/a}}{{/a}}{{/a}}",
                 "{\"a\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}", NULL, "too much text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_follow_the_specification),
        cmocka_unit_test(an_unknown_name_is_an_error_with_its_place),
        cmocka_unit_test(what_is_no_value_cannot_be_written),
        cmocka_unit_test(every_value_is_escaped_and_a_refusal_has_its_place),
        cmocka_unit_test(unescaped_forms_need_a_raw_template),
        cmocka_unit_test(a_template_cannot_run_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
