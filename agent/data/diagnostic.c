/* SPDX-License-Identifier: Apache-2.0 */
#include "data/diagnostic.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/safe-text.h"
#include "base/utf8.h"

/* Characters of a quoted line that are shown; a longer line is shown around the caret. */
enum { QUOTE_WIDTH = 140, QUOTE_BEFORE = 100 };

Diagnostics diagnostics_new(Arena *arena)
{
    return (Diagnostics){.arena = arena};
}

/* Messages quote what people wrote; a terminal must not obey it. */
static char *without_controls(char *text)
{
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    }
    return text;
}

static void add(Diagnostics *diags, Severity severity, const Source *source, Pos pos, const char *message)
{
    if (severity == SEVERITY_ERROR)
        diags->errors++;
    else
        diags->warnings++;
    diags->last_dropped = diags->items.n >= DIAGNOSTICS_MAX;
    if (!diags->last_dropped)
        *vec_push(diags->arena, &diags->items) = (Diagnostic){severity, source, pos, message, NULL};
}

static void add_formatted(Diagnostics *diags, Severity severity, const Source *source, Pos pos, const char *format,
                          va_list args) __attribute__((format(printf, 5, 0)));
static void add_formatted(Diagnostics *diags, Severity severity, const Source *source, Pos pos, const char *format,
                          va_list args)
{
    add(diags, severity, source, pos, without_controls(arena_vprintf(diags->arena, format, args)));
}

bool diag_error(Diagnostics *diags, const Node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_formatted(diags, SEVERITY_ERROR, node ? node->source : NULL, node ? node->pos : (Pos){0}, format, args);
    va_end(args);
    return false;
}

bool diag_warning(Diagnostics *diags, const Node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_formatted(diags, SEVERITY_WARNING, node ? node->source : NULL, node ? node->pos : (Pos){0}, format, args);
    va_end(args);
    return false;
}

bool diag_error_at(Diagnostics *diags, const Source *source, Pos pos, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_formatted(diags, SEVERITY_ERROR, source, pos, format, args);
    va_end(args);
    return false;
}

void diag_hint(Diagnostics *diags, const char *format, ...)
{
    if (diags->items.n == 0 || diags->last_dropped)
        return;
    va_list args;
    va_start(args, format);
    diags->items.items[diags->items.n - 1].hint = without_controls(arena_vprintf(diags->arena, format, args));
    va_end(args);
}

void diag_did_you_mean(Diagnostics *diags, const char *word, const char *const *candidates)
{
    /* Looking for the nearest costs; not for what nobody will read. */
    const char *nearest = diags->last_dropped ? NULL : str_nearest(word, candidates);
    if (nearest)
        diag_hint(diags, "did you mean \"%s\"?", nearest);
}

bool diag_from_err(Diagnostics *diags, const Node *node, const Err *err)
{
    if (!err->file[0])
        return diag_error(diags, node, "%s", err->message);
    Source *source = arena_new_of(diags->arena, Source);
    *source = (Source){arena_strdup(diags->arena, err->file), BYTES("")};
    return diag_error_at(diags, source, (Pos){err->line, err->column}, "%s", err->message);
}

void diagnostics_append(Diagnostics *diags, const Diagnostics *other)
{
    VEC_EACH (item, &other->items) {
        add(diags, item->severity, item->source, item->pos, item->message);
        if (item->hint)
            diag_hint(diags, "%s", item->hint);
    }
    size_t kept_errors = 0, kept_warnings = 0;
    VEC_EACH (item, &other->items) {
        kept_errors += item->severity == SEVERITY_ERROR;
        kept_warnings += item->severity == SEVERITY_WARNING;
    }
    diags->errors += other->errors - kept_errors;
    diags->warnings += other->warnings - kept_warnings;
}

static int compare(const Diagnostic *a, const Diagnostic *b)
{
    if (!a->source || !b->source)
        return (a->source != NULL) - (b->source != NULL);
    int by_name = strcmp(a->source->name, b->source->name);
    if (by_name)
        return by_name;
    if (a->pos.line != b->pos.line)
        return a->pos.line < b->pos.line ? -1 : 1;
    return (a->pos.column > b->pos.column) - (a->pos.column < b->pos.column);
}

void diagnostics_sort(Diagnostics *diags)
{
    /* Insertion sort: stable, and there are at most DIAGNOSTICS_MAX. */
    for (size_t i = 1; i < diags->items.n; i++) {
        Diagnostic moving = diags->items.items[i];
        size_t at = i;
        for (; at > 0 && compare(&diags->items.items[at - 1], &moving) > 0; at--)
            diags->items.items[at] = diags->items.items[at - 1];
        diags->items.items[at] = moving;
    }
}

/* Line `number` of the text without its end; false behind the last line. */
static bool find_line(Bytes text, unsigned number, Bytes *ret)
{
    const char *at = text.data, *end = text.data + text.len;
    for (; number > 1; number--) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at)
            return false;
        at++;
    }
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    size_t len = (size_t)((stop ? stop : end) - at);
    if (len > 0 && at[len - 1] == '\r')
        len--;
    *ret = (Bytes){at, len};
    return len > 0;
}

