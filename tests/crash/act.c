/* SPDX-License-Identifier: Apache-2.0 */
#include "act.h"

#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inject.h"
#include "run/engine.h"
#include "run/settings.h"
#include "run/undo.h"
#include "world.h"

static int output = -1;

const char *act_to_string(Act act)
{
    static const char *const names[ACT_COUNT] = {"run", "undo", "recover", "recover --again"};
    return names[act];
}

static void print_event(void *user, const Event *event)
{
    if (event->text || event->subject || event->kind == EVENT_STATE)
        dprintf(STDERR_FILENO, "    %s %s: %s %s\n", event_kind_to_string(event->kind),
                run_state_to_string(event->state), event->subject ? event->subject : "",
                event->text ? event->text : "");
}

static PlanOptions planning(Arena *arena)
{
    Settings *settings = arena_new_of(arena, Settings);
    settings_defaults(arena, settings);
    return (PlanOptions){.template_dirs = &settings->template_dirs, .managed_roots = &settings->managed_roots};
}

static int plan_run(Arena *arena, Engine *engine, Plan **ret, Err *err)
{
    Source *source = arena_new_of(arena, Source);
    Diagnostics diags = diagnostics_new(arena);
    const Playbook *playbook;
    *source = (Source){.name = "give-time.yaml", .text = bytes_of(world_playbook)};
    int r = playbook_load(arena, source, NULL, &diags, &playbook, err);
    PlanOptions options = planning(arena);
    return r < 0 ? r : plan_make(arena, playbook, view_new(arena, ""), engine_live(engine), &options, ret, err);
}

static int plan_undo(Arena *arena, Engine *engine, Plan **ret, Err *err)
{
    Undo undo;
    int r = undo_run(arena, engine_store(engine), "last-kept", &undo, err);
    PlanOptions options = planning(arena);
    return r < 0 ? r
                 : plan_make_reverse(arena, undo.playbook, &undo.record, view_new(arena, ""), engine_live(engine),
                                     &options, ret, err);
}

static int carry_out(Act act, Arena *arena, Engine *engine, RunRecord *record, Err *err)
{
    Plan *plan;
    RunOptions options = {.user = "root", .force = true};
    if (act == ACT_AGAIN)
        return engine_recover(engine, record, err);
    int r = engine_ready(engine, err);
    if (r < 0 || act == ACT_RECOVER)
        return r;
    r = act == ACT_RUN ? plan_run(arena, engine, &plan, err) : plan_undo(arena, engine, &plan, err);
    return r < 0 ? r : engine_run(engine, plan, &options, record, err);
}

static void keep_outcome(int r, const RunRecord *record, const Err *err)
{
    Outcome *outcome = &sim->outcome;
    *outcome = (Outcome){.r = r, .kind = r < 0 ? (int)err->kind : 0, .state = record->state};
    const char *text = r < 0 ? err_text(err) : record->reason ? record->reason : "";
    snprintf(outcome->text, sizeof outcome->text, "%s", text);
    dprintf(STDERR_FILENO, "    = %d %s %s\n", r, run_state_to_string(record->state), text);
    outcome->done = true;
}

void act_do(Act act)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Engine *engine = NULL;
    RunRecord record = {0};
    Err err;
    int r = engine_open(arena, WORLD_STATE, act_to_string(act), (EventSink){.emit = print_event}, &engine, &err);
    if (r >= 0)
        r = carry_out(act, arena, engine, &record, &err);
    keep_outcome(r, &record, &err);
    engine_close(engine);
}

int act_output(void)
{
    if (output < 0)
        output = memfd_create("output", MFD_CLOEXEC);
    return output;
}

void act_forget_output(void)
{
    if (ftruncate(act_output(), 0) < 0 || lseek(act_output(), 0, SEEK_SET) < 0)
        perror("crash-sim");
}

/* A crash that nobody asked for tells where; the handler needs its library before the root changes. */
static void tell_crash(int number)
{
    void *frames[32];
    int n = backtrace(frames, ARRAY_LEN(frames));
    backtrace_symbols_fd(frames, n, STDERR_FILENO);
    signal(number, SIG_DFL);
    raise(number);
}

static void watch_for_crashes(void)
{
    void *frame;
    (void)backtrace(&frame, 1);
    signal(SIGSEGV, tell_crash);
    signal(SIGABRT, tell_crash);
}

static void enter(void)
{
    struct stat st;
    watch_for_crashes();
    if (chroot(world_root()) < 0 || chdir("/") < 0 || stat("/etc", &st) < 0 || dup2(act_output(), STDOUT_FILENO) < 0 ||
        dup2(act_output(), STDERR_FILENO) < 0) {
        perror("crash-sim: chroot");
        _exit(2);
    }
    inject_arm(st.st_dev);
}

bool act_in_child(Act act)
{
    int status;
    dprintf(act_output(), "--- %s\n", act_to_string(act));
    sim->outcome = (Outcome){0};
    pid_t pid = fork();
    if (pid == 0) {
        enter();
        act_do(act);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0) {
        perror("crash-sim: fork");
        exit(2);
    }
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}
