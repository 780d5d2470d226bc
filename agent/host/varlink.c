/* SPDX-License-Identifier: Apache-2.0 */
#include "host/varlink.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "data/json.h"

enum { ANSWER_MAX = 64 * 1024 };

static int open_socket(const char *path, int *ret_fd, Err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return err_set(err, ERR_INVALID, "the path of the socket is too long: %s", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    CLEANUP(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return err_errno(err, errno, "cannot connect to %s", path);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* The socket's buffer is empty and the call is small: this does not block. */
static int send_call(int fd, const char *path, const char *method, Err *err)
{
    CLEANUP(strbuf_free) StrBuf call = STRBUF_INIT(4096);
    strbuf_printf(&call, "{\"method\":\"%s\",\"parameters\":{}}", method);
    strbuf_add_char(&call, '\0');
    ssize_t n = send(fd, call.data, call.len, MSG_NOSIGNAL);
    return n == (ssize_t)call.len ? 0 : err_errno(err, n < 0 ? errno : EPIPE, "cannot write to %s", path);
}

/* Reads up to the NUL that ends the answer. */
static int read_answer(int fd, const char *path, usec timeout_usec, StrBuf *answer, Err *err)
{
    usec end = clock_monotonic() + timeout_usec, now;
    while ((now = clock_monotonic()) < end) {
        char chunk[4096];
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (poll(&readable, 1, (int)((end - now) / USEC_PER_MSEC) + 1) <= 0)
            continue;
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, errno, "cannot read from %s", path);
        if (n == 0 || answer->len + (size_t)n > ANSWER_MAX)
            return err_set(err, ERR_FAILED, "%s gives no answer", path);
        const char *nul = memchr(chunk, '\0', (size_t)n);
        strbuf_add(answer, chunk, nul ? (size_t)(nul - chunk) : (size_t)n);
        if (nul)
            return 0;
    }
    return err_set(err, ERR_TIMEOUT, "%s gives no answer in time", path);
}

static int check_answer(const char *path, const char *method, const StrBuf *text, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *answer;
    int r = json_parse(arena, path, (Bytes){text->data, text->len}, &answer, err);
    if (r < 0)
        return r;
    const char *error = node_get_text(answer, "error");
    return error ? err_set(err, ERR_FAILED, "%s: %s: %s", path, method, error) : 0;
}

int varlink_call(const char *socket_path, const char *method, usec timeout_usec, Err *err)
{
    CLEANUP(strbuf_free) StrBuf answer = STRBUF_INIT(ANSWER_MAX);
    CLEANUP(fd_close) int fd = -1;
    int r = open_socket(socket_path, &fd, err);
    if (r >= 0)
        r = send_call(fd, socket_path, method, err);
    if (r >= 0)
        r = read_answer(fd, socket_path, timeout_usec, &answer, err);
    return r < 0 ? r : check_answer(socket_path, method, &answer, err);
}
