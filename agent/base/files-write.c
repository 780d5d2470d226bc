/* SPDX-License-Identifier: Apache-2.0 */
/* Every durable operation of salve's own, one function each: first its fault point, then the system call, then the
 * error with the path. The order of calls that makes them safe is their callers' business; how something is made is
 * files-make.c's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/files-at.h"
#include "base/files-durable.h"

/* --- Names --- */

static bool is_unsupported(int errnum)
{
    return errnum == EINVAL || errnum == ENOSYS || errnum == ENOTSUP;
}

int file_exchange_at(int dir_a, const char *name_a, int dir_b, const char *name_b, const char *shown, Err *err)
{
    int errnum = DURABLE("exchange", shown, renameat2(dir_a, name_a, dir_b, name_b, RENAME_EXCHANGE));
    if (errnum == 0)
        return 0;
    if (is_unsupported(errnum))
        return FILES_UNSUPPORTED;
    return errnum == ENOENT ? FILES_MISSING : err_errno(err, errnum, "cannot exchange %s", shown);
}

int file_move_at(int from_dir, const char *from, int to_dir, const char *to, const char *shown, Err *err)
{
    int errnum = DURABLE("move", shown, renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE));
    if (is_unsupported(errnum)) {
        struct stat st;
        if (fstatat(to_dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
            return FILES_EXISTS;
        errnum = renameat(from_dir, from, to_dir, to) < 0 ? errno : 0;
    }
    if (errnum == 0)
        return 0;
    if (errnum == ENOENT)
        return FILES_MISSING;
    return errnum == EEXIST ? FILES_EXISTS : err_errno(err, errnum, "cannot move %s", shown);
}

int file_replace_at(int from_dir, const char *from, int to_dir, const char *to, const char *shown, Err *err)
{
    int errnum = DURABLE("rename", shown, renameat(from_dir, from, to_dir, to));
    return errnum ? err_errno(err, errnum, "cannot replace %s", shown) : 0;
}

int file_remove_at(int dir, const char *name, const char *shown, Err *err)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? FILES_MISSING : err_errno(err, errno, "cannot remove %s", shown);
    int errnum = DURABLE("remove", shown, unlinkat(dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0));
    if (errnum == ENOENT)
        return FILES_MISSING;
    if (errnum == ENOTEMPTY || errnum == EEXIST || errnum == EISDIR || errnum == ENOTDIR)
        return FILES_FILLED;
    return errnum ? err_errno(err, errnum, "cannot remove %s", shown) : 0;
}

int dir_sync(int dir, const char *shown, Err *err)
{
    int errnum = DURABLE("sync-dir", shown, fsync(dir));
    return errnum ? err_errno(err, errnum, "cannot sync the directory of %s", shown) : 0;
}

/* --- By path, for the state directory --- */

static int open_parent(Arena *arena, const char *path, int *ret_dir, const char **ret_name, Err *err)
{
    const char *dir;
    path_split(arena, path, &dir, ret_name);
    int r = dir_open("", dir, DIR_FOLLOW, ret_dir, err);
    return r > 0 ? err_errno(err, ENOENT, "cannot open the directory %s", dir) : r;
}

int files_mkdir(const char *path, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(fd_close) int dir = -1;
    const char *name;
    int r = open_parent(arena, path, &dir, &name, err);
    if (r < 0)
        return r;
    int errnum = DURABLE("mkdir", path, mkdirat(dir, name, 0700));
    FileState found;
    if (errnum == EEXIST && file_stat_at(dir, name, path, &found, err) == 0 && found.type == FILE_DIRECTORY)
        return 1;
    if (errnum)
        return err_errno(err, errnum, "cannot create the directory %s", path);
    return dir_sync(dir, path, err);
}

/* The name under which a file is written; a crash may leave it. */
static char *fresh_name(Arena *arena, const char *name)
{
    return arena_printf(arena, ".%s.new", name);
}

int files_write(const char *path, mode_t mode, Bytes content, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(fd_close) int dir = -1;
    const char *name;
    int r = open_parent(arena, path, &dir, &name, err);
    if (r < 0)
        return r;
    FileState there, state = {FILE_REGULAR, mode, geteuid(), getegid(), content, {0}};
    r = file_stat_at(dir, name, path, &there, err);
    if (r < 0)
        return r;
    if (there.type != FILE_ABSENT && there.type != FILE_REGULAR)
        return err_set(err, ERR_REFUSED, "%s is a %s, not a file", path, file_type_to_string(there.type));
    const char *fresh = fresh_name(arena, name);
    CLEANUP(fd_close) int fd = -1;
    r = file_remove_at(dir, fresh, path, err); /* what a crash left */
    if (r >= 0)
        r = r == FILES_FILLED ? FILES_EXISTS : file_make_named(dir, fresh, path, &state, &fd, err);
    if (r == FILES_EXISTS)
        return err_set(err, ERR_REFUSED, "cannot write %s: somebody put something at %s beside it; move that away",
                       path, fresh);
    if (r < 0 || (r = file_replace_at(dir, fresh, dir, name, path, err)) < 0) {
        unlinkat(dir, fresh, 0);
        return r;
    }
    return dir_sync(dir, path, err);
}

int files_unlink(const char *path, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(fd_close) int dir = -1;
    const char *name;
    int r = open_parent(arena, path, &dir, &name, err);
    if (r < 0)
        return r;
    r = file_remove_at(dir, fresh_name(arena, name), path, err);
    if (r < 0 || (r = file_remove_at(dir, name, path, err)) < 0)
        return r;
    if (r == FILES_FILLED)
        return err_set(err, ERR_REFUSED, "%s is a directory that holds something; look at it and move it away", path);
    return r == FILES_MISSING ? 1 : dir_sync(dir, path, err);
}

int files_set_aside(const char *path, char ret_name[ASIDE_NAME_SIZE], Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(fd_close) int dir = -1;
    char aside[ASIDE_NAME_SIZE];
    const char *name;
    int r = open_parent(arena, path, &dir, &name, err);
    if (r < 0)
        return r;
    if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return 1;
    snprintf(aside, sizeof aside, "%.32s.damaged-%llu", name, (unsigned long long)clock_realtime());
    r = file_replace_at(dir, name, dir, aside, path, err);
    if (r >= 0)
        r = dir_sync(dir, path, err);
    if (r < 0)
        return err_prefix(err, "cannot set the damaged %s aside", name);
    if (ret_name)
        memcpy(ret_name, aside, sizeof aside);
    return 0;
}

int files_load(Arena *arena, const char *path, size_t max, Bytes *ret, Err *err)
{
    FileState state;
    int r = file_read(arena, "", path, &state, err);
    if (r < 0)
        return r;
    if (state.type == FILE_ABSENT)
        return 1;
    if (state.type != FILE_REGULAR)
        return err_set(err, ERR_INVALID, "%s is a %s, not a file", path, file_type_to_string(state.type));
    if (state.content.len > max)
        return err_set(err, ERR_INVALID, "%s is larger than %zu bytes", path, max);
    *ret = state.content;
    return 0;
}

int files_sync_dir(const char *path, Err *err)
{
    CLEANUP(fd_close) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return err_errno(err, errno, "cannot open the directory %s", path);
    return dir_sync(dir, path, err);
}
