/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes, and a buffer that grows up to a declared maximum.
 *
 * Appending past the maximum sets `overflowed`, keeps what fits, and appends nothing more: twenty appends need one
 * check. The text is always NUL-terminated. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* Content of a file or message: may hold NULs; data is never NULL and data[len] is a NUL. Borrowed, usually from an
 * arena. */
typedef struct Bytes {
    const char *data;
    size_t len;
} Bytes;

#define BYTES(literal) ((Bytes){(literal), sizeof(literal) - 1})

Bytes bytes_of(const char *text); /* NULL is empty */
bool bytes_equal(Bytes a, Bytes b);
Bytes bytes_dup(Arena *arena, Bytes bytes);

typedef struct StrBuf {
    char *data; /* malloc'd; owned by the buffer */
    size_t len, capacity, max;
    bool overflowed;
} StrBuf;

#define STRBUF_INIT(maximum)                                                                                           \
    {                                                                                                                  \
        .max = (maximum)                                                                                               \
    }

void strbuf_free(StrBuf *buf);
static inline void strbuf_free_cleanup(StrBuf *buf)
{
    strbuf_free(buf);
}

void strbuf_add(StrBuf *buf, const void *data, size_t len);
void strbuf_add_str(StrBuf *buf, const char *text);
void strbuf_add_char(StrBuf *buf, char c);
/* As a POSIX shell reads it as one word: quoted where it has to be. */
void strbuf_add_shell_word(StrBuf *buf, const char *word);
void strbuf_printf(StrBuf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vprintf(StrBuf *buf, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
void strbuf_clear(StrBuf *buf);
const char *strbuf_str(const StrBuf *buf);           /* "" when nothing was added */
Bytes strbuf_bytes(Arena *arena, const StrBuf *buf); /* a copy in the arena */
char *strbuf_dup(Arena *arena, const StrBuf *buf);

bool str_equal(const char *a, const char *b); /* two NULLs are equal */
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);

/* The candidate nearest to `word` (a NULL-terminated list) for "did you mean", or NULL when none is near: at most a
 * third of the word's letters differ (Damerau-Levenshtein). */
const char *str_nearest(const char *word, const char *const *candidates);
