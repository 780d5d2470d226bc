/* SPDX-License-Identifier: Apache-2.0 */
/* Loading: parse, look at the version, declare and bind the variables, decode all the rest with them in scope, then
 * turn the decoded specs into the Playbook that planning uses. Problems of all these steps are reported together,
 * except that a later step does not judge what an earlier one could not read. */
#include "playbook/playbook.h"

#include "data/yaml.h"
#include "playbook/language.h"
#include "playbook/lint.h"
#include "playbook/variables.h"

static bool check_version(const Node *root, Diagnostics *diags)
{
    int64_t version = LANGUAGE_VERSION;
    const Node *node = node_get(root, "salve");
    if (!node_to_int(node, &version) || version == LANGUAGE_VERSION)
        return true; /* a missing or strange version is the decoder's business */
    diag_error(diags, node, "the playbook is written in version %lld of the language, this salve knows version %d",
               (long long)version, LANGUAGE_VERSION);
    return false;
}

/* The root without `vars`, which is decoded by itself. */
static Node without_vars(Arena *arena, const Node *root)
{
    Node rest = *root;
    rest.pairs.items = NULL;
    rest.pairs.n = rest.pairs.capacity = 0;
    VEC_EACH (pair, &root->pairs) {
        if (!str_equal(pair->key->text, "vars"))
            *vec_push(arena, &rest.pairs) = *pair;
    }
    return rest;
}

static void add_guards(Arena *arena, const KindedVec *specs, bool require, Playbook *playbook)
{
    VEC_EACH (kinded, specs) {
        const FindingKind *kind = finding_kinds[kinded->index];
        const Value *since = &((const GuardSpec *)kinded->spec)->since;
        *vec_push(arena, &playbook->guards) = (Guard){
            .kind = kind,
            .spec = {.since_usec = value_is_set(since) ? since->duration : kind->default_since_usec},
            .require = require,
            .pos = kinded->key->pos,
        };
    }
}

static void add_checks(Arena *arena, const KindedVec *specs, Playbook *playbook)
{
    VEC_EACH (kinded, specs) {
        const CheckKind *kind = check_kinds[kinded->index];
        *vec_push(arena, &playbook->checks) = (PlaybookCheck){
            .kind = kind,
            .spec = kinded->spec,
            .name = kind->name_of(arena, kinded->spec),
            .pos = kinded->key->pos,
        };
    }
}

static Playbook *build(Arena *arena, const Source *source, const Scope *scope, const PlaybookSpec *spec)
{
    const VerifySpec *verify = spec->verify;
    Playbook *playbook = arena_new_of(arena, Playbook);
    *playbook = (Playbook){
        .name = spec->name.text,
        .summary = spec->summary.text,
        .source = source,
        .scope = *scope,
        .warmup_usec = verify->warmup.duration,
        .window_usec = verify->window.is_auto ? 0 : verify->window.duration,
        .interval_usec = verify->interval.duration,
        .settle_usec = verify->settle.duration,
        .keeps = {[VERDICT_PASS] = true,
                  [VERDICT_UNDECIDED] = verify->on_undecided.choice == OPEN_KEEP,
                  [VERDICT_BLIND] = verify->on_blind.choice == OPEN_KEEP},
    };
    if (spec->guards) {
        add_guards(arena, &spec->guards->require, true, playbook);
        add_guards(arena, &spec->guards->refuse, false, playbook);
    }
    VEC_EACH (kinded, &spec->changes) {
        *vec_push(arena, &playbook->changes) = (PlaybookChange){
            .kind = change_kinds[kinded->index],
            .spec = kinded->spec,
            .pos = kinded->key->pos,
        };
    }
    add_checks(arena, &verify->checks, playbook);
    return playbook;
}

static void decode(Arena *arena, const Source *source, const BindingVec *bindings, Diagnostics *diags,
                   const Playbook **ret)
{
    Node *root = NULL;
    if (yaml_parse(arena, source->name, source->text, diags, &root) < 0 || !check_version(root, diags))
        return;
    Scope scope;
    PlaybookSpec spec;
    variables_declare(arena, node_get(root, "vars"), bindings, diags, &scope);
    Node rest = without_vars(arena, root);
    Decoder decoder = {.arena = arena, .diags = diags, .scope = &scope};
    if (!decode_struct(&decoder, &playbook_type, &rest, &spec) || diags->errors > 0)
        return;
    Playbook *playbook = build(arena, source, &scope, &spec);
    playbook->verify = node_get(root, "verify");
    playbook_lint(playbook, diags);
    *ret = playbook;
}

int playbook_load(Arena *arena, const Source *source, const BindingVec *bindings, Diagnostics *diags,
                  const Playbook **ret, Err *err)
{
    Diagnostics own = diagnostics_new(arena);
    const Playbook *playbook = NULL;
    decode(arena, source, bindings, &own, &playbook);
    diagnostics_append(diags, &own);
    int r = diagnostics_to_err(&own, err);
    if (r < 0)
        return r;
    *ret = playbook;
    return 0;
}
