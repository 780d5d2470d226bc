/* SPDX-License-Identifier: Apache-2.0 */
/* The finding pending-edit: the files of the service, or of nginx, say something that the processes do not run. */
#include "diagnose/kinds.h"
#include "stack/live.h"

static void judge(FindingContext *context, const LivePendingVec *pending, Finding *ret)
{
    const LivePending *first = NULL;
    VEC_EACH (item, pending) {
        if (!first || (first->unsure && !item->unsure))
            first = item;
        finding_add_evidence(context->arena, ret,
                             arena_printf(context->arena, "%s: %s%s%s", item->unit, item->path ? item->path : "",
                                          item->path ? " " : "", item->reason));
    }
    ret->state = FINDING_ABSENT;
    ret->summary = "the processes run what their files say";
    if (!first)
        return;
    bool nginx = str_equal(first->unit, NGINX_UNIT);
    ret->state = first->unsure ? FINDING_UNKNOWN : FINDING_PRESENT;
    ret->subject = first->unit;
    ret->summary =
        arena_printf(context->arena, "%s what its files say: %s%s%s", first->unsure ? "may not run" : "does not run",
                     first->path ? first->path : "", first->path ? " " : "", first->reason);
    ret->advice = arena_printf(context->arena,
                               "Look at the edit, then activate it (systemctl %s %s) or take it back; salve does not "
                               "activate it along.",
                               nginx ? "reload" : "restart", first->unit);
}

static int examine_pending_edit(FindingContext *context, const FindingSpec *spec, Finding *ret, Err *err)
{
    if (!context->live)
        return err_set(err, ERR_REFUSED, "a tree runs nothing");
    const char *const units[] = {context->unit, NGINX_UNIT};
    LivePendingVec all = {0};
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        LivePendingVec pending = {0};
        int r = live_pending(context->live, context->view, units[i], &pending, err);
        if (r < 0)
            return r;
        VEC_EACH (item, &pending)
            *vec_push(context->arena, &all) = *item;
    }
    judge(context, &all, ret);
    return 0;
}

const FindingKind finding_pending_edit = {
    .name = "pending-edit",
    .help = "The files of the service or of nginx were edited, and the processes do not run that.",
    .examine = examine_pending_edit,
};
