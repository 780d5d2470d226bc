/* SPDX-License-Identifier: Apache-2.0 */
/* Masking a masked text changes nothing, and a text keeps its number of lines; as a source, a sentence and an
 * environment file. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SIZE = 4096 };

static size_t lines_of(Bytes text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == '\n';
    return n;
}

static void check(Bytes given, Bytes once, Bytes twice)
{
    if (lines_of(given) != lines_of(once) || !bytes_equal(once, twice))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    if (size > MAX_SIZE)
        return 0;
    Bytes given = bytes_dup(arena, (Bytes){(const char *)data, size});
    for (int environment = 0; environment < 2; environment++) {
        Bytes once = secret_mask_file(arena, given, environment != 0);
        check(given, once, secret_mask_file(arena, once, environment != 0));
    }
    const char *text = given.data, *once = secret_mask_text(arena, text);
    check(bytes_of(text), bytes_of(once), bytes_of(secret_mask_text(arena, once)));
    return 0;
}
