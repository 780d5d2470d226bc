/* SPDX-License-Identifier: Apache-2.0 */
/* Reading is Jansson's, whose values are copied into our tree and dropped; printing needs no library. */
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Jansson's names for its own printer, which is not used here. */
#undef JSON_COMPACT
#undef JSON_SORT_KEYS

#include "data/json.h"

#include "base/safe-text.h"
#include "base/utf8.h"

DEFINE_CLEANUP(json_t *, json_decref)

static int node_from_json(Arena *arena, const char *name, const json_t *json, unsigned depth, Node **ret, Err *err);

static int map_from_json(Arena *arena, const char *name, const json_t *json, unsigned depth, Node **ret, Err *err)
{
    Node *map = node_map(arena);
    for (void *i = json_object_iter((json_t *)json); i; i = json_object_iter_next((json_t *)json, i)) {
        NodePair *pair = vec_push(arena, &map->pairs); /* the parser rejected duplicates: no need to look for them */
        pair->key = node_text(arena, json_object_iter_key(i));
        int r = node_from_json(arena, name, json_object_iter_value(i), depth + 1, &pair->value, err);
        if (r < 0)
            return r;
    }
    *ret = map;
    return 0;
}

static int seq_from_json(Arena *arena, const char *name, const json_t *json, unsigned depth, Node **ret, Err *err)
{
    Node *seq = node_seq(arena);
    for (size_t i = 0; i < json_array_size(json); i++) {
        Node *item = NULL;
        int r = node_from_json(arena, name, json_array_get(json, i), depth + 1, &item, err);
        if (r < 0)
            return r;
        node_add(arena, seq, item);
    }
    *ret = seq;
    return 0;
}

/* The shortest of the two forms that reads back as the same number. */
static Node *real_from_json(Arena *arena, double value)
{
    char *text = arena_printf(arena, "%.15g", value);
    if (strtod(text, NULL) != value)
        text = arena_printf(arena, "%.17g", value);
    if (!strpbrk(text, ".e")) /* stays a real: -0 and -0.0 are not the same */
        text = arena_printf(arena, "%s.0", text);
    Node *node = node_text(arena, text);
    node->quoted = false;
    return node;
}

static int node_from_json(Arena *arena, const char *name, const json_t *json, unsigned depth, Node **ret, Err *err)
{
    if (depth > JSON_MAX_DEPTH)
        return err_set(err, ERR_INVALID, "%s: nested deeper than %d levels", name, JSON_MAX_DEPTH);
    switch (json_typeof(json)) {
    case JSON_OBJECT: return map_from_json(arena, name, json, depth, ret, err);
    case JSON_ARRAY: return seq_from_json(arena, name, json, depth, ret, err);
    case JSON_STRING: *ret = node_text(arena, json_string_value(json)); return 0;
    case JSON_INTEGER: *ret = node_int(arena, json_integer_value(json)); return 0;
    case JSON_REAL: *ret = real_from_json(arena, json_real_value(json)); return 0;
    case JSON_TRUE: *ret = node_bool(arena, true); return 0;
    case JSON_FALSE: *ret = node_bool(arena, false); return 0;
    case JSON_NULL: break;
    }
    *ret = node_null(arena);
    return 0;
}

/* Jansson 2.14 ends in an assert where its lexer gets no memory. */
static void set_up_library(void)
{
    json_set_alloc_funcs(xmalloc, free);
}

int json_parse(Arena *arena, const char *name, Bytes text, Node **ret_root, Err *err)
{
    if (text.len > JSON_MAX_BYTES)
        return err_set(err, ERR_INVALID, "%s: larger than %d MiB", name, JSON_MAX_BYTES >> 20);
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_up_library);
    json_error_t problem;
    CLEANUP(json_decref)
    json_t *json = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (!json) {
        unsigned line = problem.line > 0 ? (unsigned)problem.line : 1;
        unsigned column = problem.column > 0 ? (unsigned)problem.column : 1;
        return err_at(err, ERR_INVALID, name, line, column, "%s", problem.text);
    }
    return node_from_json(arena, name, json, 0, ret_root, err);
}

/* Stands for a byte that is no UTF-8: what is printed must be readable, whatever it was made of. */
#define REPLACEMENT "\\ufffd"

/* How much of it is printed as it is. */
static size_t plain_len(Bytes text)
{
    size_t at = 0;
    for (size_t n; (n = utf8_char_len(text.data + at, text.len - at)) > 0; at += n) {
        unsigned char c = (unsigned char)text.data[at];
        if (c < 0x20 || c == '"' || c == '\\' || !safe_is_visible(text.data + at, n))
            break;
    }
    return at;
}

