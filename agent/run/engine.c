/* SPDX-License-Identifier: Apache-2.0 */
/* A run through its states. Each function below performs one leg of the road; what it promises is durable before the
 * next one begins (but for states that decide nothing, see ledger.c):
 *
 *     planned      ledger row                                        record_run
 *     baselining   the checks look, nothing is touched               run/baseline.c
 *     snapshotted  both sides of every file in git, read back        take_snapshot
 *     staged       the candidate is judged, dot files written        stage
 *     applying     hot file, then ledger, then exchanges             apply
 *     activating   daemon-reload, reload, restart, each proved       activate_plan
 *     verifying    the checks look again                             verify
 *     [confirming] a person says yes before the deadline            run/confirm.c
 *     kept         one conditional UPDATE: the point of no return    keep
 *
 * Up to `staged` a failure is `refused`: nothing was touched. From `applying` on it is a rollback (run/rollback.c), or
 * `failed` where there were no edits to take back. */
#include "run/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/secret.h"
#include "run/activate.h"
#include "run/baseline.h"
#include "run/before.h"
#include "run/confirm.h"
#include "run/due.h"
#include "run/guards.h"
#include "run/intent.h"
#include "run/originals.h"
#include "run/recover.h"
#include "run/run.h"
#include "run/stage.h"
#include "run/state.h"

static const char *who_started(Arena *arena)
{
    const char *user = getenv("SUDO_USER");
    if (!user)
        user = getenv("USER");
    return arena_strdup(arena, user ? user : "root");
}

/* What a person took upon themselves stands in the record. */
static void record_permissions(Run *run, const Plan *plan, const RunOptions *options)
{
    VEC_EACH (pending, &plan->pending)
        progress_warning(&run->progress, "accepted with --accept-pending: %s: %s%s%s", pending->unit,
                         pending->path ? pending->path : "", pending->path ? " " : "", pending->reason);
    for (const char *const *guard = options->overrides; guard && *guard; guard++)
        progress_warning(&run->progress, "guard %s overridden by %s: %s", *guard, run->record.user,
                         options->reason ? options->reason : "no reason given");
    VEC_EACH (note, &plan->notes) { /* a run that nobody watches has no other place to say them */
        if (note->level == NOTE_WARNING)
            progress_warning(&run->progress, "%s: %s", note->subject, note->text);
    }
    if (options->force)
        run_record_force(run, plan);
}

static int record_run(Run *run, const Plan *plan, const RunOptions *options, Err *err)
{
    run->record.state = run->recorded = RUN_PLANNED;
    run->record.created = clock_realtime();
    run->record.playbook = plan->playbook->name;
    run->record.target = plan->target;
    run->record.values = secret_json(run->arena, playbook_values(run->arena, plan->playbook));
    run->record.plan_hash = plan->hash;
    run->record.origin = plan->origin;
    run->record.user = options->user ? options->user : who_started(run->arena);
    run->record.undoes = plan->undoes;
    run->record.restarts_only = plan->only_restarts;
    run->record.boot_id = arena_strdup(run->arena, run->hot.boot_id); /* the record outlives the run */
    run->record.pid = (usec)getpid();
    int r = ledger_add(run->store->ledger, &run->record, err);
    if (r < 0)
        return r;
    progress_state(&run->progress, RUN_PLANNED);
    record_permissions(run, plan, options);
    return 0;
}

static int write_snapshot(Run *run, const Plan *plan, Err *err)
{
    StringVec open = {0};
    const char *path, *what;
    char commit[65];
    int r = swap_check(run->arena, &run->swap, &open, err);
    if (r >= 0)
        r = before_judge(run, err);
    if (r < 0)
        return r;
    VEC_EACH (at, &open)
        progress_warning(&run->progress,
                         "%s: this file system cannot exchange files; a writer at the same instant "
                         "would not be noticed",
                         *at);
    const char *intent = intent_to_json(run->arena, plan, &run->before);
    r = snapshot_write(run->store->repo, run->record.id, intent, run->swap.edits, commit, err);
    if (r >= 0)
        r = originals_record(run, commit, intent, err);
    if (r < 0)
        return r;
    run->record.commit = arena_strdup(run->arena, commit);
    snprintf(run->hot.commit, sizeof run->hot.commit, "%s", commit);
    r = snapshot_rehearse(run->store->repo, run->arena, commit, run->swap.root, run->swap.edits, &path, &what, err);
    if (r == SNAPSHOT_DIFFERS)
        return err_set(err, ERR_REFUSED, "%s was changed by somebody else since the plan was made (%s); plan again",
                       path, what);
    return r;
}

