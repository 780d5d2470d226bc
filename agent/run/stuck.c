/* SPDX-License-Identifier: Apache-2.0 */
/* Runs that wait for a person: nothing else is done until one has looked, tried again, or put the host right. */
#include "run/run.h"
#include "run/state.h"
#include "run/take-up.h"

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

/* Opening the engine has tried to end every run. What is unfinished even so could not be put back or not be recorded:
 * the disk fails, and the host may be half one thing and half the other. */
static int check_ended(Engine *engine, Err *err)
{
    RunRecordVec unfinished = {0};
    int r = ledger_unfinished(engine->store.ledger, engine->arena, &unfinished, err);
    VEC_EACH (record, &unfinished) {
        if (r >= 0 && run_state_touched(record->state))
            r = err_set(err, ERR_STUCK,
                        "run %s is %s and could not be brought to a recorded end. Nothing more is done on this host "
                        "before it is; put right what the warnings above name, then: salve recover",
                        record->id, run_state_to_string(record->state));
    }
    return r;
}

/* Opening has removed what a run that is over left, and its hot file last. */
static int check_cleaned(Engine *engine, Err *err)
{
    Hot hot;
    int r = hot_read(engine->store.dir, &hot, err);
    if (r == HOT_NONE || r == -ERR_DAMAGED)
        return 0;
    if (r < 0)
        return r;
    return err_set(
        err, ERR_REFUSED,
        "run %s is over, but what it left beside its files (.NAME.salve-*) cannot be removed. Put right what "
        "the warning above names, then: salve recover; or leave it there: salve recover --acknowledge",
        hot.run_id);
}

int engine_ready(Engine *engine, Err *err)
{
    Hold hold;
    RunRecord stuck;
    int r = check_ended(engine, err);
    if (r >= 0)
        r = find_stuck(engine, &stuck, err);
    if (r == 0)
        return err_set(
            err, ERR_STUCK,
            "run %s is stuck: %s. Nothing more is done on this host until a person looked: see `salve show "
            "%s --diff`; then `salve recover --again` proves the host, and restarts only what is not well; or, "
            "once the host is right, `salve recover --acknowledge`",
            stuck.id, stuck.reason, stuck.id);
    if (r < 0 || (r = check_cleaned(engine, err)) < 0)
        return r;
    r = ledger_current_hold(engine->store.ledger, engine->arena, clock_realtime(), &hold, err);
    if (r != 0)
        return r < 0 ? r : 0;
    return err_set(err, ERR_BUSY, "this host is held by %s%s%s%s%s; `salve release` ends that", hold.who,
                   hold.reason ? ": " : "", hold.reason ? hold.reason : "",
                   hold.until == USEC_INFINITY ? "" : ", until ",
                   hold.until == USEC_INFINITY ? "" : usec_to_local(engine->arena, hold.until));
}

/* The stuck run, taken up where it is. */
static int take_stuck(Engine *engine, Run *ret, Err *err)
{
    RunRecord record;
    int r = find_stuck(engine, &record, err);
    if (r == 0)
        r = run_begin(engine, ret, record.id, err);
    if (r == 0)
        run_resume(ret, &record);
    return r;
}

int engine_recover(Engine *engine, RunRecord *ret, Err *err)
{
    Run run;
    Intent intent;
    int r = take_stuck(engine, &run, err);
    if (r == 0)
        r = run_load(&run, run.record.commit, &intent, err);
    if (r != 0)
        return r;
    run.hot.attempts = 0;
    engine->chronicle.phase = "rollback";
    run_roll_back_judged(&run, &intent, "tried again");
    *ret = run.record;
    return 0;
}

/* A run that is over, and whose files beside its targets stay. */
static int leave_uncleaned(Engine *engine, RunRecord *ret, Err *err)
{
    Hot hot;
    int r = hot_read(engine->store.dir, &hot, err);
    if (r != 0)
        return r == HOT_NONE ? ENGINE_NOTHING_STUCK : r;
    r = ledger_find(engine->store.ledger, engine->arena, hot.run_id, ret, err);
    return r < 0 ? r : hot_remove(engine->store.dir, err);
}

int engine_acknowledge(Engine *engine, const char *who, RunRecord *ret, Err *err)
{
    Run run;
    int r = take_stuck(engine, &run, err);
    if (r == ENGINE_NOTHING_STUCK)
        return leave_uncleaned(engine, ret, err);
    if (r != 0)
        return r;
    r = run_load(&run, run.record.commit, NULL, err);
    if (r >= 0)
        r = run_finish(&run, err);
    if (r < 0) { /* often what made it stuck; the person decides, not we */
        progress_warning(&run.progress, "what the run left beside its targets (.NAME.salve-*) stays there: %s",
                         err_text(err));
        r = hot_remove(engine->store.dir, err);
    }
    if (r >= 0)
        r = ledger_acknowledge(engine->store.ledger, run.record.id, who, err);
    if (r >= 0)
        *ret = run.record;
    return r;
}
