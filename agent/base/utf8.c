/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <stdint.h>

/* What the first byte promises: how many bytes follow and which range the next one must be in (no overlong forms, no
 * surrogates, nothing beyond U+10FFFF). */
static const struct {
    uint8_t first, last, more, low, high;
} leads[] = {
    {0x00, 0x7f, 0, 0, 0},       {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
    {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
    {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

static bool continues(const uint8_t *bytes, size_t more, uint8_t low, uint8_t high)
{
    if (more > 0 && (bytes[1] < low || bytes[1] > high))
        return false;
    for (size_t i = 2; i <= more; i++) {
        if (bytes[i] < 0x80 || bytes[i] > 0xbf)
            return false;
    }
    return true;
}

size_t utf8_char_len(const char *text, size_t len)
{
    const uint8_t *bytes = (const uint8_t *)text;
    if (len == 0)
        return 0;
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
        if (bytes[0] >= leads[i].first && bytes[0] <= leads[i].last) {
            bool ok = len > leads[i].more && continues(bytes, leads[i].more, leads[i].low, leads[i].high);
            return ok ? (size_t)leads[i].more + 1 : 0;
        }
    }
    return 0;
}

size_t utf8_valid_len(Bytes text)
{
    size_t at = 0;
    for (size_t n; (n = utf8_char_len(text.data + at, text.len - at)) > 0;)
        at += n;
    return at;
}

size_t utf8_count(Bytes text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.len; count++) {
        size_t n = utf8_char_len(text.data + at, text.len - at);
        at += n > 0 ? n : 1;
    }
    return count;
}