static int take_snapshot(Run *run, const Plan *plan, Err *err)
{
    progress_step(&run->progress, "snapshot of %zu file%s", plan->edits.n, plan->edits.n == 1 ? "" : "s");
    int r = write_snapshot(run, plan, err);
    if (r < 0) {
        progress_failed(&run->progress, "%s", err_text(err));
        return r;
    }
    progress_done(&run->progress, "%.12s, read back and compared", run->record.commit);
    return run_enter(run, RUN_SNAPSHOTTED, NULL, err);
}

static StageInput stage_input(Run *run, const Plan *plan)
{
    return (StageInput){
        .arena = run->arena,
        .run_id = run->record.id,
        .systemd = run->systemd,
        .view = plan->view,
        .edits = &plan->edits,
        .effects = &plan->effects,
        .progress = &run->progress,
    };
}

/* *ret_live: the candidate could not be staged and must be judged after it was applied. */
static int stage(Run *run, const Plan *plan, Stage *candidate, bool *ret_live, Err *err)
{
    int r = stage_validate(candidate, err);
    *ret_live = r == STAGE_UNAVAILABLE;
    if (*ret_live)
        progress_warning(&run->progress, "not staged: %s; the candidate is judged after it was applied", err_text(err));
    for (size_t i = 0; r >= 0 && i < plan->edits.n; i++)
        r = swap_prepare(&run->swap, &plan->edits.items[i], err);
    if (r >= 0)
        r = swap_sync(&run->swap, err);
    return r < 0 ? r : run_enter(run, RUN_STAGED, NULL, err);
}

/* The exchanges themselves. From the ledger's `applying` on, whatever goes wrong is taken back. */
static int exchange(Run *run, Err *err)
{
    VEC_EACH (edit, run->swap.edits) {
        int r = swap_apply(&run->swap, edit, err);
        if (r == SWAP_FOREIGN) {
            run->theirs = edit;
            return err_set(err, ERR_FOREIGN,
                           "%s was changed by somebody else since the snapshot; their version stays; plan again",
                           edit->path);
        }
        if (r < 0)
            return r;
    }
    return swap_sync(&run->swap, err);
}

static int apply(Run *run, const Plan *plan, bool validate_live, Err *err)
{
    if (plan->edits.n == 0)
        return 0;
    progress_step(&run->progress, "apply %zu edit%s", plan->edits.n, plan->edits.n == 1 ? "" : "s");
    int r = exchange(run, err);
    if (r < 0) {
        progress_failed(&run->progress, "%s", err_text(err));
        return r;
    }
    progress_done(&run->progress, "exchanged");
    StageInput input = stage_input(run, plan);
    return validate_live ? stage_validate_live(&input, err) : 0;
}

static bool is_cancelled(const Run *run)
{
    return run->cancel && *run->cancel;
}

/* With one sample a check the verification begins while the last workers boot: its request waits for the first one. */
static void look_ahead(void *user, usec until)
{
    Run *run = user;
    watch_ahead(run->watch, run->window_usec, until);
}

static int activate_plan(Run *run, const Plan *plan, bool once, Err *err)
{
    Activation activation = {
        .arena = run->arena,
        .systemd = run->systemd,
        .view = run_fresh_view(run),
        .live = run->live,
        .progress = &run->progress,
        .settle_usec = plan->settle_usec,
        .wishes = &plan->wishes,
        .before = &run->before,
        .cancel = run->cancel,
        .meanwhile = once ? look_ahead : NULL,
        .user = run,
    };
    int r = run_enter(run, RUN_ACTIVATING, NULL, err);
    if (r < 0)
        return r;
    r = activate(&activation, &plan->effects, &run->attempted, err);
    run->blamed = r < 0 && !is_cancelled(run) && run_host_failed(err);
    return r;
}

static void note_thoroughness(Run *run, const Plan *plan, const WatchOutcome *outcome, bool once)
{
    Err err;
    run->record.thoroughness =
        once ? arena_printf(run->arena, "once: %zu checks, %zu samples", plan->checks.n, outcome->samples)
             : arena_printf(run->arena, "window %s, %zu checks, %zu samples",
                            usec_to_string(run->arena, plan->window_usec), plan->checks.n, outcome->samples);
    if (ledger_set_thoroughness(run->store->ledger, run->record.id, run->record.thoroughness, &err) < 0)
        progress_warning(&run->progress, "%s", err_text(&err));
}

