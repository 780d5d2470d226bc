/* SPDX-License-Identifier: Apache-2.0 */
#include "run/effects.h"

#include <string.h>

#include "stack/gunicorn.h"
#include "stack/nginx.h"
#include "stack/readers.h"

/* Workers are told to end, finish what they do, and the new ones boot: what a restart adds to the draining. */
#define BOOT_USEC (2 * USEC_PER_SEC)

typedef struct Derivation {
    Arena *arena;
    View *view;
    const WishVec *wishes;
    EffectVec validations, actions; /* actions: daemon-reload, then services in the order of discovery */
    AffectedVec affected;
    bool daemon_reload;
} Derivation;

const char *effect_kind_to_string(EffectKind kind)
{
    static const char *const names[] = {
        [EFFECT_TEST_NGINX] = "nginx -t",
        [EFFECT_VERIFY_UNIT] = "systemd-analyze verify",
        [EFFECT_CHECK_GUNICORN] = "gunicorn --check-config",
        [EFFECT_DAEMON_RELOAD] = "daemon-reload",
        [EFFECT_RELOAD] = "reload",
        [EFFECT_RESTART] = "restart",
    };
    return names[kind];
}

bool effect_is_validation(EffectKind kind)
{
    return kind <= EFFECT_CHECK_GUNICORN;
}

bool effect_is_job(const char *active_state, const char *type)
{
    return strcmp(type, "oneshot") == 0 && strcmp(active_state, "active") != 0;
}

bool effect_rests(const char *active_state, const char *type)
{
    return effect_is_job(active_state, type) || strcmp(active_state, "inactive") == 0;
}

/* Each effect once; the first reason stays. */
static Effect *add_effect(Derivation *d, EffectVec *effects, EffectKind kind, const char *unit, const char *because)
{
    VEC_EACH (effect, effects) {
        if (effect->kind == kind && str_equal(effect->unit, unit))
            return effect;
    }
    Effect *effect = vec_push(d->arena, effects);
    *effect = (Effect){.kind = kind, .unit = unit, .because = because, .if_running = kind == EFFECT_RESTART};
    return effect;
}

static bool wished(const Derivation *d, const char *unit, bool may_affect)
{
    VEC_EACH (wish, d->wishes) {
        if (str_equal(wish->subject, unit) && (wish->kind == WISH_MAY_AFFECT) == may_affect)
            return true;
    }
    return false;
}

static void add_affected(Derivation *d, const char *unit, const char *why)
{
    VEC_EACH (affected, &d->affected) {
        if (strcmp(affected->unit, unit) == 0)
            return;
    }
    *vec_push(d->arena, &d->affected) = (Affected){.unit = unit, .why = why, .allowed = wished(d, unit, true)};
}

static int add_restart(Derivation *d, const char *unit, const char *because, bool asked_for, Err *err)
{
    if (strcmp(unit, NGINX_UNIT) == 0)
        return err_set(err, ERR_REFUSED,
                       "%s would make a restart of nginx necessary, which drops every connection: salve only reloads "
                       "nginx; change it by hand in a quiet hour",
                       because);
    if (str_ends(unit, ".service") && asked_for)
        add_effect(d, &d->actions, EFFECT_RESTART, unit, because)->if_running = false;
    else if (str_ends(unit, ".service"))
        add_effect(d, &d->actions, EFFECT_RESTART, unit, because);
    return 0;
}

static int add_reader(Derivation *d, const Reader *reader, const Edit *edit, bool alone, Err *err)
{
    switch (reader->how) {
    case READER_NGINX:
        add_effect(d, &d->validations, EFFECT_TEST_NGINX, NGINX_UNIT, edit->path);
        add_effect(d, &d->actions, EFFECT_RELOAD, NGINX_UNIT, edit->path);
        return 0;
    case READER_FRAGMENT:
    case READER_DROPIN:
        d->daemon_reload = true;
        add_effect(d, &d->validations, EFFECT_VERIFY_UNIT, reader->unit, edit->path);
        break;
    case READER_ENVIRONMENT:
    case READER_COMMAND:
    case READER_GUNICORN:
        if (!wished(d, reader->unit, false) && !alone) {
            add_affected(d, reader->unit,
                         arena_printf(d->arena, "reads %s (%s)", edit->path, reader_how_to_string(reader->how)));
            return 0;
        }
        break;
    }
    if (reader->gunicorn)
        add_effect(d, &d->validations, EFFECT_CHECK_GUNICORN, reader->unit, edit->path);
    return add_restart(d, reader->unit, edit->path, false, err);
}

