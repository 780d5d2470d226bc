/* SPDX-License-Identifier: Apache-2.0 */
/* Rollback, judged like a change (promise 6):
 *
 *     rolling-back  every edit, in reverse: its `before` is live (run/restore.c)
 *     restored      the files are back; now the effects in reverse order, each proved
 *     rolled-back   files and processes equal what was recorded, and every check that passed at the baseline passes
 *     stuck         one of these could not be proved: a person must look. Files that cannot be put back are tried again
 *                   first, at once and by the recoveries that follow (run/recover.h); so is, by these, what failed
 *                   because systemd was not reached or somebody else was at work (run_host_failed)
 *     refused       nothing was activated yet, because a file was changed by somebody else just before the exchange
 *
 * Who takes a run up (recovery, a person who says --again) looks first: a host that is well is proved, and nothing is
 * restarted.
 *
 * "The host was sick before and still is" is rolled-back. Nothing here may be cut short by a cancel. While the machine
 * shuts down no job can be had: the run stays restored, and the next boot does the second half. */
#include <poll.h>
#include <string.h>

#include "run/activate.h"
#include "run/restore.h"
#include "run/run.h"
#include "run/state.h"
#include "run/well.h"

/* Chances for a check to pass again, since the first answers after a restart may be slow. */
enum { JUDGE_ROUNDS = 3 };
#define JUDGE_USEC (10 * USEC_PER_SEC)
enum { JUDGE_PAUSE_MSEC = 200 };

/* Whether a unit that the run did not come to may nevertheless have loaded what lay on disk for a moment: then only the
 * action itself proves that it has not (promise 11). */
