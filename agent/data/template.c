/* SPDX-License-Identifier: Apache-2.0 */
/* Rendering: a walk over the parts with a stack of contexts. A template cannot run away: output, depth of partials and
 * the number of parts rendered are bounded. */
#include "data/template.h"

#include <string.h>

#include "data/template-parse.h"

enum { MAX_STEPS = 1000000 };

/* What names are looked up in, innermost first. */
typedef struct Frame {
    const Node *node;
    const struct Frame *outer;
} Frame;

typedef struct Rendering {
    const TemplateOptions *options;
    StrBuf *out;
    size_t max_len; /* of out */
    unsigned steps;
    Err *err;
} Rendering;

/* Where in which template: changes with every partial. */
typedef struct Place {
    const Template *template;
    const char *indent;
    unsigned depth;
} Place;

static int render_parts(Rendering *r, const Place *place, size_t from, size_t to, const Frame *frame);

const char *template_escape_name(const Template *template)
{
    return template->escape;
}

void template_names(Arena *arena, const Template *template, StringVec *names, StringVec *partials)
{
    VEC_EACH (part, &template->parts) {
        StringVec *list = part->kind == PART_PARTIAL ? partials : names;
        if (part->kind != PART_TEXT && !strings_contain(list, part->name))
            *vec_push(arena, list) = part->name;
    }
}

#define FAIL(r, place, part, ...)                                                                                      \
    err_at((r)->err, ERR_INVALID, (place)->template->name, (part)->pos.line, (part)->pos.column, __VA_ARGS__)

/* One step of a dotted name; the key is not NUL-terminated. */
static const Node *get_part(const Node *map, const char *key, size_t len)
{
    if (map->kind != NODE_MAP)
        return NULL;
    VEC_EACH (pair, &map->pairs) {
        if (strncmp(pair->key->text, key, len) == 0 && !pair->key->text[len])
            return pair->value;
    }
    return NULL;
}

/* The first part of the name is looked for from the innermost context outwards; the rest must be inside what it
 * names. */
static const Node *lookup(const Frame *frame, const char *name)
{
    if (strcmp(name, ".") == 0)
        return frame->node;
    size_t len = strcspn(name, ".");
    const Node *node = NULL;
    for (; frame && !node; frame = frame->outer)
        node = get_part(frame->node, name, len);
    while (node && name[len]) {
        name += len + 1;
        len = strcspn(name, ".");
        node = get_part(node, name, len);
    }
    return node;
}

static int find(const Rendering *r, const Place *place, const Part *part, const Frame *frame, const Node **ret)
{
    *ret = lookup(frame, part->name);
    return *ret ? 0 : FAIL(r, place, part, "unknown name \"%s\"", part->name);
}

static int render_value(Rendering *r, const Place *place, const Part *part, const Frame *frame)
{
    const Node *node = NULL;
    int result = find(r, place, part, frame, &node);
    if (result < 0)
        return result;
    if (node->kind != NODE_SCALAR || node_is_null(node))
        return FAIL(r, place, part, "\"%s\" is %s, not a value", part->name, node_kind_name(node));
    if (part->kind == PART_RAW && r->options->escape)
        return FAIL(r, place, part, "\"%s\" would go unescaped", part->name);
    if (!r->options->escape) {
        strbuf_add_str(r->out, node->text);
        return 0;
    }
    return r->options->escape(r->out, node->text, r->err) < 0
               ? FAIL(r, place, part, "\"%s\": %s", part->name, r->err->message)
               : 0;
}

static bool is_true(const Node *node)
{
    bool truth = true;
    if (node_is_null(node) || (node_to_bool(node, &truth) && !truth))
        return false;
    if (node->kind == NODE_SEQ)
        return node->items.n > 0;
    return node->kind == NODE_MAP || *node->text;
}

