/* SPDX-License-Identifier: Apache-2.0 */
#include "playbook/variables.h"

#include <string.h>

static void set_value(Arena *arena, Variable *variable, const char *text, const Node *node, Diagnostics *diags)
{
    Err err;
    if (value_parse(arena, &variable->type, text, &variable->value, &err) < 0) {
        diag_error(diags, node, "%s", err.message);
        diag_did_you_mean(diags, text, variable->type.choices);
        variable->value = value_placeholder(arena, &variable->type);
    }
    variable->value.node = node;
}

static void declare(Arena *arena, const Named *named, Diagnostics *diags, Scope *scope)
{
    const VariableSpec *spec = named->spec;
    Variable *variable = vec_push(arena, &scope->variables);
    *variable = (Variable){
        .name = named->name, .type = variable_value_type(arena, spec), .declared = named->key, .help = spec->help.text};
    if (!is_name(named->name, true)) {
        diag_error(diags, named->key, "\"%.64s\" is not a name for a variable", named->name);
        diag_hint(diags, "small letters, digits and _");
    }
    /* A default that does not fit its own type was reported while decoding. */
    Err ignored;
    if (value_is_set(&spec->initial))
        value_parse(arena, &variable->type, spec->initial.text, &variable->value, &ignored);
}

static void bind(Arena *arena, const Binding *binding, Diagnostics *diags, Scope *scope)
{
    Variable *variable = scope_find(scope, binding->name);
    if (!variable) {
        const char **names = arena_array(arena, const char *, scope->variables.n + 1);
        for (size_t i = 0; i < scope->variables.n; i++)
            names[i] = scope->variables.items[i].name;
        diag_error(diags, binding->value, "the playbook has no variable \"%.64s\"", binding->name);
        diag_did_you_mean(diags, binding->name, names);
    } else if (binding->value->kind != NODE_SCALAR || node_is_null(binding->value)) {
        diag_error(diags, binding->value, "%s must be %s, not %s", variable->name,
                   value_kind_phrase(variable->type.kind), node_kind_name(binding->value));
    } else if (variable->type.kind != VALUE_ABSENT) {
        set_value(arena, variable, binding->value->text, binding->value, diags);
    }
}

/* Reported once, at the declaration; the references then get placeholders, to be judged by their types. */
static void report_missing(Diagnostics *diags, Scope *scope)
{
    VEC_EACH (variable, &scope->variables) {
        if (value_is_set(&variable->value) || variable->type.kind == VALUE_ABSENT || scope->lint)
            continue;
        diag_error(diags, variable->declared, "variable \"%s\" has no value", variable->name);
        diag_hint(diags, "give it with -e %s=...", variable->name);
    }
    if (diags->errors > 0)
        scope->lint = true;
}

void variables_declare(Arena *arena, const Node *vars, const BindingVec *bindings, Diagnostics *diags, Scope *ret)
{
    *ret = (Scope){.lint = !bindings};
    VarsSpec spec = {0};
    Decoder decoder = {.arena = arena, .diags = diags};
    Node only = {.kind = NODE_MAP, .text = ""};
    if (vars) {
        only.pos = vars->pos;
        only.source = vars->source;
        node_set(arena, &only, "vars", (Node *)vars);
        decode_struct(&decoder, &vars_type, &only, &spec);
    }
    VEC_EACH (named, &spec.vars)
        declare(arena, named, diags, ret);
    for (size_t i = 0; bindings && i < bindings->n; i++)
        bind(arena, &bindings->items[i], diags, ret);
    report_missing(diags, ret);
}
