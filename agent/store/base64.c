/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(Arena *arena, Bytes bytes)
{
    char *text = arena_alloc(arena, (bytes.len + 2) / 3 * 4 + 1), *out = text;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t group = 0;
        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (j < n ? (unsigned char)bytes.data[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            *out++ = j <= n ? alphabet[group >> (18 - 6 * j) & 63] : '=';
    }
    return text;
}

bool base64_decode(Arena *arena, const char *text, Bytes *ret)
{
    size_t len = strlen(text), used = 0;
    char *data = arena_alloc(arena, len / 4 * 3 + 1);
    for (size_t i = 0; len % 4 == 0 && i < len; i += 4) {
        size_t n = text[i + 2] == '=' ? 1 : text[i + 3] == '=' ? 2 : 3;
        uint32_t group = 0;
        for (size_t j = 0; j < 4; j++) {
            const char *digit = j <= n ? strchr(alphabet, text[i + j]) : alphabet;
            if (!digit)
                return false;
            group = group << 6 | (uint32_t)(digit - alphabet);
        }
        for (size_t j = 0; j < n; j++)
            data[used++] = (char)(group >> (16 - 8 * j) & 255);
    }
    data[used] = '\0';
    Bytes bytes = {data, used};
    if (strcmp(base64_encode(arena, bytes), text) != 0)
        return false;
    *ret = bytes;
    return true;
}
