/* SPDX-License-Identifier: Apache-2.0 */
#include "report/ink.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"
#define ELLIPSIS    "\xe2\x80\xa6"

enum { INK_PRINTF_MAX = 64 * 1024 };

static const char *const sequences[] = {
    [INK_PLAIN] = "",         [INK_BOLD] = "\033[1m",    [INK_DIM] = "\033[2m",   [INK_RED] = "\033[31m",
    [INK_GREEN] = "\033[32m", [INK_YELLOW] = "\033[33m", [INK_CYAN] = "\033[36m",
};

/* The length of the UTF-8 character at p (RFC 3629: no surrogates, nothing overlong), 0 where there is none. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char first, last, second_low, second_high;
        size_t len;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (p[0] < forms[i].first || p[0] > forms[i].last)
            continue;
        if (forms[i].len > left || (forms[i].len > 1 && (p[1] < forms[i].second_low || p[1] > forms[i].second_high)))
            return 0;
        for (size_t k = 2; k < forms[i].len; k++) {
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        }
        return forms[i].len;
    }
    return 0;
}

/* C0 and C1 controls, and the characters that reorder or hide text (bidirectional overrides, zero width). */
static bool harmless(const unsigned char *p, size_t len)
{
    if (len == 1)
        return (p[0] >= 0x20 && p[0] != 0x7f) || p[0] == '\n' || p[0] == '\t';
    if (len == 2)
        return !(p[0] == 0xc2 && p[1] < 0xa0);
    uint32_t bidi = len == 3 ? (uint32_t)(p[0] << 16 | p[1] << 8 | p[2]) : 0;
    return !((bidi >= 0xe2808b && bidi <= 0xe2808f) || (bidi >= 0xe280aa && bidi <= 0xe280ae) ||
             (bidi >= 0xe281a6 && bidi <= 0xe281a9));
}

static void add_safe(StrBuf *out, Bytes text)
{
    const unsigned char *p = (const unsigned char *)text.data;
    for (size_t left = text.len; left > 0;) {
        size_t len = utf8_length(p, left);
        if (len && harmless(p, len))
            strbuf_add(out, p, len);
        else
            strbuf_add_str(out, REPLACEMENT);
        len = len ? len : 1;
        p += len;
        left -= len;
    }
}

void ink_bytes(Ink *ink, InkColour colour, Bytes text)
{
    bool paint = ink->colour && colour != INK_PLAIN && text.len;
    if (paint)
        strbuf_add_str(ink->out, sequences[colour]);
    add_safe(ink->out, text);
    if (paint)
        strbuf_add_str(ink->out, "\033[0m");
}

void ink_text(Ink *ink, InkColour colour, const char *text)
{
    ink_bytes(ink, colour, bytes_of(text));
}

void ink_printf(Ink *ink, InkColour colour, const char *format, ...)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(INK_PRINTF_MAX);
    va_list args;
    va_start(args, format);
    strbuf_vprintf(&text, format, args);
    va_end(args);
    ink_bytes(ink, colour, (Bytes){strbuf_str(&text), text.len});
}

/* The length of the colour sequence at p, 0 where there is none. */
static size_t sequence_length(const char *p)
{
    return p[0] == '\033' && p[1] == '[' ? strcspn(p, "m") + 1 : 0;
}

static size_t character_length(const char *p)
{
    size_t len = utf8_length((const unsigned char *)p, strlen(p));
    return len ? len : 1;
}

size_t ink_width(const char *text)
{
    size_t width = 0;
    while (*text) {
        size_t skip = sequence_length(text);
        width += !skip;
        text += skip ? skip : character_length(text);
    }
    return width;
}

void ink_clip(StrBuf *out, const char *text, size_t columns)
{
    size_t room = ink_width(text) > columns ? (columns ? columns - 1 : 0) : SIZE_MAX;
    bool cut = room != SIZE_MAX;
    for (bool done = false; *text;) {
        size_t skip = sequence_length(text);
        size_t len = skip ? skip : character_length(text);
        if (skip || room) {
            strbuf_add(out, text, len);
            room -= !skip && room != SIZE_MAX;
        } else if (cut && columns && !done) {
            strbuf_add_str(out, ELLIPSIS);
            done = true;
        }
        text += len;
    }
}
