/* SPDX-License-Identifier: Apache-2.0 */
#include "host/answer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

/* How long a client may take to send its line: the listener has nothing else to do, but a deadline to keep. */
#define LINE_USEC (2 * USEC_PER_SEC)

struct Answers {
    int listener, client; /* client -1: nobody waits for a reply */
    struct sockaddr_un address;
};

static int address_of(const char *path, struct sockaddr_un *ret, Err *err)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof ret->sun_path)
        return err_set(err, ERR_INVALID, "%s is too long for the path of a socket", path);
    memcpy(ret->sun_path, path, strlen(path) + 1);
    return 0;
}

static int make_directory(const char *path, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    char *directory = arena_strdup(arena, path);
    *strrchr(directory, '/') = '\0';
    if (mkdir(directory, 0700) < 0 && errno != EEXIST)
        return err_errno(err, errno, "cannot make %s", directory);
    return 0;
}

int answers_open(const char *path, Answers **ret, Err *err)
{
    struct sockaddr_un address;
    int r = address_of(path, &address, err);
    if (r < 0 || (r = make_directory(path, err)) < 0)
        return r;
    if (unlink(path) < 0 && errno != ENOENT)
        return err_errno(err, errno, "cannot replace %s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177);
    r = fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 8) < 0 ? errno : 0;
    umask(mask);
    if (r > 0) {
        fd_close(fd);
        return err_errno(err, r, "cannot listen at %s", path);
    }
    Answers *answers = xmalloc(sizeof *answers);
    *answers = (Answers){.listener = fd, .client = -1, .address = address};
    *ret = answers;
    return 0;
}

static void forget_client(Answers *answers)
{
    fd_close(answers->client);
    answers->client = -1;
}

void answers_close(Answers *answers)
{
    if (!answers)
        return;
    unlink(answers->address.sun_path);
    forget_client(answers);
    fd_close(answers->listener);
    free(answers);
}

/* Milliseconds for poll(2), rounded up. */
static int wait_msec(usec end)
{
    usec now = clock_boottime();
    return now >= end ? 0 : (int)((end - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
}

static int wait_readable(int fd, usec end)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    return poll(&item, 1, wait_msec(end));
}

/* A line from fd into `line`; its length, or -1 with errno: EMSGSIZE too long, ECONNRESET no whole line, ETIMEDOUT. */
static ssize_t read_line(int fd, char line[ANSWER_MAX], usec end)
{
    size_t len = 0;
    while (len < ANSWER_MAX) {
        int ready = wait_readable(fd, end);
        if (ready <= 0) {
            errno = ready == 0 ? ETIMEDOUT : errno;
            return -1;
        }
        ssize_t n = recv(fd, line + len, ANSWER_MAX - len, 0);
        if (n <= 0) {
            errno = n == 0 ? ECONNRESET : errno;
            return -1;
        }
        len += (size_t)n;
        char *newline = memchr(line, '\n', len);
        if (newline) {
            *newline = '\0';
            return newline - line;
        }
    }
    errno = EMSGSIZE;
    return -1;
}

static bool is_root(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == 0 || peer.uid == geteuid());
}

int answers_next(Answers *answers, Arena *arena, usec timeout_usec, const char **ret, Err *err)
{
    usec end = clock_boottime() + timeout_usec;
    char line[ANSWER_MAX];
    forget_client(answers);
    int ready = wait_readable(answers->listener, end);
    if (ready < 0 && errno != EINTR)
        return err_errno(err, errno, "cannot wait for an answer");
    if (ready <= 0)
        return ANSWER_NONE;
    answers->client = accept4(answers->listener, NULL, NULL, SOCK_CLOEXEC);
    if (answers->client < 0)
        return ANSWER_NONE;
    if (!is_root(answers->client) || read_line(answers->client, line, clock_boottime() + LINE_USEC) < 0) {
        forget_client(answers);
        return ANSWER_NONE;
    }
    *ret = arena_strdup(arena, line);
    return 0;
}

static int send_line(int fd, const char *line)
{
    char text[ANSWER_MAX];
    int len = snprintf(text, sizeof text, "%.*s\n", ANSWER_MAX - 2, line);
    return send(fd, text, (size_t)len, MSG_NOSIGNAL) == len ? 0 : -1;
}

void answers_reply(Answers *answers, const char *line)
{
    if (answers->client >= 0)
        (void)send_line(answers->client, line);
    forget_client(answers);
}

int answer_ask(Arena *arena, const char *path, const char *line, usec timeout_usec, const char **ret, Err *err)
{
    struct sockaddr_un address;
    char reply[ANSWER_MAX];
    int r = address_of(path, &address, err);
    if (r < 0)
        return r;
    CLEANUP(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return errno == ENOENT || errno == ECONNREFUSED ? ANSWER_NONE : err_errno(err, errno, "cannot ask at %s", path);
    if (send_line(fd, line) < 0)
        return err_errno(err, errno, "cannot ask at %s", path);
    if (read_line(fd, reply, clock_boottime() + timeout_usec) < 0)
        return errno == ETIMEDOUT ? err_set(err, ERR_TIMEOUT, "no reply came in time")
                                  : err_set(err, ERR_FAILED, "whoever was asked ended without a reply");
    *ret = arena_strdup(arena, reply);
    return 0;
}
