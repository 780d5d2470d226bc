/* SPDX-License-Identifier: Apache-2.0 */
/* References are checked by type where they stand, so that a playbook is judged before any variable has a value. */
#include "data/reference.h"

#include <string.h>

enum { MAX_EXPANDED = 4096 };

Variable *scope_find(const Scope *scope, const char *name)
{
    VEC_EACH (variable, &scope->variables) {
        if (strcmp(variable->name, name) == 0)
            return variable;
    }
    return NULL;
}

static void add_variable(Arena *arena, const Variable *variable, Node *map)
{
    const Value *value = &variable->value;
    int64_t seconds;
    Err inexact;
    bool known = value_is_known(value);
    if (known && value->kind == VALUE_BOOL)
        node_set_bool(arena, map, variable->name, value->boolean);
    else
        node_set_text(arena, map, variable->name, value->text);
    if (known && value->kind == VALUE_DURATION && duration_to_seconds(value->duration, &seconds, &inexact) == 0)
        node_set_int(arena, map, arena_printf(arena, "%s_seconds", variable->name), seconds);
    if (known && value->kind == VALUE_SIZE)
        node_set_int(arena, map, arena_printf(arena, "%s_bytes", variable->name), (int64_t)value->size);
}

Node *scope_to_node(Arena *arena, const Scope *scope)
{
    Node *map = node_map(arena);
    VEC_EACH (variable, &scope->variables) {
        if (value_is_set(&variable->value))
            add_variable(arena, variable, map);
    }
    return map;
}

static bool fail_unknown(Decoder *d, const char *name, const Node *node)
{
    const VariableVec *variables = &d->scope->variables;
    const char **names = arena_array(d->arena, const char *, variables->n + 1);
    for (size_t i = 0; i < variables->n; i++)
        names[i] = variables->items[i].name;
    diag_error(d->diags, node, "unknown variable \"%.64s\"", name);
    diag_did_you_mean(d->diags, name, names);
    return false;
}

/* "{{ name }}" at `text`: its variable, and what follows in *ret_rest. */
static Variable *parse_reference(Decoder *d, const Node *node, const char *text, const char **ret_rest)
{
    const char *end = strstr(text, "}}");
    if (!end) {
        diag_error(d->diags, node, "\"{{\" without \"}}\"");
        return NULL;
    }
    const char *from = text + 2 + strspn(text + 2, " "), *to = end;
    while (to > from && to[-1] == ' ')
        to--;
    char *name = arena_strndup(d->arena, from, (size_t)(to - from));
    *ret_rest = end + 2;
    if (!is_name(name, true)) {
        diag_error(d->diags, node, "\"%.64s\" is not the name of a variable", name);
        diag_hint(d->diags, "small letters, digits and _, as in {{ timeout }}");
        return NULL;
    }
    Variable *variable = scope_find(d->scope, name);
    if (!variable)
        fail_unknown(d, name, node);
    else
        variable->used++;
    return variable;
}

static bool choices_within(const char *const *choices, const char *const *allowed)
{
    for (; choices && *choices; choices++) {
        bool found = false;
        for (const char *const *one = allowed; one && *one && !found; one++)
            found = strcmp(*one, *choices) == 0;
        if (!found)
            return false;
    }
    return true;
}

/* Whether every value of the variable's type may stand in the field; bounds are checked on the value itself. */
static bool type_fits(const ValueType *field, const ValueType *variable)
{
    static const unsigned words = 1u << VALUE_INT | 1u << VALUE_UNIT | 1u << VALUE_HOST | 1u << VALUE_ENUM;
    if (field->kind == VALUE_ENUM)
        return variable->kind == VALUE_ENUM && choices_within(variable->choices, field->choices);
    if (field->kind == variable->kind || field->kind == VALUE_TEXT || field->kind == VALUE_SCALAR)
        return true;
    return field->kind == VALUE_WORD && (words >> variable->kind & 1);
}

static void hint_declaration(Decoder *d, const Variable *variable)
{
    if (variable->declared)
        diag_hint(d->diags, "\"%s\" is declared on line %u", variable->name, variable->declared->pos.line);
}

