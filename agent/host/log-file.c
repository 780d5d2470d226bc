/* SPDX-License-Identifier: Apache-2.0 */
#include "host/log-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { MAX_LINE = 16 << 10 };

/* buffer[start, end) was read but not handed out yet; `offset` is the place in the file up to which was read, so the
 * next line begins at offset - (end - start). A line that does not fit is handed out cut, and `skipping` drops the
 * rest. */
struct LogFile {
    char *path;
    int fd;
    dev_t device;
    ino_t inode;
    uint64_t offset; /* of the file: how far it was read into the buffer */
    size_t start, end;
    bool skipping, truncated;
    struct LogFile *renamed; /* that had the name before, and may still be written */
    char buffer[MAX_LINE + 1];
};

static LogFile *log_new(const char *path)
{
    LogFile *log = xmalloc(sizeof *log);
    *log = (LogFile){.fd = -1};
    size_t size = strlen(path) + 1;
    log->path = memcpy(xmalloc(size), path, size);
    return log;
}

void log_file_close(LogFile *log)
{
    if (!log)
        return;
    log_file_close(log->renamed);
    fd_close(log->fd);
    free(log->path);
    free(log);
}

/* Opens `name` and goes on from there at `offset`. */
static int log_use(LogFile *log, const char *name, uint64_t offset, Err *err)
{
    struct stat st;
    CLEANUP(fd_close) int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(err, errno, "cannot read log %s", name);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_INVALID, "log %s is not a regular file", name);
    fd_close(log->fd);
    log->fd = fd;
    fd = -1;
    log->device = st.st_dev;
    log->inode = st.st_ino;
    log->offset = offset == UINT64_MAX ? (uint64_t)st.st_size : offset;
    log->start = log->end = 0;
    log->skipping = false;
    return 0;
}

int log_file_open_end(const char *path, LogFile **ret_log, LogMark *ret_mark, Err *err)
{
    CLEANUP(log_file_close) LogFile *log = log_new(path);
    int r = log_use(log, path, UINT64_MAX, err);
    if (r < 0)
        return r;
    if (ret_mark)
        *ret_mark = log_file_mark(log);
    *ret_log = STEAL(log);
    return 0;
}

