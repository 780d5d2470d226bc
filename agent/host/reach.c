/* SPDX-License-Identifier: Apache-2.0 */
#include "host/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

enum { GROUPS_MAX = 256, NOT_TRIED = 255 };

/* What is needed of the other process, taken before the fork: afterwards only system calls are made. */
typedef struct Identity {
    int mount, network, root; /* descriptors, -1: ours */
    uid_t uid;
    gid_t gid, groups[GROUPS_MAX];
    size_t n_groups;
} Identity;

static void identity_close(Identity *identity)
{
    int *const all[] = {&identity->mount, &identity->network, &identity->root};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

/* "Uid:\t0\t33\t33\t33": the second number is the effective one. */
static void read_line(Identity *identity, const char *line)
{
    unsigned real, effective;
    int skip = 0;
    if (sscanf(line, "Uid: %u %u", &real, &effective) == 2)
        identity->uid = effective;
    else if (sscanf(line, "Gid: %u %u", &real, &effective) == 2)
        identity->gid = effective;
    else if (str_starts(line, "Groups:"))
        for (line += strlen("Groups:"); identity->n_groups < GROUPS_MAX && sscanf(line, "%u%n", &real, &skip) == 1;
             line += skip)
            identity->groups[identity->n_groups++] = real;
}

static int read_status(Identity *identity, pid_t pid, Err *err)
{
    char path[64], *line = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return err_errno(err, errno, "%s", path);
    while (getline(&line, &size, file) > 0)
        read_line(identity, line);
    free(line);
    fclose(file);
    return 0;
}

static int open_of(pid_t pid, const char *name, int flags, int *ret, Err *err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    *ret = open(path, flags | O_RDONLY | O_CLOEXEC);
    return *ret < 0 ? err_errno(err, errno, "%s", path) : 0;
}

static int identity_of(pid_t pid, Identity *ret, Err *err)
{
    Identity identity = {.mount = -1, .network = -1, .root = -1};
    int r = read_status(&identity, pid, err);
    if (r >= 0)
        r = open_of(pid, "ns/mnt", 0, &identity.mount, err);
    if (r >= 0)
        r = open_of(pid, "ns/net", 0, &identity.network, err);
    if (r >= 0)
        r = open_of(pid, "root", O_DIRECTORY, &identity.root, err);
    if (r < 0)
        identity_close(&identity);
    else
        *ret = identity;
    return r;
}

static bool become(const Identity *identity)
{
    return setns(identity->network, CLONE_NEWNET) == 0 && setns(identity->mount, CLONE_NEWNS) == 0 &&
           fchdir(identity->root) == 0 && chroot(".") == 0 && setgroups(identity->n_groups, identity->groups) == 0 &&
           setresgid(identity->gid, identity->gid, identity->gid) == 0 &&
           setresuid(identity->uid, identity->uid, identity->uid) == 0;
}

/* 0, or an errno below NOT_TRIED. */
static int connect_within(const struct sockaddr *address, socklen_t len, int timeout_msec)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), failure = 0;
    if (fd < 0)
        return NOT_TRIED;
    if (connect(fd, address, len) == 0 || errno == EAGAIN) /* EAGAIN: the queue of a unix socket is full */
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    struct pollfd event = {.fd = fd, .events = POLLOUT};
    socklen_t size = sizeof failure;
    if (poll(&event, 1, timeout_msec) == 1)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
    return failure == ETIMEDOUT ? 0 : failure;
}

static int connect_as(const Identity *identity, const struct sockaddr *address, socklen_t len, int timeout_msec,
                      Err *err)
{
    pid_t pid = fork();
    if (pid < 0)
        return err_errno(err, errno, "cannot try to connect");
    if (pid == 0)
        _exit(become(identity) ? connect_within(address, len, timeout_msec) : NOT_TRIED);
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_errno(err, errno, "cannot try to connect");
    if (!WIFEXITED(status) || WEXITSTATUS(status) == NOT_TRIED)
        return err_set(err, ERR_FAILED, "cannot try to connect as user %u", identity->uid);
    return WEXITSTATUS(status);
}

static int try_unix(const Identity *identity, const char *path, int timeout_msec, Err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof address.sun_path)
        return ENAMETOOLONG;
    memcpy(address.sun_path, path, len + 1);
    bool abstract = path[0] == '@';
    if (abstract)
        address.sun_path[0] = '\0';
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (abstract ? 0 : 1));
    return connect_as(identity, (const struct sockaddr *)&address, size, timeout_msec, err);
}

/* nginx goes to the next address of a name where one refuses. */
static int try_tcp(const Identity *identity, const ReachTarget *target, int timeout_msec, Err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char port[8];
    snprintf(port, sizeof port, "%u", target->port);
    int r = getaddrinfo(target->host, port, &hints, &found);
    if (r != 0)
        return err_set(err, ERR_FAILED, "%s: %s", target->host, gai_strerror(r));
    r = ECONNREFUSED;
    for (struct addrinfo *at = found; at && r > 0; at = at->ai_next)
        r = connect_as(identity, at->ai_addr, at->ai_addrlen, timeout_msec, err);
    freeaddrinfo(found);
    return r;
}

int reach_try(const ReachTarget *target, pid_t as, usec timeout_usec, Err *err)
{
    Identity identity;
    int r = identity_of(as, &identity, err), timeout_msec = (int)(timeout_usec / USEC_PER_MSEC);
    if (r < 0)
        return r;
    r = target->path ? try_unix(&identity, target->path, timeout_msec, err)
                     : try_tcp(&identity, target, timeout_msec, err);
    identity_close(&identity);
    return r;
}
