/* SPDX-License-Identifier: Apache-2.0 */
/* The unit check: a service runs, and goes on running as the same one; what that means is check/unit-watch.h's. */
#include "check/kinds.h"
#include "check/unit-watch.h"

typedef struct UnitSpec {
    CheckCommon common;
    Value name, restarts, workers;
} UnitSpec;

static const char *const worker_choices[] = {"all", "any", NULL};
enum { WORKERS_ALL, WORKERS_ANY };

static const Field unit_fields[] = {
    FIELD_UNIT(UnitSpec, name, .default_text = "auto", .allow_auto = true,
               .help = "The service that must be running; auto: the only Gunicorn service of the host."),
    FIELD_INT(UnitSpec, restarts, .min = "0", .max = "1000", .default_text = "0",
              .help = "How often systemd may restart it by itself in the window."),
    FIELD_ENUM(UnitSpec, workers, worker_choices, .default_text = "any",
               .help = "all: as many workers as its settings say, and none replaced in the window."),
    CHECK_COMMON_FIELDS(UnitSpec),
    FIELDS_END,
};

enum { LOOK_EVERY_MSEC = 1000, SETTLE_SEC = 5 };

typedef struct UnitState {
    CheckContext *context;
    const char *name;
    Live *live;
    UnitWatch watch;
    Arena *arenas[2]; /* of the present look and of the one before, by turns */
    size_t turn;
} UnitState;

static const char *unit_check_name(Arena *arena, const void *spec_)
{
    const UnitSpec *spec = spec_;
    return spec->name.is_auto ? "unit" : arena_printf(arena, "unit %s", spec->name.text);
}

static int unit_preflight(View *view, const void *spec_, const char **ret_why, Err *err)
{
    const UnitSpec *spec = spec_;
    const Unit *unit;
    if (spec->name.is_auto)
        return 0;
    *ret_why = arena_printf(view_arena(view), "there is no unit %s on this host", spec->name.text);
    return unit_load(view, spec->name.text, &unit, err) == UNIT_NOT_FOUND ? CHECK_ABSENT : 0;
}

static usec unit_window(const void *spec, usec interval_usec, usec longest_request_usec)
{
    return SETTLE_SEC * USEC_PER_SEC;
}

/* How many workers there should be in this phase, and whether they are replaced on purpose. */
static void expect_workers(const CheckContext *context, UnitRules *rules)
{
    const GunicornFacts *facts;
    Err err;
    uint64_t max_requests = 0;
    rules->recycles = false;
    rules->workers = 0;
    rules->workers_from = NULL;
    int r = gunicorn_load(context->view, rules->unit, &facts, &err);
    if (r == GUNICORN_NOT)
        return;
    if (r == 0) {
        rules->recycles = gunicorn_int(facts, "max_requests", &max_requests, &err) < 0 || max_requests > 0;
        r = gunicorn_int(facts, "workers", &rules->workers, &err);
    }
    if (r < 0)
        rules->workers_from = arena_strdup(context->arena, err_text(&err));
}

static int unit_open(CheckContext *context, const void *spec_, void **ret_state, Err *err)
{
    const UnitSpec *spec = spec_;
    UnitRules rules = {
        .unit = spec->name.text,
        .restarts_allowed = (uint64_t)spec->restarts.integer,
        .workers_all = spec->workers.choice == WORKERS_ALL,
    };
    if (spec->name.is_auto) {
        int r = gunicorn_resolve_unit(context->view, "auto", &rules.unit, err);
        if (r < 0)
            return r;
    }
    UnitState *state = arena_new_of(context->arena, UnitState);
    state->context = context;
    state->name = unit_check_name(context->arena, spec);
    state->live = live_new(context->arena, context->systemd, "");
    state->watch = (UnitWatch){.rules = rules, .arena = context->arena};
    *ret_state = state;
    return 0;
}

static void unit_close(void *state_)
{
    UnitState *state = state_;
    if (!state)
        return;
    arena_free(state->arenas[0]);
    arena_free(state->arenas[1]);
}

static int take_look(UnitState *state, Arena *arena, UnitLook *ret, Err *err)
{
    UnitLook look = {0};
    int r = live_unit(state->live, arena, state->watch.rules.unit, &look.unit, err);
    if (r < 0)
        return r;
    LiveNginx nginx;
    r = live_nginx(state->live, arena, &nginx, err);
    if (r < 0)
        return r;
    if (r == 0)
        look.nginx_generation = nginx.generation_ticks;
    *ret = look;
    return 0;
}

/* The first look lives as long as the run, any other until the one after the next. */
static void look_now(UnitState *state)
{
    Err err;
    UnitLook now;
    bool first = !state->watch.looked;
    Arena *arena = first ? state->context->arena : arena_new();
    if (take_look(state, arena, &now, &err) < 0) {
        unit_watch_miss(&state->watch, &err);
        if (!first)
            arena_free(arena);
        return;
    }
    unit_watch_see(&state->watch, &now);
    if (first)
        return;
    state->turn = !state->turn;
    arena_free(state->arenas[state->turn]);
    state->arenas[state->turn] = arena;
}

static int unit_begin(void *state_, CheckPhase phase, usec window_usec, Err *err)
{
    UnitState *state = state_;
    if (state->watch.rules.workers_all)
        expect_workers(state->context, &state->watch.rules);
    unit_watch_begin(&state->watch, phase);
    return 0;
}

static int unit_poll(void *state_, usec now_boottime, usec *ret_next, Err *err)
{
    UnitState *state = state_;
    look_now(state);
    *ret_next = now_boottime + LOOK_EVERY_MSEC * USEC_PER_MSEC;
    return state->watch.looked; /* enough for a baseline; a window is watched on */
}

static int unit_judge(void *state_, Arena *arena, bool closing, CheckResult *ret, Err *err)
{
    UnitState *state = state_;
    CheckResult result = {.name = state->name};
    if (closing)
        look_now(state);
    unit_watch_judge(&state->watch, arena, closing, &result);
    *ret = result;
    return 0;
}

const CheckKind check_unit = {
    .name = "unit",
    .help = "A service runs, undisturbed, with its workers.",
    .fields = unit_fields,
    .spec_size = sizeof(UnitSpec),
    .name_of = unit_check_name,
    .window = unit_window,
    .preflight = unit_preflight,
    .open = unit_open,
    .begin = unit_begin,
    .poll = unit_poll,
    .judge = unit_judge,
    .close = unit_close,
};
