/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include <stdio.h>
#include <syslog.h>

#include "host/journal.h"
#include "run/foreign.h"
#include "run/state.h"

/* Of one file, in one go: more than that, somebody makes while we look. */
enum { VERSIONS_MAX = 100 };

static void tell_moved(void *user, const char *what, const char *found, const char *aside)
{
    Run *run = user;
    progress_warning(&run->progress,
                     "somebody put %s at %s; salve moved it to %s, unopened: look at it, then remove it", what, found,
                     aside);
}

int run_begin(Engine *engine, Run *ret, const char *id, Err *err)
{
    static const EditVec no_edits;
    static const EffectVec no_effects;
    Run run = {
        .arena = engine->arena,
        .store = &engine->store,
        .systemd = engine->systemd,
        .live = engine->live,
        .chronicle = &engine->chronicle,
        .progress = {.sink = chronicle_sink(&engine->chronicle), .run_id = id},
        .record = {.id = id},
        .swap = {.root = "", .run_id = id, .edits = &no_edits},
        .effects = &no_effects,
        .hot = {.phase = HOT_APPLYING},
    };
    snprintf(run.hot.run_id, sizeof run.hot.run_id, "%s", id);
    if (engine->program)
        snprintf(run.hot.program, sizeof run.hot.program, "%s", engine->program);
    int r = hot_boot_id(run.hot.boot_id, err);
    if (r < 0)
        return r;
    *ret = run;
    ret->swap.told = tell_moved;
    ret->swap.user = ret;
    return 0;
}

static int advance(Run *run, RunState to, const char *reason, Err *err)
{
    RunState from = run->record.state;
    if (!run_state_may_follow(from, to))
        return err_set(err, ERR_FAILED, "a run cannot go from %s to %s", run_state_to_string(from),
                       run_state_to_string(to));
    int r = ledger_advance(run->store->ledger, run->record.id, run->recorded, to, reason, err);
    if (r >= 0)
        run->recorded = to;
    return r;
}

void run_resume(Run *run, const RunRecord *record)
{
    run->record = *record;
    run->recorded = record->state;
    run->progress.state = record->state;
}

/* A person must look: whoever watches the journal hears it, even if nobody watches this run. */
static void cry(const Run *run)
{
    journal_tell(LOG_CRIT, run->record.id,
                 arena_printf(run->arena,
                              "run %s is stuck: %s. No run is started on this host until a person looked. See: salve "
                              "show %s --diff. Then: salve recover --again, or, once the host is right, salve recover "
                              "--acknowledge. By hand: git -C %s/snapshots.git show refs/runs/%s:manifest lists the "
                              "files; git -C %s/snapshots.git cat-file blob refs/runs/%s:before/0 prints the first one "
                              "as it was.",
                              run->record.id, run->record.reason ? run->record.reason : "", run->record.id,
                              run->store->dir, run->record.id, run->store->dir, run->record.id));
}

static void announce(Run *run, RunState to, const char *reason)
{
    run->record.state = to;
    if (reason)
        run->record.reason = reason;
    progress_state(&run->progress, to);
    if (to == RUN_STUCK && !run->store->stand_in) /* a ledger in memory forgets it, and each recovery finds it anew */
        cry(run);
    if (run_state_terminal(to)) {
        run->record.ended = clock_realtime();
        progress_emit(&run->progress, (Event){.kind = EVENT_END, .text = run->record.reason});
    }
}

int run_enter(Run *run, RunState to, const char *reason, Err *err)
{
    int r = advance(run, to, reason, err);
    if (r >= 0)
        announce(run, to, reason);
    return r;
}

void run_enter_anyway(Run *run, RunState to, const char *reason)
{
    Err err;
    if (advance(run, to, reason, &err) < 0)
        progress_warning(&run->progress, "%s", err_text(&err));
    announce(run, to, reason);
}

void run_end_later(Run *run, RunState to, const char *reason)
{
    announce(run, to, reason);
}

View *run_fresh_view(Run *run)
{
    return view_new(run->arena, run->swap.root);
}

/* Every foreign version that lies beside the target: one that a crash, or a full disk, left there, too. What cannot be
 * kept as a commit yet keeps the run from being finished, so that the next command that writes tries again. */
static int finish_edit(Run *run, const Edit *edit, Err *err)
{
    const char *aside = NULL;
    for (int i = 0; i < VERSIONS_MAX; i++) {
        aside = NULL;
        int r = swap_finish(run->arena, &run->swap, edit, &aside, err);
        if (r == -ERR_NOT_FOUND) /* the whole directory was removed, and with it what the run left there */
            return 0;
        if (r <= 0 || !aside || (r = foreign_keep_aside(run, edit, aside, err)) != 0)
            return r < 0 ? r : 0;
    }
    progress_warning(&run->progress, "somebody keeps putting files beside %s, like %s; they stay there", edit->path,
                     aside);
    return 0;
}

/* The hot file of another run is not ours to remove; a damaged one names nobody. */
static int remove_hot(Run *run, Err *err)
{
    Hot hot;
    int r = hot_read(run->store->dir, &hot, err);
    if (r < 0 && r != -ERR_DAMAGED)
        return r;
    return r == 0 && !str_equal(hot.run_id, run->record.id) ? 0 : hot_remove(run->store->dir, err);
}

int run_finish(Run *run, Err *err)
{
    int r = 0;
    if (run->record.state == RUN_KEPT && run->record.commit)
        r = snapshot_tag_kept(run->store->repo, run->record.id, run->record.commit, err);
    for (size_t i = run->swap.edits->n; r >= 0 && i-- > 0;)
        r = finish_edit(run, &run->swap.edits->items[i], err);
    return r < 0 ? r : remove_hot(run, err);
}

bool run_host_failed(const Err *why)
{
    static const ErrKind elsewhere[] = {ERR_UNREACHABLE, ERR_TIMEOUT, ERR_DENIED, ERR_BUSY, ERR_SPACE, ERR_FOREIGN};
    for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
        if (why->kind == elsewhere[i])
            return false;
    }
    return why->errnum == 0 || why->kind == ERR_NOT_FOUND;
}

void run_keep_verdicts(Run *run, const WatchOutcome *outcome)
{
    VEC_EACH (result, &outcome->results)
        chronicle_verdict(run->chronicle, run->arena, run->record.id, result);
}
