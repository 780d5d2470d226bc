/* SPDX-License-Identifier: Apache-2.0 */
#include "base/safe-text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/utf8.h"

/* What does not show as what it is, beside the controls of ASCII. */
static const struct {
    uint32_t first, last;
} unseen[] = {
    {0x7f, 0x9f},     {0xad, 0xad},     {0x34f, 0x34f},   {0x61c, 0x61c},     {0x115f, 0x1160},   {0x17b4, 0x17b5},
    {0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},   {0x3164, 0x3164},   {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

static const struct {
    uint32_t code;
    const char *text;
} likenesses[] = {
    {0x2192, "->"}, {0x2026, "..."}, {0x2013, "-"}, {0x2014, "-"},  {0xd7, "x"},    {0x2265, ">="},
    {0x2264, "<="}, {0x2018, "'"},   {0x2019, "'"}, {0x201c, "\""}, {0x201d, "\""},
};

static uint32_t decode(const char *p, size_t len)
{
    const uint8_t *bytes = (const uint8_t *)p;
    if (len == 1)
        return bytes[0];
    uint32_t code = bytes[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++)
        code = code << 6 | (bytes[i] & 0x3f);
    return code;
}

static bool is_visible(uint32_t code)
{
    if (code < 0x20)
        return code == '\n' || code == '\t';
    for (size_t i = 0; i < ARRAY_LEN(unseen); i++) {
        if (code >= unseen[i].first && code <= unseen[i].last)
            return false;
    }
    return true;
}

bool safe_is_visible(const char *character, size_t len)
{
    return is_visible(decode(character, len));
}

/* As JSON writes it: what is beyond 16 bits as a pair. */
static void add_escape(StrBuf *out, uint32_t code)
{
    if (code < 0x10000)
        strbuf_printf(out, "\\u%04x", code);
    else
        strbuf_printf(out, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
}

static void add_ascii(StrBuf *out, uint32_t code, bool json)
{
    for (size_t i = 0; i < ARRAY_LEN(likenesses) && !json; i++) {
        if (likenesses[i].code == code) {
            strbuf_add_str(out, likenesses[i].text);
            return;
        }
    }
    add_escape(out, code);
}

/* Colours (ESC [ numbers m); up over lines (ESC [ n A) and clear what is below (CR ESC [ J). */
static size_t sequence_length(const char *p, size_t left, SafeFlags flags)
{
    size_t len = 2;
    if (flags & SAFE_MOVES && left >= 4 && memcmp(p, "\r\033[J", 4) == 0)
        return 4;
    if (left < 3 || p[0] != '\033' || p[1] != '[')
        return 0;
    while (len < left && ((p[len] >= '0' && p[len] <= '9') || p[len] == ';'))
        len++;
    bool passes = len < left && ((flags & SAFE_COLOURS && p[len] == 'm') || (flags & SAFE_MOVES && p[len] == 'A'));
    return passes ? len + 1 : 0;
}

void safe_add(StrBuf *out, Bytes text, SafeFlags flags)
{
    for (size_t at = 0; at < text.len;) {
        const char *p = text.data + at;
        size_t sequence = sequence_length(p, text.len - at, flags);
        size_t len = sequence ? sequence : utf8_char_len(p, text.len - at);
        uint32_t code = len && !sequence ? decode(p, len) : 0;
        at += len ? len : 1;
        if (sequence || (len && is_visible(code) && (code < 0x80 || !(flags & SAFE_ASCII))))
            strbuf_add(out, p, len);
        else if (!len)
            strbuf_printf(out, "\\x%02x", (unsigned char)*p);
        else if (is_visible(code))
            add_ascii(out, code, flags & SAFE_JSON);
        else
            add_escape(out, code);
    }
}

SafeFlags safe_locale(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        const char *value = getenv(variables[i]);
        if (value && *value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8") ? SAFE_PLAIN : SAFE_ASCII;
    }
    return SAFE_PLAIN;
}
