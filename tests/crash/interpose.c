/* SPDX-License-Identifier: Apache-2.0 */
/* libc's functions that make something durable, or read, in front of libc: a program's own symbols win over those of
 * shared libraries, so SQLite and libgit2 come through here as well. What they do through mmap is not seen: SQLite's
 * -shm, which is worth nothing after a crash. libc's own internal calls (stdio) are not seen either, and nobody makes
 * anything durable with them.
 *
 * All names are the real ones, also the 64-bit variants: this file must not be redirected from one to the other. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "inject.h"

#define REAL(name)                                                                                                     \
    static __typeof__(name) *real;                                                                                     \
    if (!real)                                                                                                         \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

/* Passes the point and makes the call; `counts` says whether it is one of ours. */
#define POINT(counts, operation, path, takes_room, call)                                                               \
    __extension__({                                                                                                    \
        bool counts_ = (counts);                                                                                       \
        int fault_ = counts_ ? inject_before((operation), (path), (takes_room)) : 0;                                   \
        __typeof__(call) result_ = -1;                                                                                 \
        if (fault_)                                                                                                    \
            errno = fault_;                                                                                            \
        else                                                                                                           \
            result_ = (call);                                                                                          \
        if (counts_ && !fault_) {                                                                                      \
            int saved_ = errno;                                                                                        \
            inject_after();                                                                                            \
            errno = saved_;                                                                                            \
        }                                                                                                              \
        result_;                                                                                                       \
    })

#define BY_PATH(operation, path, takes_room, call) return POINT(inject_armed(), operation, path, takes_room, call)
#define BY_FD(operation, fd, takes_room, call)                                                                         \
    return POINT(inject_is_ours(fd), operation, path_of(fd), takes_room, call)
#define BY_NAME(operation, dir, name, takes_room, call)                                                                \
    return POINT(inject_armed(), operation, path_at(dir, name), takes_room, call)

static const char *path_of(int fd)
{
    static char path[4200];
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    return path;
}

static const char *path_at(int dir, const char *name)
{
    static char path[8500];
    if (name[0] == '/' || dir == AT_FDCWD)
        return name;
    snprintf(path, sizeof path, "%s/%s", path_of(dir), name);
    return path;
}

/* The attributes of a file are set by /proc/self/fd/FILE. */
static const char *path_behind(const char *path)
{
    int fd;
    return sscanf(path, "/proc/self/fd/%d", &fd) == 1 ? path_of(fd) : path;
}

/* Whether bytes written up to `end` make the file longer. */
static bool grows(int fd, off_t end)
{
    struct stat st;
    return fstat(fd, &st) == 0 && end > st.st_size;
}

/* --- Opening --- */

static bool writes(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
}

static bool creates(int dir, const char *path, int flags)
{
    struct stat st;
    return (flags & __O_TMPFILE) || ((flags & O_CREAT) && fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0);
}

static mode_t mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

int openat(int dir, const char *path, int flags, ...)
{
    REAL(openat);
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return POINT(inject_armed() && writes(flags), creates(dir, path, flags) ? "create" : "open", path_at(dir, path),
                 creates(dir, path, flags), real(dir, path, flags, mode));
}

#define OPENS(name, dir, path)                                                                                         \
    {                                                                                                                  \
        va_list args;                                                                                                  \
        va_start(args, flags);                                                                                         \
        mode_t mode = mode_of(flags, args);                                                                            \
        va_end(args);                                                                                                  \
        return openat((dir), (path), flags, mode);                                                                     \
    }

int open(const char *path, int flags, ...) OPENS(open, AT_FDCWD, path) int open64(const char *path, int flags, ...)
    OPENS(open64, AT_FDCWD, path) int openat64(int dir, const char *path, int flags, ...) OPENS(openat64, dir, path)

    /* --- Bytes --- */

    ssize_t write(int fd, const void *data, size_t size)
{
    REAL(write);
    BY_FD("write", fd, grows(fd, lseek(fd, 0, SEEK_CUR) + (off_t)size), real(fd, data, size));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    REAL(pwrite);
    BY_FD("pwrite", fd, grows(fd, at + (off_t)size), real(fd, data, size, at));
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    REAL(pwrite64);
    BY_FD("pwrite", fd, grows(fd, at + (off_t)size), real(fd, data, size, at));
}

#define UNLESS_BAD(fd, call)                                                                                           \
    if (inject_read_fails(fd)) {                                                                                       \
        errno = EIO;                                                                                                   \
        return -1;                                                                                                     \
    }                                                                                                                  \
    return call

ssize_t read(int fd, void *data, size_t size)
{
    REAL(read);
    UNLESS_BAD(fd, real(fd, data, size));
}

ssize_t pread(int fd, void *data, size_t size, off_t at)
{
    REAL(pread);
    UNLESS_BAD(fd, real(fd, data, size, at));
}

ssize_t pread64(int fd, void *data, size_t size, off64_t at)
{
    REAL(pread64);
    UNLESS_BAD(fd, real(fd, data, size, at));
}

int stat(const char *path, struct stat *ret)
{
    REAL(stat);
    int r = real(path, ret);
    if (r < 0 || !inject_look_fails(ret->st_ino))
        return r;
    errno = EIO;
    return -1;
}

int lstat(const char *path, struct stat *ret)
{
    REAL(lstat);
    int r = real(path, ret);
    if (r < 0 || !inject_look_fails(ret->st_ino))
        return r;
    errno = EIO;
    return -1;
}

