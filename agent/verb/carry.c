/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/carry.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/json.h"
#include "report/outcome.h"
#include "report/plan.h"
#include "report/record-json.h"
#include "run/confirm.h"
#include "run/state.h"

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

int carrier_open(VerbContext *context, const char *what, Carrier *ret, Err *err)
{
    CLEANUP(carrier_close) Carrier carrier = {0};
    carrier.stream = carrier_stream(context);
    take_signals();
    int r = engine_open(context->arena, context->settings->state_dir, what, stream_sink(carrier.stream),
                        &carrier.engine, err);
    if (r < 0)
        return r;
    *ret = carrier;
    carrier = (Carrier){0};
    return 0;
}

void carrier_close(Carrier *carrier)
{
    engine_close(carrier->engine);
    stream_close(carrier->stream);
    *carrier = (Carrier){0};
}

int carrier_may_ask(const VerbContext *context, bool yes, Err *err)
{
    if (yes || (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !context->globals->json))
        return 0;
    return err_set(err, ERR_REFUSED, "there is no terminal to ask on; --yes applies the plan without asking");
}

int carrier_ask(VerbContext *context, Carrier *carrier, const Plan *plan, bool yes, Err *err)
{
    if (context->globals->json)
        return 0;
    stream_rest(carrier->stream);
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(CARRY_MAX);
    DiffOptions diff = prepare_diff_options(context);
    if (yes && context->globals->quiet)
        return 0;
    plan_show(plan, &diff, &text);
    strbuf_add_str(&text, yes ? "\n" : "\nApply? [y/N] ");
    int r = verb_print(&text, err);
    if (r < 0 || yes)
        return r;
    char answer[16] = "";
    bool wanted = fgets(answer, sizeof answer, stdin) && !carrier_cancelled &&
                  (strcmp(answer, "y\n") == 0 || strcmp(answer, "Y\n") == 0 || strcmp(answer, "yes\n") == 0);
    if (wanted)
        return 0;
    fputs("Nothing was touched.\n", stdout);
    return NOT_WANTED;
}

int carrier_nothing_to_do(VerbContext *context, Carrier *carrier, const Plan *plan, Err *err)
{
    stream_rest(carrier->stream);
    if (context->globals->json) {
        Node *map = plan_json(context->arena, plan);
        node_set_text(context->arena, map, "event", "nothing-to-do");
        return verb_print_json_line(map, err);
    }
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(CARRY_MAX);
    DiffOptions diff = prepare_diff_options(context);
    plan_show(plan, &diff, &text);
    return verb_print(&text, err);
}

int carrier_end(VerbContext *context, Carrier *carrier, const RunRecord *run, Err *err)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(CARRY_MAX);
    stream_close(STEAL(carrier->stream));
    if (context->globals->json) {
        Node *map = json_of_run(context->arena, run);
        node_set_text(context->arena, map, "event", "record");
        node_set_int(context->arena, map, "exit_status", run_state_exit_status(run->state));
        json_print(map, JSON_COMPACT, &text);
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
