/* SPDX-License-Identifier: Apache-2.0 */
/* Text that must be exactly what a file in the tree holds. After a wanted change, SALVE_WRITE=1 writes the files anew;
 * then read the difference. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

/* cmocka.h must be included before. */
static inline void golden_compare(const char *path, const StrBuf *text)
{
    bool write_anew = getenv("SALVE_WRITE");
    FILE *file = fopen(path, write_anew ? "w" : "r");
    if (!file)
        fail_msg("%s is missing; SALVE_WRITE=1 writes it", path);
    if (write_anew) {
        fwrite(strbuf_str(text), 1, text->len, file);
        fclose(file);
        return;
    }
    CLEANUP(arena_free) Arena *arena = arena_new();
    size_t room = 1 << 20;
    char *expected = arena_alloc(arena, room);
    expected[fread(expected, 1, room - 1, file)] = '\0';
    fclose(file);
    if (strcmp(strbuf_str(text), expected) != 0) {
        print_error("%s is not current; SALVE_WRITE=1 lets this test write it anew\n", path);
        assert_string_equal(strbuf_str(text), expected);
    }
}
