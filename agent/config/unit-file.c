/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of systemd's conf-parser.c, line by line: what it refuses is an error, what it skips with a warning is an
 * issue, and everything else is an assignment in its section. */
#include "config/unit-file.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/text.h"

enum { LINE_MAX_BYTES = 1024 * 1024 }; /* LONG_LINE_MAX */

typedef struct Reader {
    Arena *arena;
    UnitFile *file;
    size_t at;
    unsigned line;
    const char *section; /* NULL before the first header */
} Reader;

/* A logical line: continuation lines joined by a blank. */
typedef struct LogicalLine {
    StrBuf text;
    unsigned line;
    size_t start, end;
} LogicalLine;

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The range of the next line without its line ending: \n, \r, or both in either order. False at the end. */
static bool next_line(Reader *reader, size_t *start, size_t *end)
{
    Bytes text = reader->file->text;
    size_t at = reader->at;
    if (at >= text.len)
        return false;
    while (at < text.len && text.data[at] != '\n' && text.data[at] != '\r')
        at++;
    *start = reader->at;
    *end = at;
    if (at < text.len) {
        char other = text.data[at] == '\n' ? '\r' : '\n';
        at += at + 1 < text.len && text.data[at + 1] == other ? 2 : 1;
    }
    reader->at = at;
    reader->line++;
    return true;
}

/* Backslashes pair up over the whole logical line; one that is left over continues it. */
static bool continues(const char *text, size_t len)
{
    bool escaped = false;
    for (size_t i = 0; i < len; i++)
        escaped = !escaped && text[i] == '\\';
    return escaped;
}

/* 1: a line was read; 0: the end. Comment lines are skipped, between the parts of a continued line too. */
static int next_logical_line(Reader *reader, LogicalLine *line, Err *err)
{
    Bytes text = reader->file->text;
    bool continued = false, any = false;
    size_t start, end;
    strbuf_clear(&line->text);
    while (next_line(reader, &start, &end)) {
        while (start < end && is_space(text.data[start]))
            start++;
        if (start < end && (text.data[start] == '#' || text.data[start] == ';'))
            continue;
        if (!continued) {
            line->line = reader->line;
            line->start = start;
        }
        any = true;
        line->end = end;
        strbuf_add(&line->text, text.data + start, end - start);
        if (line->text.overflowed)
            return err_at(err, ERR_INVALID, reader->file->path, line->line, 1, "the line is longer than 1 MiB");
        continued = continues(line->text.data, line->text.len);
        if (!continued)
            return 1;
        line->text.data[line->text.len - 1] = ' ';
    }
    return any;
}

static char *strip(Arena *arena, const char *text, size_t len)
{
    while (len > 0 && is_space(text[0])) {
        text++;
        len--;
    }
    while (len > 0 && is_space(text[len - 1]))
        len--;
    return arena_strndup(arena, text, len);
}

static void add_issue(Reader *reader, unsigned line, const char *message)
{
    *vec_push(reader->arena, &reader->file->issues) = (UnitIssue){reader->file->path, line, message};
}

static void read_assignment(Reader *reader, const LogicalLine *line, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!reader->section)
        add_issue(reader, line->line, "Assignment outside of section. Ignoring.");
    else if (!equals)
        add_issue(reader, line->line, "Missing '=', ignoring line.");
    else if (equals == text)
        add_issue(reader, line->line, "Missing key name before '=', ignoring line.");
    else
        *vec_push(reader->arena, &reader->file->settings) = (UnitSetting){
            .section = reader->section,
            .key = strip(reader->arena, text, (size_t)(equals - text)),
            .value = strip(reader->arena, equals + 1, strlen(equals + 1)),
            .file = reader->file->path,
            .line = line->line,
            .start = line->start,
            .end = line->end,
        };
}

static int read_line(Reader *reader, const LogicalLine *line, Err *err)
{
    const char *text = strip(reader->arena, strbuf_str(&line->text), line->text.len);
    size_t len = strlen(text);
    if (len == 0)
        return 0;
    if (!text_is_utf8(bytes_of(text))) {
        add_issue(reader, line->line, "Line is not UTF-8 encoded, ignoring.");
        return 0;
    }
    if (text[0] != '[') {
        read_assignment(reader, line, text);
        return 0;
    }
    if (text[len - 1] != ']')
        return err_at(err, ERR_INVALID, reader->file->path, line->line, 1, "Invalid section header '%.100s'", text);
    reader->section = arena_strndup(reader->arena, text + 1, len - 2);
    return 0;
}

int unit_file_parse(Arena *arena, const char *path, Bytes text, UnitFile *ret, Err *err)
{
    UnitFile file = {.path = path, .text = text};
    const char *nul = memchr(text.data, '\0', text.len);
    if (nul)
        return err_at(err, ERR_INVALID, path, text_line(text, (size_t)(nul - text.data)), 1, "a NUL byte is in it");
    Reader reader = {.arena = arena, .file = &file};
    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        reader.at = 3;
    LogicalLine line = {.text = STRBUF_INIT(LINE_MAX_BYTES)};
    int r;
    while ((r = next_logical_line(&reader, &line, err)) > 0) {
        r = read_line(&reader, &line, err);
        if (r < 0)
            break;
    }
    strbuf_free(&line.text);
    if (r < 0)
        return r;
    *ret = file;
    return 0;
}

static bool is_setting(const UnitSetting *setting, const char *section, const char *key)
{
    return str_equal(setting->section, section) && str_equal(setting->key, key);
}

void unit_list(Arena *arena, const UnitFileVec *files, const char *section, const char *key, UnitSettingVec *ret)
{
    *ret = (UnitSettingVec){0};
    VEC_EACH (file, files) {
        VEC_EACH (setting, &(*file)->settings) {
            if (!is_setting(setting, section, key))
                continue;
            if (*setting->value)
                *vec_push(arena, ret) = *setting;
            else
                ret->n = 0;
        }
    }
}

const UnitSetting *unit_last(const UnitFileVec *files, const char *section, const char *key)
{
    const UnitSetting *last = NULL;
    VEC_EACH (file, files) {
        VEC_EACH (setting, &(*file)->settings) {
            if (is_setting(setting, section, key))
                last = setting;
        }
    }
    return last;
}

int unit_render(Arena *arena, const char *comment, const UnitAssignment *assignments, size_t n, Bytes *ret, Err *err)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(LINE_MAX_BYTES);
    const char *section = NULL;
    if (comment && strpbrk(comment, "\r\n"))
        return err_set(err, ERR_INVALID, "a comment of a unit file is one line");
    if (comment)
        strbuf_printf(&out, "# %s\n", comment);
    for (size_t i = 0; i < n; i++) {
        const UnitAssignment *a = &assignments[i];
        if (strpbrk(a->value, "\r\n") || strpbrk(a->key, "=\r\n"))
            return err_set(err, ERR_INVALID, "%s: a line break cannot stand in a unit file's value", a->key);
        if (continues(a->value, strlen(a->value)))
            return err_set(err, ERR_INVALID, "%s: a backslash at the end would continue the line", a->key);
        if (a->section && !str_equal(a->section, section)) {
            strbuf_printf(&out, "%s[%s]\n", section ? "\n" : "", a->section);
            section = a->section;
        }
        strbuf_printf(&out, "%s=%s\n", a->key, a->value);
    }
    if (out.overflowed)
        return err_set(err, ERR_INVALID, "the drop-in is longer than 1 MiB");
    *ret = strbuf_bytes(arena, &out);
    return 0;
}
