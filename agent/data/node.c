/* SPDX-License-Identifier: Apache-2.0 */
#include "data/node.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const NodePair *pair_find(const Node *map, const char *key)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    VEC_EACH (pair, &map->pairs) {
        if (strcmp(pair->key->text, key) == 0)
            return pair;
    }
    return NULL;
}

Node *node_get(const Node *map, const char *key)
{
    const NodePair *pair = pair_find(map, key);
    return pair ? pair->value : NULL;
}

const char *node_get_text(const Node *map, const char *key)
{
    const Node *node = node_get(map, key);
    return node && node->kind == NODE_SCALAR && !node_is_null(node) ? node->text : NULL;
}

bool node_is_null(const Node *node)
{
    if (!node)
        return true;
    if (node->kind != NODE_SCALAR || node->quoted)
        return false;
    return !*node->text || str_equal(node->text, "null") || str_equal(node->text, "~");
}

bool node_to_int(const Node *node, int64_t *ret_value)
{
    if (!node || node->kind != NODE_SCALAR || node->quoted)
        return false;
    const char *digits = node->text + (*node->text == '-');
    if (!*digits || digits[strspn(digits, "0123456789")])
        return false;
    errno = 0;
    long long value = strtoll(node->text, NULL, 10);
    if (errno)
        return false;
    *ret_value = value;
    return true;
}

bool node_to_bool(const Node *node, bool *ret_value)
{
    if (!node || node->kind != NODE_SCALAR || node->quoted)
        return false;
    bool value = str_equal(node->text, "true");
    if (!value && !str_equal(node->text, "false"))
        return false;
    *ret_value = value;
    return true;
}

const char *node_kind_name(const Node *node)
{
    if (!node || node_is_null(node))
        return "nothing";
    return node->kind == NODE_MAP ? "a map" : node->kind == NODE_SEQ ? "a list" : "a value";
}

static Node *node_new(Arena *arena, NodeKind kind)
{
    Node *node = arena_new_of(arena, Node);
    node->kind = kind;
    node->text = "";
    return node;
}

Node *node_map(Arena *arena)
{
    return node_new(arena, NODE_MAP);
}

Node *node_seq(Arena *arena)
{
    return node_new(arena, NODE_SEQ);
}

static Node *node_scalar(Arena *arena, const char *owned_text, bool quoted)
{
    Node *node = node_new(arena, NODE_SCALAR);
    node->text = owned_text;
    node->quoted = quoted;
    return node;
}

Node *node_text(Arena *arena, const char *text)
{
    return text ? node_scalar(arena, arena_strdup(arena, text), true) : node_null(arena);
}

Node *node_textf(Arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return node_scalar(arena, text, true);
}

Node *node_int(Arena *arena, int64_t value)
{
    return node_scalar(arena, arena_printf(arena, "%lld", (long long)value), false);
}

Node *node_double(Arena *arena, double value)
{
    return isfinite(value) ? node_scalar(arena, arena_printf(arena, "%.6g", value), false) : node_null(arena);
}

Node *node_bool(Arena *arena, bool value)
{
    return node_scalar(arena, value ? "true" : "false", false);
}

Node *node_null(Arena *arena)
{
    return node_scalar(arena, "null", false);
}

Node *node_set(Arena *arena, Node *map, const char *key, Node *value)
{
    VEC_EACH (pair, &map->pairs) {
        if (strcmp(pair->key->text, key) == 0)
            return pair->value = value;
    }
    *vec_push(arena, &map->pairs) = (NodePair){node_text(arena, key), value};
    return value;
}

Node *node_add(Arena *arena, Node *seq, Node *value)
{
    *vec_push(arena, &seq->items) = value;
    return value;
}

void node_set_text(Arena *arena, Node *map, const char *key, const char *text)
{
    node_set(arena, map, key, node_text(arena, text));
}

void node_set_int(Arena *arena, Node *map, const char *key, int64_t value)
{
    node_set(arena, map, key, node_int(arena, value));
}

void node_set_bool(Arena *arena, Node *map, const char *key, bool value)
{
    node_set(arena, map, key, node_bool(arena, value));
}

Node *node_dup(Arena *arena, const Node *node)
{
    if (!node)
        return NULL;
    Node *copy = node_new(arena, node->kind);
    copy->quoted = node->quoted;
    copy->pos = node->pos;
    copy->source = node->source;
    copy->text = arena_strdup(arena, node->text);
    VEC_EACH (pair, &node->pairs)
        *vec_push(arena, &copy->pairs) = (NodePair){node_dup(arena, pair->key), node_dup(arena, pair->value)};
    VEC_EACH (item, &node->items)
        *vec_push(arena, &copy->items) = node_dup(arena, *item);
    return copy;
}

static bool maps_equal(const Node *a, const Node *b)
{
    if (a->pairs.n != b->pairs.n)
        return false;
    VEC_EACH (pair, &a->pairs) {
        const NodePair *other = pair_find(b, pair->key->text);
        if (!other || !node_equal(pair->value, other->value))
            return false;
    }
    return true;
}

bool node_equal(const Node *a, const Node *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind)
        return false;
    if (a->kind == NODE_SCALAR)
        return a->quoted == b->quoted && strcmp(a->text, b->text) == 0;
    if (a->kind == NODE_MAP)
        return maps_equal(a, b);
    if (a->items.n != b->items.n)
        return false;
    for (size_t i = 0; i < a->items.n; i++) {
        if (!node_equal(a->items.items[i], b->items.items[i]))
            return false;
    }
    return true;
}