static bool is_doubtful(Run *run, View *view, const Effect *effect)
{
    LivePendingVec pending = {0};
    Err ignored; /* not told: the proof that follows tells */
    if (effect->kind == EFFECT_DAEMON_RELOAD)
        return true;
    /* The stranger's edit is pending now, and is not ours to activate. */
    return !run->theirs && !effect_is_validation(effect->kind) &&
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

static Activation activation_of(Run *run, View *view)
{
    return (Activation){
        .arena = run->arena,
        .systemd = run->systemd,
        .view = view,
        .live = run->live,
        .progress = &run->progress,
        .settle_usec = run->settle_usec,
        .before = &run->before,
        .rollback = true,
        .ours = run->swap.edits,
    };
}

static int activate_restored(Run *run, Err *err)
{
    View *view = run_fresh_view(run);
    EffectVec effects = effects_to_take_back(run, view);
    Activation activation = activation_of(run, view);
    return activate_reverse(&activation, &effects, err);
}

/* Whether what passed at the baseline passes again; an unlucky first sample gets another chance, and services that a
 * boot has just started have the time to settle that they would have had after a restart of ours. */
static int judge(Run *run, const char **ret_sick, Err *err)
{
    WatchPhase phase = {
        .phase = CHECK_VERIFY,
        .limit_usec = JUDGE_USEC + run->longest_request_usec,
        .window_usec = JUDGE_USEC,
    };
    const char *reason = NULL;
    watch_for_rollback(run->watch, run_fresh_view(run));
    usec started = clock_boottime();
    for (int round = 0; round < JUDGE_ROUNDS || clock_boottime() - started < run->settle_usec; round++) {
        WatchOutcome outcome;
        if (round >= JUDGE_ROUNDS)
            poll(NULL, 0, JUDGE_PAUSE_MSEC);
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
    const char *failure = arena_strdup(run->arena, err_text(err)), *down = well_what_is_down(run);
    bool is_news = down && !strstr(failure, down);
    run->record.reason = arena_printf(run->arena, "%s; and the rollback could not be proved: %s%s%s", reason, failure,
                                      is_news ? "; now " : "", is_news ? down : "");
    run_enter_anyway(run, RUN_STUCK, run->record.reason);
}

/* Leaves the run as it is: the recovery that follows tries again, until it was tried often enough. A run's own
 * rollback, and one that a person asked for, is not counted: it is none of these attempts. */
static void end_attempt(Run *run, const char *reason, const Err *err)
{
    unsigned attempts = run->hot.attempts;
    if (attempts >= RUN_ATTEMPTS_MAX)
        end_stuck(run, reason, err);
    else if (attempts == 0)
        progress_warning(&run->progress, "the rollback is not at its end: %s; once more: salve recover", err_text(err));
    else
        progress_warning(&run->progress, "attempt %u of %d to roll back failed: %s; once more: salve recover", attempts,
                         RUN_ATTEMPTS_MAX, err_text(err));
}

static void mark(Run *run, HotPhase phase)
{
    Err err;
    run->hot.phase = phase;
    if (hot_write(run->store->dir, &run->hot, &err) < 0)
        progress_warning(&run->progress, "%s", err_text(&err));
}

/* Where the ledger cannot be written, the hot file says until then that nothing is left to be put back: what somebody
 * changes from now on is not undone by the recovery that fills the ledger in. */
static void end(Run *run, RunState state)
{
    Err err;
    bool recorded = run->recorded == state;
    run->hot.phase = state == RUN_REFUSED ? HOT_REFUSED : HOT_ROLLED_BACK;
    if ((recorded ? run_finish(run, &err) : hot_write(run->store->dir, &run->hot, &err)) < 0)
        progress_warning(&run->progress, "%s", err_text(&err));
    else if (recorded)
        return;
    progress_warning(&run->progress, "the next salve command that writes finishes this: salve recover");
}

bool run_machine_stops(Run *run)
{
    bool stopping = false;
    Err err; /* no answer: then the jobs will say what is wrong */
    return systemd_is_stopping(run->systemd, &stopping, &err) >= 0 && stopping;
}

static int put_files_back(Run *run, const char *reason, bool can_validate)
{
    Err err;
    if (run->record.state != RUN_ROLLING_BACK && run->record.state != RUN_RESTORED)
        run_enter_anyway(run, RUN_ROLLING_BACK, reason);
    if (run->hot.phase != HOT_RESTORED) /* else it was done before, and is looked at once more */
        mark(run, HOT_ROLLING_BACK);
    int r = restore(run, can_validate, &err);
    if (r < 0) /* errors of a disk pass */
        r = restore(run, can_validate, &err);
    if (r < 0) {
        /* A run's own: there is somebody to be told. */
        (run->hot.attempts == 0 ? end_stuck : end_attempt)(run, reason, &err);
        return r;
    }
    if (run->hot.phase != HOT_RESTORED)
        mark(run, HOT_RESTORED);
    if (run->record.state != RUN_RESTORED)
        run_enter_anyway(run, RUN_RESTORED, NULL);
    return 0;
}

static const char *with_findings(Run *run, const char *reason, const char *sick)
{
    if (sick)
        reason = arena_printf(run->arena, "%s (the host is still sick as before: %s)", reason, sick);
    if (run->conflicts.n && !run->theirs)
        reason = arena_printf(run->arena, "%s " RUN_CONFLICT "%s holds what somebody else wrote meanwhile)", reason,
                              run->conflicts.items[0]);
    return reason;
}

/* Somebody who takes the run up finds the host as it is to be, because a person repaired it, or a boot started all of
 * it anew: then it is proved, and nothing is restarted. */
static bool is_well_already(Run *run, const char **ret_sick)
{
    const char *why;
    Err ignored; /* the road on tells more */
    Activation activation = activation_of(run, run_fresh_view(run));
    if (!run->looks_first || run->theirs || run->conflicts.n > 0)
        return false;
    if (well_look(run, &activation, &why) == WELL_NOT) {
        progress_step(&run->progress, "look at the services first");
        progress_done(&run->progress, "they are brought back: %s", why);
        return false;
    }
    return judge_as_step(run, ret_sick, &ignored) >= 0;
}

static int prove_and_judge(Run *run, const char **ret_sick, Err *err)
{
    *ret_sick = NULL;
    if (is_well_already(run, ret_sick))
        return 0;
    int r = activate_restored(run, err);
    return r < 0 || run->theirs ? r : judge_as_step(run, ret_sick, err);
}

/* With what somebody else changed left in place; and should that be what keeps the host from being well, without it. It
 * is not where the host was not reached. */
static int prove_and_judge_twice(Run *run, const char **ret_sick, Err *err)
{
    int r = prove_and_judge(run, ret_sick, err);
    if (r >= 0 || run->theirs || run->conflicts.n == 0 || !run_host_failed(err) || run_machine_stops(run))
        return r;
    run->attempted = run->effects->n;
    r = restore_conflicts(run, err);
    if (r < 0) /* errors of a disk pass */
        r = restore_conflicts(run, err);
    return r < 0 ? r : prove_and_judge(run, ret_sick, err);
}

static void activate_and_judge(Run *run, const char *reason)
{
    Err err;
    const char *sick;
    int r = prove_and_judge_twice(run, &sick, &err);
    if (r < 0 && run_machine_stops(run)) {
        progress_warning(&run->progress, "the machine is shutting down; the next boot finishes this");
        return;
    }
    if (r < 0) {
        (run_host_failed(&err) ? end_stuck : end_attempt)(run, reason, &err);
        return;
    }
    RunState state = run->theirs ? RUN_REFUSED : RUN_ROLLED_BACK;
    run->record.reason = with_findings(run, reason, sick);
    run_enter_anyway(run, state, run->record.reason);
    end(run, state);
}

void run_restore(Run *run, const char *reason)
{
    Err err;
    if (put_files_back(run, reason, false) < 0)
        return;
    progress_step(&run->progress, "daemon-reload");
    if (systemd_daemon_reload(run->systemd, &err) < 0)
        progress_failed(&run->progress, "%s", err_text(&err)); /* the second half does it again */
    else
        progress_done(&run->progress, "ok");
}

void run_roll_back(Run *run, const char *reason)
{
    bool stopping = run_machine_stops(run);
    bool are_back = run->hot.phase == HOT_RESTORED;
    if (!(stopping && are_back) && put_files_back(run, reason, !stopping) < 0)
        return;
    if (stopping)
        progress_warning(&run->progress, "the machine is shutting down; the next boot finishes this");
    else
        activate_and_judge(run, reason);
}
