/* SPDX-License-Identifier: Apache-2.0 */
/* Python source as logical lines of tokens (Python's reference, "Lexical analysis"): enough to see what a statement
 * binds, not to run it. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "base/vec.h"

typedef enum PythonTokenKind { PYTHON_NAME, PYTHON_NUMBER, PYTHON_STRING, PYTHON_OP } PythonTokenKind;

enum { PYTHON_AUGMENTED = 1, PYTHON_WALRUS, PYTHON_COMPARISON };

typedef struct PythonToken {
    PythonTokenKind kind;
    char op;           /* of an operator: its character, or one of the three above; "=" is assignment only */
    size_t start, end; /* byte range; a string's prefix and quotes are inside of it */
    unsigned depth;    /* of open brackets around it */
    unsigned line;
} PythonToken;

typedef VEC(PythonToken) PythonTokenVec;

typedef struct PythonLexer {
    Bytes text;
    const char *file;
    size_t at;
    unsigned line;
} PythonLexer;

void python_lexer_init(PythonLexer *lexer, Bytes text, const char *file);

/* 1: the tokens of the next line that has some (replacing what is in *tokens), and whether it is indented; 0: the end.
 * Brackets and backslashes continue a line. ERR_INVALID with position for an open string or bracket and for bytes that
 * Python would not take. */
int python_next_line(PythonLexer *lexer, Arena *arena, PythonTokenVec *tokens, bool *ret_indented, Err *err);

/* The content of a string literal without interpolation. False for bytes, f-strings, and escapes that need Python's
 * tables (\N{...}). */
bool python_string(Arena *arena, Bytes text, const PythonToken *token, const char **ret);

/* A whole number as decimal digits. False for floats and complex numbers, and for what does not fit 64 bits. */
bool python_integer(Arena *arena, Bytes text, const PythonToken *token, const char **ret);