static int verify(Run *run, const Plan *plan, const RunOptions *options, Err *err)
{
    WatchPhase phase = {.phase = CHECK_VERIFY,
                        .warmup_usec = options->once ? 0 : plan->warmup_usec,
                        .limit_usec = plan->window_usec,
                        .open_usec = plan->window_most_usec,
                        .window_usec = plan->window_usec};
    WatchOutcome outcome;
    int r = run_enter(run, RUN_VERIFYING, NULL, err);
    if (r < 0)
        return r;
    run->chronicle->phase = "verify";
    progress_step(&run->progress, "verify for %s",
                  options->once ? "one sample a check" : usec_to_string(run->arena, plan->window_usec));
    r = watch_phase(run->watch, &phase, &outcome, err);
    if (r >= 0 && outcome.cancelled)
        r = err_set(err, ERR_FAILED, "cancelled");
    if (r >= 0) {
        run_keep_verdicts(run, &outcome);
        note_thoroughness(run, plan, &outcome, options->once);
    }
    const char *unwanted = NULL;
    if (r >= 0)
        unwanted = watch_unwanted(run->arena, &outcome, plan->playbook->keeps);
    if (r >= 0 && !unwanted && outcome.reason)
        run->open = arena_printf(run->arena, "%s: %s", verdict_to_string(outcome.verdict), outcome.reason);
    run->blamed = r >= 0 && run_is_blamed(&run->baseline, &outcome.results);
    if (unwanted)
        r = err_set(err, ERR_FAILED, "%s", unwanted);
    if (r < 0)
        progress_failed(&run->progress, "%s", err_text(err));
    else
        progress_done(&run->progress, "%zu samples, %s", outcome.samples,
                      run->open ? arena_printf(run->arena, "kept though %s", run->open) : "all checks pass");
    return r;
}

/* Nobody edited the files meanwhile: what is kept is what was verified. */
static int still_ours(Run *run, Err *err)
{
    VEC_EACH (edit, run->swap.edits) {
        SwapPlace place;
        int r = swap_locate(&run->swap, edit, &place, err);
        if (r < 0)
            return r;
        if (place != SWAP_IS_AFTER)
            return err_set(err, ERR_FOREIGN, "%s was changed by somebody else during the run", edit->path);
    }
    return 0;
}

/* That it ends, and when, is durable before it is kept: at worst the timer wakes somebody for nothing. */
static int promise_end(Run *run, usec for_usec, Err *err)
{
    run->record.until = clock_realtime() + for_usec;
    int r = due_rearm(run->systemd, run->store->ledger, run->record.until, clock_realtime(), err);
    return r < 0 ? r : ledger_set_until(run->store->ledger, run->record.id, run->record.until, err);
}

/* What was kept may have given an overdue temporary change back to the timer. */
static void look_at_ends(Run *run)
{
    Err err;
    int r = ledger_had_temporary(run->store->ledger, &err);
    if (r == 0)
        r = due_rearm(run->systemd, run->store->ledger, USEC_INFINITY, clock_realtime(), &err);
    if (r < 0)
        progress_warning(&run->progress, "%s", err_text(&err));
}

/* Promise 4. What follows the UPDATE is repeatable and done by the next salve command that writes, if not now. */
static int keep(Run *run, usec for_usec, Err *err)
{
    Err finishing;
    int r = for_usec ? promise_end(run, for_usec, err) : 0;
    if (r >= 0)
        r = run_enter(run, RUN_KEPT, run->open ? run->open : "verification passed", err);
    if (r < 0)
        return r;
    if (run_finish(run, &finishing) < 0)
        progress_warning(&run->progress, "%s; the next salve command that writes finishes this", err_text(&finishing));
    if (!for_usec)
        look_at_ends(run);
    return 0;
}

/* The untouched half of the road. */
static int prepare(Run *run, const Plan *plan, bool *ret_live, Err *err)
{
    CLEANUP(stage_close) Stage *candidate = NULL;
    StageInput input = stage_input(run, plan);
    *ret_live = false;
    int r = baseline_take(run, plan, err);
    if (r >= 0)
        r = stage_begin(&input, &candidate, err); /* behind the baseline: it would measure the check, too */
    if (r >= 0)
        r = take_snapshot(run, plan, err);
    return r < 0 ? r : stage(run, plan, candidate, ret_live, err);
}

/* The half that touches. */
static int change(Run *run, const Plan *plan, bool validate_live, const RunOptions *options, Err *err)
{
    int r = apply(run, plan, validate_live, err);
    if (r >= 0)
        r = activate_plan(run, plan, options->once, err);
    if (r >= 0)
        r = verify(run, plan, options, err);
    if (r >= 0 && options->confirm_usec > 0)
        r = confirm_wait(run, options, err);
    if (r >= 0)
        r = is_cancelled(run) ? err_set(err, ERR_FAILED, "cancelled") : still_ours(run, err);
    return r < 0 ? r : keep(run, options->for_usec, err);
}

