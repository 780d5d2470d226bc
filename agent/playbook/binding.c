/* SPDX-License-Identifier: Apache-2.0 */
/* Values for variables, from the command line, from a file, from the record of an earlier run. */
#include <string.h>

#include "data/yaml.h"
#include "playbook/playbook.h"

static int add_file(Arena *arena, const char *path, BindingVec *bindings, Err *err)
{
    Diagnostics diags = diagnostics_new(arena);
    Node *root = NULL;
    int r = yaml_load(arena, path, &diags, &root, err);
    if (r < 0)
        return r;
    if (root->kind != NODE_MAP)
        return err_at(err, ERR_INVALID, path, root->pos.line, root->pos.column,
                      "must be a map of variables to their values, not %s", node_kind_name(root));
    VEC_EACH (pair, &root->pairs)
        *vec_push(arena, bindings) = (Binding){.name = pair->key->text, .value = pair->value};
    return 0;
}

int binding_add(Arena *arena, const char *text, BindingVec *bindings, Err *err)
{
    if (*text == '@')
        return add_file(arena, text + 1, bindings, err);
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return err_set(err, ERR_INVALID, "-e %.100s: write -e NAME=VALUE or -e @FILE", text);
    const char *name = arena_strndup(arena, text, (size_t)(equals - text));
    Source *source = arena_new_of(arena, Source);
    *source = (Source){.name = arena_printf(arena, "-e %.64s", name), .text = BYTES("")};
    Node *value = node_text(arena, equals + 1);
    value->source = source;
    *vec_push(arena, bindings) = (Binding){.name = name, .value = value};
    return 0;
}

int bindings_from_values(Arena *arena, const Node *values, BindingVec *bindings, Err *err)
{
    if (!values || values->kind != NODE_MAP)
        return err_set(err, ERR_INVALID, "the recorded values are not a map");
    Source *source = arena_new_of(arena, Source);
    *source = (Source){.name = "recorded values", .text = BYTES("")};
    VEC_EACH (pair, &values->pairs) {
        Node *value = node_dup(arena, pair->value);
        value->source = source;
        *vec_push(arena, bindings) = (Binding){.name = arena_strdup(arena, pair->key->text), .value = value};
    }
    return 0;
}

Node *playbook_values(Arena *arena, const Playbook *playbook)
{
    Node *map = node_map(arena);
    VEC_EACH (variable, &playbook->scope.variables) {
        if (value_is_set(&variable->value))
            node_set_text(arena, map, variable->name, variable->value.text);
    }
    return map;
}
