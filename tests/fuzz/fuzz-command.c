/* SPDX-License-Identifier: Apache-2.0 */
/* A command line of a unit: what was read and is written again is read as the same words. The same
 * text is read as Environment= and as a time as well. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/unit-command.h"
#include "config/unit-time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SIZE = 4096 };

static const char *no_variable(void *ctx, const char *name)
{
    return NULL;
}

static bool read_argv(Arena *arena, const char *text, StringVec *ret)
{
    UnitSpecifiers none = {0};
    UnitCommandVec commands = {0};
    Err err;
    if (unit_parse_command(arena, text, &none, &commands, &err) < 0 || commands.n != 1 || commands.items[0].argv0_given)
        return false;
    return unit_expand_argv(arena, &commands.items[0], no_variable, NULL, ret, &err) == 0;
}

static void write_and_read(Arena *arena, const StringVec *argv)
{
    StringVec again = {0};
    const char *text;
    Err err;
    if (argv->n == 0 || unit_format_command(arena, argv, &text, &err) < 0)
        return;
    if (!read_argv(arena, text, &again) || again.n != argv->n)
        abort();
    for (size_t i = 0; i < argv->n; i++) {
        if (!str_equal(argv->items[i], again.items[i]))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    if (size > MAX_SIZE)
        return 0;
    const char *text = bytes_dup(arena, (Bytes){(const char *)data, size}).data;
    UnitSpecifiers none = {0};
    UnitVariableVec variables = {0};
    StringVec argv = {0};
    Err err;
    if (read_argv(arena, text, &argv))
        write_and_read(arena, &argv);
    (void)unit_parse_environment(arena, text, &none, &variables, &err);
    usec time, again;
    if (unit_parse_time(text, &time, &err) == 0 &&
        (unit_parse_time(unit_format_time(arena, time), &again, &err) < 0 || again != time))
        abort();
    return 0;
}
