/* SPDX-License-Identifier: Apache-2.0 */
#include "run/recheck.h"

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

int recheck_open(Run *run, const Intent *intent, Err *err)
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
