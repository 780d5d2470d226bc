/* SPDX-License-Identifier: Apache-2.0 */
/* Setting a variable changes its value, and no other assignment of the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/env-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char value[] = "--timeout 60 \"$x\" \\";

/* index: of the assignment that was changed; past the end for an appended one. */
static void check(Arena *arena, const EnvFile *file, size_t index, const char *name, Bytes text)
{
    EnvFile again;
    Err err;
    if (env_file_parse(arena, "edited", text, &again, &err) < 0 ||
        again.vars.n != file->vars.n + (index == file->vars.n) || !env_file_get(&again, name))
        abort();
    if (!str_equal(env_file_get(&again, name)->value, value))
        abort();
    for (size_t i = 0; i < file->vars.n; i++) {
        const EnvVar *a = &file->vars.items[i], *b = &again.vars.items[i];
        if (!str_equal(a->name, b->name) || (i != index && !str_equal(a->value, b->value)))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    EnvFile file;
    Bytes text;
    Err err;
    if (env_file_parse(arena, "input", (Bytes){(const char *)data, size}, &file, &err) < 0)
        return 0;
    for (size_t i = 0; i < file.vars.n && i < 16; i++) {
        const EnvVar *var = &file.vars.items[i];
        if (var->start > var->value_start || var->value_start > var->value_end || var->value_end > size)
            abort();
        if (var->valid && env_file_get(&file, var->name) == var &&
            env_file_set(arena, &file, var->name, value, &text, &err) == 0)
            check(arena, &file, i, var->name, text);
    }
    if (!env_file_get(&file, "SALVE_NEW") && env_file_set(arena, &file, "SALVE_NEW", value, &text, &err) == 0)
        check(arena, &file, file.vars.n, "SALVE_NEW", text);
    return 0;
}
