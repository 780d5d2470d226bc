/* SPDX-License-Identifier: Apache-2.0 */
/* Guards: findings that must, or must not, be there before a run may touch anything. What cannot be told satisfies no
 * guard (promise 10). */
#include <string.h>

#include "run/engine.h"
#include "run/guards.h"
#include "stack/gunicorn.h"

/* The Gunicorn service that the playbook is about: its variable `unit`, else the only one. */
static int guarded_unit(const Plan *plan, const char **ret, Err *err)
{
    const Variable *variable = scope_find(&plan->playbook->scope, "unit");
    const char *name = variable && value_is_set(&variable->value) ? variable->value.text : "auto";
    return gunicorn_resolve_unit(view_before(plan->view), name, ret, err);
}

static bool overridden(const RunOptions *options, const char *name)
{
    for (const char *const *at = options->overrides; at && *at; at++) {
        if (strcmp(*at, name) == 0)
            return true;
    }
    return false;
}

/* ERR_REFUSED where the finding does not satisfy the guard. */
static int check_guard(const Guard *guard, const Finding *finding, Err *err)
{
    if (finding->state == FINDING_UNKNOWN)
        return err_set(err, ERR_REFUSED, "cannot be told: %s", finding->summary);
    if (guard->require && finding->state == FINDING_ABSENT)
        return err_set(err, ERR_REFUSED, "required finding is absent: %s", finding->summary);
    if (!guard->require && finding->state == FINDING_PRESENT)
        return err_set(err, ERR_REFUSED, "%s%s%s", finding->summary, finding->advice ? ". " : "",
                       finding->advice ? finding->advice : "");
    return 0;
}

/* Tells one guard. 1: it is not satisfied and not overridden, ret_failure says why. */
static int examine(FindingContext *context, const Guard *guard, Progress *progress, const RunOptions *options,
                   Err *ret_failure)
{
    Finding finding;
    progress_step(progress, "guard %s", guard->kind->name);
    finding_examine(context, guard->kind, &guard->spec, &finding);
    if (check_guard(guard, &finding, ret_failure) >= 0) {
        progress_done(progress, "%s", finding.summary);
        return 0;
    }
    progress_failed(progress, "%s", err_text(ret_failure));
    if (overridden(options, guard->kind->name)) {
        progress_warning(progress, "guard %s is overridden", guard->kind->name);
        return 0;
    }
    err_prefix(ret_failure, "guard %s", guard->kind->name);
    return 1;
}

int guards_check(FindingContext *context, const Plan *plan, Progress *progress, const RunOptions *options, Err *err)
{
    const Guard *refusing = NULL;
    int r = plan->playbook->guards.n > 0 ? guarded_unit(plan, &context->unit, err) : 0;
    if (r < 0)
        return r;
    VEC_EACH (guard, &plan->playbook->guards) {
        Err failure;
        if (examine(context, guard, progress, options, &failure) == 0)
            continue;
        /* What speaks against the change tells a person more than what does not speak for it. */
        if (!refusing || (refusing->require && !guard->require)) {
            refusing = guard;
            *err = failure;
        }
    }
    return refusing ? -ERR_REFUSED : 0;
}

int guards_look(FindingContext *context, Plan *plan, Err *err)
{
    int r = plan->playbook->guards.n > 0 ? guarded_unit(plan, &context->unit, err) : 0;
    if (r < 0)
        return r;
    VEC_EACH (guard, &plan->playbook->guards) {
        Finding finding;
        Err failure;
        finding_examine(context, guard->kind, &guard->spec, &finding);
        bool refuses = check_guard(guard, &finding, &failure) < 0;
        *vec_push(context->arena, &plan->guards) = (PlannedGuard){
            .name = guard->kind->name,
            .refuses = refuses,
            .text = refuses ? arena_strdup(context->arena, err_text(&failure)) : finding.summary,
        };
    }
    return 0;
}
