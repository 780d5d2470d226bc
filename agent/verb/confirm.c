/* SPDX-License-Identifier: Apache-2.0 */
/* confirm and cancel: the answers to a run that waits; cancel also ends one that does not wait yet. */
#include "run/confirm.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run/state.h"
#include "store/store.h"
#include "verb/verb.h"
#include "verb/who.h"

typedef struct ConfirmOptions {
    usec extend_usec;
} ConfirmOptions;

static const Option confirm_options[] = {
    OPTION_DURATION(ConfirmOptions, extend_usec, "extend", 0,
                    "Do not confirm yet: let it wait this long from now at least."),
    OPTIONS_END,
};

static const char *wanted_run(const VerbContext *context)
{
    return context->arguments.n ? context->arguments.items[0] : NULL;
}

static int print_end(VerbContext *context, const char *run, RunState state, const char *text, Err *err)
{
    if (context->globals->json) {
        Node *map = node_map(context->arena);
        node_set_text(context->arena, map, "run", run);
        node_set_text(context->arena, map, "state", run_state_to_string(state));
        node_set_text(context->arena, map, "text", text);
        return verb_print_json_line(map, err);
    }
    CLEANUP(strbuf_free) StrBuf line = STRBUF_INIT(8192);
    strbuf_printf(&line, "%s: %s%s%s\n", run, run_state_to_string(state), text && *text ? ": " : "", text ? text : "");
    return verb_print(&line, err);
}

/* The answer of whoever waits. CONFIRM_NOBODY: nobody does. */
static int answer(VerbContext *context, ConfirmWord word, usec extend_usec, ConfirmReply *ret, Err *err)
{
    const char *path = arena_printf(context->arena, "%s/" CONFIRM_SOCKET, context->settings->runtime_dir);
    int r = confirm_answer(context->arena, path, word, wanted_run(context), extend_usec, who_asks(context->arena), ret,
                           err);
    if (r == 0 && !ret->accepted)
        return err_set(err, ERR_REFUSED, "%s", ret->text ? ret->text : "the answer was not accepted");
    if (r < 0 && err->kind == ERR_FAILED)
        return err_prefix(err, "the run has just ended, or its process died; look at it: salve show");
    return r;
}

static int confirm_run(VerbContext *context, Err *err)
{
    const ConfirmOptions *options = context->options;
    ConfirmReply reply;
    ConfirmWord word = options->extend_usec > 0 ? CONFIRM_EXTEND : CONFIRM_YES;
    int r = answer(context, word, options->extend_usec, &reply, err);
    if (r == CONFIRM_NOBODY)
        return err_set(err, ERR_REFUSED, "no run waits for a confirmation; salve status tells what is under way");
    if (r >= 0)
        r = print_end(context, reply.run, reply.state, reply.text, err);
    return r < 0 ? r : reply.state == RUN_CONFIRMING ? 0 : run_state_exit_status(reply.state);
}

const Verb verb_confirm = {
    .name = "confirm",
    .summary = "Keep the run that waits for a confirmation (run --confirm).",
    .arguments = "[RUN]",
    .details =
        "Without it the run is rolled back when its time is over, when salve dies, and when the host is rebooted.\n"
        "RUN is its id or the beginning of it: another run than the one that waits is refused.",
    .options = confirm_options,
    .options_size = sizeof(ConfirmOptions),
    .max_arguments = 1,
    .completes = COMPLETES_RUN,
    .run = confirm_run,
};

/* --- A run that does not wait yet --- */

static int find_under_way(VerbContext *context, RunRecord *ret, LockHolder *holder, Err *err)
{
    CLEANUP(store_close) Store store = {0};
    RunRecordVec unfinished = {0};
    int r = store_open_read(context->settings->state_dir, &store, err);
    if (r >= 0 && store.ledger)
        r = ledger_unfinished(store.ledger, context->arena, &unfinished, err);
    if (r >= 0)
        r = lock_holder(context->settings->state_dir, holder, err);
    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < unfinished.n; i++) {
        const RunRecord *run = &unfinished.items[i];
        if (run->pid == holder->pid && run->state != RUN_STUCK) {
            *ret = *run;
            return 0;
        }
    }
    return err_set(err, ERR_REFUSED, "no run is under way; salve rollback takes back one that was kept");
}

/* Asks the process to roll back, and waits until it has ended. The lock, looked at again behind the descriptor, proves
 * that the process id was not given to another one meanwhile. */
static int signal_and_wait(VerbContext *context, const LockHolder *holder, Err *err)
{
    LockHolder now;
    CLEANUP(fd_close) int process = (int)syscall(SYS_pidfd_open, (pid_t)holder->pid, 0);
    int r = process < 0 ? 1 : lock_holder(context->settings->state_dir, &now, err);
    if (r != 0 || now.pid != holder->pid)
        return r < 0 ? r : err_set(err, ERR_REFUSED, "the run has just ended; look at it: salve show");
    if (syscall(SYS_pidfd_send_signal, process, SIGTERM, NULL, 0) < 0)
        return err_errno(err, errno, "cannot ask process %llu to roll back", (unsigned long long)holder->pid);
    struct pollfd ended = {.fd = process, .events = POLLIN};
    while (poll(&ended, 1, -1) < 0) {
        if (errno != EINTR)
            return err_errno(err, errno, "cannot wait for process %llu", (unsigned long long)holder->pid);
    }
    return 0;
}

/* Cancelled is what is as it was. A run that was kept a moment before is not. */
static int status_of_cancel(RunState state)
{
    if (state == RUN_ROLLED_BACK || state == RUN_REFUSED)
        return 0;
    return state == RUN_KEPT ? 1 : run_state_exit_status(state);
}

static int print_record(VerbContext *context, const char *id, Err *err)
{
    CLEANUP(store_close) Store store = {0};
    RunRecord run;
    int r = store_open_read(context->settings->state_dir, &store, err);
    if (r >= 0)
        r = ledger_find(store.ledger, context->arena, id, &run, err);
    if (r >= 0)
        r = print_end(context, run.id, run.state, run.reason, err);
    return r < 0 ? r : status_of_cancel(run.state);
}

static int cancel_under_way(VerbContext *context, Err *err)
{
    RunRecord run = {0};
    LockHolder holder;
    const char *wanted = wanted_run(context);
    int r = find_under_way(context, &run, &holder, err);
    if (r < 0)
        return r;
    if (wanted && !str_starts(run.id, wanted))
        return err_set(err, ERR_REFUSED, "it is run %s that is under way, not %s", run.id, wanted);
    r = signal_and_wait(context, &holder, err);
    return r < 0 ? r : print_record(context, run.id, err);
}

static int cancel_run(VerbContext *context, Err *err)
{
    ConfirmReply reply;
    int r = answer(context, CONFIRM_CANCEL, 0, &reply, err);
    if (r == CONFIRM_NOBODY)
        return cancel_under_way(context, err);
    if (r >= 0)
        r = print_end(context, reply.run, reply.state, reply.text, err);
    return r < 0 ? r : status_of_cancel(reply.state);
}

const Verb verb_cancel = {
    .name = "cancel",
    .summary = "Roll back the run that is under way, or waits for a confirmation.",
    .arguments = "[RUN]",
    .details = "Waits until everything is back. A run that was kept already is taken back by salve rollback.",
    .max_arguments = 1,
    .completes = COMPLETES_RUN,
    .run = cancel_run,
};