static int render_section(Rendering *r, const Place *place, const Part *part, size_t body, const Frame *frame)
{
    const Node *node = NULL;
    int result = find(r, place, part, frame, &node);
    if (result < 0)
        return result;
    if (is_true(node) != (part->kind == PART_SECTION))
        return 0;
    if (part->kind == PART_INVERTED)
        return render_parts(r, place, body, part->end, frame);
    if (node->kind != NODE_SEQ)
        return render_parts(r, place, body, part->end, &(Frame){node, frame});
    VEC_EACH (item, &node->items) {
        result = render_parts(r, place, body, part->end, &(Frame){*item, frame});
        if (result < 0)
            return result;
    }
    return 0;
}

static int render_partial(Rendering *r, const Place *place, const Part *part, const Frame *frame)
{
    if (!r->options->partial)
        return FAIL(r, place, part, "partial \"%s\": partials cannot be used here", part->name);
    if (place->depth == TEMPLATE_MAX_DEPTH)
        return FAIL(r, place, part, "partial \"%s\": partials are nested too deep", part->name);
    const Template *template = NULL;
    if (r->options->partial(r->options->userdata, part->name, &template, r->err) < 0)
        return r->err->file[0] ? -(int)r->err->kind
                               : FAIL(r, place, part, "partial \"%s\": %s", part->name, r->err->message);

    CLEANUP(strbuf_free) StrBuf indent = STRBUF_INIT(TEMPLATE_MAX_OUTPUT);
    strbuf_add_str(&indent, place->indent);
    if (part->indent)
        strbuf_add_str(&indent, part->indent);
    Place inner = {template, strbuf_str(&indent), place->depth + 1};
    return render_parts(r, &inner, 0, template->parts.n, frame);
}

static int render_part(Rendering *r, const Place *place, size_t index, const Frame *frame)
{
    const Part *part = &place->template->parts.items[index];
    /* A partial that stands alone hands its indentation on; sections print nothing by themselves. */
    bool prints = part->kind == PART_TEXT || part->kind == PART_VALUE || part->kind == PART_RAW;
    if (prints && part->line_start)
        strbuf_add_str(r->out, place->indent);
    switch (part->kind) {
    case PART_TEXT: strbuf_add(r->out, part->text.data, part->text.len); return 0;
    case PART_VALUE:
    case PART_RAW: return render_value(r, place, part, frame);
    case PART_SECTION:
    case PART_INVERTED: return render_section(r, place, part, index + 1, frame);
    case PART_PARTIAL: break;
    }
    return render_partial(r, place, part, frame);
}

static int render_parts(Rendering *r, const Place *place, size_t from, size_t to, const Frame *frame)
{
    for (size_t i = from; i < to;) {
        const Part *part = &place->template->parts.items[i];
        if (++r->steps > MAX_STEPS || r->out->overflowed || r->out->len > r->max_len)
            return err_at(r->err, ERR_INVALID, place->template->name, part->pos.line, part->pos.column,
                          "the template makes too much text (at most %d KiB)", TEMPLATE_MAX_OUTPUT >> 10);
        int result = render_part(r, place, i, frame);
        if (result < 0)
            return result;
        i = part->kind == PART_SECTION || part->kind == PART_INVERTED ? part->end : i + 1;
    }
    return 0;
}

int template_render(const Template *template, const Node *context, const TemplateOptions *options, StrBuf *out,
                    Err *err)
{
    Rendering rendering = {.options = options, .out = out, .max_len = out->len + TEMPLATE_MAX_OUTPUT, .err = err};
    Place place = {template, "", 0};
    int r = render_parts(&rendering, &place, 0, template->parts.n, &(Frame){context, NULL});
    if (r < 0)
        return r;
    if (out->overflowed || out->len > rendering.max_len)
        return err_at(err, ERR_INVALID, template->name, 0, 0, "the template makes too much text (at most %d KiB)",
                      TEMPLATE_MAX_OUTPUT >> 10);
    return 0;
}
