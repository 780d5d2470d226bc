/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

Bytes bytes_of(const char *text)
{
    return text ? (Bytes){text, strlen(text)} : BYTES("");
}

bool bytes_equal(Bytes a, Bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

Bytes bytes_dup(Arena *arena, Bytes bytes)
{
    return (Bytes){arena_memdup(arena, bytes.data, bytes.len), bytes.len};
}

void strbuf_free(StrBuf *buf)
{
    free(buf->data);
    *buf = (StrBuf){.max = buf->max};
}

void strbuf_add(StrBuf *buf, const void *data, size_t len)
{
    if (buf->overflowed)
        return;
    if (len > buf->max - buf->len) {
        len = buf->max - buf->len;
        buf->overflowed = true;
    }
    if (buf->len + len + 1 > buf->capacity) {
        buf->capacity = (buf->len + len + 1) * 3 / 2 + 64;
        buf->data = xrealloc(buf->data, buf->capacity);
    }
    if (len > 0)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void strbuf_add_str(StrBuf *buf, const char *text)
{
    strbuf_add(buf, text, strlen(text));
}

void strbuf_add_char(StrBuf *buf, char c)
{
    strbuf_add(buf, &c, 1);
}

void strbuf_vprintf(StrBuf *buf, const char *format, va_list args)
{
    char small[512];
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, format, args);
    if (len >= 0 && (size_t)len < sizeof small) {
        strbuf_add(buf, small, (size_t)len);
    } else if (len >= 0) {
        char *large = xmalloc((size_t)len + 1);
        vsnprintf(large, (size_t)len + 1, format, again);
        strbuf_add(buf, large, (size_t)len);
        free(large);
    }
    va_end(again);
}

void strbuf_printf(StrBuf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    strbuf_vprintf(buf, format, args);
    va_end(args);
}

void strbuf_clear(StrBuf *buf)
{
    buf->len = 0;
    buf->overflowed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

const char *strbuf_str(const StrBuf *buf)
{
    return buf->data ? buf->data : "";
}

Bytes strbuf_bytes(Arena *arena, const StrBuf *buf)
{
    return (Bytes){strbuf_dup(arena, buf), buf->len};
}

char *strbuf_dup(Arena *arena, const StrBuf *buf)
{
    return arena_strndup(arena, strbuf_str(buf), buf->len);
}

bool str_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool str_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
    size_t len = strlen(text), tail = strlen(suffix);
    return len >= tail && strcmp(text + len - tail, suffix) == 0;
}

enum { MAX_WORD = 64 };

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost one. */
static unsigned distance(const char *a, const char *b)
{
    size_t n = strnlen(a, MAX_WORD), m = strnlen(b, MAX_WORD);
    unsigned table[MAX_WORD + 1][MAX_WORD + 1];
    for (size_t i = 0; i <= n; i++)
        table[i][0] = (unsigned)i;
    for (size_t j = 0; j <= m; j++)
        table[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            unsigned best = table[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (table[i - 1][j] + 1 < best)
                best = table[i - 1][j] + 1;
            if (table[i][j - 1] + 1 < best)
                best = table[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && table[i - 2][j - 2] + 1 < best)
                best = table[i - 2][j - 2] + 1;
            table[i][j] = best;
        }
    }
    return table[n][m];
}

const char *str_nearest(const char *word, const char *const *candidates)
{
    const char *nearest = NULL;
    unsigned best = (unsigned)(strnlen(word, MAX_WORD) + 2) / 3 + 1;
    for (; *candidates; candidates++) {
        unsigned d = distance(word, *candidates);
        if (d < best) {
            best = d;
            nearest = *candidates;
        }
    }
    return nearest;
}

void vec_grow(Arena *arena, void **items, size_t *capacity, size_t n, size_t item_size)
{
    if (n == *capacity) {
        size_t wanted = *capacity ? *capacity * 2 : 8;
        void *moved = arena_alloc_n(arena, wanted, item_size);
        if (n > 0)
            memcpy(moved, *items, n * item_size);
        *items = moved;
        *capacity = wanted;
    }
    memset((char *)*items + n * item_size, 0, item_size);
}

int strings_contain(const StringVec *strings, const char *text)
{
    VEC_EACH (string, strings) {
        if (strcmp(*string, text) == 0)
            return 1;
    }
    return 0;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void strings_sort(StringVec *strings)
{
    if (strings->n > 1)
        qsort(strings->items, strings->n, sizeof *strings->items, compare_strings);
}

void strbuf_add_shell_word(StrBuf *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_+=:,./-";
    if (*word && word[strspn(word, plain)] == 0) {
        strbuf_add_str(out, word);
        return;
    }
    strbuf_add_char(out, '\'');
    for (; *word; word++)
        strbuf_add_str(out, *word == '\'' ? "'\\''" : (char[]){*word, 0});
    strbuf_add_char(out, '\'');
}
