/* SPDX-License-Identifier: Apache-2.0 */
/* Text to parts in one pass. The delicate rule is "standalone": a tag that prints nothing by itself (section, end,
 * comment, partial) and is alone on its line takes the whole line with it, blanks and line end. */
#include "data/template-parse.h"

#include <string.h>

#include "base/cleanup.h"

typedef struct Parser {
    Arena *arena;
    Template *template;
    Bytes text;
    size_t at;                         /* next byte to look at */
    size_t counted;                    /* bytes that `pos` has counted */
    Pos pos;                           /* of byte `counted` */
    size_t open[TEMPLATE_MAX_NESTING]; /* sections not yet ended: indexes of their parts */
    size_t depth;
    Err *err;
} Parser;

typedef struct Tag {
    char sigil;        /* # ^ / > ! & { = or 0 for a variable */
    const char *name;  /* trimmed; for a comment its text */
    size_t start, end; /* bytes of the whole tag */
    Pos pos;
} Tag;

#define FAIL(p, pos, ...) err_at((p)->err, ERR_INVALID, (p)->template->name, (pos).line, (pos).column, __VA_ARGS__)

static Pos pos_of(Parser *p, size_t offset)
{
    for (; p->counted < offset; p->counted++) {
        unsigned char c = (unsigned char)p->text.data[p->counted];
        if (c == '\n')
            p->pos = (Pos){p->pos.line + 1, 1};
        else if ((c & 0xc0) != 0x80) /* continuation bytes of UTF-8 are no characters */
            p->pos.column++;
    }
    return p->pos;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool at_line_start(const Parser *p, size_t offset)
{
    return offset == 0 || p->text.data[offset - 1] == '\n';
}

/* Where the line's blanks before `offset` begin, if only blanks are before it. */
static bool blanks_before(const Parser *p, size_t offset, size_t *ret_start)
{
    while (offset > 0 && is_blank(p->text.data[offset - 1]))
        offset--;
    *ret_start = offset;
    return at_line_start(p, offset);
}

/* Where the next line begins, if only blanks are behind `offset`. */
static bool blanks_behind(const Parser *p, size_t offset, size_t *ret_next)
{
    const char *text = p->text.data;
    while (offset < p->text.len && is_blank(text[offset]))
        offset++;
    if (offset + 1 < p->text.len && text[offset] == '\r' && text[offset + 1] == '\n')
        offset++;
    *ret_next = offset < p->text.len ? offset + 1 : offset;
    return offset >= p->text.len || text[offset] == '\n';
}

static Part *add_part(Parser *p, PartKind kind, size_t start)
{
    Part *part = vec_push(p->arena, &p->template->parts);
    part->kind = kind;
    part->line_start = at_line_start(p, start);
    return part;
}

static void add_text(Parser *p, size_t start, size_t end)
{
    while (start < end) {
        const char *from = p->text.data + start, *newline = memchr(from, '\n', end - start);
        size_t len = newline ? (size_t)(newline - from) + 1 : end - start;
        add_part(p, PART_TEXT, start)->text = (Bytes){from, len};
        start += len;
    }
}

static const char *trimmed(Parser *p, size_t start, size_t end)
{
    while (start < end && strchr(" \t\r\n", p->text.data[start]))
        start++;
    while (end > start && strchr(" \t\r\n", p->text.data[end - 1]))
        end--;
    return arena_strndup(p->arena, p->text.data + start, end - start);
}

/* A name, names joined by dots, or one dot; of a partial also a file name. */
static bool is_tag_name(const char *name, bool partial)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t len = strlen(name);
    if (len == 0 || len > 128 || name[strspn(name, allowed)])
        return false;
    if (partial)
        return *name != '.';
    return strcmp(name, ".") == 0 || (*name != '.' && name[len - 1] != '.' && !strstr(name, ".."));
}

static int read_tag(Parser *p, size_t start, Tag *ret)
{
    Tag tag = {.start = start, .pos = pos_of(p, start)};
    size_t body = start + 2;
    char sigil = body < p->text.len ? p->text.data[body] : '\0';
    if (sigil && strchr("#^/>!&{=", sigil)) {
        tag.sigil = sigil;
        body++;
    }
    const char *shut = sigil == '{' ? "}}}" : "}}";
    const char *end = memmem(p->text.data + body, p->text.len - body, shut, strlen(shut));
    if (!end)
        return FAIL(p, tag.pos, "a tag that is not closed with %s", shut);
    size_t close = (size_t)(end - p->text.data);
    tag.end = close + strlen(shut);
    tag.name = trimmed(p, body, close);
    if (sigil == '=')
        return FAIL(p, tag.pos, "delimiters cannot be changed");
    if (sigil != '!' && !is_tag_name(tag.name, sigil == '>'))
        return FAIL(p, tag.pos, "\"%.60s\" is not a name", tag.name);
    *ret = tag;
    return 0;
}

