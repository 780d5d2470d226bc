/* SPDX-License-Identifier: Apache-2.0 */
#include "config/python-lex.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/text.h"

enum { MAX_BRACKETS = 200 }; /* as Python's own tokenizer */

void python_lexer_init(PythonLexer *lexer, Bytes text, const char *file)
{
    *lexer = (PythonLexer){.text = text, .file = file, .line = 1};
    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        lexer->at = 3;
}

static char peek(const PythonLexer *lexer, size_t ahead)
{
    return lexer->at + ahead < lexer->text.len ? lexer->text.data[lexer->at + ahead] : '\0';
}

static int fail(const PythonLexer *lexer, size_t at, unsigned line, Err *err, const char *message)
{
    return err_at(err, ERR_INVALID, lexer->file, line, text_column(lexer->text, at), "%s", message);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

/* How many letters in front of a quote make it a string literal; -1 when no string starts here. */
static int string_prefix(const PythonLexer *lexer)
{
    int n = 0;
    while (n < 2 && peek(lexer, (size_t)n) && strchr("rRbBuUfFtT", peek(lexer, (size_t)n)))
        n++;
    return is_quote(peek(lexer, (size_t)n)) ? n : -1;
}

static int read_string(PythonLexer *lexer, size_t prefix, Err *err)
{
    size_t start = lexer->at;
    unsigned line = lexer->line;
    lexer->at += prefix;
    char quote = peek(lexer, 0);
    size_t quotes = peek(lexer, 1) == quote && peek(lexer, 2) == quote ? 3 : 1;
    for (lexer->at += quotes; lexer->at < lexer->text.len; lexer->at++) {
        char c = peek(lexer, 0);
        if (c == quote && (quotes == 1 || (peek(lexer, 1) == quote && peek(lexer, 2) == quote))) {
            lexer->at += quotes;
            return 0;
        }
        if (c == '\\' && lexer->at + 1 < lexer->text.len) {
            lexer->at += peek(lexer, 1) == '\r' && peek(lexer, 2) == '\n' ? 2 : 1;
            c = quotes == 1 ? ' ' : c; /* a hidden line break does not end the string */
            lexer->line += peek(lexer, 0) == '\n';
        } else if (c == '\n' && quotes == 1) {
            break;
        } else {
            lexer->line += c == '\n';
        }
    }
    return fail(lexer, start, line, err, "the string that starts here is never closed");
}

static void read_number(PythonLexer *lexer)
{
    bool hex = peek(lexer, 0) == '0' && (peek(lexer, 1) | 0x20) == 'x';
    for (;; lexer->at++) {
        char c = peek(lexer, 0);
        bool sign = (c == '+' || c == '-') && !hex && (lexer->text.data[lexer->at - 1] | 0x20) == 'e';
        if (!is_digit(c) && !is_letter(c) && c != '.' && !sign)
            return;
    }
}

/* Sets token->op and moves past the operator. */
static void read_op(PythonLexer *lexer, PythonToken *token)
{
    char c = peek(lexer, 0);
    size_t len = strchr("*/<>", c) && peek(lexer, 1) == c ? 2 : 1;
    bool equals = peek(lexer, len) == '=';
    token->op = c;
    if (equals && (c == '=' || c == '!' || (strchr("<>", c) && len == 1)))
        token->op = PYTHON_COMPARISON;
    else if (equals && c == ':')
        token->op = PYTHON_WALRUS;
    else if (equals && strchr("+-*/%@&|^<>", c))
        token->op = PYTHON_AUGMENTED;
    lexer->at += len + (token->op != c);
}

static int read_token(PythonLexer *lexer, PythonToken *token, Err *err)
{
    char c = peek(lexer, 0);
    int prefix = string_prefix(lexer), r = 0;
    token->start = lexer->at;
    token->line = lexer->line;
    if (prefix >= 0) {
        token->kind = PYTHON_STRING;
        r = read_string(lexer, (size_t)prefix, err);
    } else if (is_letter(c)) {
        token->kind = PYTHON_NAME;
        while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
            lexer->at++;
    } else if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)))) {
        token->kind = PYTHON_NUMBER;
        read_number(lexer);
    } else if (strchr("()[]{}=!<>+-*/%@&|^~:;.,", c) && c) {
        token->kind = PYTHON_OP;
        read_op(lexer, token);
    } else {
        r = fail(lexer, lexer->at, lexer->line, err, "Python does not know this character");
    }
    token->end = lexer->at;
    return r;
}

/* Blanks, comments, and line breaks that do not end a line. 1: a line break that may end it; 0: something else. */
static int skip_gap(PythonLexer *lexer, Err *err)
{
    for (;; lexer->at++) {
        char c = peek(lexer, 0);
        if (c == '#') {
            lexer->at = text_line_end(lexer->text, lexer->at);
            c = peek(lexer, 0);
        }
        if (c == '\n') {
            lexer->at++;
            lexer->line++;
            return 1;
        }
        if (c == '\\') {
            lexer->at += peek(lexer, 1) == '\r' ? 2 : 1;
            if (peek(lexer, 0) != '\n' || lexer->at + 1 >= lexer->text.len)
                return fail(lexer, lexer->at - 1, lexer->line, err,
                            "nothing may follow a backslash outside of a string");
            lexer->line++;
        } else if (c != ' ' && c != '\t' && c != '\f' && c != '\r') {
            return 0;
        }
    }
}

