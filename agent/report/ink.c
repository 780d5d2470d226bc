/* SPDX-License-Identifier: Apache-2.0 */
#include "report/ink.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/safe-text.h"
#include "base/utf8.h"

#define ELLIPSIS "\xe2\x80\xa6"

enum { INK_PRINTF_MAX = 64 * 1024 };

static const char *const sequences[] = {
    [INK_PLAIN] = "",         [INK_BOLD] = "\033[1m",    [INK_DIM] = "\033[2m",   [INK_RED] = "\033[31m",
    [INK_GREEN] = "\033[32m", [INK_YELLOW] = "\033[33m", [INK_CYAN] = "\033[36m",
};

/* Colour ends in front of a line break: a pager or a log shows each line on its own. */
void ink_bytes(Ink *ink, InkColour colour, Bytes text)
{
    bool paint = ink->colour && colour != INK_PLAIN;
    for (const char *p = text.data, *end = text.data + text.len; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((newline ? newline : end) - p);
        if (paint && len)
            strbuf_add_str(ink->out, sequences[colour]);
        safe_add(ink->out, (Bytes){p, len}, SAFE_PLAIN);
        if (paint && len)
            strbuf_add_str(ink->out, "\033[0m");
        if (newline)
            strbuf_add_char(ink->out, '\n');
        p = newline ? newline + 1 : end;
    }
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
    size_t len = utf8_char_len(p, strlen(p));
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
