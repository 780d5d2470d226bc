/* SPDX-License-Identifier: Apache-2.0 */
#include "run/recover.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "host/journal.h"
#include "run/originals.h"
#include "run/rebuild.h"
#include "run/run.h"
#include "run/state.h"
#include "run/take-up.h"

/* Died before anything was touched: only its own dot files may be there. They harm nobody where they cannot be removed
 * now, and stop nothing; the next command that writes tries again. */
static void end_untouched(Run *run, int loaded, Err *err)
{
    static const char reason[] = "salve was killed before anything was touched";
    int r = loaded < 0 ? loaded : run_finish(run, err);
    if (r < 0)
        progress_warning(&run->progress, "what run %s left beside its targets (.NAME.salve-*) stays there: %s",
                         run->record.id, err_text(err));
    if (r >= 0 || loaded == -ERR_STUCK) /* nobody could ever know more */
        run_enter_anyway(run, RUN_REFUSED, reason);
    else
        run_end_later(run, RUN_REFUSED, reason);
}

static void give_up(Run *run, const char *reason)
{
    if (run->record.state != RUN_ROLLING_BACK && run->record.state != RUN_RESTORED)
        run_enter_anyway(run, RUN_ROLLING_BACK, NULL);
    run_enter_anyway(run, RUN_STUCK, reason);
}

/* What is to be put back cannot be read: a person must. It must not block for ever, so it is a stuck run like others.
 */
static void end_unreadable(Run *run, const Err *why)
{
    give_up(run, arena_printf(run->arena,
                              "salve was killed in the middle of the run, and what to put back cannot be read: %s; "
                              "the originals lie beside the files, see: %s",
                              err_text(why), originals_hint(run)));
}

/* The ledger is brought up to where the hot file is: what could not be written then. */
static int catch_up(Run *run, Err *err)
{
    int r = 0;
    if (run->record.state != RUN_ROLLING_BACK && run->record.state != RUN_RESTORED)
        r = run_enter(run, RUN_ROLLING_BACK, NULL, err);
    return r < 0 || run->record.state == RUN_RESTORED ? r : run_enter(run, RUN_RESTORED, NULL, err);
}

static bool is_back(const Run *run)
{
    return run->hot.phase == HOT_ROLLED_BACK || run->hot.phase == HOT_REFUSED;
}

/* Everything was put back, but the ledger could not be written then. Where it is not known what the run left beside its
 * files, that is for finish_ended. */
static int fill_in(Run *run, bool loaded, Err *err)
{
    bool refused = run->hot.phase == HOT_REFUSED;
    const char *reason = run->record.reason;
    if (!reason)
        reason = refused ? "somebody else changed a file of the run meanwhile; the record of which was lost"
                         : "the run was rolled back; the record of why was lost";
    int r = catch_up(run, err);
    if (r >= 0)
        r = run_enter(run, refused ? RUN_REFUSED : RUN_ROLLED_BACK, reason, err);
    return r < 0 || !loaded ? r : run_finish(run, err);
}

/* The hot file, if it is of this run: how far its rollback came, how often it was tried, and by whom. */
static void take_hot(Run *run)
{
    Hot hot;
    Err ignored; /* a damaged one tells nothing: the ledger does */
    if (hot_read(run->store->dir, &hot, &ignored) != 0 || !str_equal(hot.run_id, run->record.id))
        return;
    run->hot.phase = hot.phase;
    run->hot.attempts = hot.attempts;
    run->hot.deadline = hot.deadline;
    memcpy(run->hot.commit, hot.commit, sizeof hot.commit);
    memcpy(run->hot.program, hot.program, sizeof hot.program);
}

static const char *why_interrupted(const Run *run)
{
    bool rebooted = !str_equal(run->record.boot_id, run->hot.boot_id);
    if (run->record.reason)
        return run->record.reason;
    if (run->record.state == RUN_CONFIRMING)
        return rebooted ? "it was not confirmed before the host was rebooted"
                        : "salve was killed while the run waited for its confirmation";
    return rebooted ? "the host went down in the middle of the run" : "salve was killed in the middle of the run";
}

