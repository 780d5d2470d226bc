/* SPDX-License-Identifier: Apache-2.0 */
#include "act.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "host/journal.h"
#include "host/kernel-file.h"
#include "inject.h"
#include "run/engine.h"
#include "run/settings.h"
#include "run/undo.h"
#include "tree.h"
#include "verb/verb.h"
#include "world.h"

static int output = -1;

const char *act_to_string(Act act)
{
    static const char *const names[ACT_COUNT] = {
        "run", "undo", "recover", "recover --restore", "recover --again", "recover --unattended"};
    return names[act];
}

static volatile sig_atomic_t cancelled;

static void print_event(void *user, const Event *event)
{
    if (sim->knobs.cancelled_when_verified && event->kind == EVENT_STEP_DONE && event->state == RUN_VERIFYING)
        cancelled = 1;
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

/* What the driver judges by: it lives on where this process is killed. */
static void show_plan(Arena *arena, const Plan *plan)
{
    sim->edit_count = 0;
    VEC_EACH (edit, &plan->edits) {
        SimEdit *shown = &sim->edits[sim->edit_count++];
        snprintf(shown->path, sizeof shown->path, "%s", edit->path);
        snprintf(shown->sides[0], sizeof shown->sides[0], "%s", tree_hash_state(arena, &edit->before));
        snprintf(shown->sides[1], sizeof shown->sides[1], "%s", tree_hash_state(arena, &edit->after));
    }
}

static int carry_out(Act act, Arena *arena, Engine *engine, RunRecord *record, Err *err)
{
    Plan *plan;
    RunOptions options = {.user = "root", .force = true, .cancel = &cancelled};
    if (sim->knobs.asks_where_nobody_can) {
        options.confirm_usec = USEC_PER_MIN;
        options.answer_path = "/no-room-here/" WORLD_STATE WORLD_STATE WORLD_STATE WORLD_STATE WORLD_STATE WORLD_STATE
            WORLD_STATE WORLD_STATE "/answer.sock";
    }
    if (act == ACT_AGAIN)
        return engine_recover(engine, record, err);
    int r = engine_ready(engine, err);
    if (r < 0 || act == ACT_RECOVER)
        return r;
    r = act == ACT_RUN ? plan_run(arena, engine, &plan, err) : plan_undo(arena, engine, &plan, err);
    if (r < 0 || plan->nothing_to_do)
        return r;
    show_plan(arena, plan);
    return engine_run(engine, plan, &options, record, err);
}

static void keep_outcome(int r, const RunRecord *record, const Err *err)
{
    Outcome *outcome = &sim->outcome;
    *outcome = (Outcome){.r = r, .kind = r < 0 ? (int)err->kind : 0, .state = record->state, .blamed = record->blamed};
    const char *text = r < 0 ? err_text(err) : record->reason ? record->reason : "";
    snprintf(outcome->text, sizeof outcome->text, "%s", text);
    dprintf(STDERR_FILENO, "    = %d %s %s\n", r, run_state_to_string(record->state), text);
    outcome->done = true;
}

/* As systemd starts it. */
static void recover_unattended(void)
{
    char program[] = "salve", verb[] = "recover", option[] = "--unattended";
    char *argv[] = {program, verb, option, NULL};
    sim->outcome = (Outcome){.r = verb_main(3, argv)};
    sim->outcome.done = true;
}

void act_do(Act act)
{
    if (act == ACT_UNATTENDED) {
        recover_unattended();
        return;
    }
    CLEANUP(arena_free) Arena *arena = arena_new();
    Engine *engine = NULL;
    RunRecord record = {0};
    Err err;
    EventSink sink = {.emit = print_event};
    int r = act == ACT_RESTORE ? engine_restore(arena, WORLD_STATE, sink, &err)
                               : engine_open(arena, WORLD_STATE, act_to_string(act), sink, &engine, &err);
    if (r >= 0 && engine)
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

void act_print_output(FILE *to)
{
    char data[4096];
    ssize_t n;
    lseek(act_output(), 0, SEEK_SET);
    while ((n = read(act_output(), data, sizeof data)) > 0)
        fwrite(data, 1, (size_t)n, to);
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
    static char stack[64 * 1024]; /* a stack that is used up is a crash as well */
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    void *frame;
    (void)backtrace(&frame, 1);
    if (sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL) < 0)
        perror("crash-sim: sigaltstack");
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaction(signals[i], &(struct sigaction){.sa_handler = tell_crash, .sa_flags = SA_ONSTACK}, NULL);
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

static ActEnd end_of(int status)
{
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGKILL ? ACT_KILLED : ACT_CRASHED;
    return WEXITSTATUS(status) == 0 ? ACT_ENDED : WEXITSTATUS(status) == 1 ? ACT_GAVE_UP : ACT_CRASHED;
}

/* --- The resident --- */

static void measure(void)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes statm;
    Err err;
    StringVec descriptors = tree_list(arena, "", "/proc/self/fd");
    VEC_EACH (path, &descriptors) {
        char target[256];
        ssize_t n = readlink(*path, target, sizeof target - 1);
        dprintf(STDERR_FILENO, "    %s %.*s\n", *path, (int)(n > 0 ? n : 0), target);
    }
    sim->resident.descriptors = (unsigned)descriptors.n;
    if (kernel_file_read(arena, &statm, &err, "/kernel/self/statm") < 0 ||
        sscanf(statm.data, "%*d %ld", &sim->resident.rss_pages) != 1)
        dprintf(STDERR_FILENO, "    how much memory is used cannot be read\n");
}

static void reside(int in, int out)
{
    char act;
    enter();
    journal_tell(LOG_DEBUG, "", "libsystemd keeps its socket"); /* from now on, and not from the first stuck run on */
    while (read(in, &act, 1) == 1) {
        act_do((Act)act);
        inject_suspend();
        measure();
        inject_resume();
        if (write(out, &act, 1) != 1)
            break;
    }
    _exit(0);
}

void act_reside(Resident *ret)
{
    int in[2], out[2];
    (void)act_output(); /* shared, because made before */
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || (ret->pid = fork()) < 0) {
        perror("crash-sim: resident");
        exit(2);
    }
    if (ret->pid == 0) {
        close(in[1]);
        close(out[0]);
        reside(in[0], out[1]);
    }
    close(in[0]);
    close(out[1]);
    ret->in = in[1];
    ret->out = out[0];
}

ActEnd act_in_resident(Resident *resident, Act act)
{
    char byte = (char)act;
    dprintf(act_output(), "--- %s\n", act_to_string(act));
    sim->outcome = (Outcome){0};
    bool answered = write(resident->in, &byte, 1) == 1 && read(resident->out, &byte, 1) == 1;
    return answered ? ACT_ENDED : ACT_CRASHED;
}

void act_dismiss(Resident *resident)
{
    close(resident->in);
    close(resident->out);
    waitpid(resident->pid, NULL, 0);
}

/* --- Children --- */

ActEnd act_in_child(Act act)
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
    return end_of(status);
}