void json_print_string(const char *text, StrBuf *out)
{
    static const char shorts[] = {
        ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    Bytes left = bytes_of(text);
    strbuf_add_char(out, '"');
    for (;;) {
        size_t plain = plain_len(left);
        strbuf_add(out, left.data, plain);
        left = (Bytes){left.data + plain, left.len - plain};
        if (left.len == 0)
            break;
        unsigned char c = (unsigned char)left.data[0];
        size_t len = utf8_char_len(left.data, left.len);
        if (c < sizeof shorts && shorts[c])
            strbuf_printf(out, "\\%c", shorts[c]);
        else if (len)
            safe_add(out, (Bytes){left.data, len}, SAFE_JSON);
        else
            strbuf_add_str(out, REPLACEMENT);
        len = len ? len : 1;
        left = (Bytes){left.data + len, left.len - len};
    }
    strbuf_add_char(out, '"');
}

/* RFC 8259, section 6. */
static bool is_json_number(const char *text)
{
    static const char digits[] = "0123456789";
    text += *text == '-';
    size_t whole = strspn(text, digits);
    if (whole == 0 || (whole > 1 && *text == '0'))
        return false;
    text += whole;
    if (*text == '.') {
        size_t fraction = strspn(text + 1, digits);
        if (fraction == 0)
            return false;
        text += 1 + fraction;
    }
    if (*text == 'e' || *text == 'E') {
        text += 1 + (text[1] == '+' || text[1] == '-');
        size_t exponent = strspn(text, digits);
        if (exponent == 0)
            return false;
        text += exponent;
    }
    return !*text;
}

static void print_scalar(const Node *node, StrBuf *out)
{
    bool truth;
    if (node_is_null(node))
        strbuf_add_str(out, "null");
    else if (!node->quoted && (node_to_bool(node, &truth) || is_json_number(node->text)))
        strbuf_add_str(out, node->text);
    else
        json_print_string(node->text, out);
}

static void print_break(JsonStyle style, unsigned depth, StrBuf *out)
{
    if (style & JSON_PRETTY)
        strbuf_printf(out, "\n%*s", (int)depth * 2, "");
}

static void print_node(const Node *node, JsonStyle style, unsigned depth, StrBuf *out);

static int compare_pairs(const void *a, const void *b)
{
    return strcmp((*(const NodePair *const *)a)->key->text, (*(const NodePair *const *)b)->key->text);
}

static void print_map(const Node *map, JsonStyle style, unsigned depth, StrBuf *out)
{
    size_t n = map->pairs.n;
    CLEANUP(mem_free) const NodePair **order = xmalloc(n * sizeof *order);
    for (size_t i = 0; i < n; i++)
        order[i] = &map->pairs.items[i];
    if (style & JSON_SORT_KEYS && n > 1)
        qsort(order, n, sizeof *order, compare_pairs);
    strbuf_add_char(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            strbuf_add_char(out, ',');
        print_break(style, depth + 1, out);
        json_print_string(order[i]->key->text, out);
        strbuf_add_str(out, style & JSON_PRETTY ? ": " : ":");
        print_node(order[i]->value, style, depth + 1, out);
    }
    if (n > 0)
        print_break(style, depth, out);
    strbuf_add_char(out, '}');
}

static void print_seq(const Node *seq, JsonStyle style, unsigned depth, StrBuf *out)
{
    strbuf_add_char(out, '[');
    for (size_t i = 0; i < seq->items.n; i++) {
        if (i > 0)
            strbuf_add_char(out, ',');
        print_break(style, depth + 1, out);
        print_node(seq->items.items[i], style, depth + 1, out);
    }
    if (seq->items.n > 0)
        print_break(style, depth, out);
    strbuf_add_char(out, ']');
}

static void print_node(const Node *node, JsonStyle style, unsigned depth, StrBuf *out)
{
    if (node && node->kind == NODE_MAP)
        print_map(node, style, depth, out);
    else if (node && node->kind == NODE_SEQ)
        print_seq(node, style, depth, out);
    else
        print_scalar(node, out);
}

void json_print(const Node *node, JsonStyle style, StrBuf *out)
{
    print_node(node, style, 0, out);
}

char *json_to_string(Arena *arena, const Node *node, JsonStyle style)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(JSON_MAX_BYTES);
    json_print(node, style, &out);
    return strbuf_dup(arena, &out);
}
