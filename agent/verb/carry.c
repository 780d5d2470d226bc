/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/carry.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/json.h"
#include "host/daemon.h"
#include "report/outcome.h"
#include "report/plan.h"
#include "report/record-json.h"
#include "run/confirm.h"
#include "run/state.h"
#include "verb/pinned.h"

enum { CARRY_MAX = 64 << 20, NOT_WANTED = 1 };

volatile sig_atomic_t carrier_cancelled;

static void on_signal(int number)
{
    (void)number;
    carrier_cancelled = 1;
}

static void take_signals(void)
{
    static const int asking[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction ask = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < ARRAY_LEN(asking); i++) {
        struct sigaction old;
        sigaction(asking[i], NULL, &old);
        if (old.sa_handler != SIG_IGN) /* nohup(1) and background jobs of a shell mean it */
            sigaction(asking[i], &ask, NULL);
    }
    sigaction(SIGPIPE, &ignore, NULL);
}

static StreamForm form_of(const VerbContext *context)
{
    const char *term = getenv("TERM");
    if (context->globals->json)
        return STREAM_JSON;
    bool screen = isatty(STDOUT_FILENO) && term && !str_equal(term, "dumb");
    return screen && !context->globals->quiet ? STREAM_LIVE : STREAM_TEXT;
}

static TextDetail detail_of(const VerbContext *context)
{
    return context->globals->quiet ? TEXT_QUIET : context->globals->verbose ? TEXT_VERBOSE : TEXT_NORMAL;
}

Stream *carrier_stream(const VerbContext *context)
{
    return stream_open(STDOUT_FILENO, form_of(context), detail_of(context), context->colour);
}

/* What happens is a sign of life, too. */
static void emit(void *user, const Event *event)
{
    const EventSink sink = stream_sink(user);
    daemon_alive();
    sink.emit(sink.user, event);
}

Node *carrier_record(Arena *arena, const RunRecord *run)
{
    Node *map = json_of_run(arena, run);
    node_set_text(arena, map, "event", "record");
    node_set_bool(arena, map, "restarts_only", run->restarts_only);
    node_set_int(arena, map, "exit_status", run_state_exit_status(run->state));
    return map;
}

/* How the runs ended that were finished first: read while the ledger is open, told once the lock is free. */
static void note_recovered(VerbContext *context, Carrier *carrier)
{
    VEC_EACH (id, trail_others(carrier->trail)) {
        RunRecord run;
        Err ignored; /* who follows looks into the ledger as well */
        if (ledger_find(engine_store(carrier->engine)->ledger, context->arena, *id, &run, &ignored) == 0 &&
            run_state_terminal(run.state))
            *vec_push(context->arena, &carrier->recovered) = carrier_record(context->arena, &run);
    }
}

void carrier_tell_recovered(Carrier *carrier)
{
    VEC_EACH (record, &carrier->recovered)
        trail_add(carrier->trail, node_get_text(*record, "run"), *record);
    carrier->recovered.n = 0;
}

int carrier_open_run(VerbContext *context, const char *what, const char *run_id, Carrier *ret, Err *err)
{
    CLEANUP(carrier_close) Carrier carrier = {.unattended = ret->unattended, .asks = ret->asks};
    carrier.stream = carrier_stream(context);
    carrier.trail =
        trail_open(context->settings->runtime_dir, run_id, (EventSink){.emit = emit, .user = carrier.stream});
    take_signals();
    pinned_take_over(context, "--unattended");
    int r = engine_open(context->arena, context->settings->state_dir, what, trail_sink(carrier.trail), &carrier.engine,
                        err);
    if (r < 0)
        return r;
    note_recovered(context, &carrier);
    *ret = carrier;
    carrier = (Carrier){0};
    return 0;
}

int carrier_open(VerbContext *context, const char *what, Carrier *ret, Err *err)
{
    *ret = (Carrier){0};
    return carrier_open_run(context, what, NULL, ret, err);
}

