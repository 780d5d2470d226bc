/* SPDX-License-Identifier: Apache-2.0 */
#include "config/nginx-lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The tokens as a line: words in <>, the others as they are. */
static void describe(Arena *arena, Bytes text, StrBuf *out)
{
    NginxLexer lexer;
    nginx_lexer_init(&lexer, text, "nginx.conf");
    for (;;) {
        NginxToken token;
        Err err;
        if (nginx_lexer_next(&lexer, &token, &err) < 0) {
            strbuf_printf(out, "!%u:%u %s", err.line, err.column, err.message);
            return;
        }
        if (token.kind == NGINX_TOKEN_END)
            return;
        if (token.kind == NGINX_TOKEN_WORD)
            strbuf_printf(out, "<%s>", nginx_token_text(arena, text, &token).data);
        else
            strbuf_add_char(out, text.data[token.start]);
    }
}

static const struct {
    const char *text, *tokens;
} cases[] = {
    {"", ""},
    {"worker_processes auto;", "<worker_processes><auto>;"},
    {"http { a b; }", "<http>{<a><b>;}"},
    {"http{a b;}", "<http>{<a><b>;}"},
    {"# only a comment", ""},
    {"a # comment ; {\n b;", "<a><b>;"},
    {"a#b c;", "<a#b><c>;"},
    {"a\"b c;", "<a\"b><c>;"},
    {"a 'b c';", "<a><b c>;"},
    {"a \"b;{}#c\";", "<a><b;{}#c>;"},
    {"a \"multi\nline\" b;", "<a><multi\nline><b>;"},
    {"if ($x = \"y\") { }", "<if><($x><=><y><)>{}"},
    {"a ${b}c;", "<a><${b}c>;"},
    {"a x${b{c;", "<a><x${b>{<c>;"},
    {"a $b{ }", "<a><$b>{}"},
    {"a b\\ c;", "<a><b\\ c>;"},
    {"a b\\;c;", "<a><b\\;c>;"},
    {"a \\\"b;", "<a><\"b>;"},
    {"a \"\\\\ \\' \\t \\. \";", "<a><\\ ' \t \\. >;"},
    {"a }b;", "<a>!1:3 unexpected \"}\""},
    {"a b}c;", "<a><b}c>;"},
    {"a\r\n b;\r\n", "<a><b>;"},
    {"a '' b;", "<a><><b>;"},
    {"\n\n  ;", "!3:3 unexpected \";\""},
    {"a;\n {", "<a>;!2:2 unexpected \"{\""},
    {"a \"b\"c;", "<a><b>!1:6 unexpected \"c\""},
    {"a \"b\"#c", "<a><b>!1:6 unexpected \"#\""},
    {"a b", "<a>!1:4 unexpected end of file, expecting \";\" or \"}\""},
    {"a \"b\"", "<a>!1:6 unexpected end of file, expecting \";\" or \"}\""},
    {"a b\\", "<a>!1:5 unexpected end of file, expecting \";\" or \"}\""},
    {"a\n  'b;\n", "<a>!2:3 the quote ' that starts here is never closed"},
};

static void tokens_end_where_nginx_ends_them(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1000);
        describe(arena, bytes_of(cases[i].text), &out);
        size_t length = strlen(cases[i].tokens);
        const char *got = strbuf_str(&out);
        if (strcmp(got, cases[i].tokens) != 0)
            fail_msg("%s\n gives %s\n not   %s", cases[i].text, got, cases[i].tokens);
        assert_int_equal(strlen(got), length);
    }
}

/* before, `count` times x, behind; whether nginx 1.22 accepts it, as seen. */
static const struct {
    const char *before;
    size_t count;
    const char *behind;
    bool accepted;
} lengths[] = {
    {"env ", 4095, ";", true},      {"env ", 4096, ";", false},      {"env \"", 4094, "\";", true},
    {"env \"", 4095, "\";", false}, {"env \"", 4096, "\" ;", false}, {"#", 4094, "\n", true},
    {"#", 4095, "\n", false},       {"#", 4095, "", true},           {"#", 4096, "", false},
};

static void a_word_or_comment_that_fills_the_buffer_of_nginx_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(10000), out = STRBUF_INIT(10000);
        strbuf_add_str(&text, lengths[i].before);
        for (size_t n = 0; n < lengths[i].count; n++)
            strbuf_add_char(&text, 'x');
        strbuf_add_str(&text, lengths[i].behind);
        describe(arena, strbuf_bytes(arena, &text), &out);
        if ((strchr(strbuf_str(&out), '!') == NULL) != lengths[i].accepted)
            fail_msg("%s, %zu bytes: %s", lengths[i].before, lengths[i].count, strbuf_str(&out));
    }
}

static void lines_are_counted_in_quotes_and_behind_backslashes(void **state)
{
    (void)state;
    NginxLexer lexer;
    NginxToken token;
    Err err;
    nginx_lexer_init(&lexer, BYTES("a 'x\n\\\n' b\\\n c # d\n e;"), "f");
    const unsigned lines[] = {1, 1, 3, 4, 5};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_int_equal(nginx_lexer_next(&lexer, &token, &err), 0);
        assert_int_equal(token.kind, NGINX_TOKEN_WORD);
        assert_int_equal(token.line, lines[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_end_where_nginx_ends_them),
        cmocka_unit_test(a_word_or_comment_that_fills_the_buffer_of_nginx_is_refused),
        cmocka_unit_test(lines_are_counted_in_quotes_and_behind_backslashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