static int add_readers(Derivation *d, View *view, const Edit *edit, Err *err)
{
    ReaderVec readers = {0};
    int r = readers_of(view, edit->path, &readers, err);
    if (r < 0)
        return r;
    VEC_EACH (reader, &readers) {
        r = add_reader(d, reader, edit, readers.n == 1, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static bool in_unit_directory(const char *path)
{
    return str_starts(path, "/etc/systemd/system/") || str_starts(path, "/run/systemd/system/");
}

static int add_edit(Derivation *d, const Edit *edit, Err *err)
{
    if (edit->before.type == FILE_DIRECTORY || edit->after.type == FILE_DIRECTORY)
        return 0; /* what it holds is an edit of its own */
    if (in_unit_directory(edit->path))
        d->daemon_reload = true;
    int r = add_readers(d, d->view, edit, err);
    if (r < 0 || edit->after.type != FILE_ABSENT)
        return r;
    /* Who read a file that goes away is known to the configuration before. */
    return add_readers(d, view_before(d->view), edit, err);
}

static int add_pulled_along(Derivation *d, Err *err)
{
    VEC_EACH (effect, &d->actions) {
        if (effect->kind != EFFECT_RESTART)
            continue;
        UnitRelationVec pulled = {0};
        int r = unit_pulled_along(d->view, effect->unit, &pulled, err);
        if (r < 0)
            return r;
        VEC_EACH (relation, &pulled)
            add_affected(
                d, relation->unit,
                arena_printf(d->arena, "a restart of %s restarts it too (%s)", effect->unit, relation->setting));
    }
    return 0;
}

/* --- What a restart takes away --- */

static const char *describe_loss(Arena *arena, const char *path, const UnitSetting *where, const UnitDirectory *dir)
{
    return arena_printf(arena,
                        "%s (%s:%u) lies in RuntimeDirectory=%s (%s:%u), which systemd removes at each stop, because "
                        "RuntimeDirectoryPreserve=restart is not set",
                        path, where->file, where->line, dir->setting->value, dir->setting->file, dir->setting->line);
}

static void add_lost(Derivation *d, const char *unit, const char *why)
{
    *vec_push(d->arena, &d->affected) = (Affected){.unit = unit, .why = why, .lost = true};
}

/* Its own socket units are restarted with it; with those of others it cannot be restarted. */
static int add_sockets(Derivation *d, Effect *effect, const Unit *unit, Err *err)
{
    UnitSocketNameVec names = {0};
    int r = unit_passing_sockets(d->view, unit, &names, err);
    if (r < 0)
        return r;
    VEC_EACH (name, &names) {
        const char *why = describe_loss(d->arena, name->path, name->setting, name->directory);
        if (!name->own)
            add_lost(d, name->socket, why);
        if (!name->own || strings_contain(&effect->sockets, name->socket))
            continue;
        *vec_push(d->arena, &effect->sockets) = name->socket;
        effect->loses = effect->loses ? effect->loses : why;
    }
    return 0;
}

/* Another Gunicorn that makes its own socket there. */
static int add_neighbours(Derivation *d, const Unit *unit, Err *err)
{
    UnitDirectoryVec directories = {0};
    StringVec others = {0};
    int r = unit_passing_directories(d->view, unit, &directories, err);
    if (r >= 0 && directories.n > 0)
        r = gunicorn_units(d->view, &others, err);
    for (size_t i = 0; r >= 0 && i < others.n; i++) {
        const GunicornFacts *facts;
        Err ignored; /* who cannot be told to be there is not accused */
        if (str_equal(others.items[i], unit->name) || gunicorn_load(d->view, others.items[i], &facts, &ignored) != 0 ||
            facts->sockets.n > 0)
            continue;
        VEC_EACH (bind, &facts->binds) {
            VEC_EACH (directory, &directories) {
                const UnitSetting *where = facts->exec.setting;
                if (bind->kind == ADDRESS_UNIX && unit_directory_holds(directory, bind->path))
                    add_lost(d, others.items[i], describe_loss(d->arena, bind->path, where, directory));
            }
        }
    }
    return r < 0 ? r : 0;
}

static int add_losses(Derivation *d, Err *err)
{
    VEC_EACH (effect, &d->actions) {
        const Unit *unit;
        int r = effect->kind == EFFECT_RESTART ? unit_load(d->view, effect->unit, &unit, err) : UNIT_NOT_FOUND;
        if (r == 0 && !unit->masked)
            r = add_sockets(d, effect, unit, err);
        if (r == 0 && !unit->masked)
            r = add_neighbours(d, unit, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* How long a Gunicorn refuses connections while it restarts: the draining, which ends with graceful_timeout, and the
 * boot. With a socket unit that stays the kernel queues them meanwhile. */
static usec refused_while_restarting(View *view, const Effect *effect)
{
    const GunicornFacts *facts;
    uint64_t graceful;
    Err err;
    if (gunicorn_load(view, effect->unit, &facts, &err) != 0)
        return BOOT_USEC;
    if (facts->sockets.n > 0 && effect->sockets.n == 0)
        return 0;
    return gunicorn_int(facts, "graceful_timeout", &graceful, &err) < 0 ? BOOT_USEC
                                                                        : graceful * USEC_PER_SEC + BOOT_USEC;
}

/* Gunicorn's request time limit in seconds, UINT64_MAX where there is none, or 0 where it is not to be told. */
static uint64_t timeout_of(View *view, const char *unit)
{
    const GunicornFacts *facts;
    uint64_t timeout = 0;
    Err err;
    if (gunicorn_load(view, unit, &facts, &err) != 0 || gunicorn_int(facts, "timeout", &timeout, &err) < 0)
        return 0;
    return timeout > 0 ? timeout : UINT64_MAX;
}

/* Whether any restarted Gunicorn gets less time than before: then it goes first, and nginx follows. */
static bool limits_are_lowered(const Derivation *d)
{
    VEC_EACH (effect, &d->actions) {
        if (effect->kind == EFFECT_RESTART &&
            timeout_of(d->view, effect->unit) < timeout_of(view_before(d->view), effect->unit))
            return true;
    }
    return false;
}

static void add_actions(Derivation *d, EffectVec *effects, EffectKind kind)
{
    VEC_EACH (effect, &d->actions) {
        if (effect->kind == kind)
            *vec_push(d->arena, effects) = *effect;
    }
}

int effects_derive(Arena *arena, View *view, const EditVec *edits, const WishVec *wishes, EffectVec *ret_effects,
                   AffectedVec *ret_affected, Err *err)
{
    Derivation d = {.arena = arena, .view = view, .wishes = wishes};
    VEC_EACH (edit, edits) {
        int r = add_edit(&d, edit, err);
        if (r < 0)
            return r;
    }
    VEC_EACH (wish, wishes) {
        int r = wish->kind == WISH_RESTART ? add_restart(&d, wish->subject, "the playbook asks for it", true, err) : 0;
        if (r < 0)
            return r;
    }
    int r = add_pulled_along(&d, err);
    if (r >= 0)
        r = add_losses(&d, err);
    if (r < 0)
        return r;
    VEC_EACH (effect, &d.actions)
        effect->refused_usec = effect->kind == EFFECT_RESTART ? refused_while_restarting(view, effect) : 0;

    bool lowered = limits_are_lowered(&d);
    EffectVec effects = d.validations;
    if (d.daemon_reload)
        *vec_push(arena, &effects) = (Effect){.kind = EFFECT_DAEMON_RELOAD, .because = "unit files change"};
    add_actions(&d, &effects, lowered ? EFFECT_RESTART : EFFECT_RELOAD);
    add_actions(&d, &effects, lowered ? EFFECT_RELOAD : EFFECT_RESTART);
    *ret_effects = effects;
    *ret_affected = d.affected;
    return 0;
}
