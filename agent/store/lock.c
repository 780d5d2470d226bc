/* SPDX-License-Identifier: Apache-2.0 */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { HOLDER_MAX = 256, RETRY_MSEC = 50 };
#define PRUNE_USEC (10 * USEC_PER_SEC)

struct Lock {
    int fd;
    usec since;
    char *path;
};

static struct flock whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

/* What is no file cannot be locked, or would be waited for. */
static int check_file(int fd, const char *path, Err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || S_ISREG(st.st_mode))
        return 0;
    return err_set(err, ERR_REFUSED, "%s is not a file; look at it, and remove it", path);
}

static int open_lock(Arena *arena, const char *state_dir, const char **ret_path, int *ret_fd, Err *err)
{
    const char *path = arena_printf(arena, "%s/lock", state_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, errno, "cannot open %s", path);
    int r = check_file(fd, path, err);
    if (r < 0) {
        fd_close(fd);
        return r;
    }
    *ret_path = path;
    *ret_fd = fd;
    return 0;
}

static LockHolder read_holder(int fd)
{
    LockHolder holder = {0};
    char text[HOLDER_MAX] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    unsigned long pid, since;
    int at = 0;
    if (sscanf(text, "%lu %lu %n", &pid, &since, &at) == 2 && at > 0) {
        holder.pid = pid;
        holder.since = since;
        snprintf(holder.what, sizeof holder.what, "%.*s", (int)strcspn(text + at, "\n"), text + at);
    }
    return holder;
}

static int raise_busy(Arena *arena, int fd, const char *path, Err *err)
{
    LockHolder holder = read_holder(fd);
    if (holder.pid == 0)
        return err_set(err, ERR_BUSY, "another salve is at work (it holds %s)", path);
    return err_set(err, ERR_BUSY, "another salve is at work: %s, since %s, process %lu", holder.what,
                   usec_to_local(arena, holder.since), (unsigned long)holder.pid);
}

/* 1: somebody else has it. */
static int try_lock(int fd, const char *path, Err *err)
{
    struct flock lock = whole_file();
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return 0;
    return errno == EAGAIN || errno == EACCES ? 1 : err_errno(err, errno, "cannot lock %s", path);
}

static int wait_for_lock(int fd, const char *path, usec patience_usec, Err *err)
{
    usec end = clock_boottime() + patience_usec;
    for (;;) {
        int r = try_lock(fd, path, err);
        if (r <= 0 || patience_usec == 0 || clock_boottime() >= end)
            return r;
        nanosleep(&(struct timespec){.tv_nsec = RETRY_MSEC * 1000000L}, NULL);
    }
}

int lock_describe(Lock *lock, const char *what, Err *err)
{
    char text[HOLDER_MAX];
    int len =
        snprintf(text, sizeof text, "%lu %lu %.127s\n", (unsigned long)getpid(), (unsigned long)lock->since, what);
    if (pwrite(lock->fd, text, (size_t)len, 0) != len || ftruncate(lock->fd, len) < 0)
        return err_errno(err, errno ? errno : EIO, "cannot write %s", lock->path);
    return 0;
}

int lock_take(const char *state_dir, const char *what, usec patience_usec, Lock **ret, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *path = NULL;
    int fd = -1;
    int r = open_lock(arena, state_dir, &path, &fd, err);
    if (r < 0)
        return r;
    r = wait_for_lock(fd, path, patience_usec, err);
    if (r > 0 && patience_usec < PRUNE_USEC && strcmp(read_holder(fd).what, LOCK_PRUNES) == 0)
        r = wait_for_lock(fd, path, PRUNE_USEC, err);
    if (r != 0) {
        r = r > 0 ? raise_busy(arena, fd, path, err) : r;
        fd_close(fd);
        return r;
    }
    Lock *lock = xmalloc(sizeof *lock);
    *lock = (Lock){.fd = fd, .since = clock_realtime(), .path = xmalloc(strlen(path) + 1)};
    memcpy(lock->path, path, strlen(path) + 1);
    Err ignored; /* a full disk must not stop recovery: the text is only for messages */
    (void)lock_describe(lock, what, &ignored);
    *ret = lock;
    return 0;
}

void lock_release(Lock *lock)
{
    if (!lock)
        return;
    if (ftruncate(lock->fd, 0) < 0) /* only the message would be stale, and the lock is what counts */
        errno = 0;
    fd_close(lock->fd);
    free(lock->path);
    free(lock);
}

int lock_holder(const char *state_dir, LockHolder *ret, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *path = arena_printf(arena, "%s/lock", state_dir);
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 1 : err_errno(err, errno, "cannot open %s", path);
    int r = check_file(fd, path, err);
    if (r < 0)
        return r;
    struct flock lock = whole_file();
    if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
        return err_errno(err, errno, "cannot look at the lock %s", path);
    if (lock.l_type == F_UNLCK)
        return 1;
    *ret = read_holder(fd);
    return 0;
}
