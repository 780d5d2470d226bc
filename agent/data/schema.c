/* SPDX-License-Identifier: Apache-2.0 */
/* Both forms are walks over the same tables that decode. */
#include "data/schema.h"

#include <string.h>

/* Patterns for editors: close enough to complete and underline; the agent's own check is exact. */
static const char *const patterns[] = {
    [VALUE_DURATION] = "[0-9]+(ms|s|min|h)",
    [VALUE_SIZE] = "[0-9]+(B|KiB|MiB|GiB)",
    [VALUE_PERCENT] = "[0-9]+%",
    [VALUE_UNIT] = "[A-Za-z0-9:_.\\\\@-]+",
    [VALUE_PATH] = "/.*",
    [VALUE_URL] = "https?://[^ ]+",
    [VALUE_HOST] = "[A-Za-z0-9.:\\[\\]-]+",
    [VALUE_WORD] = "[A-Za-z0-9._:@%+/=-]+",
    [VALUE_SCALAR] = NULL,
};

static const char reference_pattern[] = "\\{\\{ *[a-z][a-z0-9_]* *\\}\\}";

static Node *typed(Arena *arena, const char *type)
{
    Node *node = node_map(arena);
    node_set_text(arena, node, "type", type);
    return node;
}

/* What YAML tools take for a number (8080) is a fine word or text. */
static Node *typed_loosely(Arena *arena)
{
    static const char *const types[] = {"string", "number", "boolean"};
    Node *node = node_map(arena), *list = node_set(arena, node, "type", node_seq(arena));
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        node_add(arena, list, node_text(arena, types[i]));
    return node;
}

static Node *pattern_node(Arena *arena, const Field *field, bool references)
{
    bool longer = field->kind == VALUE_URL || field->kind == VALUE_PATH || field->kind == VALUE_WORD;
    Node *node = field->kind == VALUE_WORD ? typed_loosely(arena) : typed(arena, "string");
    CLEANUP(strbuf_free) StrBuf pattern = STRBUF_INIT(512);
    strbuf_printf(&pattern, "^(%s", patterns[field->kind]);
    if (field->allow_auto)
        strbuf_add_str(&pattern, "|auto");
    if (field->allow_never)
        strbuf_add_str(&pattern, "|never");
    if (references)
        strbuf_printf(&pattern, longer ? "|.*%s.*" : "|%s", reference_pattern);
    strbuf_add_str(&pattern, ")$");
    node_set_text(arena, node, "pattern", strbuf_str(&pattern));
    return node;
}

static Node *choices_node(Arena *arena, const Field *field)
{
    Node *node = node_map(arena), *list = node_set(arena, node, "enum", node_seq(arena));
    for (const char *const *choice = field->choices; choice && *choice; choice++)
        node_add(arena, list, node_text(arena, *choice));
    return node;
}

static Node *plain_node(Arena *arena, const Field *field)
{
    if (field->kind == VALUE_INT) {
        Node *node = typed(arena, "integer");
        Node min = {.kind = NODE_SCALAR, .text = field->min}, max = {.kind = NODE_SCALAR, .text = field->max};
        if (field->min)
            node_set(arena, node, "minimum", node_dup(arena, &min));
        if (field->max)
            node_set(arena, node, "maximum", node_dup(arena, &max));
        return node;
    }
    if (field->kind == VALUE_BOOL)
        return typed(arena, "boolean");
    if (field->kind == VALUE_ENUM)
        return choices_node(arena, field);
    return typed_loosely(arena);
}

static Node *value_node(Arena *arena, const Field *field, bool references)
{
    references = references && !field->no_references;
    if (field->kind < ARRAY_LEN(patterns) && patterns[field->kind])
        return pattern_node(arena, field, references);
    Node *plain = plain_node(arena, field);
    bool text = field->kind == VALUE_TEXT || field->kind == VALUE_SCALAR;
    bool words = field->allow_auto || field->allow_never;
    if (text || (!references && !words))
        return plain;
    Node *node = node_map(arena), *any = node_set(arena, node, "anyOf", node_seq(arena));
    node_add(arena, any, plain);
    Node *other = node_add(arena, any, typed(arena, "string"));
    CLEANUP(strbuf_free) StrBuf pattern = STRBUF_INIT(128);
    const char *const parts[] = {field->allow_auto ? "auto" : NULL, field->allow_never ? "never" : NULL,
                                 references ? reference_pattern : NULL};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i])
            strbuf_printf(&pattern, "%s%s", pattern.len ? "|" : "^(", parts[i]);
    }
    strbuf_add_str(&pattern, ")$");
    node_set_text(arena, other, "pattern", strbuf_str(&pattern));
    return node;
}

static Node *list_node(Arena *arena, Node *item, const Field *field)
{
    Node *node = typed(arena, "array");
    node_set(arena, node, "items", item);
    if (field->min_items > 0)
        node_set_int(arena, node, "minItems", (int64_t)field->min_items);
    return node;
}

/* One scalar is accepted as a list of one. */
static Node *value_list_node(Arena *arena, const Field *field, bool references)
{
    Node *node = node_map(arena), *any = node_set(arena, node, "anyOf", node_seq(arena));
    node_add(arena, any, value_node(arena, field, references));
    node_add(arena, any, list_node(arena, value_node(arena, field, references), field));
    return node;
}

static Node *map_node(Arena *arena, Node *value)
{
    Node *node = typed(arena, "object");
    node_set(arena, node, "additionalProperties", value);
    return node;
}

