/* SPDX-License-Identifier: Apache-2.0 */
#include "host/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/daemon.h"

enum { DEFAULT_MAX_OUTPUT = 256 << 10 };
static const usec DEFAULT_TIMEOUT_USEC = 60 * USEC_PER_SEC;
static const usec INTERRUPT_POLL_USEC = USEC_PER_SEC / 10;

static const char *const default_env[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL=C.UTF-8",
    NULL,
};

/* One end of each stream, ours and the child's; -1 where there is none. */
typedef struct Streams {
    int input; /* the child's: a memfd or /dev/null */
    int output[2], error[2];
    int failure[2]; /* an Err comes through when the child could not get as far as exec */
} Streams;

static void streams_close(Streams *streams)
{
    const int fds[] = {streams->input,    streams->output[0],  streams->output[1], streams->error[0],
                       streams->error[1], streams->failure[0], streams->failure[1]};
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fd_close(fds[i]);
}

/* A memfd instead of a pipe: the child may read it when it likes, or not at all, and nobody blocks. */
static int input_open(Bytes input)
{
    if (!input.data)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("salve-input", MFD_CLOEXEC);
    size_t done = 0;
    while (fd >= 0 && done < input.len) {
        ssize_t n = write(fd, input.data + done, input.len - done);
        if (n < 0) {
            fd_close(fd);
            return -1;
        }
        done += (size_t)n;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

static int streams_open(const ChildSpec *spec, Streams *streams, Err *err)
{
    bool ok = pipe2(streams->failure, O_CLOEXEC) == 0;
    if (ok && !spec->inherit)
        ok = (streams->input = input_open(spec->input)) >= 0 && pipe2(streams->output, O_CLOEXEC) == 0 &&
             pipe2(streams->error, O_CLOEXEC) == 0;
    return ok ? 0 : err_errno(err, errno, "cannot make pipes");
}

static int child_set_streams(const ChildSpec *spec, const Streams *streams, Err *err)
{
    if (!spec->inherit &&
        (dup2(streams->input, 0) < 0 || dup2(streams->output[1], 1) < 0 || dup2(streams->error[1], 2) < 0))
        return err_errno(err, errno, "cannot set up the streams");
    /* Libraries may have opened descriptors without CLOEXEC. */
    if (syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) < 0 && errno != ENOSYS)
        return err_errno(err, errno, "cannot close descriptors");
    return 0;
}

static void child_reset_signals(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int child_set_user(const ChildSpec *spec, Err *err)
{
    if (setgroups(spec->n_groups, spec->groups) < 0 || setresgid(spec->gid, spec->gid, spec->gid) < 0 ||
        setresuid(spec->uid, spec->uid, spec->uid) < 0)
        return err_errno(err, errno, "cannot become user %u, group %u", spec->uid, spec->gid);
    return 0;
}

static int child_prepare(const ChildSpec *spec, const Streams *streams, pid_t parent, Err *err)
{
    if (!spec->inherit)
        setpgid(0, 0);
    child_reset_signals();
    int r = child_set_streams(spec, streams, err);
    if (r == 0 && spec->before_exec)
        r = spec->before_exec(spec->context, err);
    if (r == 0 && spec->set_user)
        r = child_set_user(spec, err);
    const char *directory = spec->directory ? spec->directory : "/";
    if (r == 0 && chdir(directory) < 0)
        r = err_errno(err, errno, "cannot go to %s", directory);
    if (r < 0 || spec->inherit)
        return r;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* after the change of user, which clears it */
    return getppid() == parent ? 0 : err_set(err, ERR_FAILED, "salve died");
}

static _Noreturn void child_main(const ChildSpec *spec, const Streams *streams, pid_t parent)
{
    Err err = {0};
    if (child_prepare(spec, streams, parent, &err) == 0) {
        environ = (char **)(uintptr_t)(spec->env ? spec->env : default_env); /* execvp looks into its PATH */
        execvp(spec->argv[0], (char *const *)(uintptr_t)spec->argv);
        err_errno(&err, errno, "cannot run %s", spec->argv[0]);
    }
    ssize_t n = write(streams->failure[1], &err, sizeof err);
    _exit(n < 0 ? 126 : 127);
}

typedef struct Running {
    const ChildSpec *spec;
    pid_t pid;
    int pidfd;
    Streams streams;
    StrBuf output, error;
    usec start, limit;
} Running;

static void running_free(Running *running)
{
    streams_close(&running->streams);
    fd_close(running->pidfd);
    strbuf_free(&running->output);
    strbuf_free(&running->error);
}

static void running_free_cleanup(Running *running)
{
    running_free(running);
}

/* Reads what is there without waiting; the stream is closed at its end. */
static void drain(int *fd, StrBuf *buf)
{
    char chunk[8192];
    while (*fd >= 0) {
        ssize_t n = read(*fd, chunk, sizeof chunk);
        if (n > 0) {
            strbuf_add(buf, chunk, (size_t)n);
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            fd_close(*fd);
            *fd = -1;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

static int poll_timeout_msec(usec duration)
{
    return (int)((duration > 1000 * USEC_PER_SEC ? 1000 * USEC_PER_SEC : duration) / USEC_PER_MSEC) + 1;
}

/* Waits until the program has ended, or must be ended. It is a zombie then, so that its group cannot be another's. */
static int child_wait(Running *running, ChildEnd *ret_end, Err *err)
{
    for (;;) {
        daemon_alive();
        usec elapsed = clock_boottime() - running->start;
        bool interrupted = running->spec->interrupted && running->spec->interrupted(running->spec->context);
        if (interrupted || elapsed >= running->limit) {
            *ret_end = interrupted ? CHILD_INTERRUPTED : CHILD_TIMED_OUT;
            return 0;
        }
        usec pause = running->limit - elapsed;
        if (running->spec->interrupted && pause > INTERRUPT_POLL_USEC)
            pause = INTERRUPT_POLL_USEC;
        struct pollfd fds[] = {{.fd = running->pidfd, .events = POLLIN},
                               {.fd = running->streams.output[0], .events = POLLIN},
                               {.fd = running->streams.error[0], .events = POLLIN}};
        if (poll(fds, ARRAY_LEN(fds), poll_timeout_msec(pause)) < 0 && errno != EINTR)
            return err_errno(err, errno, "cannot wait for %s", running->spec->argv[0]);
        drain(&running->streams.output[0], &running->output);
        drain(&running->streams.error[0], &running->error);
        if (fds[0].revents & POLLIN) {
            *ret_end = CHILD_EXITED;
            return 0;
        }
    }
}

/* Ends whatever is left of the group, then reaps the program and reads the rest. */
static int child_finish(Running *running, ChildEnd *end)
{
    if (!running->spec->inherit)
        kill(-running->pid, SIGKILL);
    else if (*end != CHILD_EXITED)
        kill(running->pid, SIGKILL);
    int status = 0;
    while (waitpid(running->pid, &status, 0) < 0 && errno == EINTR)
        ;
    drain(&running->streams.output[0], &running->output);
    drain(&running->streams.error[0], &running->error);
    if (*end == CHILD_EXITED && WIFSIGNALED(status))
        *end = CHILD_KILLED;
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

/* Whether the child failed before exec; then *err is its error. */
static bool child_failed(Running *running, Err *err)
{
    Err failure;
    if (read(running->streams.failure[0], &failure, sizeof failure) != (ssize_t)sizeof failure)
        return false;
    *err = failure;
    return true;
}

static int child_start(Running *running, Err *err)
{
    const Streams *streams = &running->streams;
    pid_t parent = getpid();
    running->start = clock_boottime();
    running->pid = fork();
    if (running->pid < 0)
        return err_errno(err, errno, "cannot start %s", running->spec->argv[0]);
    if (running->pid == 0)
        child_main(running->spec, streams, parent);
    if (!running->spec->inherit)
        setpgid(running->pid, running->pid); /* whichever of us comes first */
    running->pidfd = (int)syscall(SYS_pidfd_open, running->pid, 0);
    if (running->pidfd < 0) {
        int errnum = errno;
        ChildEnd end = CHILD_INTERRUPTED;
        child_finish(running, &end);
        return err_errno(err, errnum, "cannot watch %s", running->spec->argv[0]);
    }
    return 0;
}

static void close_childs_ends(Streams *streams)
{
    int *const ends[] = {&streams->input, &streams->output[1], &streams->error[1], &streams->failure[1]};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        fd_close(*ends[i]);
        *ends[i] = -1;
    }
    if (streams->output[0] >= 0) {
        fcntl(streams->output[0], F_SETFL, O_NONBLOCK);
        fcntl(streams->error[0], F_SETFL, O_NONBLOCK);
    }
}

int child_run(Arena *arena, const ChildSpec *spec, ChildResult *ret_result, Err *err)
{
    size_t max = spec->max_output ? spec->max_output : DEFAULT_MAX_OUTPUT;
    CLEANUP(running_free)
    Running running = {
        .spec = spec,
        .pidfd = -1,
        .streams = {-1, {-1, -1}, {-1, -1}, {-1, -1}},
        .output = STRBUF_INIT(max),
        .error = STRBUF_INIT(max),
        .limit = spec->timeout_usec ? spec->timeout_usec : DEFAULT_TIMEOUT_USEC,
    };
    ChildResult result = {0};
    int r = streams_open(spec, &running.streams, err);
    if (r == 0)
        r = child_start(&running, err);
    if (r < 0)
        return r;
    close_childs_ends(&running.streams);
    r = child_wait(&running, &result.end, err);
    if (r < 0)
        result.end = CHILD_INTERRUPTED;
    result.status = child_finish(&running, &result.end);
    if (r < 0)
        return r;
    if (child_failed(&running, err))
        return -(int)err->kind;
    result.elapsed_usec = clock_boottime() - running.start;
    result.output = strbuf_bytes(arena, &running.output);
    result.error = strbuf_bytes(arena, &running.error);
    result.output_cut = running.output.overflowed;
    result.error_cut = running.error.overflowed;
    *ret_result = result;
    return 0;
}

bool child_succeeded(const ChildResult *result)
{
    return result->end == CHILD_EXITED && result->status == 0;
}

char *child_end_to_string(Arena *arena, const ChildResult *result)
{
    switch (result->end) {
    case CHILD_EXITED: return arena_printf(arena, "exit status %d", result->status);
    case CHILD_KILLED: return arena_printf(arena, "killed by SIG%s", sigabbrev_np(result->status));
    case CHILD_TIMED_OUT:
        return arena_printf(arena, "still running after %s", usec_to_string(arena, result->elapsed_usec));
    case CHILD_INTERRUPTED: break;
    }
    return arena_strdup(arena, "interrupted");
}
