/* SPDX-License-Identifier: Apache-2.0 */
/* Rollback: by recorded content, never relative (promise 5), and judged like a change (promise 6).
 *
 *     rolling-back  every edit, in reverse: its `before` is live; what somebody else wrote meanwhile is kept as a
 * commit restored      the files are back; now the effects in reverse order, each proved rolled-back   files and
 * processes equal what was recorded, and every check that passed at the baseline passes stuck         one of these
 * could not be proved: a person must look
 *
 * "The host was sick before and still is" is rolled-back. Nothing here may be cut short by a cancel, and an edit that
 * cannot be restored does not stop the others from being. */
#include <string.h>

#include "run/activate.h"
#include "run/run.h"

/* Chances for a check to pass again, since the first answers after a restart may be slow. */
enum { JUDGE_ROUNDS = 3 };
#define JUDGE_USEC (10 * USEC_PER_SEC)

/* Puts every file back; goes on where one fails, and returns the first failure. */
static int restore_files(Run *run, Err *err)
{
    int result = 0;
    const EditVec *edits = run->swap.edits;
    progress_step(&run->progress, "restore %zu file%s", edits->n, edits->n == 1 ? "" : "s");
    for (size_t i = edits->n; i-- > 0;) {
        const char *aside = NULL;
        Err failure;
        int r = swap_revert(run->arena, &run->swap, &edits->items[i], &aside, &failure);
        if (r == SWAP_FOREIGN)
            run_keep_foreign(run, &edits->items[i], aside);
        if (r < 0 && result == 0) {
            *err = failure;
            result = r;
        }
    }
    return result;
}

/* The rehearsed proof that the files are back: read again and compared. */
static int prove_files(Run *run, Err *err)
{
    VEC_EACH (edit, run->swap.edits) {
        FileState now;
        int r = file_read(run->arena, run->swap.root, edit->path, &now, err);
        if (r < 0)
            return r;
        bool foreign_directory = edit->before.type == FILE_ABSENT && now.type == FILE_DIRECTORY;
        if (!file_state_equal(&now, &edit->before) && !foreign_directory)
            return err_set(err, ERR_STUCK, "%s is not as recorded: %s", edit->path,
                           file_state_difference(run->arena, &edit->before, &now));
    }
    return 0;
}

static int restore(Run *run, Err *err)
{
    int r = restore_files(run, err);
    if (r >= 0)
        r = prove_files(run, err);
    if (r < 0)
        progress_failed(&run->progress, "%s", err_text(err));
    else
        progress_done(&run->progress, "content, owner, mode and attributes are as recorded");
    return r;
}

/* Whether a unit that the run did not come to may nevertheless have loaded what lay on disk for a moment: then only the
 * action itself proves that it has not (promise 11). */
static bool is_doubtful(Run *run, View *view, const Effect *effect)
{
    LivePendingVec pending = {0};
    Err ignored; /* not told: the proof that follows tells */
    if (effect->kind == EFFECT_DAEMON_RELOAD)
        return true;
    return !effect_is_validation(effect->kind) &&
           live_pending(run->live, view, effect->unit, &pending, &ignored) == 0 && pending.n > 0;
}

static EffectVec effects_to_take_back(Run *run, View *view)
{
    EffectVec effects = {0};
    for (size_t i = 0; i < run->effects->n; i++) {
        if (i < run->attempted || is_doubtful(run, view, &run->effects->items[i]))
            *vec_push(run->arena, &effects) = run->effects->items[i];
    }
    return effects;
}

static int activate_restored(Run *run, Err *err)
{
    View *view = run_fresh_view(run);
    EffectVec effects = effects_to_take_back(run, view);
    Activation activation = {
        .arena = run->arena,
        .systemd = run->systemd,
        .view = view,
        .live = run->live,
        .progress = &run->progress,
        .settle_usec = run->settle_usec,
        .was_down = &run->was_down,
        .was_sick = &run->was_sick,
    };
    return activate_reverse(&activation, &effects, err);
}

/* Whether what passed at the baseline passes again; an unlucky first sample gets another chance. */
static int judge(Run *run, const char **ret_sick, Err *err)
{
    WatchPhase phase = {
        .phase = CHECK_VERIFY,
        .limit_usec = JUDGE_USEC + run->longest_request_usec,
        .window_usec = JUDGE_USEC,
    };
    const char *reason = NULL;
    watch_for_rollback(run->watch);
    for (int round = 0; round < JUDGE_ROUNDS; round++) {
        WatchOutcome outcome;
        StringVec sick = {0};
        int r = watch_phase(run->watch, &phase, &outcome, err);
        if (r < 0)
            return r;
        bool as_before = watch_as_before(run->arena, &run->baseline, &outcome.results, &reason, &sick);
        *ret_sick = sick.n > 0 ? sick.items[0] : NULL;
        if (as_before)
            return 0;
    }
    return err_set(err, ERR_STUCK, "everything is back, yet %s, which passed before", reason);
}

static int judge_as_step(Run *run, const char **ret_sick, Err *err)
{
    *ret_sick = NULL;
    if (!run->watch || run->baseline.n == 0)
        return 0;
    progress_step(&run->progress, "the checks that passed before pass again");
    int r = judge(run, ret_sick, err);
    if (r < 0)
        progress_failed(&run->progress, "%s", err_text(err));
    else
        progress_done(&run->progress, *ret_sick ? "yes; still sick as before: %s" : "yes", *ret_sick);
    return r;
}

static void end_stuck(Run *run, const char *reason, const Err *err)
{
    run->record.reason =
        arena_printf(run->arena, "%s; and the rollback could not be proved: %s", reason, err_text(err));
    run_enter_anyway(run, RUN_STUCK, run->record.reason);
}

/* Where the ledger cannot be written, the hot file says until then that nothing is left to be put back: what somebody
 * changes from now on is not undone by the recovery that fills the ledger in. */
static void end(Run *run)
{
    Err err;
    bool recorded = run->recorded == RUN_ROLLED_BACK;
    run->hot.phase = HOT_ROLLED_BACK;
    if ((recorded ? run_finish(run, &err) : hot_write(run->store->dir, &run->hot, &err)) < 0)
        progress_warning(&run->progress, "%s", err_text(&err));
    else if (recorded)
        return;
    progress_warning(&run->progress, "the next salve command that writes finishes this: salve recover");
}

void run_roll_back(Run *run, const char *reason)
{
    Err err;
    const char *sick = NULL;
    if (run->record.state != RUN_ROLLING_BACK && run->record.state != RUN_RESTORED)
        run_enter_anyway(run, RUN_ROLLING_BACK, reason);
    run->hot.phase = HOT_ROLLING_BACK;
    if (hot_write(run->store->dir, &run->hot, &err) < 0)
        progress_warning(&run->progress, "%s", err_text(&err));
    if (restore(run, &err) < 0) {
        end_stuck(run, reason, &err);
        return;
    }
    if (run->record.state != RUN_RESTORED)
        run_enter_anyway(run, RUN_RESTORED, NULL);
    if (activate_restored(run, &err) < 0 || judge_as_step(run, &sick, &err) < 0) {
        end_stuck(run, reason, &err);
        return;
    }
    run->record.reason =
        sick ? arena_printf(run->arena, "%s (the host is still sick as before: %s)", reason, sick) : reason;
    run_enter_anyway(run, RUN_ROLLED_BACK, run->record.reason);
    end(run);
}