/* An object whose keys are the kinds; in a list each item has exactly one. */
static Node *kinds_node(Arena *arena, const Field *field, bool references)
{
    Node *node = typed(arena, "object"), *properties = node_set(arena, node, "properties", node_map(arena));
    node_set_bool(arena, node, "additionalProperties", false);
    StructType type;
    for (size_t i = 0; field->kind_at(i, &type); i++)
        node_set(arena, properties, type.name, schema_of_struct(arena, &type, references));
    if (field->shape == SHAPE_KIND_MAP)
        return node;
    node_set_int(arena, node, "minProperties", 1);
    node_set_int(arena, node, "maxProperties", 1);
    return list_node(arena, node, field);
}

static Node *field_node(Arena *arena, const Field *field, bool references)
{
    switch (field->shape) {
    case SHAPE_VALUE: return value_node(arena, field, references);
    case SHAPE_VALUE_LIST: return value_list_node(arena, field, references);
    case SHAPE_VALUE_MAP: return map_node(arena, value_node(arena, field, references));
    case SHAPE_STRUCT: return schema_of_struct(arena, field->type, references);
    case SHAPE_STRUCT_LIST: return list_node(arena, schema_of_struct(arena, field->type, references), field);
    case SHAPE_STRUCT_MAP: return map_node(arena, schema_of_struct(arena, field->type, references));
    case SHAPE_KIND_LIST:
    case SHAPE_KIND_MAP: return kinds_node(arena, field, references);
    case SHAPE_CUSTOM: break;
    }
    return node_map(arena);
}

Node *schema_of_struct(Arena *arena, const StructType *type, bool references)
{
    Node *node = typed(arena, "object");
    if (type->help)
        node_set_text(arena, node, "description", type->help);
    Node *properties = node_set(arena, node, "properties", node_map(arena)), *required = node_seq(arena);
    for (const Field *field = type->fields; field->name; field++) {
        Node *property = node_set(arena, properties, field->name, field_node(arena, field, references));
        if (field->help)
            node_set_text(arena, property, "description", field->help);
        if (field->default_text)
            node_set_text(arena, property, "default", field->default_text);
        if (field->required)
            node_add(arena, required, node_text(arena, field->name));
    }
    if (required->items.n > 0)
        node_set(arena, node, "required", required);
    node_set_bool(arena, node, "additionalProperties", false);
    return node;
}

static void add_value_type(const Field *field, StrBuf *out)
{
    if (field->kind == VALUE_ENUM) {
        for (size_t i = 0; field->choices && field->choices[i]; i++)
            strbuf_printf(out, "%s`%s`", i ? ", " : "", field->choices[i]);
    } else {
        strbuf_add_str(out, value_kind_name(field->kind));
    }
    if (field->min && field->max)
        strbuf_printf(out, ", %s to %s", field->min, field->max);
    else if (field->min || field->max)
        strbuf_printf(out, ", at %s %s", field->min ? "least" : "most", field->min ? field->min : field->max);
    if (field->allow_auto)
        strbuf_add_str(out, ", or `auto`");
    if (field->allow_never)
        strbuf_add_str(out, ", or `never`");
}

char *field_type_text(Arena *arena, const Field *field)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(2048);
    switch (field->shape) {
    case SHAPE_VALUE_LIST:
        strbuf_add_str(&out, "list of ");
        add_value_type(field, &out);
        break;
    case SHAPE_VALUE_MAP:
        strbuf_add_str(&out, "map of name to ");
        add_value_type(field, &out);
        break;
    case SHAPE_VALUE: add_value_type(field, &out); break;
    case SHAPE_STRUCT: strbuf_printf(&out, "map, see %s", field->type->name); break;
    case SHAPE_STRUCT_LIST: strbuf_printf(&out, "list of maps, see %s", field->type->name); break;
    case SHAPE_STRUCT_MAP: strbuf_printf(&out, "map of name to %s", field->type->name); break;
    case SHAPE_KIND_LIST: strbuf_printf(&out, "list of `%s: {...}`", field->noun); break;
    case SHAPE_KIND_MAP: strbuf_printf(&out, "map of %s to its options", field->noun); break;
    case SHAPE_CUSTOM: strbuf_add_str(&out, "see the text"); break;
    }
    return strbuf_dup(arena, &out);
}

/* A pipe would end a cell of the table. */
static void add_cell(const char *text, StrBuf *out)
{
    for (; text && *text; text++) {
        if (*text == '|')
            strbuf_add_char(out, '\\');
        strbuf_add_char(out, *text);
    }
}

static void add_row(Arena *arena, const Field *field, StrBuf *out)
{
    strbuf_printf(out, "| `%s` | ", field->name);
    add_cell(field_type_text(arena, field), out);
    strbuf_add_str(out, " | ");
    if (field->required)
        strbuf_add_str(out, "required");
    else if (field->default_text)
        strbuf_printf(out, "`%s`", field->default_text);
    strbuf_add_str(out, " | ");
    add_cell(field->help, out);
    strbuf_add_str(out, " |\n");
}

static void add_tables(Arena *arena, const StructType *type, unsigned level, StringVec *seen, StrBuf *out)
{
    if (!type->fields->name) {
        strbuf_add_str(out, "No keys.\n");
        return;
    }
    strbuf_add_str(out, "| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
    for (const Field *field = type->fields; field->name; field++)
        add_row(arena, field, out);
    for (const Field *field = type->fields; field->name; field++) {
        if (!field->type || strings_contain(seen, field->type->name))
            continue;
        *vec_push(arena, seen) = field->type->name;
        strbuf_printf(out, "\n%.*s %s\n\n", (int)level, "######", field->type->name);
        if (field->type->help)
            strbuf_printf(out, "%s\n\n", field->type->help);
        add_tables(arena, field->type, level, seen, out);
    }
}

void reference_of_struct(const StructType *type, unsigned level, StrBuf *out)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    StringVec seen = {0};
    add_tables(arena, type, level, &seen, out);
}
