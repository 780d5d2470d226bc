/* SPDX-License-Identifier: Apache-2.0 */
/* carry RUN: what salve-run-RUN.service executes, and the unit itself.
 *
 * systemd is the dead-man switch. However the carrier ends, ExecStopPost (carry --after) comes next and brings the run
 * to an end if the carrier did not; if that fails as well, OnFailure starts salve-recover.service, which does not give
 * up. Nothing in this limits how long a recovery may take. */
#include "verb/carried.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "store/program.h"
#include "stack/unit.h"
#include "store/runtime.h"
#include "verb/recover.h"
#include "verb/work.h"

enum { REQUEST_MAX = 64 << 20, OOM_SCORE = -900, UMASK_OURS = 0077 };

/* Longer than the engine is ever silent while all is well: it tells that it lives with each event and about once a
 * second while it waits; the longest single call is a daemon-reload, 90 s. */
#define WATCHDOG_USEC (3 * USEC_PER_MIN)

const char *carried_unit(Arena *arena, const char *run_id)
{
    return arena_printf(arena, UNIT_RUN_PREFIX "%s.service", run_id);
}

const char *carried_request_name(Arena *arena, const char *run_id)
{
    return arena_printf(arena, "%s.request", run_id);
}

/* --- The unit --- */

static const char *absolute(Arena *arena, const char *path)
{
    CLEANUP(mem_free) char *here = *path == '/' ? NULL : realpath(".", NULL);
    return here ? arena_printf(arena, "%s/%s", here, path) : path;
}

/* This program with this command line's --state and --config. */
static ExecCommandVec command(const VerbContext *context, const char *program, const char *const *words)
{
    Arena *arena = context->arena;
    ExecCommandVec commands = {0};
    StringVec argv = {0};
    *vec_push(arena, &argv) = program;
    if (context->globals->state)
        *vec_push(arena, &argv) = arena_printf(arena, "--state=%s", absolute(arena, context->globals->state));
    if (context->globals->config)
        *vec_push(arena, &argv) = arena_printf(arena, "--config=%s", absolute(arena, context->globals->config));
    for (; *words; words++)
        *vec_push(arena, &argv) = *words;
    *vec_push(arena, &commands) = (ExecCommand){.path = program, .argv = argv};
    return commands;
}

static StringVec strings(Arena *arena, const char *const *words)
{
    StringVec list = {0};
    for (; *words; words++)
        *vec_push(arena, &list) = *words;
    return list;
}

