/* SPDX-License-Identifier: Apache-2.0 */
#include "config/python-lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* Tokens parted by blanks, lines by |, an indented one begins with ">"; "!line:column message" for an error. */
static const char *describe(Arena *arena, const char *text)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(10000);
    PythonLexer lexer;
    PythonTokenVec tokens = {0};
    bool indented = false;
    Err err;
    int r;
    python_lexer_init(&lexer, bytes_of(text), "f.py");
    while ((r = python_next_line(&lexer, arena, &tokens, &indented, &err)) > 0) {
        strbuf_printf(&out, "%s%s", out.len ? "|" : "", indented ? ">" : "");
        VEC_EACH (token, &tokens) {
            strbuf_printf(&out, "%s%.*s", token == tokens.items ? "" : " ", (int)(token->end - token->start),
                          text + token->start);
        }
    }
    if (r < 0)
        strbuf_printf(&out, "!%u:%u %s", err.line, err.column, err.message);
    return strbuf_dup(arena, &out);
}

static const struct {
    const char *text, *tokens;
} cases[] = {
    {"", ""},
    {"# c\n\n  # d\n", ""},
    {"timeout = 60 # c\n", "timeout = 60"},
    {"a=1\nb=2", "a = 1|b = 2"},
    {"a = (1,\n  # c )\n 2)\nb=2\n", "a = ( 1 , 2 )|b = 2"},
    {"a = 1 + \\\n  2\n", "a = 1 + 2"},
    {"a = 1 + \\\r\n  2\r\n", "a = 1 + 2"},
    {"if x:\n\ta = 1\nb = 2\n", "if x :|>a = 1|b = 2"},
    {"s = '''a\n'b' #\n''' + \"x#\\\"\"\n", "s = '''a\n'b' #\n''' + \"x#\\\"\""},
    {"s = 'a\\\nb'\nc\n", "s = 'a\\\nb'|c"},
    {"s = rb'\\' f\"{x}\"\n", "!1:5 the string that starts here is never closed"},
    {"s = rb'\\\\' Rb\"x\" f'y'\n", "s = rb'\\\\' Rb\"x\" f'y'"},
    {"a **= 1e-5 // .5 != 0x1F\n", "a **= 1e-5 // .5 != 0x1F"},
    {"x: int = (y := 3) == z <<= 1 -> 2", "x : int = ( y := 3 ) == z <<= 1 - > 2"},
    {"\xef\xbb\xbfx = 1", "x = 1"},
    {"a = (1\n", "!1:1 a bracket of this statement is never closed"},
    {"a = 1)\n", "!1:6 this bracket closes nothing"},
    {"a = [1)\n", "!1:7 this bracket closes nothing"},
    {"a = 'b\n", "!1:5 the string that starts here is never closed"},
    {"x\na = \"\"\"b\n", "x!2:5 the string that starts here is never closed"},
    {"a = 1 \\ \n", "!1:7 nothing may follow a backslash outside of a string"},
    {"a = 1 \\\n", "!1:7 nothing may follow a backslash outside of a string"},
    {"a = $b\n", "!1:5 Python does not know this character"},
};

static void logical_lines_are_found_as_python_finds_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        const char *tokens = describe(arena, cases[i].text);
        if (strcmp(tokens, cases[i].tokens) != 0)
            fail_msg("%s\n gives %s\n not   %s", cases[i].text, tokens, cases[i].tokens);
    }
}

static const struct {
    const char *source, *string, *integer; /* NULL: it is none */
} literals[] = {
    {"'a'", "a", NULL},
    {"\"\"\"a'\"b\"\"\"", "a'\"b", NULL},
    {"''", "", NULL},
    {"r'a\\n'", "a\\n", NULL},
    {"u'a\\n\\x41\\101\\u00e4\\q\\\nb'", "a\nAA\xc3\xa4\\qb", NULL},
    {"b'a'", NULL, NULL},
    {"f'a'", NULL, NULL},
    {"'\\N{DASH}'", NULL, NULL},
    {"'\\0'", NULL, NULL},
    {"60", NULL, "60"},
    {"1_000", NULL, "1000"},
    {"0x1f", NULL, "31"},
    {"0o17", NULL, "15"},
    {"00", NULL, "0"},
    {"010", NULL, NULL},
    {"60.5", NULL, NULL},
    {"1e3", NULL, NULL},
    {"5j", NULL, NULL},
    {"99999999999999999999", NULL, NULL},
};

static void only_literals_that_need_no_python_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(literals); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        PythonLexer lexer;
        PythonTokenVec tokens = {0};
        bool indented;
        Err err;
        Bytes text = bytes_of(literals[i].source);
        python_lexer_init(&lexer, text, "f");
        assert_int_equal(python_next_line(&lexer, arena, &tokens, &indented, &err), 1);
        assert_int_equal(tokens.n, 1);
        const char *value = NULL;
        bool is_string = tokens.items[0].kind == PYTHON_STRING;
        bool read = is_string ? python_string(arena, text, tokens.items, &value)
                              : python_integer(arena, text, tokens.items, &value);
        const char *expected = is_string ? literals[i].string : literals[i].integer;
        if (read != (expected != NULL) || (read && !str_equal(value, expected)))
            fail_msg("%s: %s", literals[i].source, value ? value : "nothing");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logical_lines_are_found_as_python_finds_them),
        cmocka_unit_test(only_literals_that_need_no_python_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
