/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of ngx_conf_read_token, turned inside out: nginx looks at each byte with all its flags; here each
 * kind of token has a loop of its own that runs over the bytes which cannot end it.
 *
 * Two of nginx's own limits are kept because nginx -t fails on them: a word must fit into its 4096-byte buffer together
 * with the byte behind it, and so must a comment. */
#include "config/nginx-lex.h"

#include <string.h>

#include "config/text.h"

enum { BLANK = 1, WORD_END = 2, WORD_SPECIAL = 4, WORD_STOP = WORD_END | WORD_SPECIAL };

static const uint8_t class_of[256] = {
    [' '] = BLANK | WORD_END, ['\t'] = BLANK | WORD_END, ['\r'] = BLANK | WORD_END, ['\n'] = BLANK | WORD_END,
    [';'] = WORD_END,         ['{'] = WORD_END,          ['\\'] = WORD_SPECIAL,     ['$'] = WORD_SPECIAL,
};

void nginx_lexer_init(NginxLexer *lexer, Bytes text, const char *file)
{
    *lexer = (NginxLexer){.text = text, .file = file, .line = 1};
}

static uint8_t class_at(const NginxLexer *lexer, size_t at)
{
    return class_of[(unsigned char)lexer->text.data[at]];
}

static int fail(const NginxLexer *lexer, size_t at, unsigned line, Err *err, const char *message)
{
    return err_at(err, ERR_INVALID, lexer->file, line, text_column(lexer->text, at), "%s", message);
}

static int fail_end(const NginxLexer *lexer, Err *err)
{
    return fail(lexer, lexer->text.len, lexer->line, err, "unexpected end of file, expecting \";\" or \"}\"");
}

static int fail_char(const NginxLexer *lexer, Err *err)
{
    char message[] = "unexpected \"?\"";
    message[sizeof message - 3] = lexer->text.data[lexer->at];
    return fail(lexer, lexer->at, lexer->line, err, message);
}

/* Moves past blanks and comments. */
static int skip_gap(NginxLexer *lexer, Err *err)
{
    const char *data = lexer->text.data;
    size_t len = lexer->text.len, at = lexer->at;
    for (; at < len; at++) {
        if (data[at] == '\n') {
            lexer->line++;
        } else if (data[at] == '#') {
            const char *newline = memchr(data + at, '\n', len - at);
            size_t past = newline ? (size_t)(newline - data) + 1 : len;
            if (past - at > NGINX_TOKEN_MAX)
                return fail(lexer, at, lexer->line, err, "the comment is too long for nginx (over 4095 bytes)");
            lexer->line += newline != NULL;
            at = past - 1;
        } else if (!(class_at(lexer, at) & BLANK)) {
            break;
        }
    }
    lexer->at = at;
    return 0;
}

/* A word must be followed by something, and with that one byte fit into nginx's buffer. */
static int end_word(NginxLexer *lexer, NginxToken *token, size_t text_start, Err *err)
{
    if (lexer->at >= lexer->text.len)
        return fail_end(lexer, err);
    if (lexer->at - text_start + 1 > NGINX_TOKEN_MAX)
        return fail(lexer, token->start, token->line, err, "too long parameter (nginx takes 4095 bytes)");
    token->end = lexer->at;
    lexer->words++;
    return 0;
}

static int read_quoted(NginxLexer *lexer, NginxToken *token, Err *err)
{
    const char *data = lexer->text.data;
    size_t len = lexer->text.len, at = lexer->at + 1;
    token->quote = data[lexer->at];
    for (; at < len && data[at] != token->quote; at++) {
        if (data[at] == '\\' && at + 1 < len) {
            token->escaped = true;
            at++;
        }
        lexer->line += data[at] == '\n';
    }
    if (at >= len) {
        char message[] = "the quote ? that starts here is never closed";
        *strchr(message, '?') = token->quote;
        return fail(lexer, token->start, token->line, err, message);
    }
    lexer->at = at + 1;
    lexer->word_follows = true;
    return end_word(lexer, token, token->start + 1, err);
}

static int read_plain(NginxLexer *lexer, NginxToken *token, Err *err)
{
    const char *data = lexer->text.data;
    size_t len = lexer->text.len, at = lexer->at;
    for (;;) {
        while (at < len && !(class_at(lexer, at) & WORD_STOP))
            at++;
        if (at >= len || class_at(lexer, at) & WORD_END)
            break;
        if (data[at] == '$') { /* ${ opens no block */
            at++;
            while (at < len && data[at] == '{')
                at++;
        } else { /* a backslash keeps the next byte from ending the word */
            token->escaped = true;
            lexer->line += at + 1 < len && data[at + 1] == '\n';
            at += 2;
        }
    }
    lexer->at = at < len ? at : len;
    return end_word(lexer, token, token->start, err);
}

/* Behind a closing quote only a blank, ; { or ) may stand. */
static int check_after_quote(NginxLexer *lexer, Err *err)
{
    if (!lexer->word_follows)
        return 0;
    lexer->word_follows = false;
    char c = lexer->text.data[lexer->at];
    return c == ')' || (class_at(lexer, lexer->at) & WORD_END) ? 0 : fail_char(lexer, err);
}

static int read_token(NginxLexer *lexer, NginxToken *token, Err *err)
{
    char c = lexer->text.data[lexer->at];
    if (c == '"' || c == '\'')
        return read_quoted(lexer, token, err);
    if (c != ';' && c != '{' && c != '}')
        return read_plain(lexer, token, err);
    if ((lexer->words == 0) != (c == '}'))
        return fail_char(lexer, err);
    token->kind = c == ';' ? NGINX_TOKEN_SEMICOLON : c == '{' ? NGINX_TOKEN_OPEN : NGINX_TOKEN_CLOSE;
    token->end = ++lexer->at;
    lexer->words = 0;
    return 0;
}

int nginx_lexer_next(NginxLexer *lexer, NginxToken *ret, Err *err)
{
    int r = check_after_quote(lexer, err);
    if (r < 0 || (r = skip_gap(lexer, err)) < 0)
        return r;
    NginxToken token = {.kind = NGINX_TOKEN_WORD, .start = lexer->at, .end = lexer->at, .line = lexer->line};
    if (lexer->at < lexer->text.len) {
        r = read_token(lexer, &token, err);
    } else if (lexer->words > 0) {
        r = fail_end(lexer, err);
    } else {
        token.kind = NGINX_TOKEN_END;
    }
    if (r < 0)
        return r;
    *ret = token;
    return 0;
}

/* The byte that a backslash and this byte stand for, or 0 when the backslash is an ordinary byte. */
static char unescape(char c)
{
    switch (c) {
    case '"':
    case '\'':
    case '\\': return c;
    case 't': return '\t';
    case 'r': return '\r';
    case 'n': return '\n';
    default: return 0;
    }
}

Bytes nginx_token_text(Arena *arena, Bytes text, const NginxToken *token)
{
    size_t quote = token->quote ? 1 : 0;
    const char *from = text.data + token->start + quote, *end = text.data + token->end - quote;
    if (!token->escaped)
        return (Bytes){arena_strndup(arena, from, (size_t)(end - from)), (size_t)(end - from)};
    char *data = arena_alloc(arena, (size_t)(end - from) + 1), *out = data;
    while (from < end) {
        char c = *from == '\\' && from + 1 < end ? unescape(from[1]) : 0;
        *out++ = c ? c : *from;
        from += c ? 2 : 1;
    }
    return (Bytes){data, (size_t)(out - data)};
}
