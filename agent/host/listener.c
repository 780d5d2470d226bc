/* SPDX-License-Identifier: Apache-2.0 */
/* Who listens: the socket's inode from /proc/net, then the process that has it open. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/kernel-file.h"
#include "host/proc.h"

enum { TCP_STATE_LISTEN = 0x0a };

typedef VEC(uint64_t) InodeVec;

/* proc_net_tcp: "sl local:port remote:port st tx:rx tr:when retrnsmt uid timeout inode", numbers in hex but the last.
 */
static void add_tcp_inodes(Arena *arena, Bytes content, uint16_t port, InodeVec *inodes)
{
    char *rest = arena_strdup(arena, content.data), *line;
    while ((line = strsep(&rest, "\n"))) {
        unsigned local_port, state;
        uint64_t inode;
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*u %*u %" SCNu64, &local_port, &state, &inode) ==
                3 &&
            state == TCP_STATE_LISTEN && local_port == port)
            *vec_push(arena, inodes) = inode;
    }
}

/* proc_net_unix: "Num RefCount Protocol Flags Type St Inode Path"; flag 0x10000 (__SO_ACCEPTCON) is a listener. */
static void add_unix_inodes(Arena *arena, Bytes content, const char *path, InodeVec *inodes)
{
    char *rest = arena_strdup(arena, content.data), *line;
    while ((line = strsep(&rest, "\n"))) {
        unsigned flags;
        uint64_t inode;
        int at = 0;
        if (sscanf(line, "%*[0-9a-fA-F]: %*s %*s %x %*s %*s %" SCNu64 " %n", &flags, &inode, &at) == 2 &&
            (flags & 0x10000) && str_equal(line + at, path))
            *vec_push(arena, inodes) = inode;
    }
}

static bool holds_socket(const char *root, Arena *arena, pid_t pid, const InodeVec *inodes)
{
    const char *directory = arena_printf(arena, "%s/proc/%d/fd", root, pid);
    DIR *stream = opendir(directory);
    struct dirent *entry;
    bool found = false;
    while (stream && !found && (entry = readdir(stream))) {
        char target[64] = "";
        uint64_t inode;
        ssize_t n = readlinkat(dirfd(stream), entry->d_name, target, sizeof target - 1);
        if (n <= 0 || sscanf(target, "socket:[%" SCNu64 "]", &inode) != 1)
            continue;
        VEC_EACH (wanted, inodes) {
            found = found || *wanted == inode;
        }
    }
    if (stream)
        closedir(stream);
    return found;
}

/* PID 1 holds the sockets of socket units too: it is the answer only if nobody else is. */
static int find_holder(const char *root, Arena *arena, const InodeVec *inodes, const char *what, pid_t *ret_pid,
                       Err *err)
{
    PidVec pids;
    int r = proc_list(root, arena, &pids, err);
    if (r < 0)
        return r;
    pid_t found = 0;
    VEC_EACH (pid, &pids) {
        if ((found == 0 || found == 1) && inodes->n > 0 && holds_socket(root, arena, *pid, inodes))
            found = *pid;
    }
    if (found == 0)
        return err_set(err, ERR_NOT_FOUND, "nobody listens on %s", what);
    *ret_pid = found;
    return 0;
}

int proc_listener_tcp(const char *root, Arena *arena, uint16_t port, pid_t *ret_pid, Err *err)
{
    static const char *const tables[] = {"tcp", "tcp6"};
    InodeVec inodes = {0};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        Bytes content;
        int r = kernel_file_read(arena, &content, err, "%s/proc/net/%s", root, tables[i]);
        if (r == 0)
            add_tcp_inodes(arena, content, port, &inodes);
        else if (r != -ERR_NOT_FOUND) /* no IPv6 */
            return r;
    }
    return find_holder(root, arena, &inodes, arena_printf(arena, "port %u", port), ret_pid, err);
}

int proc_listener_unix(const char *root, Arena *arena, const char *path, pid_t *ret_pid, Err *err)
{
    InodeVec inodes = {0};
    Bytes content;
    int r = kernel_file_read(arena, &content, err, "%s/proc/net/unix", root);
    if (r < 0)
        return r;
    add_unix_inodes(arena, content, path, &inodes);
    return find_holder(root, arena, &inodes, path, ret_pid, err);
}
