/* SPDX-License-Identifier: Apache-2.0 */
#include "report/secret.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/env-file.h"

/* What salve sets in environment files; secrets inside of them are still found by their names. */
static const char *const shown_variables[] = {"GUNICORN_CMD_ARGS", "WEB_CONCURRENCY"};

static bool is_shown(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(shown_variables); i++) {
        if (str_equal(name, shown_variables[i]))
            return true;
    }
    return false;
}

/* Blank, a comment, or NAME=value without a blank before the sign. */
static bool is_assignment_line(const char *line, size_t len, bool *ret_assigns)
{
    size_t i = 0;
    while (i < len && (line[i] == ' ' || line[i] == '\t'))
        i++;
    if (i == len || line[i] == '#')
        return true;
    size_t start = i;
    while (i < len && (isalnum((unsigned char)line[i]) || line[i] == '_'))
        i++;
    *ret_assigns = i > start && i < len && line[i] == '=' && !isdigit((unsigned char)line[start]);
    return *ret_assigns;
}

bool secret_is_environment_file(const char *path, Bytes content)
{
    static const char *const others[] = {".py", ".service", ".socket", ".conf", ".timer", ".target", ".yaml"};
    if (str_ends(path, ".env") || str_ends(path, "/env") || str_starts(path, "/etc/default/") ||
        str_starts(path, "/etc/sysconfig/") || str_equal(path, "/etc/environment"))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (str_ends(path, others[i]))
            return false;
    }
    bool any = false, assigns = false;
    const char *end = content.data + content.len;
    for (const char *p = content.data; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((newline ? newline : end) - p);
        if (!is_assignment_line(p, len, &assigns))
            return false;
        any |= assigns;
        p += len + (newline ? 1 : 0);
    }
    return any;
}

/* A comment: of an assignment that was taken out ("#NAME=value") the name, else what is said. */
static void add_comment(Arena *arena, StrBuf *out, Bytes line)
{
    size_t name = strspn(line.data, " \t#;"), end = name;
    while (end < line.len && (isalnum((unsigned char)line.data[end]) || line.data[end] == '_'))
        end++;
    if (end < line.len && end > name && line.data[end] == '=') {
        strbuf_add(out, line.data, end + 1);
        strbuf_add_str(out, SECRET_MASK);
        return;
    }
    Bytes shown = secret_mask_source(arena, line);
    strbuf_add(out, shown.data, shown.len);
}

/* What is between two assignments: blanks and comments; systemd drops anything else, which may be what is left over of
 * a secret. */
static void add_gap(Arena *arena, StrBuf *out, Bytes text)
{
    const char *end = text.data + text.len;
    for (const char *p = text.data; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        Bytes line = bytes_dup(arena, (Bytes){p, (size_t)((newline ? newline : end) - p)});
        size_t blanks = strspn(line.data, " \t\r");
        if (blanks >= line.len)
            strbuf_add(out, line.data, line.len);
        else if (line.data[blanks] == '#' || line.data[blanks] == ';')
            add_comment(arena, out, line);
        else
            strbuf_add_str(out, SECRET_MASK);
        if (newline)
            strbuf_add_char(out, '\n');
        p = newline ? newline + 1 : end;
    }
}

static Bytes mask_environment(Arena *arena, Bytes content)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(16 * content.len + 1024);
    EnvFile file;
    Err ignored;
    size_t at = 0;
    if (env_file_parse(arena, "", content, &file, &ignored) < 0) {
        add_gap(arena, &out, content);
        return strbuf_bytes(arena, &out);
    }
    VEC_EACH (var, &file.vars) {
        Bytes value = {content.data + var->value_start, var->value_end - var->value_start};
        add_gap(arena, &out, (Bytes){content.data + at, var->start - at});
        strbuf_add(&out, content.data + var->start, var->value_start - var->start);
        if (is_shown(var->name)) {
            Bytes shown = secret_mask_source(arena, bytes_dup(arena, value));
            strbuf_add(&out, shown.data, shown.len);
        } else {
            secret_add_mask(&out, value);
        }
        at = var->value_end;
    }
    add_gap(arena, &out, (Bytes){content.data + at, content.len - at});
    return strbuf_bytes(arena, &out);
}

Bytes secret_mask_file(Arena *arena, Bytes content, bool is_environment_file)
{
    return is_environment_file ? mask_environment(arena, content) : secret_mask_source(arena, content);
}
