/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, columns and UTF-8, for texts that are bytes first: nothing here fails on a text that is no UTF-8. */
#include "config/text.h"

#include <string.h>

const char *text_line_ending(Bytes text)
{
    const char *newline = memchr(text.data, '\n', text.len);
    return newline && newline > text.data && newline[-1] == '\r' ? "\r\n" : "\n";
}

size_t text_line_start(Bytes text, size_t at)
{
    const char *newline = memrchr(text.data, '\n', at);
    return newline ? (size_t)(newline - text.data) + 1 : 0;
}

size_t text_line_end(Bytes text, size_t at)
{
    const char *newline = memchr(text.data + at, '\n', text.len - at);
    if (!newline)
        return text.len;
    size_t end = (size_t)(newline - text.data);
    return end > at && text.data[end - 1] == '\r' ? end - 1 : end;
}

unsigned text_column(Bytes text, size_t at)
{
    return (unsigned)(at - text_line_start(text, at)) + 1;
}

unsigned text_line(Bytes text, size_t at)
{
    unsigned line = 1;
    for (const char *p = text.data, *end = text.data + at; (p = memchr(p, '\n', (size_t)(end - p))); p++)
        line++;
    return line;
}

/* How many bytes the character at `p` has, 0 when it is malformed. */
static size_t char_length(const unsigned char *p, size_t len)
{
    /* The smallest code point of each length, so that overlong forms are seen. */
    static const unsigned smallest[] = {0, 1, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
    if (n == 0 || n > len)
        return 0;
    unsigned code = n == 1 ? p[0] : p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fU);
    }
    return code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : n;
}

bool text_is_utf8(Bytes text)
{
    const unsigned char *p = (const unsigned char *)text.data;
    for (size_t left = text.len; left > 0;) {
        size_t n = char_length(p, left);
        if (n == 0)
            return false;
        p += n;
        left -= n;
    }
    return true;
}

unsigned text_next_char(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    size_t n = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : 4;
    unsigned code = n == 1 ? p[0] : p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++)
        code = code << 6 | (p[i] & 0x3fU);
    *text += n;
    return code;
}

void text_add_char(StrBuf *out, unsigned code)
{
    if (code < 0x80) {
        strbuf_add_char(out, (char)code);
        return;
    }
    unsigned n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    char bytes[4];
    for (unsigned i = n - 1; i > 0; i--, code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)((0xf00U >> n & 0xf0) | code);
    strbuf_add(out, bytes, n);
}
