/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over the fields of a table, with one function a shape. Every function adds its errors and goes on with the
 * next field, so that a person sees all of them at once. */
#include "data/decode.h"

#include <string.h>

#include "data/reference.h"

/* Longest piece of somebody's text inside a message. */
#define CLIP "%.80s"

/* Any VEC, whatever its items are: the members of base/vec.h's VEC in their order. */
typedef struct AnyVec {
    void *items;
    size_t n, capacity;
} AnyVec;

static bool decode_fields(Decoder *d, const StructType *type, const char *label, const Node *node, void *ret);

ValueType field_value_type(const Field *field)
{
    return (ValueType){.kind = field->kind,
                       .min = field->min,
                       .max = field->max,
                       .choices = field->choices,
                       .allow_auto = field->allow_auto,
                       .allow_never = field->allow_never};
}

static bool fail_kind(Decoder *d, const char *what, const char *wanted, const Node *node)
{
    return diag_error(d->diags, node, "%s must be %s, not %s", what, wanted, node_kind_name(node));
}

static bool decode_literal(Decoder *d, const ValueType *type, const char *what, const Node *node, Value *ret)
{
    Err err;
    if (value_parse(d->arena, type, node->text, ret, &err) < 0) {
        diag_error(d->diags, node, "%s: %s", what, err.message);
        if (type->kind == VALUE_ENUM && type->choices)
            diag_did_you_mean(d->diags, node->text, type->choices);
        return false;
    }
    ret->node = node;
    return true;
}

static bool decode_scalar(Decoder *d, const ValueType *type, const char *what, bool references, const Node *node,
                          Value *ret)
{
    if (!node || node->kind != NODE_SCALAR || node_is_null(node)) {
        fail_kind(d, what, value_kind_phrase(type->kind), node);
        if (node && node->kind == NODE_MAP)
            diag_hint(d->diags, "a reference is written in quotes: \"{{ name }}\"");
        return false;
    }
    if (references && strstr(node->text, "{{"))
        return reference_decode(d, type, what, node, ret);
    return decode_literal(d, type, what, node, ret);
}

bool decode_value(Decoder *d, const ValueType *type, const char *what, const Node *node, Value *ret)
{
    return decode_scalar(d, type, what, true, node, ret);
}

static bool decode_field_value(Decoder *d, const Field *field, const char *what, const Node *node, Value *ret)
{
    ValueType type = field_value_type(field);
    return decode_scalar(d, &type, what, !field->no_references, node, ret);
}

static bool decode_value_member(Decoder *d, const Field *field, const Node *node, void *member)
{
    return decode_field_value(d, field, field->name, node, member);
}

static bool decode_value_list(Decoder *d, const Field *field, const Node *node, void *member)
{
    ValueVec *list = member;
    if (node->kind == NODE_SCALAR && !node_is_null(node))
        return decode_field_value(d, field, field->name, node, vec_push(d->arena, list));
    if (node->kind != NODE_SEQ)
        return fail_kind(d, field->name, "a list", node);
    bool ok = true;
    VEC_EACH (item, &node->items)
        ok = decode_field_value(d, field, field->name, *item, vec_push(d->arena, list)) && ok;
    return ok;
}

static bool decode_value_map(Decoder *d, const Field *field, const Node *node, void *member)
{
    NamedVec *list = member;
    if (node->kind != NODE_MAP)
        return fail_kind(d, field->name, "a map", node);
    bool ok = true;
    VEC_EACH (pair, &node->pairs) {
        Named *named = vec_push(d->arena, list);
        *named = (Named){.name = pair->key->text, .key = pair->key};
        ok = decode_field_value(d, field, pair->key->text, pair->value, &named->value) && ok;
    }
    return ok;
}

static bool decode_struct_member(Decoder *d, const Field *field, const Node *node, void *member)
{
    void *spec = arena_alloc(d->arena, field->type->size);
    *(void **)member = spec;
    return decode_fields(d, field->type, arena_printf(d->arena, "\"%s\"", field->name), node, spec);
}