/* Keeps the stack of open brackets. */
static int count_bracket(const PythonLexer *lexer, PythonToken *token, char *open, unsigned *depth, Err *err)
{
    static const char opening[] = "([{", closing[] = ")]}";
    const char *opens = token->op ? strchr(opening, token->op) : NULL;
    const char *closes = token->op ? strchr(closing, token->op) : NULL;
    if (closes && (*depth == 0 || open[*depth - 1] != opening[closes - closing]))
        return fail(lexer, token->start, token->line, err, "this bracket closes nothing");
    if (opens && *depth == MAX_BRACKETS)
        return fail(lexer, token->start, token->line, err, "too many open brackets");
    if (closes)
        --*depth;
    token->depth = *depth;
    if (opens)
        open[(*depth)++] = token->op;
    return 0;
}

int python_next_line(PythonLexer *lexer, Arena *arena, PythonTokenVec *tokens, bool *ret_indented, Err *err)
{
    char open[MAX_BRACKETS];
    unsigned depth = 0;
    tokens->n = 0;
    for (;;) {
        int r = skip_gap(lexer, err);
        if (r < 0)
            return r;
        if (r > 0 && tokens->n > 0 && depth == 0)
            break;
        if (r > 0)
            continue;
        if (lexer->at >= lexer->text.len)
            break;
        PythonToken token = {0};
        r = read_token(lexer, &token, err);
        if (r == 0)
            r = count_bracket(lexer, &token, open, &depth, err);
        if (r < 0)
            return r;
        if (tokens->n == 0)
            *ret_indented = text_column(lexer->text, token.start) > 1 &&
                            !(text_line_start(lexer->text, token.start) == 0 && token.start == 3 && token.line == 1);
        *vec_push(arena, tokens) = token;
    }
    if (depth > 0)
        return fail(lexer, tokens->items[0].start, tokens->items[0].line, err,
                    "a bracket of this statement is never closed");
    return tokens->n > 0;
}

/* `\x41`, `\u00e4`, `\101`: the code point, moved past it; -1 for none. */
static long numeric_escape(const char **p, const char *end)
{
    char letter = **p;
    bool octal = letter >= '0' && letter <= '7';
    size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : octal ? 3 : 0;
    char text[9] = "";
    const char *start = octal ? *p : *p + 1;
    size_t n = 0;
    while (n < digits && start + n < end && strchr(octal ? "01234567" : "0123456789abcdefABCDEF", start[n])) {
        text[n] = start[n];
        n++;
    }
    if (digits == 0 || n == 0 || (!octal && n < digits))
        return -1;
    *p = start + n;
    return strtol(text, NULL, octal ? 8 : 16);
}

/* Behind a backslash. False for what this reader cannot resolve. */
static bool read_escape(const char **p, const char *end, StrBuf *out)
{
    static const char letters[] = "\\'\"abfnrtv", meanings[] = "\\'\"\a\b\f\n\r\t\v";
    const char *found = strchr(letters, **p);
    if (**p == '\r' || **p == '\n') {
        *p += **p == '\r' && *p + 1 < end && (*p)[1] == '\n' ? 2 : 1;
        return true;
    }
    if (found && **p) {
        strbuf_add_char(out, meanings[found - letters]);
        ++*p;
        return true;
    }
    if (**p == 'N')
        return false;
    if (strchr("xuU01234567", **p) && **p) {
        long code = numeric_escape(p, end);
        if (code <= 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return false;
        text_add_char(out, (unsigned)code);
        return true;
    }
    strbuf_add_char(out, '\\'); /* unknown: the backslash stays */
    return true;
}

bool python_string(Arena *arena, Bytes text, const PythonToken *token, const char **ret)
{
    const char *p = text.data + token->start, *end = text.data + token->end;
    bool raw = false;
    for (; !is_quote(*p); p++) {
        if (!strchr("rRuU", *p))
            return false;
        raw = raw || (*p | 0x20) == 'r';
    }
    size_t quotes = end - p >= 6 && p[1] == p[0] && p[2] == p[0] ? 3 : 1;
    p += quotes;
    end -= quotes;
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(token->end - token->start + 8);
    while (p < end) {
        if (*p == '\\' && !raw) {
            p++;
            if (!read_escape(&p, end, &out))
                return false;
        } else {
            strbuf_add_char(&out, *p++);
        }
    }
    *ret = strbuf_dup(arena, &out);
    return !out.overflowed;
}

bool python_integer(Arena *arena, Bytes text, const PythonToken *token, const char **ret)
{
    char digits[72];
    size_t n = 0;
    for (size_t i = token->start; i < token->end; i++) {
        if (n + 1 >= sizeof digits)
            return false;
        if (text.data[i] != '_')
            digits[n++] = text.data[i];
    }
    digits[n] = '\0';
    char letter = n > 1 && digits[0] == '0' ? (char)(digits[1] | 0x20) : 0;
    int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
    const char *start = base == 10 ? digits : digits + 2;
    if (base == 10 && digits[0] == '0' && digits[strspn(digits, "0")] != '\0')
        return false; /* 010 is a syntax error */
    char *end;
    errno = 0;
    uint64_t value = strtoull(start, &end, base);
    if (errno || end == start || *end)
        return false;
    *ret = arena_printf(arena, "%" PRIu64, value);
    return true;
}