/* An attempt is counted before it is made, so that one that kills us is not made for ever. */
static bool count_attempt(Run *run)
{
    Err err;
    if (run->hot.attempts >= RUN_ATTEMPTS_MAX)
        return false;
    run->hot.attempts++;
    if (hot_write(run->store->dir, &run->hot, &err) < 0)
        progress_warning(&run->progress, "%s", err_text(&err));
    return true;
}

static bool is_attempt(const Run *run, RecoverHalf half)
{
    return run_state_touched(run->record.state) && !is_back(run) &&
           !(run->hot.phase == HOT_RESTORED && half == RECOVER_FILES);
}

/* A row that was being made anew may lack its commit (run/rebuild.h). */
static int load(Run *run, Intent *intent, Err *err)
{
    int r = 0;
    if (!run->record.commit && run_state_touched(run->record.state))
        r = run_find_commit(run->store, run->arena, &run->hot, &run->record.commit, err);
    return r < 0 || !run->record.commit ? r : run_load(run, run->record.commit, intent, err);
}

static int recover_touched(Run *run, RecoverHalf half, const Intent *intent, Err *err)
{
    if (!run->record.commit || run->swap.edits->n == 0) {
        run_enter_anyway(run, RUN_FAILED, "salve was killed while it restarted services");
        return run_finish(run, err);
    }
    if (run->hot.phase == HOT_RESTORED && half == RECOVER_FILES)
        return 0;
    const char *reason = arena_strdup(run->arena, why_interrupted(run));
    int r = run->hot.phase == HOT_RESTORED ? catch_up(run, err) : 0;
    if (r < 0)
        progress_warning(&run->progress, "%s", err_text(err));
    if (half == RECOVER_FILES)
        run_restore(run, reason);
    else
        run_roll_back_judged(run, intent, reason);
    return 0;
}

static int attempt(Run *run, RecoverHalf half, Err *err)
{
    Intent intent = {0};
    int r = load(run, &intent, err);
    if (!run_state_touched(run->record.state)) {
        end_untouched(run, r, err);
        return 0;
    }
    if (is_back(run))
        return fill_in(run, r >= 0, err);
    if (r >= 0)
        return recover_touched(run, half, &intent, err);
    if (r == -ERR_STUCK || run->hot.attempts >= RUN_ATTEMPTS_MAX)
        end_unreadable(run, err);
    else
        progress_warning(&run->progress, "what to put back cannot be read: %s; once more: salve recover",
                         err_text(err));
    return 0;
}

static int recover_one(Engine *engine, const RunRecord *record, RecoverHalf half, Err *err)
{
    Run run;
    int r = run_begin(engine, &run, record->id, err);
    if (r < 0)
        return r;
    run_resume(&run, record);
    progress_warning(&run.progress, "run %s of %s was interrupted (%s): bringing it to an end first", record->id,
                     record->playbook, run_state_to_string(record->state));
    take_hot(&run);
    engine->chronicle.phase = "rollback";
    if (!is_attempt(&run, half) || count_attempt(&run))
        return attempt(&run, half, err);
    give_up(&run, arena_printf(run.arena, "%d attempts to roll it back did not come to an end", RUN_ATTEMPTS_MAX));
    return 0;
}

/* --- The hot file --- */

static void warn(Engine *engine, const char *text)
{
    Progress progress = {.sink = engine->chronicle.next};
    progress_warning(&progress, "%s", text);
}

