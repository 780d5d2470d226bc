/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of parse_env_file_internal, as two loops: one over comments and names, one over a value, which is
 * any number of quoted pieces and then, perhaps, a plain rest of the line. */
#include "config/env-file.h"

#include <string.h>

#include "base/cleanup.h"
#include "config/escape.h"
#include "config/splice.h"
#include "config/text.h"

enum { VALUE_MAX = 1024 * 1024 };

typedef struct Reader {
    Arena *arena;
    EnvFile *file;
    size_t at;
} Reader;

static bool is_newline(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* From the # on. Before systemd 254 a backslash hides the line break from the end of the comment. */
static void skip_comment(Reader *reader)
{
    Bytes text = reader->file->text;
    size_t at = reader->at;
    for (; at < text.len && !is_newline(text.data[at]); at++) {
        if (text.data[at] != '\\')
            continue;
        at++;
        if (at >= text.len) {
            reader->file->open_end = true;
            break;
        }
        if (is_newline(text.data[at]) && !reader->file->doubtful_line)
            reader->file->doubtful_line = text_line(text, at);
    }
    reader->at = at;
}

/* From the opening quote on. An open quote ends with the file, which systemd accepts. */
static void read_quoted(Reader *reader, StrBuf *value)
{
    Bytes text = reader->file->text;
    char quote = text.data[reader->at++];
    for (; reader->at < text.len && text.data[reader->at] != quote; reader->at++) {
        char c = text.data[reader->at];
        if (c == '\\' && quote == '"' && reader->at + 1 < text.len) {
            c = text.data[++reader->at];
            if (c == '\n')
                continue;
            if (!strchr("\"\\`$", c))
                strbuf_add_char(value, '\\');
        }
        strbuf_add_char(value, c);
    }
    if (reader->at < text.len)
        reader->at++;
    else
        reader->file->open_end = true;
}

/* The plain rest of a line, where quotes mean nothing. Returns where its last byte that counts ends. */
static size_t read_plain(Reader *reader, StrBuf *value)
{
    Bytes text = reader->file->text;
    size_t end = reader->at, kept = value->len;
    for (; reader->at < text.len && !is_newline(text.data[reader->at]); reader->at++) {
        char c = text.data[reader->at];
        bool escaped = c == '\\';
        if (escaped && ++reader->at >= text.len) {
            reader->file->open_end = true;
            end = text.len;
            break;
        }
        c = text.data[reader->at];
        if (!escaped || !is_newline(c))
            strbuf_add_char(value, c);
        if (escaped || !is_blank(c)) {
            end = reader->at + 1;
            kept = value->len;
        }
    }
    if (reader->at >= text.len && is_newline(text.data[text.len - 1])) /* hidden by a backslash */
        reader->file->open_end = true;
    if (kept < value->len) {
        value->len = kept;
        value->data[kept] = '\0';
    }
    return end;
}

static void read_value(Reader *reader, EnvVar *var, StrBuf *value)
{
    Bytes text = reader->file->text;
    var->value_start = var->value_end = reader->at;
    for (bool first = true; reader->at < text.len && !is_newline(text.data[reader->at]);) {
        char c = text.data[reader->at];
        if (is_blank(c)) {
            reader->at++;
            continue;
        }
        if (first)
            var->value_start = reader->at;
        first = false;
        if (c == '"' || c == '\'') {
            read_quoted(reader, value);
            var->value_end = reader->at;
        } else {
            var->value_end = read_plain(reader, value);
            return;
        }
    }
}

static bool is_name(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    return *name && !(*name >= '0' && *name <= '9') && name[strspn(name, letters)] == '\0';
}

/* No control characters but tab and newline (env_value_is_valid). */
static bool is_value(const char *value)
{
    for (const char *p = value; *p; p++) {
        if (((unsigned char)*p < 0x20 && *p != '\t' && *p != '\n') || *p == 0x7f)
            return false;
    }
    return true;
}

/* A line that holds no comment: an assignment, or something without "=" that systemd drops. */
static int read_assignment(Reader *reader, Err *err)
{
    Bytes text = reader->file->text;
    size_t start = reader->at, at = start;
    while (at < text.len && text.data[at] != '=' && !is_newline(text.data[at]))
        at++;
    reader->at = at;
    if (at >= text.len || text.data[at] != '=')
        return 0;
    size_t name_end = at;
    while (name_end > start && is_blank(text.data[name_end - 1]))
        name_end--;
    reader->at++;
    CLEANUP(strbuf_free) StrBuf value = STRBUF_INIT(VALUE_MAX);
    EnvVar var = {.line = text_line(text, start), .start = start};
    read_value(reader, &var, &value);
    var.name = arena_strndup(reader->arena, text.data + start, name_end - start);
    var.value = strbuf_dup(reader->arena, &value);
    var.end = var.value_end;
    if (value.overflowed || !text_is_utf8(bytes_of(var.name)) || !text_is_utf8(bytes_of(var.value)))
        return err_at(err, ERR_INVALID, reader->file->path, var.line, 1, "%s",
                      value.overflowed ? "the value is longer than 1 MiB" : "the assignment is not UTF-8");
    var.valid = is_name(var.name) && is_value(var.value);
    *vec_push(reader->arena, &reader->file->vars) = var;
    return 0;
}

int env_file_parse(Arena *arena, const char *path, Bytes text, EnvFile *ret, Err *err)
{
    EnvFile file = {.path = path, .text = text};
    Reader reader = {.arena = arena, .file = &file};
    const char *nul = memchr(text.data, '\0', text.len);
    if (nul)
        return err_at(err, ERR_INVALID, path, text_line(text, (size_t)(nul - text.data)), 1, "a NUL byte is in it");
    while (reader.at < text.len) {
        char c = text.data[reader.at];
        int r = 0;
        if (is_blank(c) || is_newline(c))
            reader.at++;
        else if (c == '#' || c == ';')
            skip_comment(&reader);
        else
            r = read_assignment(&reader, err);
        if (r < 0)
            return r;
    }
    *ret = file;
    return 0;
}

const EnvVar *env_file_get(const EnvFile *file, const char *name)
{
    const EnvVar *last = NULL;
    VEC_EACH (var, &file->vars) {
        if (var->valid && str_equal(var->name, name))
            last = var;
    }
    return last;
}

static int check_settable(const EnvFile *file, const EnvVar *var, const char *name, Err *err)
{
    if (!is_name(name))
        return err_set(err, ERR_INVALID, "\"%.64s\" is no name of a variable", name);
    if (file->doubtful_line)
        return err_at(
            err, ERR_REFUSED, file->path, file->doubtful_line, 1,
            "a comment that ends in a backslash: what follows means different things to different versions of "
            "systemd");
    if (!var && file->open_end)
        return err_at(err, ERR_REFUSED, file->path, text_line(file->text, file->text.len), 1,
                      "nothing can be appended: a value or comment is still open at the end of the file");
    return 0;
}

int env_file_set(Arena *arena, const EnvFile *file, const char *name, const char *value, Bytes *ret, Err *err)
{
    const EnvVar *var = env_file_get(file, name);
    int r = check_settable(file, var, name, err);
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(VALUE_MAX);
    if (r == 0 && var && str_equal(var->value, value)) {
        *ret = file->text;
        return 0;
    }
    const char *newline = text_line_ending(file->text);
    size_t len = file->text.len;
    if (!var)
        strbuf_printf(&text, "%s%s=", len > 0 && !is_newline(file->text.data[len - 1]) ? newline : "", name);
    if (r == 0)
        r = escape_env(&text, value, err);
    if (r < 0)
        return r;
    if (!var)
        strbuf_add_str(&text, newline);
    SpliceVec splices = {0};
    *vec_push(arena, &splices) =
        (Splice){var ? var->value_start : len, var ? var->value_end : len, strbuf_bytes(arena, &text)};
    return splice_apply(arena, file->text, &splices, ret, err);
}
