/* SPDX-License-Identifier: Apache-2.0 */
/* The assignments of a unit file, rendered and parsed again, are the same; so are the words of its command lines. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/unit-command.h"
#include "config/unit-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *lookup(void *ctx, const char *name)
{
    (void)ctx;
    return name[0] == 'A' ? "one 'two three" : NULL;
}

static void check_command(Arena *arena, const char *value)
{
    UnitCommandVec commands, again;
    StringVec argv, argv_again;
    const char *line;
    Err err;
    if (unit_parse_command(arena, value, NULL, &commands, &err) < 0 ||
        unit_expand_argv(arena, commands.items, lookup, NULL, &argv, &err) < 0 ||
        unit_format_command(arena, &argv, &line, &err) < 0)
        return;
    if (unit_parse_command(arena, line, NULL, &again, &err) < 0 || again.n != 1 ||
        unit_expand_argv(arena, again.items, lookup, NULL, &argv_again, &err) < 0 || argv.n != argv_again.n)
        abort();
    for (size_t i = 0; i < argv.n; i++) {
        if (!str_equal(argv.items[i], argv_again.items[i]))
            abort();
    }
}

static void check_values(Arena *arena, const UnitFile *file)
{
    VEC_EACH (setting, &file->settings) {
        UnitVariableVec variables = {0};
        usec time, again;
        Err err;
        if (setting->start > setting->end || setting->end > file->text.len)
            abort();
        check_command(arena, setting->value);
        unit_parse_environment(arena, setting->value, NULL, &variables, &err);
        if (unit_parse_time(setting->value, &time, &err) == 0 &&
            (unit_parse_time(unit_format_time(arena, time), &again, &err) < 0 || time != again))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    UnitFile file, again;
    Bytes text;
    Err err;
    if (unit_file_parse(arena, "input", (Bytes){(const char *)data, size}, &file, &err) < 0)
        return 0;
    check_values(arena, &file);
    UnitAssignment *assignments = arena_array(arena, UnitAssignment, file.settings.n);
    for (size_t i = 0; i < file.settings.n; i++) {
        const UnitSetting *s = &file.settings.items[i];
        assignments[i] = (UnitAssignment){s->section, s->key, s->value};
    }
    if (unit_render(arena, "comment", assignments, file.settings.n, &text, &err) < 0)
        return 0;
    if (unit_file_parse(arena, "rendered", text, &again, &err) < 0 || again.settings.n != file.settings.n)
        abort();
    for (size_t i = 0; i < file.settings.n; i++) {
        const UnitSetting *a = &file.settings.items[i], *b = &again.settings.items[i];
        if (!str_equal(a->section, b->section) || !str_equal(a->key, b->key) || !str_equal(a->value, b->value))
            abort();
    }
    return 0;
}
