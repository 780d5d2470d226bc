/* SPDX-License-Identifier: Apache-2.0 */
/* lock: a command (a deploy) that salve must not run into, nor it into a run of salve. The lock ends with this process,
 * however that ends. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "verb/carry.h"

enum { STATUS_NOT_FOUND = 127, STATUS_NOT_RUNNABLE = 126, STATUS_SIGNAL = 128 };

#define TRY_EVERY_NSEC 200000000

typedef struct LockOptions {
    usec wait_usec;
} LockOptions;

static const Option lock_options[] = {
    OPTION_DURATION(LockOptions, wait_usec, "wait", 0, "Wait this long for a run that is under way."),
    OPTIONS_END,
};

static int open_patiently(VerbContext *context, const char *what, Carrier *ret, Err *err)
{
    const LockOptions *options = context->options;
    usec begin = clock_monotonic();
    for (;;) {
        int r = carrier_open(context, what, ret, err);
        bool again = r < 0 && err->kind == ERR_BUSY && clock_monotonic() - begin < options->wait_usec;
        if (!again || carrier_cancelled)
            return r;
        nanosleep(&(struct timespec){.tv_nsec = TRY_EVERY_NSEC}, NULL);
    }
}

static volatile sig_atomic_t child_pid;

static void pass_on(int number)
{
    if (child_pid > 0)
        kill((pid_t)child_pid, number);
}

/* Like a shell: the terminal's signals reach the command by themselves; others are passed on to it. */
static void lend_signals(void)
{
    struct sigaction pass = {.sa_handler = pass_on}, ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &ignore, NULL);
    sigaction(SIGQUIT, &ignore, NULL);
    sigaction(SIGTERM, &pass, NULL);
    sigaction(SIGHUP, &pass, NULL);
}

static _Noreturn void become(char *const *words)
{
    static const int restored[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < ARRAY_LEN(restored); i++)
        signal(restored[i], SIG_DFL);
    execvp(words[0], words);
    int status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_RUNNABLE;
    log_text("salve: %s: %s\n", words[0], strerror(errno));
    _exit(status);
}

static int run_command(const StringVec *words, Arena *arena, Err *err)
{
    char **argv = arena_array(arena, char *, words->n + 1);
    for (size_t i = 0; i < words->n; i++)
        argv[i] = arena_strdup(arena, words->items[i]);
    pid_t pid = fork();
    if (pid < 0)
        return err_errno(err, errno, "cannot start %s", argv[0]);
    if (pid == 0)
        become(argv);
    child_pid = pid;
    lend_signals();
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return err_errno(err, errno, "cannot wait for %s", argv[0]);
    }
    return WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

static int lock_run(VerbContext *context, Err *err)
{
    CLEANUP(carrier_close) Carrier carrier = {0};
    const char *what = arena_printf(context->arena, "lock -- %s", context->arguments.items[0]);
    int r = open_patiently(context, what, &carrier, err);
    if (r < 0)
        return r;
    carrier_tell_recovered(&carrier);
    return run_command(&context->arguments, context->arena, err);
}

const Verb verb_lock = {
    .name = "lock",
    .summary = "Run a command (a deploy) while no run of salve can start.",
    .arguments = "-- COMMAND...",
    .details = "Ends with the command's exit status, with 128 and the signal's number where a signal ended it.",
    .options = lock_options,
    .options_size = sizeof(LockOptions),
    .min_arguments = 1,
    .max_arguments = VERB_MANY,
    .completes = COMPLETES_COMMAND,
    .takes_command = true,
    .run = lock_run,
};
