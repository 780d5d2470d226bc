/* SPDX-License-Identifier: Apache-2.0 */
/* due: ends the temporary changes whose time has come. salve-due.timer starts it; it is no command for people.
 *
 * Without anything due it takes no lock. Where an end cannot even begin (the lock is taken, the host is held, the plan
 * is refused) it is tried again in a few minutes. One that began and was rolled back stands in the ledger, which says
 * whether it is tried again (run/standing.h). */
#include <unistd.h>

#include "base/log.h"
#include "report/record-json.h"
#include "run/due.h"
#include "run/state.h"
#include "run/undo.h"
#include "store/program.h"
#include "verb/carry.h"
#include "verb/recover.h"

#define BUSY_RETRY_USEC USEC_PER_MIN

/* A file of the run that is no more as the run left it. */
static const char *find_changed(const Plan *plan, const EditVec *edits)
{
    VEC_EACH (note, &plan->notes) {
        VEC_EACH (edit, edits) {
            if (note->level == NOTE_WARNING && str_equal(note->subject, edit->path))
                return edit->path;
        }
    }
    return NULL;
}

/* Nobody is here to say that somebody's edit may be replaced. The record says so, and that it is not tried again. */
static int give_up(VerbContext *context, Carrier *carrier, const Plan *plan, const char *path, RunRecord *ret, Err *err)
{
    usec now = clock_realtime();
    *ret = (RunRecord){
        .id = store_run_id(context->arena, now),
        .state = RUN_REFUSED,
        .created = now,
        .ended = now,
        .playbook = plan->playbook->name,
        .target = plan->target,
        .values = "{}",
        .plan_hash = plan->hash,
        .origin = plan->origin,
        .user = "salve",
        .reason = arena_printf(context->arena, "%s was changed since by somebody else", path),
        .undoes = plan->undoes,
        .blamed = true,
    };
    return ledger_add(engine_store(carrier->engine)->ledger, ret, err);
}

/* Back to before the run, as a run of its own. Files that are so already leave nothing to judge, but a record. */
static int end_one(VerbContext *context, Carrier *carrier, const RunRecord *run, RunRecord *ret, Err *err)
{
    Undo undo;
    Plan *plan;
    PlanOptions planning = prepare_plan_options(context, false);
    RunOptions how = {.user = "salve", .cancel = &carrier_cancelled};
    int r = undo_run(context->arena, engine_store(carrier->engine), run->id, &undo, err);
    if (r < 0)
        return r;
    undo.record.origin = temporary_end_origin(context->arena, run->id);
    View *view = view_new(context->arena, "");
    r = plan_make_reverse(context->arena, undo.playbook, &undo.record, view, engine_live(carrier->engine), &planning,
                          &plan, err);
    if (r < 0)
        return r;
    const char *changed = find_changed(plan, undo.record.edits);
    if (changed)
        return give_up(context, carrier, plan, changed, ret, err);
    if (plan->nothing_to_do)
        plan->checks = (PlannedCheckVec){0};
    return engine_run(carrier->engine, plan, &how, ret, err);
}

static const Temporary *first_due(const TemporaryVec *temporaries, usec now, const StringVec *tried)
{
    VEC_EACH (temporary, temporaries) {
        if (temporary->state == TEMPORARY_DUE && temporary->next <= now &&
            !strings_contain(tried, temporary->run->record.id))
            return temporary;
    }
    return NULL;
}

/* 1: nothing is due, beside what was tried. */
static int find_due(Ledger *ledger, Arena *arena, const StringVec *tried, RunRecord *ret, Err *err)
{
    PastRunVec runs = {0};
    TemporaryVec temporaries = {0};
    usec now = clock_realtime();
    int r = standing_load(ledger, arena, &runs, err);
    if (r < 0)
        return r;
    temporaries_find(arena, &runs, now, &temporaries);
    const Temporary *due = first_due(&temporaries, now, tried);
    if (!due)
        return 1;
    *ret = due->run->record;
    return 0;
}

static void tell(VerbContext *context, const RunRecord *run, const RunRecord *end)
{
    Err ignored; /* the ledger has it */
    if (end->state != RUN_KEPT) {
        log_error("the temporary change of run %s (%s) could NOT be ended: run %s is %s: %s; look at salve status",
                  run->id, run->playbook, end->id, run_state_to_string(end->state), end->reason ? end->reason : "");
        return;
    }
    if (context->globals->json) {
        verb_print_json_line(json_of_run(context->arena, end), &ignored);
        return;
    }
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(64 * 1024);
    strbuf_printf(&text, "the temporary change of run %s (%s) has ended: run %s took it back\n", run->id, run->playbook,
                  end->id);
    verb_print(&text, &ignored);
}

