/* SPDX-License-Identifier: Apache-2.0 */
#include "run/take-up.h"

#include <stdio.h>
#include <string.h>

#include "run/originals.h"

static void take_up(Run *run, const Snapshot *snapshot, const Intent *intent, const char *commit)
{
    EditVec *edits = arena_new_of(run->arena, EditVec);
    EffectVec *effects = arena_new_of(run->arena, EffectVec);
    *edits = snapshot->edits;
    *effects = intent->effects;
    run->swap.edits = edits;
    run->swap.root = intent->root;
    run->effects = effects;
    run->before = intent->before;
    run->settle_usec = intent->settle_usec;
    run->longest_request_usec = intent->longest_request_usec;
    /* Not known: all of them are taken back. Before `activating` was recorded none was begun, and what was started by
     * another boot has loaded what it found. */
    bool begun = run->record.state != RUN_APPLYING || run->hot.phase != HOT_APPLYING;
    run->attempted = begun && str_equal(run->record.boot_id, run->hot.boot_id) ? effects->n : 0;
    snprintf(run->hot.commit, sizeof run->hot.commit, "%s", commit);
}

/* From the snapshot; where that is lost, from the originals beside the files. ERR_STUCK: neither is there. What cannot
 * be read may be the next time. */
static int read_edits(Run *run, const char *commit, Snapshot *ret, Err *err)
{
    int r = commit ? snapshot_read(run->store->repo, run->arena, commit, ret, err) : REPO_NONE;
    if (r == 0)
        return 0;
    if (r == REPO_NONE)
        err_set(err, ERR_STUCK, "the snapshot %s of run %s is gone", commit ? commit : "", run->record.id);
    Err lost;
    int beside = originals_load(run, ret, &lost);
    if (beside < 0)
        return err_set(err, r == REPO_NONE && beside == -ERR_STUCK ? ERR_STUCK : ERR_FAILED, "%s; and %s",
                       arena_strdup(run->arena, err_text(err)), lost.message);
    progress_warning(&run->progress, "%s; the originals beside the files are used instead", err_text(err));
    return 0;
}

int run_find_commit(const Store *store, Arena *arena, const Hot *hot, const char **ret, Err *err)
{
    char commit[65];
    *ret = hot->commit[0] ? arena_strdup(arena, hot->commit) : NULL;
    int r = *ret ? 0 : snapshot_find(store->repo, hot->run_id, commit, err);
    if (r == 0 && !*ret)
        *ret = arena_strdup(arena, commit);
    return r < 0 ? r : 0;
}

int run_load(Run *run, const char *commit, Intent *ret_intent, Err *err)
{
    Snapshot snapshot;
    Intent intent;
    int r = read_edits(run, commit, &snapshot, err);
    if (r >= 0)
        r = intent_from_json(run->arena, snapshot.intent, &intent, err);
    if (r < 0)
        return r;
    take_up(run, &snapshot, &intent, commit ? commit : "");
    if (ret_intent)
        *ret_intent = intent;
    return 0;
}

/* --- Its checks --- */

static bool passed_then(const LedgerVerdictVec *verdicts, const char *check)
{
    VEC_EACH (verdict, verdicts) {
        if (str_equal(verdict->phase, "baseline") && str_equal(verdict->check, check))
            return str_equal(verdict->verdict, verdict_to_string(VERDICT_PASS));
    }
    return false;
}

static int open_checks(Run *run, const Playbook *playbook, const PlannedCheckVec *checks, Err *err)
{
    const WatchInput input = {
        .arena = run->arena,
        .run_id = run->record.id,
        .view = run_fresh_view(run),
        .systemd = run->systemd,
        .checks = checks,
        .interval_usec = playbook->interval_usec,
        .once = true,
        .progress = &run->progress,
    };
    return watch_open(&input, &run->watch, err);
}

/* The checks that passed at the baseline, as the ledger has it. Those that judge a change against the baseline's own
 * counts are left out: the counts are gone with the process. */
static int open_baseline_checks(Run *run, const Intent *intent, Err *err)
{
    const Playbook *playbook;
    LedgerVerdictVec verdicts = {0};
    PlannedCheckVec *checks = arena_new_of(run->arena, PlannedCheckVec);
    int r = intent_playbook(run->arena, intent, &playbook, err);
    if (r >= 0)
        r = ledger_verdicts(run->store->ledger, run->arena, run->record.id, &verdicts, err);
    if (r < 0)
        return err_prefix(err, "the checks of run %s", run->record.id);
    VEC_EACH (check, &playbook->checks) {
        if (check->kind->judges_change || !passed_then(&verdicts, check->name))
            continue;
        *vec_push(run->arena, checks) = (PlannedCheck){.kind = check->kind, .spec = check->spec, .name = check->name};
        *vec_push(run->arena, &run->baseline) = (CheckResult){.name = check->name, .verdict = VERDICT_PASS};
    }
    if (verdicts.n == 0 && playbook->checks.n > 0)
        progress_warning(&run->progress,
                         "the baseline of run %s is lost: files and processes are proved, but its checks "
                         "are not asked",
                         run->record.id);
    return checks->n > 0 ? open_checks(run, playbook, checks, err) : 0;
}

void run_roll_back_judged(Run *run, const Intent *intent, const char *reason)
{
    Err err;
    if (open_baseline_checks(run, intent, &err) < 0)
        progress_warning(&run->progress, "files and processes are proved, but its checks cannot be asked: %s",
                         err_text(&err));
    run->looks_first = true;
    run_roll_back(run, reason);
    watch_close(run->watch);
    run->watch = NULL;
}