static bool decode_struct_list(Decoder *d, const Field *field, const Node *node, void *member)
{
    AnyVec *list = member;
    if (node->kind != NODE_SEQ)
        return fail_kind(d, field->name, "a list", node);
    bool ok = true;
    size_t size = field->type->size;
    VEC_EACH (item, &node->items) {
        vec_grow(d->arena, &list->items, &list->capacity, list->n, size);
        void *spec = (char *)list->items + list->n++ * size;
        ok = decode_fields(d, field->type, field->type->name, *item, spec) && ok;
    }
    return ok;
}

static bool decode_struct_map(Decoder *d, const Field *field, const Node *node, void *member)
{
    NamedVec *list = member;
    if (node->kind != NODE_MAP)
        return fail_kind(d, field->name, "a map", node);
    bool ok = true;
    VEC_EACH (pair, &node->pairs) {
        void *spec = arena_alloc(d->arena, field->type->size);
        *vec_push(d->arena, list) = (Named){.name = pair->key->text, .key = pair->key, .spec = spec};
        const char *label = arena_printf(d->arena, "%s \"" CLIP "\"", field->type->name, pair->key->text);
        ok = decode_fields(d, field->type, label, pair->value, spec) && ok;
    }
    return ok;
}

static bool fail_unknown_kind(Decoder *d, const Field *field, const Node *key)
{
    StructType type;
    VEC(const char *) names = {0};
    for (size_t i = 0; field->kind_at(i, &type); i++)
        *vec_push(d->arena, &names) = type.name;
    *vec_push(d->arena, &names) = NULL;
    diag_error(d->diags, key, "unknown %s \"" CLIP "\"", field->noun, key->text);
    diag_did_you_mean(d->diags, key->text, names.items);
    return false;
}

/* `boot-failure:` alone is a kind without options. */
static const Node *no_options(Decoder *d, const Node *key)
{
    Node *node = node_map(d->arena);
    node->pos = key->pos;
    node->source = key->source;
    return node;
}

static bool decode_kind(Decoder *d, const Field *field, const NodePair *pair, KindedVec *list)
{
    StructType type;
    size_t index = 0;
    while (field->kind_at(index, &type) && strcmp(type.name, pair->key->text) != 0)
        index++;
    if (!field->kind_at(index, &type))
        return fail_unknown_kind(d, field, pair->key);
    void *spec = arena_alloc(d->arena, type.size);
    *vec_push(d->arena, list) =
        (Kinded){.kind = type.name, .index = index, .spec = spec, .node = pair->value, .key = pair->key};
    const char *label = arena_printf(d->arena, "%s \"%s\"", field->noun, type.name);
    return decode_fields(d, &type, label, node_is_null(pair->value) ? no_options(d, pair->key) : pair->value, spec);
}

static bool decode_kind_list(Decoder *d, const Field *field, const Node *node, void *member)
{
    if (node->kind != NODE_SEQ)
        return fail_kind(d, field->name, "a list", node);
    bool ok = true;
    VEC_EACH (item, &node->items) {
        if ((*item)->kind == NODE_MAP && (*item)->pairs.n == 1) {
            ok = decode_kind(d, field, &(*item)->pairs.items[0], member) && ok;
            continue;
        }
        ok = diag_error(d->diags, *item, "each item of %s is a map with one key, the kind of %s", field->name,
                        field->noun);
        if ((*item)->kind == NODE_SCALAR && !node_is_null(*item))
            diag_hint(d->diags, "write %.40s: {...}", (*item)->text);
        else if ((*item)->kind == NODE_MAP && (*item)->pairs.n > 1)
            diag_hint(d->diags, "are the keys after \"%.40s\" indented too little?", (*item)->pairs.items[0].key->text);
    }
    return ok;
}