static int open_section(Parser *p, const Tag *tag)
{
    if (p->depth == TEMPLATE_MAX_NESTING)
        return FAIL(p, tag->pos, "section \"%s\" is nested too deep", tag->name);
    p->open[p->depth++] = p->template->parts.n;
    Part *part = add_part(p, tag->sigil == '#' ? PART_SECTION : PART_INVERTED, tag->start);
    part->name = tag->name;
    part->pos = tag->pos;
    return 0;
}

static int close_section(Parser *p, const Tag *tag)
{
    if (p->depth == 0)
        return FAIL(p, tag->pos, "section \"%s\" ends here but never began", tag->name);
    Part *begun = &p->template->parts.items[p->open[--p->depth]];
    if (strcmp(begun->name, tag->name) != 0)
        return FAIL(p, tag->pos, "section \"%s\" (line %u) is still open where \"%s\" ends", begun->name,
                    begun->pos.line, tag->name);
    begun->end = p->template->parts.n;
    return 0;
}

static int read_comment(Parser *p, const Tag *tag)
{
    static const char *const names[] = {"nginx", "systemd", "systemd-value", "python", "env", "shlex", "raw"};
    if (tag->start != 0 || !str_starts(tag->name, "escape:"))
        return 0;
    const char *name = tag->name + strlen("escape:");
    name += strspn(name, " \t");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(name, names[i]) == 0)
            p->template->escape = names[i];
    }
    if (!p->template->escape)
        return FAIL(p, tag->pos, "unknown escaping \"%.60s\": nginx, systemd, systemd-value, python, env, shlex or raw",
                    name);
    return 0;
}

static int add_tag(Parser *p, const Tag *tag, const char *indent)
{
    switch (tag->sigil) {
    case '#':
    case '^': return open_section(p, tag);
    case '/': return close_section(p, tag);
    case '!': return read_comment(p, tag);
    default: break;
    }
    bool raw = tag->sigil == '{' || tag->sigil == '&';
    if (raw && !str_equal(p->template->escape, "raw"))
        return FAIL(p, tag->pos, "\"%s\" would go unescaped: only a template with {{! escape: raw }} may do that",
                    tag->name);
    Part *part = add_part(p, tag->sigil == '>' ? PART_PARTIAL : raw ? PART_RAW : PART_VALUE, tag->start);
    part->name = tag->name;
    part->pos = tag->pos;
    part->indent = indent;
    return 0;
}

/* The text up to the next tag, and the tag. */
static int parse_next(Parser *p)
{
    const char *open = memmem(p->text.data + p->at, p->text.len - p->at, "{{", 2);
    if (!open) {
        add_text(p, p->at, p->text.len);
        p->at = p->text.len;
        return 0;
    }
    Tag tag = {0};
    int r = read_tag(p, (size_t)(open - p->text.data), &tag);
    if (r < 0)
        return r;
    size_t text_end = tag.start, next = tag.end, line_start, next_line;
    const char *indent = NULL;
    if (tag.sigil && strchr("#^/>!", tag.sigil) && blanks_before(p, tag.start, &line_start) &&
        blanks_behind(p, tag.end, &next_line) && line_start >= p->at) {
        indent = arena_strndup(p->arena, p->text.data + line_start, tag.start - line_start);
        text_end = line_start;
        next = next_line;
    }
    add_text(p, p->at, text_end);
    p->at = next;
    return add_tag(p, &tag, indent);
}

int template_parse(Arena *arena, const char *name, Bytes text, const Template **ret, Err *err)
{
    Template *template = arena_new_of(arena, Template);
    template->name = arena_strdup(arena, name);
    Parser parser = {.arena = arena, .template = template, .text = bytes_dup(arena, text), .pos = {1, 1}, .err = err};
    if (text.len > TEMPLATE_MAX_OUTPUT)
        return err_at(err, ERR_INVALID, name, 0, 0, "a template of more than %d KiB", TEMPLATE_MAX_OUTPUT >> 10);
    if (memchr(text.data, '\0', text.len))
        return err_at(err, ERR_INVALID, name, 0, 0, "a template cannot hold NUL characters");
    while (parser.at < parser.text.len) {
        int r = parse_next(&parser);
        if (r < 0)
            return r;
    }
    if (parser.depth > 0) {
        const Part *begun = &template->parts.items[parser.open[parser.depth - 1]];
        return FAIL(&parser, begun->pos, "section \"%s\" is never ended", begun->name);
    }
    *ret = template;
    return 0;
}