/* The text that stands for the variable; NULL where it has no value and needs one. */
static const char *variable_text(Decoder *d, const Variable *variable, const ValueType *wanted, const Node *node)
{
    if (value_is_set(&variable->value))
        return variable->value.text;
    if (d->scope->lint)
        return value_placeholder(d->arena, wanted).text;
    diag_error(d->diags, node, "variable \"%s\" has no value", variable->name);
    diag_hint(d->diags, "give it with -e %s=...", variable->name);
    return NULL;
}

static bool parse_expanded(Decoder *d, const ValueType *type, const char *what, const Node *node, const char *text,
                           Value *ret)
{
    Err err;
    if (value_parse(d->arena, type, text, ret, &err) < 0) {
        diag_error(d->diags, node, "%s: %s", what, err.message);
        return false;
    }
    ret->node = node;
    return true;
}

static bool decode_whole(Decoder *d, const ValueType *type, const char *what, const Node *node, Variable *variable,
                         Value *ret)
{
    if (variable->type.kind == VALUE_ABSENT) {
        *ret = value_placeholder(d->arena, type);
        return true;
    }
    if (!type_fits(type, &variable->type)) {
        bool choices = type->kind == VALUE_ENUM && variable->type.kind == VALUE_ENUM;
        diag_error(d->diags, node, "%s must be of type %s, but variable \"%s\" %s %s", what,
                   value_kind_name(type->kind), variable->name,
                   choices ? "allows other choices than this" : "is of type", value_kind_name(variable->type.kind));
        hint_declaration(d, variable);
        return false;
    }
    const char *text = variable_text(d, variable, type, node);
    if (!text || !parse_expanded(d, type, what, node, text, ret)) {
        if (text)
            hint_declaration(d, variable);
        return false;
    }
    return true;
}

static bool decode_interpolated(Decoder *d, const ValueType *type, const char *what, const Node *node, Value *ret)
{
    static const unsigned usable = 1u << VALUE_INT | 1u << VALUE_WORD | 1u << VALUE_HOST | 1u << VALUE_URL |
                                   1u << VALUE_PATH | 1u << VALUE_UNIT | 1u << VALUE_ENUM;
    if (type->kind != VALUE_URL && type->kind != VALUE_PATH && type->kind != VALUE_WORD) {
        diag_error(d->diags, node, "%s: a variable inside longer text is possible only in a url, path or word", what);
        diag_hint(d->diags, "here it must stand alone: \"{{ name }}\"");
        return false;
    }
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(MAX_EXPANDED);
    for (const char *at = node->text; *at;) {
        const char *open = strstr(at, "{{");
        strbuf_add(&out, at, open ? (size_t)(open - at) : strlen(at));
        if (!open)
            break;
        const Variable *variable = parse_reference(d, node, open, &at);
        if (!variable)
            return false;
        if (variable->type.kind == VALUE_ABSENT) {
            *ret = value_placeholder(d->arena, type);
            return true;
        }
        if (!(usable >> variable->type.kind & 1)) {
            diag_error(d->diags, node, "%s: a variable of type %s cannot be put into longer text", what,
                       value_kind_name(variable->type.kind));
            hint_declaration(d, variable);
            return false;
        }
        const char *text = variable_text(d, variable, &variable->type, node);
        if (!text)
            return false;
        strbuf_add_str(&out, text);
    }
    if (out.overflowed)
        return diag_error(d->diags, node, "%s: too long", what);
    return parse_expanded(d, type, what, node, strbuf_str(&out), ret);
}

bool reference_decode(Decoder *d, const ValueType *type, const char *what, const Node *node, Value *ret)
{
    if (!d->scope)
        return diag_error(d->diags, node, "%s: variables cannot be used here", what);
    const char *close = strstr(node->text, "}}");
    if (!close)
        return diag_error(d->diags, node, "%s: \"{{\" without \"}}\"", what);
    if (!str_starts(node->text, "{{") || close[2])
        return decode_interpolated(d, type, what, node, ret);
    const char *rest;
    Variable *variable = parse_reference(d, node, node->text, &rest);
    return variable && decode_whole(d, type, what, node, variable, ret);
}
