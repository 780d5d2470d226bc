/* SPDX-License-Identifier: Apache-2.0 */
/* Lua is balanced, not understood: enough of its lexical rules (Lua 5.1 manual, 2.1) to find the closing brace. */
#include "config/nginx-lua.h"

#include <string.h>

#include "config/text.h"

bool nginx_is_lua_block(const char *directive)
{
    return str_ends(directive, "_by_lua_block");
}

/* The end of a long bracket ([[...]], [=[...]=]) that starts at `at`, or `at` when none does. */
static size_t skip_long_bracket(Bytes text, size_t at)
{
    size_t level = at + 1;
    if (at >= text.len || text.data[at] != '[')
        return at;
    while (level < text.len && text.data[level] == '=')
        level++;
    if (level >= text.len || text.data[level] != '[')
        return at;
    size_t signs = level - at - 1;
    for (size_t i = level + 1; i + signs + 1 < text.len; i++) {
        if (text.data[i] == ']' && text.data[i + signs + 1] == ']' &&
            memcmp(text.data + i + 1, text.data + at + 1, signs) == 0)
            return i + signs + 2;
    }
    return text.len;
}

static size_t skip_comment(Bytes text, size_t at)
{
    size_t past = skip_long_bracket(text, at + 2);
    return past > at + 2 ? past : text_line_end(text, at);
}

static size_t skip_string(Bytes text, size_t at)
{
    char quote = text.data[at++];
    for (; at < text.len && text.data[at] != quote; at++) {
        if (text.data[at] == '\\')
            at++;
    }
    return at < text.len ? at + 1 : text.len;
}

/* The position behind what starts at `at`: a string, a comment, or one byte. */
static size_t skip_one(Bytes text, size_t at)
{
    char c = text.data[at];
    if (c == '"' || c == '\'')
        return skip_string(text, at);
    if (c == '-' && at + 1 < text.len && text.data[at + 1] == '-')
        return skip_comment(text, at);
    size_t past = skip_long_bracket(text, at);
    return past > at ? past : at + 1;
}

int nginx_skip_lua(NginxLexer *lexer, Err *err)
{
    Bytes text = lexer->text;
    size_t start = lexer->at, at = start;
    for (unsigned depth = 1; depth > 0;) {
        if (at >= text.len)
            return err_at(err, ERR_INVALID, lexer->file, lexer->line, text_column(text, start),
                          "the Lua block that starts here is never closed");
        depth += text.data[at] == '{';
        depth -= text.data[at] == '}';
        at = skip_one(text, at);
    }
    for (size_t i = start; i < at; i++)
        lexer->line += text.data[i] == '\n';
    lexer->at = at;
    return 0;
}
