/* SPDX-License-Identifier: Apache-2.0 */
/* What was parsed, printed and parsed again is the same tree, in every style. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "data/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *root = NULL;
    Err err;
    if (json_parse(arena, "input", (Bytes){(const char *)data, size}, &root, &err) < 0)
        return 0;
    static const JsonStyle styles[] = {JSON_COMPACT, JSON_PRETTY, JSON_PRETTY | JSON_SORT_KEYS};
    for (size_t i = 0; i < ARRAY_LEN(styles); i++) {
        Node *again = NULL;
        const char *text = json_to_string(arena, root, styles[i]);
        if (json_parse(arena, "printed", bytes_of(text), &again, &err) < 0 || !node_equal(root, again))
            abort();
    }
    return 0;
}
