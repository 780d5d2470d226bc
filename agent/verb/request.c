/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/request.h"

#include "data/json.h"

typedef enum FieldKind { FIELD_TEXT, FIELD_BOOL, FIELD_USEC, FIELD_STRINGS, FIELD_NODE } FieldKind;

#define ROW(kind, member)                                                                                              \
    {                                                                                                                  \
#member, kind, offsetof(Request, member)                                                                       \
    }

static const struct {
    const char *key;
    FieldKind kind;
    size_t offset;
} fields[] = {
    ROW(FIELD_TEXT, id),
    ROW(FIELD_TEXT, kind),
    ROW(FIELD_TEXT, name),
    ROW(FIELD_TEXT, source),
    ROW(FIELD_TEXT, text),
    ROW(FIELD_NODE, values),
    ROW(FIELD_TEXT, which),
    ROW(FIELD_TEXT, to),
    ROW(FIELD_STRINGS, overrides),
    ROW(FIELD_TEXT, reason),
    ROW(FIELD_TEXT, user),
    ROW(FIELD_TEXT, accepted),
    ROW(FIELD_TEXT, fault),
    ROW(FIELD_BOOL, once),
    ROW(FIELD_BOOL, force),
    ROW(FIELD_BOOL, accept_pending),
    ROW(FIELD_BOOL, make_permanent),
    ROW(FIELD_BOOL, colour),
    ROW(FIELD_USEC, confirm_usec),
    ROW(FIELD_USEC, for_usec),
    ROW(FIELD_BOOL, accept_failing_baseline),
};

static Node *encode(Arena *arena, FieldKind kind, const void *member)
{
    switch (kind) {
    case FIELD_TEXT: return node_text(arena, *(const char *const *)member);
    case FIELD_BOOL: return node_bool(arena, *(const bool *)member);
    case FIELD_USEC: return node_int(arena, (int64_t) * (const usec *)member);
    case FIELD_NODE: return *(Node *const *)member ? *(Node *const *)member : node_null(arena);
    case FIELD_STRINGS: break;
    }
    Node *list = node_seq(arena);
    VEC_EACH (text, (const StringVec *)member)
        node_add(arena, list, node_text(arena, *text));
    return list;
}

char *request_to_json(Arena *arena, const Request *request)
{
    Node *map = node_map(arena);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        node_set(arena, map, fields[i].key, encode(arena, fields[i].kind, (const char *)request + fields[i].offset));
    return json_to_string(arena, map, JSON_COMPACT);
}

static bool decode(Arena *arena, FieldKind kind, Node *node, void *member)
{
    int64_t number = 0;
    switch (kind) {
    case FIELD_BOOL: return node_to_bool(node, member);
    case FIELD_USEC:
        if (!node_to_int(node, &number) || number < 0)
            return false;
        *(usec *)member = (usec)number;
        return true;
    case FIELD_TEXT: *(const char **)member = node->text; return node->kind == NODE_SCALAR;
    case FIELD_NODE: *(const Node **)member = node; return node->kind == NODE_MAP;
    case FIELD_STRINGS: break;
    }
    VEC_EACH (item, &node->items)
        *vec_push(arena, (StringVec *)member) = (*item)->text;
    return node->kind == NODE_SEQ;
}

int request_from_json(Arena *arena, Bytes json, Request *ret, Err *err)
{
    Node *root;
    Request request = {0};
    int r = json_parse(arena, "the request of the run", json, &root, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        Node *node = node_get(root, fields[i].key);
        if (!node_is_null(node) && !decode(arena, fields[i].kind, node, (char *)&request + fields[i].offset))
            return err_set(err, ERR_INVALID, "the request of the run is damaged at \"%s\"", fields[i].key);
    }
    if (!request.id || !request.kind)
        return err_set(err, ERR_INVALID, "the request of the run does not say what to run");
    *ret = request;
    return 0;
}

const char *request_what(Arena *arena, const Request *request)
{
    return request->name ? arena_printf(arena, "%s %s", request->kind, request->name) : request->kind;
}
