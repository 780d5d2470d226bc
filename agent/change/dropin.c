/* SPDX-License-Identifier: Apache-2.0 */
#include "change/dropin.h"

#include <string.h>

#include "base/hash.h"
#include "config/splice.h"

#define FIRST_LINE "# Written by salve; removed by `salve rollback`.\n"

typedef struct Dropin {
    View *view;
    Arena *arena;
    const char *path;
    UnitFile file;
} Dropin;

static int load(View *view, const Unit *unit, Dropin *ret, Err *err)
{
    Dropin dropin = {.view = view, .arena = view_arena(view)};
    Bytes text;
    dropin.path = unit_dropin_path(dropin.arena, unit);
    int r = view_read(view, dropin.path, &text, NULL, err);
    if (r == 1)
        text = BYTES(FIRST_LINE);
    if (r >= 0)
        r = unit_file_parse(dropin.arena, dropin.path, text, &dropin.file, err);
    if (r >= 0)
        *ret = dropin;
    return r;
}

static int check_not_beaten(const Unit *unit, const char *section, const char *key, Err *err)
{
    const UnitSetting *winner = unit_dropin_beaten_by(unit, section, key);
    if (!winner)
        return 0;
    return err_at(err, ERR_REFUSED, winner->file, winner->line, 1,
                  "this drop-in applies after salve's %s and sets %s= again, so a change would have no effect; change "
                  "it there, or rename it to sort before",
                  UNIT_DROPIN_NAME, key);
}

/* The last assignment of a key whose value begins with `prefix`. */
static const UnitSetting *find(const UnitFile *file, const char *section, const char *key, const char *prefix)
{
    const UnitSetting *found = NULL;
    VEC_EACH (setting, &file->settings) {
        if (strcmp(setting->section, section) == 0 && strcmp(setting->key, key) == 0 &&
            str_starts(setting->value, prefix))
            found = setting;
    }
    return found;
}

/* Where a new line of the section goes: behind its last assignment, or 0 where the section is not there. */
static size_t section_end(const UnitFile *file, const char *section)
{
    size_t end = 0;
    VEC_EACH (setting, &file->settings) {
        if (strcmp(setting->section, section) == 0)
            end = setting->end;
    }
    return end;
}

/* Replaces `old` or adds the lines to the section. `lines` has no newline at its end. */
static int put(const Dropin *dropin, const char *section, const UnitSetting *old, const char *lines, Err *err)
{
    SpliceVec splices = {0};
    Bytes text = dropin->file.text, result;
    size_t end = section_end(&dropin->file, section);
    Splice splice = {.start = text.len, .end = text.len};
    if (old) {
        splice = (Splice){.start = old->start, .end = old->end, .with = bytes_of(lines)};
    } else if (end > 0) {
        splice = (Splice){.start = end, .end = end, .with = bytes_of(arena_printf(dropin->arena, "\n%s", lines))};
    } else {
        bool ended = text.len == 0 || text.data[text.len - 1] == '\n';
        splice.with = bytes_of(arena_printf(dropin->arena, "%s[%s]\n%s\n", ended ? "" : "\n", section, lines));
    }
    *vec_push(dropin->arena, &splices) = splice;
    int r = splice_apply(dropin->arena, text, &splices, &result, err);
    return r < 0 ? r : view_write(dropin->view, dropin->path, result, err);
}

int dropin_set(View *view, const Unit *unit, const char *section, const char *key, const char *value, Err *err)
{
    Dropin dropin;
    int r = check_not_beaten(unit, section, key, err);
    if (r >= 0)
        r = load(view, unit, &dropin, err);
    if (r < 0)
        return r;
    const char *line = arena_printf(dropin.arena, "%s=%s", key, value);
    return put(&dropin, section, find(&dropin.file, section, key, ""), line, err);
}

int dropin_set_exec_start(View *view, const Unit *unit, const UnitSetting *overridden, const char *value, Err *err)
{
    Dropin dropin;
    int r = check_not_beaten(unit, "Service", "ExecStart", err);
    if (r >= 0)
        r = load(view, unit, &dropin, err);
    if (r < 0)
        return r;
    const UnitSetting *own = find(&dropin.file, "Service", "ExecStart", "");
    if (own && own->value[0])
        return put(&dropin, "Service", own, arena_printf(dropin.arena, "ExecStart=%s", value), err);
    Hash hash = hash_of(overridden->value, strlen(overridden->value));
    const char *lines = arena_printf(dropin.arena, "# overrides ExecStart= of %s, sha256 %s\nExecStart=\nExecStart=%s",
                                     overridden->file, hash_to_hex(dropin.arena, hash), value);
    return put(&dropin, "Service", NULL, lines, err);
}

int dropin_set_environment(View *view, const Unit *unit, const char *name, const char *value, Err *err)
{
    Dropin dropin;
    CLEANUP(strbuf_free) StrBuf quoted = STRBUF_INIT(64 * 1024);
    int r = load(view, unit, &dropin, err);
    if (r < 0)
        return r;
    if (strpbrk(value, "\"\\$\n"))
        return err_set(err, ERR_REFUSED, "%s: the value of %s cannot be written into a unit file", dropin.path, name);
    strbuf_printf(&quoted, "\"%s=", name);
    for (const char *c = value; *c; c++) {
        if (*c == '%')
            strbuf_add_char(&quoted, '%');
        strbuf_add_char(&quoted, *c);
    }
    strbuf_add_char(&quoted, '"');
    const char *prefix = arena_printf(dropin.arena, "\"%s=", name);
    const char *line = arena_printf(dropin.arena, "Environment=%s", strbuf_str(&quoted));
    return put(&dropin, "Service", find(&dropin.file, "Service", "Environment", prefix), line, err);
}