/* Its run has ended, says the ledger: only cleaning up is left. */
static int finish_ended(Engine *engine, const RunRecord *record, Err *err)
{
    Run run;
    int r = run_begin(engine, &run, record->id, err);
    if (r < 0)
        return r;
    run_resume(&run, record);
    take_hot(&run);
    r = record->commit ? run_load(&run, record->commit, NULL, err) : 0;
    bool readable = r >= 0;
    if (readable)
        r = run_finish(&run, err);
    if (r < 0)
        warn(engine, arena_printf(engine->arena, "run %s is over, but what it left cannot be removed: %s", record->id,
                                  err_text(err)));
    /* What cannot be read today may be tomorrow; but not for ever, since no run begins before. */
    return readable || count_attempt(&run) ? 0 : hot_remove(engine->store.dir, err);
}

/* Both copies are damaged. A ledger that knows runs has just said that none is under way: then the file was the last
 * one's. A ledger that is made anew cannot say so, however often it is asked. */
static int drop_damaged(Engine *engine, Err *err)
{
    RunRecord last;
    Err ledger;
    int r = rebuild_is_due(engine) ? -ERR_NOT_FOUND
                                   : ledger_find(engine->store.ledger, engine->arena, "last", &last, &ledger);
    if (r == -ERR_NOT_FOUND)
        return err_set(err, ERR_STUCK,
                       "%s/hot is damaged, and the ledger does not know which run was under way: compare the newest "
                       "snapshot (git -C %s/snapshots.git for-each-ref) with the host's files, then remove %s/hot",
                       engine->store.dir, engine->store.dir, engine->store.dir);
    if (r < 0) {
        *err = ledger;
        return r;
    }
    warn(engine, arena_printf(engine->arena, "%s; the ledger says that no run is under way", err_text(err)));
    return run_state_terminal(last.state) && last.state != RUN_STUCK ? finish_ended(engine, &last, err) : 0;
}

/* A COMMIT that failed and yet came to life behind a reboot: the ledger says kept, but the files were put back. */
static int end_contradictory(Engine *engine, const Hot *hot, Err *err)
{
    const char *text =
        arena_printf(engine->arena,
                     "the ledger says that run %s was kept, but it was rolled back (%s/hot): compare its "
                     "files with salve show %s --diff, then remove %s/hot",
                     hot->run_id, engine->store.dir, hot->run_id, engine->store.dir);
    journal_tell(LOG_CRIT, hot->run_id, text);
    return err_set(err, ERR_STUCK, "%s", text);
}

/* A kept or otherwise ended run whose cleaning up was cut short: nothing that could not wait. */
static int finish_hot(Engine *engine, RecoverHalf half, Err *err)
{
    Hot hot;
    RunRecord record;
    int r = hot_read(engine->store.dir, &hot, err);
    if (r == -ERR_DAMAGED)
        return drop_damaged(engine, err);
    if (r < 0) { /* it may be readable the next time, and the ledger has said that no run is under way */
        warn(engine, err_text(err));
        return 0;
    }
    if (r == HOT_NONE)
        return 0;
    r = ledger_find(engine->store.ledger, engine->arena, hot.run_id, &record, err);
    bool lost = r == -ERR_NOT_FOUND;
    if (lost)
        r = rebuild_hot(engine, &hot, &record, err);
    if (r == 0 && record.state == RUN_KEPT && hot.phase != HOT_APPLYING)
        return end_contradictory(engine, &hot, err);
    if (r < 0)
        return err_prefix(err, "hot file of run %s", hot.run_id);
    if (lost && !run_state_terminal(record.state))
        return recover_one(engine, &record, half, err);
    if (!run_state_terminal(record.state) || record.state == RUN_STUCK) /* it came no further, and needs its hot file */
        return 0;
    return finish_ended(engine, &record, err);
}

int recover_all(Engine *engine, RecoverHalf half, Err *err)
{
    RunRecordVec unfinished = {0};
    int r = ledger_unfinished(engine->store.ledger, engine->arena, &unfinished, err);
    for (size_t i = 0; r >= 0 && i < unfinished.n; i++) {
        if (unfinished.items[i].state != RUN_STUCK)
            r = recover_one(engine, &unfinished.items[i], half, err);
    }
    return r < 0 ? err_prefix(err, "cannot finish an interrupted run") : finish_hot(engine, half, err);
}