static bool decode_kind_map(Decoder *d, const Field *field, const Node *node, void *member)
{
    if (node->kind != NODE_MAP)
        return fail_kind(d, field->name, "a map", node);
    bool ok = true;
    VEC_EACH (pair, &node->pairs)
        ok = decode_kind(d, field, pair, member) && ok;
    return ok;
}

static bool decode_custom(Decoder *d, const Field *field, const Node *node, void *member)
{
    size_t before = d->diags->errors;
    field->hook(d, field, node, member);
    return d->diags->errors == before;
}

static bool (*const shapes[])(Decoder *, const Field *, const Node *, void *) = {
    [SHAPE_VALUE] = decode_value_member,      [SHAPE_VALUE_LIST] = decode_value_list,
    [SHAPE_VALUE_MAP] = decode_value_map,     [SHAPE_STRUCT] = decode_struct_member,
    [SHAPE_STRUCT_LIST] = decode_struct_list, [SHAPE_STRUCT_MAP] = decode_struct_map,
    [SHAPE_KIND_LIST] = decode_kind_list,     [SHAPE_KIND_MAP] = decode_kind_map,
    [SHAPE_CUSTOM] = decode_custom,
};

static bool decode_absent(Decoder *d, const Field *field, const char *label, const Node *node, void *member)
{
    if (field->required)
        return diag_error(d->diags, node, "%s needs the key \"%s\"", label, field->name);
    if (field->shape != SHAPE_VALUE || !field->default_text)
        return true;
    Err err;
    ValueType type = field_value_type(field);
    if (value_parse(d->arena, &type, field->default_text, member, &err) < 0)
        return diag_error(d->diags, node, "the default of %s: %s", field->name, err.message);
    return true;
}

static bool decode_present(Decoder *d, const Field *field, const Node *node, void *member)
{
    size_t items = node->kind == NODE_MAP ? node->pairs.n : node->kind == NODE_SEQ ? node->items.n : 1;
    if (items < field->min_items)
        return diag_error(d->diags, node, "%s must have at least %zu %s", field->name, field->min_items,
                          field->min_items == 1 ? "entry" : "entries");
    return shapes[field->shape](d, field, node, member);
}

static bool check_keys(Decoder *d, const StructType *type, const char *label, const Node *node)
{
    bool ok = true;
    VEC_EACH (pair, &node->pairs) {
        const Field *field = type->fields;
        while (field->name && strcmp(field->name, pair->key->text) != 0)
            field++;
        if (field->name)
            continue;
        ok = diag_error(d->diags, pair->key, "unknown key \"" CLIP "\" in %s", pair->key->text, label);
        if (d->diags->last_dropped)
            continue;
        StringVec names = {0};
        for (field = type->fields; field->name; field++) {
            if (!node_get(node, field->name))
                *vec_push(d->arena, &names) = field->name;
        }
        *vec_push(d->arena, &names) = NULL;
        diag_did_you_mean(d->diags, pair->key->text, names.items);
    }
    return ok;
}

static bool decode_fields(Decoder *d, const StructType *type, const char *label, const Node *node, void *ret)
{
    memset(ret, 0, type->size);
    if (!node || node->kind != NODE_MAP)
        return fail_kind(d, label, "a map", node);
    bool ok = check_keys(d, type, label, node);
    for (const Field *field = type->fields; field->name; field++) {
        const Node *value = node_get(node, field->name);
        void *member = (char *)ret + field->offset;
        ok = (value ? decode_present(d, field, value, member) : decode_absent(d, field, label, node, member)) && ok;
    }
    size_t before = d->diags->errors;
    if (ok && type->check)
        type->check(d, node, ret);
    return ok && d->diags->errors == before;
}

bool decode_struct(Decoder *d, const StructType *type, const Node *node, void *ret)
{
    return decode_fields(d, type, type->name, node, ret);
}