/* Ends all that is due, each once; one that ended may let another one end. The exit status is that of the last that
 * could not. */
static int end_all(VerbContext *context, Carrier *carrier, Err *err)
{
    StringVec tried = {0};
    RunRecord run, end;
    int status = 0, r;
    while ((r = find_due(engine_store(carrier->engine)->ledger, context->arena, &tried, &run, err)) == 0) {
        Err why;
        *vec_push(context->arena, &tried) = run.id;
        if (end_one(context, carrier, &run, &end, &why) < 0) {
            log_error("the temporary change of run %s (%s) cannot be ended now: %s; tried again in %s", run.id,
                      run.playbook, err_text(&why), usec_to_string(context->arena, TEMPORARY_RETRY_USEC));
            status = err_exit_status(&why);
            continue;
        }
        tell(context, &run, &end);
        if (end.state != RUN_KEPT)
            status = run_state_exit_status(end.state);
    }
    return r < 0 ? r : status;
}

/* Whatever comes of it, the timer is set for what is left. */
static int end_due(VerbContext *context, Err *err)
{
    CLEANUP(carrier_close) Carrier carrier = {0};
    Err rearm;
    int r = carrier_open(context, "due", &carrier, err);
    if (r < 0)
        return r;
    engine_set_program(carrier.engine, program_pin(context->arena, context->settings->state_dir));
    recover_set_timer(context, engine_systemd(carrier.engine), JOB_VERB_START);
    r = engine_ready(carrier.engine, err);
    if (r >= 0)
        r = end_all(context, &carrier, err);
    if (due_rearm(engine_systemd(carrier.engine), engine_store(carrier.engine)->ledger, USEC_INFINITY,
                  clock_realtime() + TEMPORARY_RETRY_USEC, &rearm) < 0)
        log_error("%s; the daily start of " DUE_TIMER " sets it again", err_text(&rearm));
    return r;
}

static void arm_again(Systemd *systemd, usec wait_usec)
{
    Err err;
    if (due_arm(systemd, clock_realtime() + wait_usec, &err) < 0)
        log_error("%s; the daily start of " DUE_TIMER " sets it again", err_text(&err));
}

/* What a reader sees to be due; 1: nothing. */
static int find_first(VerbContext *context, Store *store, RunRecord *ret, Err *err)
{
    StringVec none = {0};
    const char *mark = arena_printf(context->arena, "%s/" STORE_REBUILD, context->settings->state_dir);
    int r = store_open_read(context->settings->state_dir, store, err);
    if (r < 0)
        return r;
    if (store->repo && (!store->ledger || access(mark, F_OK) == 0))
        return err_set(err, ERR_DAMAGED, "the ledger in %s was lost", context->settings->state_dir);
    return store->ledger ? find_due(store->ledger, context->arena, &none, ret, err) : 1;
}

/* A ledger that cannot be read is put right by whoever opens it for writing, and then says what is due. */
static int look(VerbContext *context, Err *err)
{
    CLEANUP(store_close) Store store = {0};
    CLEANUP(systemd_close) Systemd *systemd = NULL;
    RunRecord run = {0};
    int r = systemd_open(&systemd, err);
    if (r < 0 || (r = find_first(context, &store, &run, err)) == -ERR_DENIED)
        return r;
    if (r > 0)
        return store.ledger ? due_rearm(systemd, store.ledger, USEC_INFINITY, clock_realtime(), err)
                            : due_arm(systemd, USEC_INFINITY, err);
    store_close(&store);
    if (r < 0)
        log_warning("which temporary changes are due cannot be read: %s; tried in earnest now", err_text(err));
    /* Before anything else, so that a death in the middle of it is made good. */
    arm_again(systemd, TEMPORARY_RETRY_USEC);
    bool known = r == 0;
    if ((r = end_due(context, err)) >= 0)
        return r;
    if (err->kind == ERR_BUSY)
        arm_again(systemd, BUSY_RETRY_USEC);
    return known ? err_prefix(err, "the temporary change of run %s (%s) cannot be ended now", run.id, run.playbook)
                 : err_prefix(err, "temporary changes cannot be ended now");
}

const Verb verb_due = {
    .name = "due",
    .summary = "End the temporary changes whose time has come; salve-due.timer does it.",
    .arguments = "",
    .hidden = true,
    .prunes = true,
    .run = look,
};
