/* SPDX-License-Identifier: Apache-2.0 */
/* Every durable operation of salve's own, one function each: first its fault point, then the system call, then the
 * error with the path. The order of calls that makes them safe is their callers' business, but for file_create_at: a
 * new file is 0600 and ours until it is complete, gets its owner before its mode (chown clears set-user-ID bits, and a
 * mode must not be open to a wrong group even for a moment), its mode before its attributes (a mode would rewrite the
 * ACL's mask), and is fsynced last. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/files-at.h"

static bool fault_strikes(const char *operation, const char *shown)
{
    errno = fault_point(operation, shown);
    return errno != 0;
}

/* errno of the fault or of the call; 0 when it worked. */
#define DURABLE(operation, shown, call) (fault_strikes((operation), (shown)) || (call) < 0 ? errno : 0)

static int write_all(int fd, Bytes content)
{
    for (size_t done = 0; done < content.len;) {
        ssize_t n = write(fd, content.data + done, content.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

/* --- Creating with a given state --- */

/* Sets what differs: a label that the policy gave already needs no permission to be set. */
static int set_xattrs(const char *path, const FileState *state, const FileState *found)
{
    VEC_EACH (xattr, &found->xattrs) {
        bool wanted = false;
        VEC_EACH (other, &state->xattrs)
            wanted |= str_equal(other->name, xattr->name);
        if (!wanted && !str_starts(xattr->name, "security.") && lremovexattr(path, xattr->name) < 0)
            return -1;
    }
    VEC_EACH (xattr, &state->xattrs) {
        bool there = false;
        VEC_EACH (other, &found->xattrs)
            there |= str_equal(other->name, xattr->name) && bytes_equal(other->value, xattr->value);
        if (!there && lsetxattr(path, xattr->name, xattr->value.data, xattr->value.len, 0) < 0)
            return -1;
    }
    return 0;
}

static int set_attributes(int dir, const char *name, const char *shown, const FileState *state, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    FileState found;
    int r = file_stat_at(dir, name, shown, &found, err);
    if (r < 0)
        return r;
    int fault = fault_point("attributes", shown);
    if (fault)
        return err_errno(err, fault, "cannot set the attributes of %s", shown);
    if ((found.uid != state->uid || found.gid != state->gid) &&
        fchownat(dir, name, state->uid, state->gid, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(err, errno, "cannot give %s to %u:%u", shown, state->uid, state->gid);
    if (state->type != FILE_SYMLINK && fchmodat(dir, name, state->mode, 0) < 0)
        return err_errno(err, errno, "cannot set mode %04o of %s", (unsigned)state->mode, shown);
    char path[64 + NAME_MAX];
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir, name);
    r = file_read_at(arena, dir, name, shown, &found, err);
    if (r == 0 && set_xattrs(path, state, &found) < 0)
        return err_errno(err, errno, "cannot set the extended attributes of %s", shown);
    return r;
}

static int create_bare(int dir, const char *name, const char *shown, const FileState *state, Err *err)
{
    int errnum = 0;
    if (state->type == FILE_DIRECTORY) {
        errnum = DURABLE("mkdir", shown, mkdirat(dir, name, 0700));
    } else if (state->type == FILE_SYMLINK) {
        errnum = DURABLE("symlink", shown, symlinkat(state->content.data, dir, name));
    } else {
        CLEANUP(fd_close) int fd = -1;
        errnum = DURABLE("create", shown,
                         fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)0600));
        if (!errnum)
            errnum = DURABLE("write", shown, write_all(fd, state->content));
    }
    return errnum ? err_errno(err, errnum, "cannot write %s", shown) : 0;
}

int file_create_at(int dir, const char *name, const char *shown, const FileState *state, Err *err)
{
    int r = create_bare(dir, name, shown, state, err);
    if (r == 0)
        r = set_attributes(dir, name, shown, state, err);
    if (r < 0 || state->type == FILE_SYMLINK) /* a symlink is durable with its directory */
        return r;
    CLEANUP(fd_close) int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, errno, "cannot read %s back", shown);
    int errnum = DURABLE("fsync", shown, fsync(fd));
    return errnum ? err_errno(err, errnum, "cannot sync %s", shown) : 0;
}

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
    r = file_remove_at(dir, fresh, path, err); /* what a crash left */
    if (r < 0 || (r = file_create_at(dir, fresh, path, &state, err)) < 0 ||
        (r = file_replace_at(dir, fresh, dir, name, path, err)) < 0) {
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
    return r == FILES_MISSING ? 1 : dir_sync(dir, path, err);
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
