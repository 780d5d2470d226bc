/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/work.h"

#include "run/due.h"

enum { STATUS_REFUSED = 3 };

static const struct {
    const char *kind;
    int (*plan)(VerbContext *context, Carrier *carrier, const Request *request, Plan **ret, Err *err);
    bool guarded;
} kinds[] = {
    {"run", run_plan_request, true}, {"rollback", rollback_plan_request, false}, /* the way back is never closed */
};

static RunOptions run_options(Arena *arena, const Request *request)
{
    StringVec overrides = request->overrides;
    *vec_push(arena, &overrides) = NULL;
    return (RunOptions){
        .id = request->id,
        .user = request->user,
        .once = request->once,
        .force = request->force,
        .accept_failing_baseline = request->accept_failing_baseline,
        .confirm_usec = request->confirm_usec,
        .for_usec = request->for_usec,
        .overrides = overrides.items,
        .reason = request->reason,
    };
}

int work_plan(VerbContext *context, Carrier *carrier, const Request *request, Plan **ret, Err *err)
{
    size_t i = 0;
    while (i < ARRAY_LEN(kinds) && !str_equal(kinds[i].kind, request->kind))
        i++;
    if (i == ARRAY_LEN(kinds))
        return err_set(err, ERR_INVALID, "unknown kind of run \"%s\"", request->kind);
    RunOptions how = run_options(context->arena, request);
    int r = engine_ready(carrier->engine, err);
    if (r >= 0)
        r = kinds[i].plan(context, carrier, request, ret, err);
    if (r < 0 || (*ret)->nothing_to_do)
        return r;
    due_note_from(context->arena, engine_store(carrier->engine)->ledger, request->for_usec, *ret);
    r = due_check_permanent(*ret, request->make_permanent, err);
    if (r < 0)
        return r;
    r = engine_check_quarantine(carrier->engine, *ret, &how, err);
    if (r >= 0 && kinds[i].guarded)
        r = engine_check_guards(carrier->engine, *ret, &how, err);
    return r;
}

/* A person has said yes to one plan, and to no other. */
static int agree(VerbContext *context, Carrier *carrier, const Request *request, const Plan *plan, bool ask, Err *err)
{
    DiffOptions diff = prepare_diff_options(context);
    diff.colour = request->colour;
    if (request->accepted && !str_equal(request->accepted, plan->hash))
        return err_set(err, ERR_REFUSED, "the host changed since the plan was shown; plan again");
    int r = request->accepted ? 0 : carrier_show_plan(context, carrier, plan, &diff, err);
    return r < 0 || !ask ? r : carrier_ask(carrier, "Apply?");
}

/* Whoever hears that there is nothing to do can begin the next run at once. */
static int end_without_run(VerbContext *context, Carrier *carrier, const Request *request, const Plan *plan, Err *err)
{
    DiffOptions diff = prepare_diff_options(context);
    diff.colour = request->colour;
    engine_close(STEAL(carrier->engine));
    return carrier_show_plan(context, carrier, plan, &diff, err);
}

int work_do(VerbContext *context, Carrier *carrier, const Request *request, bool ask, Err *err)
{
    Plan *plan;
    RunOptions how = run_options(context->arena, request);
    carrier_tell_recovered(carrier);
    int r = work_plan(context, carrier, request, &plan, err);
    if (r >= 0 && plan->nothing_to_do)
        return end_without_run(context, carrier, request, plan, err);
    if (r >= 0)
        r = agree(context, carrier, request, plan, ask, err);
    if (r != 0)
        return r < 0 ? r : STATUS_REFUSED;
    return carrier_run(context, carrier, plan, &how, err);
}
