/* SPDX-License-Identifier: Apache-2.0 */
/* nginx's configuration as tokens, read exactly as ngx_conf_read_token (ngx_conf_file.c) reads it.
 *
 * Tokens are byte ranges of the input: nothing is copied, escapes are resolved on demand. Comments and blanks are the
 * bytes between tokens. Text that nginx refuses to read is an error with file, line and column. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"

enum { NGINX_TOKEN_MAX = 4096 }; /* NGX_CONF_BUFFER: no token or comment may fill it */

typedef enum NginxTokenKind {
    NGINX_TOKEN_WORD,
    NGINX_TOKEN_SEMICOLON, /* ends a directive */
    NGINX_TOKEN_OPEN,      /* { after at least one word */
    NGINX_TOKEN_CLOSE,     /* } where a directive would start */
    NGINX_TOKEN_END,
} NginxTokenKind;

typedef struct NginxToken {
    NginxTokenKind kind;
    char quote;        /* '"', '\'' or 0 */
    bool escaped;      /* holds a backslash: the text differs from the bytes */
    size_t start, end; /* byte range in the text; the quotes are inside of it */
    unsigned line;     /* 1-based */
} NginxToken;

/* Plain data; read-only for the caller except that `at` and `line` may be moved past a foreign language's block. */
typedef struct NginxLexer {
    Bytes text;
    const char *file; /* for errors; borrowed */
    size_t at;
    unsigned line;
    size_t words;      /* of the directive being read */
    bool word_follows; /* the last word was quoted: what may follow is restricted */
} NginxLexer;

void nginx_lexer_init(NginxLexer *lexer, Bytes text, const char *file);

/* The next token. After NGINX_TOKEN_END: the same again. */
int nginx_lexer_next(NginxLexer *lexer, NginxToken *ret, Err *err);

/* The text of a word as nginx sees it: without quotes, escapes resolved. NULs are kept (Bytes.len counts them). */
Bytes nginx_token_text(Arena *arena, Bytes text, const NginxToken *token);