/* The run's own files are gone again, and the ledger says why. */
static void refuse(Run *run, const Err *why)
{
    Err err;
    run->record.reason = arena_strdup(run->arena, err_text(why));
    if (run_finish(run, &err) >= 0) {
        run_enter_anyway(run, RUN_REFUSED, run->record.reason);
        return;
    }
    progress_warning(&run->progress, "%s; the next salve command that writes cleans up: salve recover", err_text(&err));
    run_end_later(run, RUN_REFUSED, run->record.reason);
}

static void fail(Run *run, const Plan *plan, const Err *why)
{
    Err err;
    const char *reason = arena_strdup(run->arena, err_text(why));
    run->blamed = run->blamed && !run_machine_stops(run);
    run->record.blamed = run->blamed;
    if (run->blamed && ledger_blame(run->store->ledger, run->record.id, &err) < 0)
        progress_warning(&run->progress, "%s", err_text(&err));
    if (!plan->only_restarts) {
        run->chronicle->phase = "rollback";
        run_roll_back(run, reason);
        return;
    }
    if (run_finish(run, &err) < 0)
        progress_warning(&run->progress, "%s", err_text(&err));
    run_enter_anyway(run, RUN_FAILED, reason);
}

/* What an earlier run could not clean up is named by the hot file: it must not be forgotten for ours. */
static int begin_hot(Run *run, Err *err)
{
    Hot hot;
    int r = hot_read(run->store->dir, &hot, err);
    if (r == 0)
        return err_set(err, ERR_REFUSED, "run %s is hot; see: salve recover", hot.run_id);
    return r < 0 && r != -ERR_DAMAGED ? r : hot_write(run->store->dir, &run->hot, err);
}

static void carry(Run *run, const Plan *plan, const RunOptions *options)
{
    bool validate_live;
    Err err;
    int r = prepare(run, plan, &validate_live, &err);
    if (r >= 0 && run->cancel && *run->cancel)
        r = err_set(&err, ERR_REFUSED, "cancelled");
    run->hot.deadline = confirm_deadline(plan, options);
    if (r >= 0)
        r = begin_hot(run, &err);
    if (r >= 0)
        r = run_enter(run, RUN_APPLYING, NULL, &err);
    if (r < 0) {
        refuse(run, &err);
        return;
    }
    if (change(run, plan, validate_live, options, &err) < 0)
        fail(run, plan, &err);
}

static int open_watch(Run *run, const Plan *plan, const RunOptions *options, Err *err)
{
    WatchInput input = {
        .arena = run->arena,
        .run_id = run->record.id,
        .view = plan->view,
        .systemd = run->systemd,
        .checks = &plan->checks,
        .interval_usec = plan->interval_usec,
        .once = options->once,
        .progress = &run->progress,
        .cancel = run->cancel,
    };
    return watch_open(&input, &run->watch, err);
}

/* What is to end by itself needs something to be undone, and somebody to do it. */
static int check_temporary(Engine *engine, const Plan *plan, const RunOptions *options, Err *err)
{
    if (options->for_usec == 0)
        return 0;
    if (plan->edits.n == 0)
        return err_set(err, ERR_REFUSED, "--for: this changes no file, so there is nothing to undo after a time");
    return due_check_timer(engine->systemd, engine->arena, err);
}

int engine_run(Engine *engine, const Plan *plan, const RunOptions *options, RunRecord *ret, Err *err)
{
    Run run;
    int r = engine_ready(engine, err);
    if (r >= 0)
        r = engine_check_quarantine(engine, plan, options, err);
    if (r >= 0)
        r = check_temporary(engine, plan, options, err);
    if (r >= 0)
        r = confirm_can_listen(options, err);
    if (r >= 0)
        r = run_begin(engine, &run, options->id ? options->id : store_run_id(engine->arena, clock_realtime()), err);
    if (r < 0)
        return r;
    run.cancel = options->cancel;
    run.accept_failing_baseline = options->accept_failing_baseline;
    run.swap.edits = &plan->edits;
    run.effects = &plan->effects;
    run.settle_usec = plan->settle_usec;
    run.window_usec = plan->window_usec;
    run.longest_request_usec = plan->longest_request_usec;
    r = open_watch(&run, plan, options, err);
    if (r >= 0)
        r = record_run(&run, plan, options, err);
    if (r >= 0)
        carry(&run, plan, options);
    confirm_end(&run);
    watch_close(run.watch);
    if (r >= 0)
        *ret = run.record;
    return r;
}
