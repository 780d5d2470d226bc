/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the engine: root, systemd, the store with its lock, and what is hot is finished first. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "run/guards.h"
#include "run/leftovers.h"
#include "run/own.h"
#include "run/rebuild.h"
#include "run/recover.h"
#include "run/run.h"

/* What was lost is told once, with where it is. */
static int make_anew(Engine *engine, Err *err)
{
    Progress progress = {.sink = engine->chronicle.next};
    const Store *store = &engine->store;
    size_t runs;
    int r = rebuild_ledger(engine, &runs, err);
    if (store->stand_in) /* what is recorded now is gone in a moment */
        return r;
    if (store->lost_ledger[0])
        progress_warning(&progress, "the ledger was damaged and is now %s/%s", store->dir, store->lost_ledger);
    if (store->lost_repo[0])
        progress_warning(&progress,
                         "the snapshots could not be opened and are now %s/%s; if they can be repaired, move them back",
                         store->dir, store->lost_repo);
    if (r >= 0 && runs > 0)
        progress_warning(&progress,
                         "%zu run%s recorded anew from the snapshots, without samples, verdicts and quarantine", runs,
                         runs == 1 ? " was" : "s were");
    return r;
}

/* The hot run comes first, whatever becomes of the records of the others. */
static int bring_in_order(Engine *engine, RecoverHalf half, Err *err)
{
    Err anew;
    int made = make_anew(engine, &anew);
    int r = recover_all(engine, half, err);
    if (r >= 0 && engine->store.stand_in)
        return err_set(
            err, ERR_FAILED,
            "the ledger in %s is damaged, and no new one can be begun; what was hot is brought to its end as "
            "far as that goes without; once there is room and it can be written: salve recover",
            engine->store.dir);
    if (r >= 0 && made < 0) {
        *err = anew;
        return made;
    }
    return r;
}

static int open_half(Arena *arena, const char *state_dir, const char *what, EventSink sink, RecoverHalf half,
                     Engine **ret, Err *err)
{
    if (geteuid() != 0)
        return err_set(err, ERR_DENIED, "this needs root, to write configuration and to restart services; try sudo");
    CLEANUP(engine_close) Engine *engine = xmalloc(sizeof *engine);
    *engine = (Engine){.arena = arena, .chronicle = {.next = sink}};
    int r = systemd_open(&engine->systemd, err);
    if (r >= 0)
        r = store_open_write(state_dir, what, 0, &engine->store, err);
    if (r < 0)
        return r;
    engine->live = live_new(arena, engine->systemd, "");
    engine->chronicle.ledger = engine->store.ledger;
    Progress progress = {.sink = sink};
    leftovers_remove(engine->systemd, arena, &progress);
    r = bring_in_order(engine, half, err);
    if (r < 0)
        return r;
    *ret = STEAL(engine);
    return 0;
}

int engine_open(Arena *arena, const char *state_dir, const char *what, EventSink sink, Engine **ret, Err *err)
{
    return open_half(arena, state_dir, what, sink, RECOVER_WHOLE, ret, err);
}

int engine_restore(Arena *arena, const char *state_dir, EventSink sink, Err *err)
{
    CLEANUP(engine_close) Engine *engine = NULL;
    return open_half(arena, state_dir, "restore", sink, RECOVER_FILES, &engine, err);
}

void engine_set_program(Engine *engine, const char *path)
{
    engine->program = path;
}

void engine_close(Engine *engine)
{
    if (!engine)
        return;
    store_close(&engine->store);
    systemd_close(engine->systemd);
    free(engine);
}

Systemd *engine_systemd(Engine *engine)
{
    return engine->systemd;
}

Live *engine_live(Engine *engine)
{
    return engine->live;
}

Store *engine_store(Engine *engine)
{
    return &engine->store;
}

int engine_check_guards(Engine *engine, const Plan *plan, const RunOptions *options, Err *err)
{
    Progress progress = {.sink = engine->chronicle.next, .state = RUN_PLANNED};
    StringVec own = {0};
    own_paths(engine->arena, &engine->store, &own);
    FindingContext context = {
        .arena = engine->arena,
        .view = view_before(plan->view),
        .live = engine->live,
        .systemd = engine->systemd,
        .own = &own,
    };
    return guards_check(&context, plan, &progress, options, err);
}
