/* SPDX-License-Identifier: Apache-2.0 */
#include "playbook/playbook.h"
#include "report/ink.h"
#include "verb/prepare.h"

enum { LIST_MAX = 4 << 20 };

static const char *type_text(Arena *arena, const ValueType *type)
{
    if (type->min || type->max)
        return arena_printf(arena, "%s, %s to %s", value_kind_name(type->kind), type->min ? type->min : "any",
                            type->max ? type->max : "any");
    return value_kind_name(type->kind);
}

static void add_variables(Ink *ink, Arena *arena, const Playbook *playbook)
{
    VEC_EACH (variable, &playbook->scope.variables) {
        ink_printf(ink, INK_CYAN, "    %s", variable->name);
        ink_printf(ink, INK_DIM, "  %s", type_text(arena, &variable->type));
        if (value_is_set(&variable->value))
            ink_printf(ink, INK_DIM, ", default %s", variable->value.text);
        else
            ink_text(ink, INK_DIM, ", needed");
        ink_text(ink, INK_PLAIN, "\n");
    }
}

static Node *variables_json(Arena *arena, const Playbook *playbook)
{
    Node *seq = node_seq(arena);
    VEC_EACH (variable, &playbook->scope.variables) {
        Node *map = node_add(arena, seq, node_map(arena));
        node_set_text(arena, map, "name", variable->name);
        node_set_text(arena, map, "type", value_kind_name(variable->type.kind));
        node_set_text(arena, map, "min", variable->type.min);
        node_set_text(arena, map, "max", variable->type.max);
        node_set_text(arena, map, "default", value_is_set(&variable->value) ? variable->value.text : NULL);
    }
    return seq;
}

static int print_json(VerbContext *context, const PlaybookVec *playbooks, Diagnostics *diags, Err *err)
{
    Node *map = node_map(context->arena), *seq = node_seq(context->arena);
    VEC_EACH (playbook, playbooks) {
        Node *item = node_add(context->arena, seq, node_map(context->arena));
        node_set_text(context->arena, item, "name", (*playbook)->name);
        node_set_text(context->arena, item, "summary", (*playbook)->summary);
        node_set_text(context->arena, item, "path", (*playbook)->source->name);
        node_set(context->arena, item, "variables", variables_json(context->arena, *playbook));
    }
    node_set(context->arena, map, "playbooks", seq);
    node_set(context->arena, map, "problems", diagnostics_to_node(context->arena, diags));
    return verb_print_json(map, err);
}

static int list_run(VerbContext *context, Err *err)
{
    PlaybookVec playbooks = {0};
    Diagnostics diags = diagnostics_new(context->arena);
    int r = playbook_list(context->arena, context->settings->playbook_dirs, &diags, &playbooks, err);
    if (r < 0)
        return r;
    if (context->globals->json)
        return print_json(context, &playbooks, &diags, err);
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(LIST_MAX);
    Ink ink = {&text, context->colour};
    VEC_EACH (playbook, &playbooks) {
        ink_printf(&ink, INK_BOLD, "%s", (*playbook)->name);
        ink_printf(&ink, INK_DIM, "  %s", (*playbook)->source->name);
        ink_printf(&ink, INK_PLAIN, "\n    %s\n", (*playbook)->summary);
        add_variables(&ink, context->arena, *playbook);
    }
    if (playbooks.n == 0 && diags.errors == 0)
        ink_text(&ink, INK_PLAIN, "No playbooks were found.\n");
    r = verb_print(&text, err);
    return r < 0 ? r : prepare_report(context, &diags, err);
}

const Verb verb_list = {
    .name = "list",
    .summary = "Playbooks, with their variables.",
    .arguments = "",
    .takes_root = true,
    .run = list_run,
};