/* Characters `from` to `to` (0-based) of the line: safe on a terminal, or as the blanks above which a caret stands. A
 * tab stays a tab in both, so that they line up however wide the terminal makes it. */
static void add_chars(Bytes line, size_t from, size_t to, bool blank, StrBuf *out)
{
    CLEANUP(strbuf_free) StrBuf shown = STRBUF_INIT(64);
    size_t at = 0;
    for (size_t i = 0; at < line.len && i < to; i++) {
        size_t n = utf8_char_len(line.data + at, line.len - at);
        strbuf_clear(&shown);
        safe_add(&shown, (Bytes){line.data + at, n > 0 ? n : 1}, SAFE_PLAIN);
        if (i >= from && blank && line.data[at] != '\t')
            strbuf_printf(out, "%*s", (int)utf8_count((Bytes){strbuf_str(&shown), shown.len}), "");
        else if (i >= from)
            strbuf_add(out, strbuf_str(&shown), shown.len);
        at += n > 0 ? n : 1;
    }
}

static void quote_line(const Diagnostic *item, bool colour, StrBuf *out)
{
    Bytes line;
    if (!item->source || item->pos.line == 0 || !find_line(item->source->text, item->pos.line, &line))
        return;
    size_t caret = item->pos.column > 0 ? item->pos.column - 1 : 0, count = utf8_count(line);
    if (caret > count)
        caret = count;
    size_t from = caret > QUOTE_BEFORE ? caret - QUOTE_BEFORE : 0;
    size_t to = count - from > QUOTE_WIDTH ? from + QUOTE_WIDTH : count;
    const char *dim = colour ? "\033[2m" : "", *red = colour ? "\033[1;31m" : "", *off = colour ? "\033[0m" : "";

    strbuf_printf(out, "%s%5u |%s ", dim, item->pos.line, off);
    add_chars(line, from, to, false, out);
    strbuf_printf(out, "\n%s      |%s ", dim, off);
    add_chars(line, from, caret, true, out);
    strbuf_printf(out, "%s^%s\n", red, off);
}

static void render_one(const Diagnostic *item, bool colour, StrBuf *out)
{
    const char *bold = colour ? "\033[1m" : "", *off = colour ? "\033[0m" : "";
    if (item->source) {
        strbuf_add_str(out, bold);
        safe_add(out, bytes_of(item->source->name), SAFE_PLAIN);
        strbuf_add_char(out, ':');
        if (item->pos.line > 0)
            strbuf_printf(out, "%u:%u:", item->pos.line, item->pos.column);
        strbuf_printf(out, "%s ", off);
    }
    if (item->severity == SEVERITY_WARNING)
        strbuf_printf(out, "%swarning:%s ", colour ? "\033[1;33m" : "", off);
    safe_add(out, bytes_of(item->message), SAFE_PLAIN);
    if (item->hint) {
        strbuf_add_str(out, " (");
        safe_add(out, bytes_of(item->hint), SAFE_PLAIN);
        strbuf_add_char(out, ')');
    }
    strbuf_add_char(out, '\n');
    quote_line(item, colour, out);
}

void diagnostics_render(Diagnostics *diags, bool colour, StrBuf *out)
{
    diagnostics_sort(diags);
    VEC_EACH (item, &diags->items)
        render_one(item, colour, out);
    size_t more = diags->errors + diags->warnings - diags->items.n;
    if (more > 0)
        strbuf_printf(out, "and %zu more\n", more);
}

Node *diagnostics_to_node(Arena *arena, Diagnostics *diags)
{
    diagnostics_sort(diags);
    Node *list = node_seq(arena);
    VEC_EACH (item, &diags->items) {
        Node *node = node_add(arena, list, node_map(arena));
        node_set_text(arena, node, "severity", item->severity == SEVERITY_ERROR ? "error" : "warning");
        node_set_text(arena, node, "file", item->source ? item->source->name : NULL);
        node_set_int(arena, node, "line", item->pos.line);
        node_set_int(arena, node, "column", item->pos.column);
        node_set_text(arena, node, "message", item->message);
        node_set_text(arena, node, "hint", item->hint);
    }
    return list;
}

int diagnostics_to_err(Diagnostics *diags, Err *err)
{
    if (diags->errors == 0)
        return 0;
    diagnostics_sort(diags);
    const Diagnostic *first = diags->items.items;
    while (first < diags->items.items + diags->items.n - 1 && first->severity != SEVERITY_ERROR)
        first++;
    char more[48] = "";
    if (diags->errors > 1)
        snprintf(more, sizeof more, ", and %zu more", diags->errors - 1);
    const char *open = first->hint ? " (" : "", *shut = first->hint ? ")" : "", *hint = first->hint ? first->hint : "";
    return err_at(err, ERR_INVALID, first->source ? first->source->name : NULL, first->pos.line, first->pos.column,
                  "%s%s%s%s%s", first->message, open, hint, shut, more);
}
