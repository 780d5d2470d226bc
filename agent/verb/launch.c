/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/launch.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/runtime.h"
#include "store/store.h"
#include "verb/carried.h"
#include "verb/follow.h"
#include "verb/who.h"
#include "verb/work.h"

enum { STATUS_REFUSED = 3 };

static int carry_here(VerbContext *context, const Request *request, bool ask, Err *err)
{
    CLEANUP(carrier_close) Carrier carrier = {.asks = ask};
    int r = carrier_open_run(context, request_what(context->arena, request), request->id, &carrier, err);
    return r < 0 ? r : work_do(context, &carrier, request, ask, err);
}

/* Plans, shows and asks. The lock is free again before a person begins to think: 1 where there is nothing to run, with
 * *ret_status. */
static int agree(VerbContext *context, Request *request, int *ret_status, Err *err)
{
    CLEANUP(carrier_close) Carrier carrier = {.asks = true};
    Plan *plan;
    DiffOptions diff = prepare_diff_options(context);
    int r = carrier_open_run(context, arena_printf(context->arena, "plan for %s", request->kind), NULL, &carrier, err);
    if (r >= 0)
        r = work_plan(context, &carrier, request, &plan, err);
    if (r < 0)
        return r;
    engine_close(STEAL(carrier.engine));
    r = carrier_show_plan(context, &carrier, plan, &diff, err);
    if (r < 0)
        return r;
    *ret_status = plan->nothing_to_do ? 0 : STATUS_REFUSED;
    request->accepted = plan->hash;
    return plan->nothing_to_do ? 1 : carrier_ask(&carrier, "Apply?");
}

/* Where the carrier finds what it is asked to do, and where it tells what it does. Both are below a state directory
 * that --state names, which may be new. */
static int leave_request(VerbContext *context, const Request *request, Err *err)
{
    const char *dir = context->settings->runtime_dir;
    int trail = -1, r = store_make_dir(context->settings->state_dir, err);
    if (r >= 0)
        r = runtime_make(dir, err);
    if (r >= 0)
        r = runtime_open_trail(dir, request->id, &trail, err);
    fd_close(trail);
    if (r >= 0)
        r = runtime_put(dir, carried_request_name(context->arena, request->id),
                        bytes_of(request_to_json(context->arena, request)), err);
    return r < 0 ? r : 0;
}

static int carry_by_systemd(VerbContext *context, const Request *request, Err *err)
{
    CLEANUP(systemd_close) Systemd *systemd = NULL;
    if (geteuid() != 0)
        return err_set(err, ERR_DENIED, "this needs root, to write configuration and to restart services; try sudo");
    int r = systemd_open(&systemd, err);
    if (r >= 0)
        r = leave_request(context, request, err);
    if (r >= 0)
        r = carried_start(context, systemd, request->id, err);
    context->carried = r >= 0;
    if (r >= 0)
        return follow_run(context, systemd, request->id, FOLLOW_OURS, err);
    runtime_remove(context->settings->runtime_dir, carried_request_name(context->arena, request->id));
    return err_prefix(err, "systemd cannot carry the run (--foreground carries it in this process)");
}

int launch(VerbContext *context, Request *request, LaunchOptions options, Err *err)
{
    int status;
    request->id = store_run_id(context->arena, clock_realtime());
    request->user = who_asks(context->arena);
    request->colour = context->colour;
    if (options.foreground)
        return carry_here(context, request, !options.yes, err);
    /* The carrier's, not ours: points are counted in the process that does the work. */
    request->fault = arena_strdup(context->arena, getenv("SALVE_FAULT"));
    unsetenv("SALVE_FAULT");
    int r = options.yes ? 0 : agree(context, request, &status, err);
    if (r != 0)
        return r < 0 ? r : status;
    return carry_by_systemd(context, request, err);
}