#define WORDS(...)                                                                                                     \
    (const char *const[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__, NULL                                                                                              \
    }

static UnitPropertyVec properties_of(const VerbContext *context, const char *program, const char *run_id)
{
    Arena *arena = context->arena;
    const UnitProperty properties[] = {
        {"Description", PROPERTY_STRING, .text = arena_printf(arena, "Run %s of salve", run_id)},
        {"Type", PROPERTY_STRING, .text = "exec"},
        {"ExecStart", PROPERTY_EXEC, .exec = command(context, program, WORDS("carry", run_id))},
        {"ExecStopPost", PROPERTY_EXEC, .exec = command(context, program, WORDS("carry", "--after", run_id))},
        {"OnFailure", PROPERTY_STRINGS, .strings = strings(arena, WORDS("salve-recover.service"))},
        {"CollectMode", PROPERTY_STRING, .text = "inactive-or-failed"},
        {"Restart", PROPERTY_STRING, .text = "no"},
        {"KillMode", PROPERTY_STRING, .text = "control-group"},
        {"KillSignal", PROPERTY_I32, .number = SIGKILL},
        {"TimeoutStopUSec", PROPERTY_U64, .number = USEC_INFINITY}, /* also of ExecStopPost */
        {"WatchdogUSec", PROPERTY_U64, .number = WATCHDOG_USEC},
        {"WatchdogSignal", PROPERTY_I32, .number = SIGKILL},
        {"NotifyAccess", PROPERTY_STRING, .text = "main"},
        {"LimitCORE", PROPERTY_U64, .number = 0}, /* what a run knows includes secrets */
        {"OOMScoreAdjust", PROPERTY_I32, .number = (uint64_t)(int64_t)OOM_SCORE},
        {"UMask", PROPERTY_U32, .number = UMASK_OURS},
        {"SyslogIdentifier", PROPERTY_STRING, .text = "salve"},
        /* At shutdown what comes after something is stopped before it. */
        {"After", PROPERTY_STRINGS, .strings = strings(arena, WORDS("dbus.socket", "dbus.service"))},
        {"RequiresMountsFor", PROPERTY_STRINGS,
         .strings = strings(arena, WORDS(absolute(arena, context->settings->state_dir)))},
    };
    UnitPropertyVec all = {0};
    for (size_t i = 0; i < ARRAY_LEN(properties); i++)
        *vec_push(arena, &all) = properties[i];
    return all;
}

int carried_start(VerbContext *context, Systemd *systemd, const char *run_id, Err *err)
{
    JobOutcome outcome;
    UnitPropertyVec properties =
        properties_of(context, program_pin(context->arena, context->settings->state_dir), run_id);
    int r = systemd_start_transient(systemd, context->arena, carried_unit(context->arena, run_id), &properties,
                                    &(JobOptions){0}, &outcome, err);
    if (r >= 0 && outcome.result != JOB_DONE)
        r = err_set(err, ERR_FAILED, "%s: %s", job_result_to_string(outcome.result), outcome.text);
    return r;
}

/* --- The carrier --- */

typedef struct CarryOptions {
    bool after;
} CarryOptions;

static const Option carry_options[] = {
    OPTION_FLAG(CarryOptions, after, "after", 0, "The carrier has ended: bring its run to an end if it did not."),
    OPTIONS_END,
};

static int take_request(VerbContext *context, const char *run_id, Request *ret, Err *err)
{
    Bytes json;
    int r = runtime_take(context->arena, context->settings->runtime_dir, carried_request_name(context->arena, run_id),
                         REQUEST_MAX, &json, err);
    if (r >= 0)
        r = request_from_json(context->arena, json, ret, err);
    if (r >= 0 && !str_equal(ret->id, run_id))
        r = err_set(err, ERR_INVALID, "the request is of run %s", ret->id);
    return r;
}

static int do_request(VerbContext *context, Carrier *carrier, const char *run_id, Err *err)
{
    Request request;
    int r = take_request(context, run_id, &request, err);
    if (r < 0)
        return r;
    if (request.fault)
        setenv("SALVE_FAULT", request.fault, true);
    r = carrier_open_run(context, request_what(context->arena, &request), run_id, carrier, err);
    if (r < 0)
        return r;
    program_prune(context->settings->state_dir);
    engine_set_program(carrier->engine, program_self(context->arena));
    recover_set_timer(context, engine_systemd(carrier->engine), JOB_VERB_START);
    return work_do(context, carrier, &request, false, err);
}

/* What the front end is to exit with, and to say, where there is no record of a run to do so. */
static void tell_error(VerbContext *context, const char *run_id, const Err *why)
{
    CLEANUP(trail_close) Trail *trail = trail_open(context->settings->runtime_dir, run_id, (EventSink){0});
    Node *line = node_map(context->arena);
    node_set_text(context->arena, line, "event", "error");
    node_set_text(context->arena, line, "error", err_text(why));
    node_set_int(context->arena, line, "exit_status", err_exit_status(why));
    trail_add(trail, NULL, line);
}

/* The journal may be slow or gone: what is said to it must not hold up a run. */
static void detach_output(void)
{
    int flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (flags >= 0)
        fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK);
}

/* The exit status is 0 however the run ended, as long as it did: who asked for it reads the end in the trail. Else it
 * is a failure, so that the recovery begins at once. */
static int carry(VerbContext *context, const char *run_id, Err *err)
{
    CLEANUP(carrier_close) Carrier carrier = {.unattended = true};
    detach_output();
    if (do_request(context, &carrier, run_id, err) >= 0)
        return carrier.unfinished ? 1 : 0;
    log_error("%s", err_text(err));
    carrier_close(&carrier);
    tell_error(context, run_id, err);
    return 0;
}

/* By what systemd knows of the carrier's end (systemd.exec(5)). */
static int recover_after(VerbContext *context, Err *err)
{
    const char *program = program_self(context->arena);
    if (str_equal(getenv("SERVICE_RESULT"), "success")) {
        recover_rest(context);
        return 0;
    }
    unsetenv("SALVE_FAULT");
    ExecCommandVec commands = command(context, program, WORDS("recover", "--unattended"));
    StringVec *argv = &commands.items[0].argv;
    *vec_push(context->arena, argv) = NULL;
    execv(program, (char *const *)(const void *)argv->items);
    return err_errno(err, errno, "cannot execute %s", program);
}

static int carry_run(VerbContext *context, Err *err)
{
    const CarryOptions *options = context->options;
    return options->after ? recover_after(context, err) : carry(context, context->arguments.items[0], err);
}

const Verb verb_carry = {
    .name = "carry",
    .summary = "Carry a run; what its unit executes.",
    .arguments = "RUN",
    .options = carry_options,
    .options_size = sizeof(CarryOptions),
    .min_arguments = 1,
    .max_arguments = 1,
    .hidden = true,
    .prunes = true,
    .run = carry_run,
};
