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

static int check_guard(const Guard *guard, const Finding *finding, Err *err)
{
    const char *name = guard->kind->name;
    if (finding->state == FINDING_UNKNOWN)
        return err_set(err, ERR_REFUSED, "guard %s: cannot be told: %s", name, finding->summary);
    if (guard->require && finding->state == FINDING_ABSENT)
        return err_set(err, ERR_REFUSED, "guard %s: the playbook is for hosts where this is found, and it is not: %s",
                       name, finding->summary);
    if (!guard->require && finding->state == FINDING_PRESENT)
        return err_set(err, ERR_REFUSED, "guard %s: %s%s%s", name, finding->summary, finding->advice ? ". " : "",
                       finding->advice ? finding->advice : "");
    return 0;
}

int guards_check(FindingContext *context, const Plan *plan, Progress *progress, const RunOptions *options, Err *err)
{
    int r = plan->playbook->guards.n > 0 ? guarded_unit(plan, &context->unit, err) : 0;
    int result = 0;
    VEC_EACH (guard, &plan->playbook->guards) {
        Finding finding;
        Err failure;
        if (r < 0)
            return r;
        progress_step(progress, "guard %s", guard->kind->name);
        finding_examine(context, guard->kind, &guard->spec, &finding);
        int satisfied = check_guard(guard, &finding, &failure);
        if (satisfied >= 0) {
            progress_done(progress, "%s", finding.summary);
        } else if (overridden(options, guard->kind->name)) {
            progress_warning(progress, "overridden: %s", err_text(&failure));
        } else {
            progress_failed(progress, "%s", err_text(&failure));
            if (result == 0) {
                *err = failure;
                result = satisfied;
            }
        }
    }
    return result;
}
