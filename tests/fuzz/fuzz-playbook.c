/* SPDX-License-Identifier: Apache-2.0 */
/* The whole language: any text is checked like `salve lint` does, and what passes is bound like `salve run` does, with
 * values that lint would have used. Either there is a playbook without errors or errors that render. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "data/json.h"
#include "playbook/playbook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void bind(Arena *arena, const Source *source, const Playbook *checked)
{
    BindingVec bindings = {0};
    VEC_EACH (variable, &checked->scope.variables) {
        if (!value_is_set(&variable->value))
            *vec_push(arena, &bindings) = (Binding){
                .name = variable->name,
                .value = node_text(arena, value_placeholder(arena, &variable->type).text),
            };
    }
    Diagnostics diags = diagnostics_new(arena);
    const Playbook *bound = NULL;
    Err err;
    if (playbook_load(arena, source, &bindings, &diags, &bound, &err) < 0)
        return; /* a placeholder may be beyond the bounds of a field */
    if (diags.errors > 0 || playbook_values(arena, bound)->pairs.n != bound->scope.variables.n)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Source source = {.name = "input.yaml", .text = bytes_dup(arena, (Bytes){(const char *)data, size})};
    Diagnostics diags = diagnostics_new(arena);
    const Playbook *playbook = NULL;
    Err err;
    int r = playbook_load(arena, &source, NULL, &diags, &playbook, &err);
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    diagnostics_render(&diags, false, &out);
    if ((r < 0) != (diags.errors > 0) || (r < 0) != !playbook)
        abort();
    if (playbook)
        bind(arena, &source, playbook);
    return 0;
}
