/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4, through libcrypto) as a value and as 64 lower-case hex digits. */
#pragma once

#include <stdbool.h>

#include "base/strbuf.h"

typedef struct Hash {
    unsigned char bytes[32];
} Hash;

Hash hash_of(const void *data, size_t len);
bool hash_equal(Hash a, Hash b);
char *hash_to_hex(Arena *arena, Hash hash);
