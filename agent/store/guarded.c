/* SPDX-License-Identifier: Apache-2.0 */
#include "store/guarded.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

typedef struct Answer {
    int r;
    Err err;
} Answer;

_Static_assert(sizeof(Answer) <= PIPE_BUF, "an answer is written in one piece");

/* Who dies before it is asked for is not followed by a signal; and what the child holds, the lock for one, would
 * outlive its owner. */
static void die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
}

static void answer(int out, int (*function)(void *user, Err *err), void *user, unsigned limit_sec)
{
    sigset_t none;
    sigemptyset(&none);
    signal(SIGALRM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    alarm(limit_sec);
    Answer answer = {0};
    answer.r = function(user, &answer.err);
    _exit(write(out, &answer, sizeof answer) == (ssize_t)sizeof answer ? 0 : 1);
}

int guarded_call(int (*function)(void *user, Err *err), void *user, unsigned limit_sec, Err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(err, errno, "cannot make a pipe");
    CLEANUP(fd_close) int in = ends[0];
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        die_with(parent);
        answer(ends[1], function, user, limit_sec);
    }
    fd_close(ends[1]);
    if (child < 0)
        return err_errno(err, errno, "cannot start a process");
    Answer answer;
    ssize_t n;
    do {
        n = read(in, &answer, sizeof answer);
    } while (n < 0 && errno == EINTR);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    if (n != (ssize_t)sizeof answer)
        return GUARDED_DIED;
    if (answer.r < 0)
        *err = answer.err;
    return answer.r;
}