void carrier_close(Carrier *carrier)
{
    engine_close(carrier->engine);
    if (carrier->trail)
        carrier_tell_recovered(carrier);
    trail_close(carrier->trail);
    stream_close(carrier->stream);
    *carrier = (Carrier){0};
}

int carrier_may_ask(const VerbContext *context, bool yes, Err *err)
{
    if (yes || (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !context->globals->json))
        return 0;
    return err_set(err, ERR_REFUSED, "there is no terminal to ask on; --yes goes on without asking");
}

int carrier_ask(Carrier *carrier, const char *question)
{
    char answer[16] = "";
    stream_rest(carrier->stream);
    printf("%s [y/N] ", question);
    fflush(stdout);
    bool wanted = fgets(answer, sizeof answer, stdin) && !carrier_cancelled &&
                  (strcmp(answer, "y\n") == 0 || strcmp(answer, "Y\n") == 0 || strcmp(answer, "yes\n") == 0);
    if (wanted)
        return 0;
    fputs("Nothing was touched.\n", stdout);
    return NOT_WANTED;
}

/* A plan as an event. What was rendered for people goes into the trail, and is no matter of those who read JSON. */
static int tell_plan(VerbContext *context, Carrier *carrier, const char *name, const Plan *plan, const char *text,
                     Err *err)
{
    Node *map = plan_json(context->arena, plan), *event = node_map(context->arena);
    node_set_text(context->arena, event, "event", name);
    node_set_text(context->arena, event, "time", usec_to_rfc3339(context->arena, clock_realtime()));
    node_set_text(context->arena, event, "state", run_state_to_string(RUN_PLANNED));
    VEC_EACH (pair, &map->pairs)
        node_set(context->arena, event, pair->key->text, pair->value);
    int r = context->globals->json && !carrier->unattended ? verb_print_json_line(event, err) : 0;
    node_set_text(context->arena, event, PLAN_RENDERED, text);
    trail_add(carrier->trail, NULL, event);
    return r;
}

int carrier_show_plan(VerbContext *context, Carrier *carrier, const Plan *plan, const DiffOptions *diff, Err *err)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(CARRY_MAX);
    plan_show(plan, diff, &text);
    const char *name = plan->nothing_to_do ? "nothing-to-do" : "plan";
    if (!plan->nothing_to_do)
        strbuf_add_char(&text, '\n');
    int r = tell_plan(context, carrier, name, plan, strbuf_str(&text), err);
    bool quiet = context->globals->quiet && !carrier->asks && !plan->nothing_to_do;
    if (r < 0 || context->globals->json || carrier->unattended || quiet)
        return r;
    stream_rest(carrier->stream);
    return verb_print(&text, err);
}

int carrier_end(VerbContext *context, Carrier *carrier, const RunRecord *run, Err *err)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(CARRY_MAX);
    Node *record = carrier_record(context->arena, run);
    stream_close(STEAL(carrier->stream));
    engine_close(STEAL(carrier->engine)); /* whoever hears of the end can begin the next run at once */
    carrier->unfinished = !run_state_terminal(run->state);
    if (!(carrier->unattended && carrier->unfinished))
        trail_add(carrier->trail, run->id, record);
    if (context->globals->json && !carrier->unattended) {
        json_print(record, JSON_COMPACT, &text);
        strbuf_add_char(&text, '\n');
    } else {
        outcome_show(run, context->colour, &text);
    }
    /* The run is over: an output that broke meanwhile does not change how it ended. */
    Err ignored;
    (void)err;
    verb_print(&text, &ignored);
    return run_state_exit_status(run->state);
}

int carrier_run(VerbContext *context, Carrier *carrier, const Plan *plan, RunOptions *options, Err *err)
{
    RunRecord run;
    options->cancel = &carrier_cancelled;
    options->answer_path = arena_printf(context->arena, "%s/" CONFIRM_SOCKET, context->settings->runtime_dir);
    int r = engine_run(carrier->engine, plan, options, &run, err);
    return r < 0 ? r : carrier_end(context, carrier, &run, err);
}
