/* SPDX-License-Identifier: Apache-2.0 */
#include "run/intent.h"

#include <string.h>

#include "data/json.h"

static Node *effects_to_node(Arena *arena, const EffectVec *effects)
{
    Node *list = node_seq(arena);
    VEC_EACH (effect, effects) {
        Node *item = node_add(arena, list, node_map(arena));
        node_set_text(arena, item, "effect", effect_kind_to_string(effect->kind));
        node_set_text(arena, item, "unit", effect->unit);
        node_set_text(arena, item, "because", effect->because);
        node_set_bool(arena, item, "if_running", effect->if_running);
    }
    return list;
}

static Node *strings_to_node(Arena *arena, const StringVec *strings)
{
    Node *list = node_seq(arena);
    VEC_EACH (text, strings)
        node_add(arena, list, node_text(arena, *text));
    return list;
}

char *intent_to_json(Arena *arena, const Plan *plan, const HostBefore *before)
{
    Node *intent = node_map(arena), *playbook = node_map(arena);
    node_set_text(arena, playbook, "name", plan->playbook->source->name);
    node_set_text(arena, playbook, "text", plan->playbook->source->text.data);
    node_set(arena, intent, "playbook", playbook);
    node_set(arena, intent, "values", playbook_values(arena, plan->playbook));
    node_set_text(arena, intent, "root", view_root(plan->view));
    node_set(arena, intent, "effects", effects_to_node(arena, &plan->effects));
    node_set(arena, intent, "was_down", strings_to_node(arena, &before->was_down));
    node_set(arena, intent, "was_sick", strings_to_node(arena, &before->was_sick));
    node_set(arena, intent, "was_up", strings_to_node(arena, &before->was_up));
    node_set(arena, intent, "no_way", strings_to_node(arena, &before->no_way));
    node_set_int(arena, intent, "nginx_generation", (int64_t)before->nginx_generation);
    node_set_text(arena, intent, "undoes", plan->undoes);
    node_set_int(arena, intent, "for_usec", (int64_t)plan->for_usec);
    node_set_int(arena, intent, "settle_usec", (int64_t)plan->settle_usec);
    node_set_int(arena, intent, "longest_request_usec", (int64_t)plan->longest_request_usec);
    return json_to_string(arena, intent, JSON_COMPACT);
}

static int effect_kind_from_string(const char *text)
{
    for (int kind = EFFECT_TEST_NGINX; kind <= EFFECT_RESTART; kind++) {
        if (strcmp(effect_kind_to_string((EffectKind)kind), text) == 0)
            return kind;
    }
    return -1;
}

static int read_effects(Arena *arena, const Node *list, EffectVec *ret, Err *err)
{
    if (!list || list->kind != NODE_SEQ)
        return err_set(err, ERR_FAILED, "the intent of the run names no effects");
    VEC_EACH (item, &list->items) {
        const char *name = node_get_text(*item, "effect");
        int kind = name ? effect_kind_from_string(name) : -1;
        if (kind < 0)
            return err_set(err, ERR_FAILED, "unknown effect \"%s\" in the intent of the run", name ? name : "");
        Effect effect = {
            .kind = (EffectKind)kind, .unit = node_get_text(*item, "unit"), .because = node_get_text(*item, "because")};
        node_to_bool(node_get(*item, "if_running"), &effect.if_running);
        *vec_push(arena, ret) = effect;
    }
    return 0;
}

static StringVec read_strings(Arena *arena, const Node *list)
{
    StringVec strings = {0};
    for (size_t i = 0; list && list->kind == NODE_SEQ && i < list->items.n; i++) {
        if (list->items.items[i]->kind == NODE_SCALAR)
            *vec_push(arena, &strings) = list->items.items[i]->text;
    }
    return strings;
}

static usec read_usec(const Node *root, const char *name)
{
    int64_t number = 0;
    return node_to_int(node_get(root, name), &number) && number > 0 ? (usec)number : 0;
}

int intent_from_json(Arena *arena, const char *json, Intent *ret, Err *err)
{
    Node *root;
    Intent intent = {0};
    int r = json_parse(arena, "the intent of the run", bytes_of(json), &root, err);
    if (r >= 0)
        r = read_effects(arena, node_get(root, "effects"), &intent.effects, err);
    if (r < 0)
        return r;
    const Node *playbook = node_get(root, "playbook");
    const char *name = node_get_text(playbook, "name"), *text = node_get_text(playbook, "text");
    if (!name || !text)
        return err_set(err, ERR_FAILED, "the intent of the run holds no playbook");
    Source *source = arena_new_of(arena, Source);
    *source = (Source){.name = name, .text = bytes_of(text)};
    intent.playbook = source;
    intent.values = node_get(root, "values");
    intent.root = node_get_text(root, "root") ? node_get_text(root, "root") : "";
    intent.undoes = node_get_text(root, "undoes");
    intent.before = (HostBefore){
        .was_down = read_strings(arena, node_get(root, "was_down")),
        .was_sick = read_strings(arena, node_get(root, "was_sick")),
        .was_up = read_strings(arena, node_get(root, "was_up")),
        .no_way = read_strings(arena, node_get(root, "no_way")),
        .nginx_generation = read_usec(root, "nginx_generation"),
    };
    intent.for_usec = read_usec(root, "for_usec");
    intent.settle_usec = read_usec(root, "settle_usec");
    intent.longest_request_usec = read_usec(root, "longest_request_usec");
    *ret = intent;
    return 0;
}

int intent_playbook(Arena *arena, const Intent *intent, const Playbook **ret, Err *err)
{
    BindingVec bindings = {0};
    Diagnostics diags = diagnostics_new(arena);
    int r = bindings_from_values(arena, intent->values, &bindings, err);
    return r < 0 ? r : playbook_load(arena, intent->playbook, &bindings, &diags, ret, err);
}
