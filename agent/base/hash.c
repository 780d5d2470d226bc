/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <openssl/sha.h>
#include <string.h>

Hash hash_of(const void *data, size_t len)
{
    Hash hash;
    if (!SHA256(data, len, hash.bytes)) /* it allocates; a wrong hash would name, and find, the wrong file */
        die_of_memory(sizeof hash);
    return hash;
}

bool hash_equal(Hash a, Hash b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

char *hash_to_hex(Arena *arena, Hash hash)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = arena_alloc(arena, sizeof hash.bytes * 2 + 1);
    for (size_t i = 0; i < sizeof hash.bytes; i++) {
        hex[i * 2] = digits[hash.bytes[i] >> 4];
        hex[i * 2 + 1] = digits[hash.bytes[i] & 15];
    }
    return hex;
}