/* What the compiler makes of them where it knows the buffer (feature_test_macros(7), _FORTIFY_SOURCE). */
ssize_t __read_chk(int fd, void *data, size_t size, size_t room);
ssize_t __pread_chk(int fd, void *data, size_t size, off_t at, size_t room);
ssize_t __pread64_chk(int fd, void *data, size_t size, off64_t at, size_t room);

ssize_t __read_chk(int fd, void *data, size_t size, size_t room)
{
    (void)room;
    return read(fd, data, size);
}

ssize_t __pread_chk(int fd, void *data, size_t size, off_t at, size_t room)
{
    (void)room;
    return pread(fd, data, size, at);
}

ssize_t __pread64_chk(int fd, void *data, size_t size, off64_t at, size_t room)
{
    (void)room;
    return pread64(fd, data, size, at);
}

int ftruncate(int fd, off_t size)
{
    REAL(ftruncate);
    BY_FD("truncate", fd, false, real(fd, size));
}

int ftruncate64(int fd, off64_t size)
{
    REAL(ftruncate64);
    BY_FD("truncate", fd, false, real(fd, size));
}

int fsync(int fd)
{
    REAL(fsync);
    BY_FD("fsync", fd, false, real(fd));
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    BY_FD("fsync", fd, false, real(fd));
}

int syncfs(int fd)
{
    REAL(syncfs);
    BY_FD("syncfs", fd, false, real(fd));
}

/* --- Names --- */

int rename(const char *from, const char *to)
{
    REAL(rename);
    BY_PATH("rename", to, false, real(from, to));
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    REAL(renameat);
    BY_NAME("rename", to_dir, to, false, real(from_dir, from, to_dir, to));
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    REAL(renameat2);
    BY_NAME(flags & RENAME_EXCHANGE ? "exchange" : "rename", to_dir, to, false,
            real(from_dir, from, to_dir, to, flags));
}

int unlink(const char *path)
{
    REAL(unlink);
    BY_PATH("unlink", path, false, real(path));
}

int unlinkat(int dir, const char *name, int flags)
{
    REAL(unlinkat);
    BY_NAME("unlink", dir, name, false, real(dir, name, flags));
}

int rmdir(const char *path)
{
    REAL(rmdir);
    BY_PATH("rmdir", path, false, real(path));
}

int mkdir(const char *path, mode_t mode)
{
    REAL(mkdir);
    BY_PATH("mkdir", path, true, real(path, mode));
}

int mkdirat(int dir, const char *name, mode_t mode)
{
    REAL(mkdirat);
    BY_NAME("mkdir", dir, name, true, real(dir, name, mode));
}

int link(const char *from, const char *to)
{
    REAL(link);
    BY_PATH("link", to, true, real(from, to));
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    REAL(linkat);
    BY_NAME("link", to_dir, to, true, real(from_dir, from, to_dir, to, flags));
}

int symlink(const char *target, const char *path)
{
    REAL(symlink);
    BY_PATH("symlink", path, true, real(target, path));
}

int symlinkat(const char *target, int dir, const char *name)
{
    REAL(symlinkat);
    BY_NAME("symlink", dir, name, true, real(target, dir, name));
}

/* --- Attributes --- */

int chmod(const char *path, mode_t mode)
{
    REAL(chmod);
    BY_PATH("chmod", path, false, real(path, mode));
}

int fchmod(int fd, mode_t mode)
{
    REAL(fchmod);
    BY_FD("chmod", fd, false, real(fd, mode));
}

int fchmodat(int dir, const char *name, mode_t mode, int flags)
{
    REAL(fchmodat);
    BY_NAME("chmod", dir, name, false, real(dir, name, mode, flags));
}

int fchown(int fd, uid_t uid, gid_t gid)
{
    REAL(fchown);
    BY_FD("chown", fd, false, real(fd, uid, gid));
}

int fchownat(int dir, const char *name, uid_t uid, gid_t gid, int flags)
{
    REAL(fchownat);
    BY_NAME("chown", dir, name, false, real(dir, name, uid, gid, flags));
}

int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
    REAL(lsetxattr);
    BY_PATH("setxattr", path_behind(path), true, real(path, name, value, size, flags));
}

int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
    REAL(fsetxattr);
    BY_FD("setxattr", fd, true, real(fd, name, value, size, flags));
}

int setxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
    REAL(setxattr);
    BY_PATH("setxattr", path_behind(path), true, real(path, name, value, size, flags));
}

int removexattr(const char *path, const char *name)
{
    REAL(removexattr);
    BY_PATH("setxattr", path_behind(path), false, real(path, name));
}

int lremovexattr(const char *path, const char *name)
{
    REAL(lremovexattr);
    BY_PATH("setxattr", path_behind(path), false, real(path, name));
}

/* --- Time: nobody waits, the clocks go forward instead --- */

int poll(struct pollfd *fds, nfds_t n, int timeout_msec)
{
    REAL(poll);
    if (n > 0 || timeout_msec < 0 || !inject_armed())
        return real(fds, n, timeout_msec);
    sim->skew += (usec)timeout_msec * USEC_PER_MSEC;
    return 0;
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
    REAL(ppoll);
    if (n > 0 || !timeout || !inject_armed())
        return real(fds, n, timeout, mask);
    sim->skew += (usec)timeout->tv_sec * USEC_PER_SEC + (usec)timeout->tv_nsec / 1000;
    return 0;
}
