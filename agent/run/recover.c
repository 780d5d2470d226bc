/* SPDX-License-Identifier: Apache-2.0 */
#include "run/recover.h"

#include <stdio.h>
#include <string.h>

#include "run/intent.h"
#include "run/run.h"
#include "run/state.h"

/* What the snapshot says of a run: its edits and its intent. */
static int load(Run *run, const char *commit, Err *err)
{
    Snapshot snapshot;
    Intent intent;
    int r = snapshot_read(run->store->repo, run->arena, commit, &snapshot, err);
    if (r == REPO_NONE)
        return err_set(err, ERR_STUCK, "the snapshot %s of run %s is gone", commit, run->record.id);
    if (r >= 0)
        r = intent_from_json(run->arena, snapshot.intent, &intent, err);
    if (r < 0)
        return r;
    EditVec *edits = arena_new_of(run->arena, EditVec);
    EffectVec *effects = arena_new_of(run->arena, EffectVec);
    *edits = snapshot.edits;
    *effects = intent.effects;
    run->swap.edits = edits;
    run->swap.root = intent.root;
    run->effects = effects;
    run->attempted = effects->n; /* not known: all of them are taken back */
    run->was_down = intent.was_down;
    run->settle_usec = intent.settle_usec;
    snprintf(run->hot.commit, sizeof run->hot.commit, "%s", commit);
    return 0;
}

/* Died before anything was touched: only its own dot files may be there. */
static int end_untouched(Run *run, Err *err)
{
    int r = run_finish(run, err);
    if (r >= 0)
        run_enter_anyway(run, RUN_REFUSED, "salve was killed before anything was touched");
    return r;
}

static int recover_one(Engine *engine, const RunRecord *record, Err *err)
{
    Run run;
    int r = run_begin(engine, &run, record->id, err);
    if (r < 0)
        return r;
    run.record = *record;
    run.progress.state = record->state;
    progress_warning(&run.progress, "run %s of %s was interrupted (%s): bringing it to an end first", record->id,
                     record->playbook, run_state_to_string(record->state));
    if (record->commit)
        r = load(&run, record->commit, err);
    if (r < 0)
        return r;
    if (!run_state_touched(record->state))
        return end_untouched(&run, err);
    if (!record->commit || run.swap.edits->n == 0) {
        run_enter_anyway(&run, RUN_FAILED, "salve was killed while it restarted services");
        return run_finish(&run, err);
    }
    run_roll_back(&run, "salve was killed in the middle of the run");
    return 0;
}

/* A kept or otherwise ended run whose cleaning up was cut short. */
static int finish_hot(Engine *engine, Err *err)
{
    Hot hot;
    RunRecord record;
    Run run;
    int r = hot_read(engine->store.dir, &hot, err);
    if (r != 0)
        return r < 0 ? r : 0;
    r = ledger_find(engine->store.ledger, engine->arena, hot.run_id, &record, err);
    if (r < 0 || record.state == RUN_STUCK)
        return r < 0 ? err_prefix(err, "hot file of run %s", hot.run_id) : 0;
    r = run_begin(engine, &run, record.id, err);
    if (r < 0)
        return r;
    run.record = record;
    r = record.commit ? load(&run, record.commit, err) : 0;
    return r < 0 ? r : run_finish(&run, err);
}

int recover_all(Engine *engine, Err *err)
{
    RunRecordVec unfinished = {0};
    int r = ledger_unfinished(engine->store.ledger, engine->arena, &unfinished, err);
    for (size_t i = 0; r >= 0 && i < unfinished.n; i++) {
        if (unfinished.items[i].state != RUN_STUCK)
            r = recover_one(engine, &unfinished.items[i], err);
    }
    return r < 0 ? err_prefix(err, "cannot finish an interrupted run") : finish_hot(engine, err);
}

/* The stuck run that waits for a person; 1: none. */
static int find_stuck(Engine *engine, RunRecord *ret, Err *err)
{
    RunRecordVec unfinished = {0};
    int r = ledger_unfinished(engine->store.ledger, engine->arena, &unfinished, err);
    if (r < 0)
        return r;
    VEC_EACH (record, &unfinished) {
        if (record->state == RUN_STUCK) {
            *ret = *record;
            return 0;
        }
    }
    return ENGINE_NOTHING_STUCK;
}

int engine_ready(Engine *engine, Err *err)
{
    Hold hold;
    RunRecord stuck;
    int r = find_stuck(engine, &stuck, err);
    if (r == 0)
        return err_set(err, ERR_STUCK,
                       "run %s is stuck: %s. Nothing more is done on this host until a person looked: see `salve show "
                       "%s --diff`; then `salve recover --again` tries its rollback again, or, once the host is right, "
                       "`salve recover --acknowledge`",
                       stuck.id, stuck.reason, stuck.id);
    if (r < 0)
        return r;
    r = ledger_current_hold(engine->store.ledger, engine->arena, clock_realtime(), &hold, err);
    if (r != 0)
        return r < 0 ? r : 0;
    return err_set(err, ERR_BUSY, "this host is held by %s%s%s%s%s; `salve release` ends that", hold.who,
                   hold.reason ? ": " : "", hold.reason ? hold.reason : "",
                   hold.until == USEC_INFINITY ? "" : ", until ",
                   hold.until == USEC_INFINITY ? "" : usec_to_local(engine->arena, hold.until));
}

int engine_recover(Engine *engine, RunRecord *ret, Err *err)
{
    Run run;
    RunRecord record;
    int r = find_stuck(engine, &record, err);
    if (r == 0)
        r = run_begin(engine, &run, record.id, err);
    if (r != 0)
        return r;
    run.record = record;
    run.progress.state = RUN_STUCK;
    r = load(&run, record.commit, err);
    if (r < 0)
        return r;
    run_roll_back(&run, "tried again");
    *ret = run.record;
    return 0;
}

int engine_acknowledge(Engine *engine, const char *who, RunRecord *ret, Err *err)
{
    Run run;
    RunRecord record;
    int r = find_stuck(engine, &record, err);
    if (r == 0)
        r = run_begin(engine, &run, record.id, err);
    if (r != 0)
        return r;
    run.record = record;
    r = load(&run, record.commit, err);
    if (r >= 0)
        r = run_finish(&run, err);
    if (r >= 0)
        r = ledger_acknowledge(engine->store.ledger, record.id, who, err);
    if (r >= 0)
        *ret = record;
    return r;
}