/* The name in the log's directory that belongs to the mark's inode now, if it is still as long as the mark. */
static bool find_rotated(const char *path, LogMark mark, char *ret_name, size_t size)
{
    char directory[4096];
    const char *slash = strrchr(path, '/');
    int len = slash ? (int)(slash - path) + 1 : 0;
    snprintf(directory, sizeof directory, "%.*s", len, path);
    DIR *stream = opendir(len ? directory : ".");
    bool found = false;
    struct dirent *entry;
    while (stream && !found && (entry = readdir(stream))) {
        struct stat st;
        found = entry->d_ino == mark.inode && fstatat(dirfd(stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                S_ISREG(st.st_mode) && st.st_dev == mark.device && (uint64_t)st.st_size >= mark.offset &&
                snprintf(ret_name, size, "%s%s", directory, entry->d_name) < (int)size;
    }
    if (stream)
        closedir(stream);
    return found;
}

int log_file_open_mark(const char *path, LogMark mark, LogFile **ret_log, Err *err)
{
    CLEANUP(log_file_close) LogFile *log = log_new(path);
    char rotated[4096];
    struct stat st;
    int r = log_use(log, path, 0, err);
    if (r < 0)
        return r;
    bool lost = false;
    if (fstat(log->fd, &st) == 0 && log->inode == mark.inode && log->device == mark.device &&
        (uint64_t)st.st_size >= mark.offset)
        log->offset = mark.offset;
    else if (find_rotated(path, mark, rotated, sizeof rotated))
        r = log_use(log, rotated, mark.offset, err);
    else
        lost = true;
    if (r < 0)
        return r;
    *ret_log = STEAL(log);
    return lost ? LOG_MARK_LOST : 0;
}

/* Whether the name belongs to another file now; a missing one is being rotated at this moment and comes later. */
static bool was_rotated(const LogFile *log)
{
    struct stat st;
    return stat(log->path, &st) == 0 && (st.st_ino != log->inode || st.st_dev != log->device);
}

/* Reads more into the buffer. 0: something came. LOG_END: nothing. */
static int fill(LogFile *log, Err *err)
{
    memmove(log->buffer, log->buffer + log->start, log->end - log->start);
    log->end -= log->start;
    log->start = 0;
    ssize_t n;
    while ((n = pread(log->fd, log->buffer + log->end, MAX_LINE - log->end, (off_t)log->offset)) < 0 && errno == EINTR)
        ;
    if (n < 0)
        return err_errno(err, errno, "cannot read log %s", log->path);
    log->end += (size_t)n;
    log->offset += (uint64_t)n;
    return n > 0 ? 0 : LOG_END;
}

/* At the end of the file: was it cut short under us? Then from its start again, without the unfinished line. */
static void notice_truncation(LogFile *log)
{
    struct stat st;
    if (fstat(log->fd, &st) < 0 || (uint64_t)st.st_size >= log->offset)
        return;
    log->offset = 0;
    log->start = log->end = 0;
    log->skipping = false;
    log->truncated = true;
}

/* Takes the buffer's first `len` bytes, and `skip` bytes of newline behind it. */
static bool take(LogFile *log, Arena *arena, size_t len, size_t skip, bool cut, LogFileLine *line)
{
    bool dropped = log->skipping; /* the tail of a line that was handed out cut */
    log->skipping = cut;
    if (!dropped) {
        const char *text = arena_memdup(arena, log->buffer + log->start, len);
        *line = (LogFileLine){.text = {text, len}, .cut = cut, .truncated = log->truncated};
        log->truncated = false;
    }
    log->start += len + skip;
    return !dropped;
}

/* A whole line, or as much as a line may have, out of the buffer. */
static bool take_line(LogFile *log, Arena *arena, LogFileLine *line)
{
    for (;;) {
        size_t len = log->end - log->start;
        const char *newline = memchr(log->buffer + log->start, '\n', len);
        bool full = len == MAX_LINE;
        if (!newline && !full)
            return false;
        size_t take_len = newline ? (size_t)(newline - (log->buffer + log->start)) : len;
        if (take(log, arena, take_len, newline ? 1 : 0, !newline, line))
            return true;
    }
}

int log_file_add_end(LogFile *log, const char *name, Err *err)
{
    CLEANUP(log_file_close) LogFile *other = log_new(name);
    int r = log_use(other, name, UINT64_MAX, err);
    if (r < 0)
        return r;
    other->renamed = log->renamed;
    log->renamed = STEAL(other);
    return 0;
}

bool log_file_reads(const LogFile *log, uint64_t device, uint64_t inode)
{
    for (; log; log = log->renamed) {
        if (log->device == device && log->inode == inode)
            return true;
    }
    return false;
}

/* The file under the name, from its start; the one that had the name stays with us. */
static int use_new(LogFile *log, Err *err)
{
    CLEANUP(log_file_close) LogFile *other = log_new(log->path);
    int r = log_use(other, log->path, 0, err);
    if (r < 0)
        return r;
    LogFile now = *other;
    *other = *log;
    other->path = now.path;
    other->start = other->end = 0;
    now.path = log->path;
    *log = now;
    log->renamed = STEAL(other);
    return 0;
}

/* A line of the files that were renamed. LOG_END: none has any. */
static int next_of_renamed(LogFile *log, Arena *arena, LogFileLine *ret_line, Err *err)
{
    for (LogFile *old = log->renamed; old; old = old->renamed) {
        int r = 0;
        while (!take_line(old, arena, ret_line) && (r = fill(old, err)) == 0)
            ;
        if (r != LOG_END)
            return r;
    }
    return LOG_END;
}

int log_file_next(LogFile *log, Arena *arena, LogFileLine *ret_line, Err *err)
{
    int before = next_of_renamed(log, arena, ret_line, err);
    if (before != LOG_END)
        return before;
    for (;;) {
        if (take_line(log, arena, ret_line))
            return 0;
        int r = fill(log, err);
        if (r == LOG_END) {
            notice_truncation(log);
            r = fill(log, err);
        }
        if (r < 0)
            return r;
        if (r == 0)
            continue;
        if (!was_rotated(log))
            return LOG_END;
        /* Whoever writes may have written between our read and the look at the name. */
        r = fill(log, err);
        if (r < 0)
            return r;
        if (r == 0)
            continue;
        bool rest = log->end > log->start && take(log, arena, log->end - log->start, 0, false, ret_line);
        r = use_new(log, err);
        if (r < 0)
            return r;
        if (rest)
            return 0;
    }
}

bool log_file_is_truncated(const LogFile *log)
{
    return log->truncated;
}

LogMark log_file_mark(const LogFile *log)
{
    return (LogMark){log->device, log->inode, log->offset - (log->end - log->start)};
}
