/* SPDX-License-Identifier: Apache-2.0 */
/* Making files where others may write, too. Whoever can write a directory can give any name in it to another object at
 * any moment: a link to what is root's, a FIFO, a directory of root's own. So nothing is done to a name here. What is
 * made is held by the descriptor that created it, and gets owner, mode and attributes through that; a name is compared
 * with the descriptor before it counts.
 *
 * A regular file is made without a name (O_TMPFILE) where the file system can, so that there is nothing to be taken. A
 * directory, a symlink, and a file elsewhere must begin with a name: until the object behind it is proved to be the one
 * that was just made, nothing is done to it.
 *
 * A new file is 0600 and ours until it is complete, gets its owner before its mode (chown clears set-user-ID bits, and
 * a mode must not be open to a wrong group even for a moment), its mode before its attributes (a mode would rewrite the
 * ACL's mask), and is fsynced last. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files-at.h"
#include "base/files-durable.h"

/* --- Attributes --- */

/* Sets what differs: a label that the policy gave already needs no permission to be set. */
static int set_xattrs(int fd, const FileState *state, const FileState *found)
{
    char path[HELD_PATH_SIZE];
    (void)file_held_path(path, fd);
    VEC_EACH (xattr, &found->xattrs) {
        bool wanted = false;
        VEC_EACH (other, &state->xattrs)
            wanted |= str_equal(other->name, xattr->name);
        if (!wanted && !str_starts(xattr->name, "security.") && removexattr(path, xattr->name) < 0)
            return -1;
    }
    VEC_EACH (xattr, &state->xattrs) {
        bool there = false;
        VEC_EACH (other, &found->xattrs)
            there |= str_equal(other->name, xattr->name) && bytes_equal(other->value, xattr->value);
        if (!there && setxattr(path, xattr->name, xattr->value.data, xattr->value.len, 0) < 0)
            return -1;
    }
    return 0;
}

static int set_attributes(int fd, const char *shown, const FileState *state, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    FileState found;
    struct stat st;
    int errnum = DURABLE("attributes", shown, fstat(fd, &st));
    if (errnum)
        return err_errno(err, errnum, "cannot set the attributes of %s", shown);
    if ((st.st_uid != state->uid || st.st_gid != state->gid) &&
        fchownat(fd, "", state->uid, state->gid, AT_EMPTY_PATH) < 0)
        return err_errno(err, errno, "cannot give %s to %u:%u", shown, state->uid, state->gid);
    if (state->type != FILE_SYMLINK && fchmod(fd, state->mode) < 0)
        return err_errno(err, errno, "cannot set mode %04o of %s", (unsigned)state->mode, shown);
    int r = file_read_held(arena, fd, shown, &found, err);
    if (r == 0 && set_xattrs(fd, state, &found) < 0)
        return err_errno(err, errno, "cannot set the extended attributes of %s", shown);
    return r;
}

/* --- Creating --- */

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

static int create_regular(int dir, const char *fresh, const char *shown, const FileState *state, int *ret_fd)
{
    const mode_t ours = 0600;
    int errnum = fresh ? DURABLE("create-named", shown,
                                 *ret_fd = openat(dir, fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, ours))
                       : DURABLE("create", shown, *ret_fd = openat(dir, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, ours));
    return errnum ? errnum : DURABLE("write", shown, write_all(*ret_fd, state->content));
}

/* Whether it is what mkdir or symlink made a moment ago, or as good: nobody but us can make the like of it. */
static bool is_as_made(int fd, const FileState *state, const FileState *found)
{
    Err ignored;
    if (found->uid != geteuid() || found->type != state->type)
        return false;
    if (state->type == FILE_SYMLINK)
        return bytes_equal(found->content, state->content);
    return (found->mode & 0777) == 0700 && dir_filled_at(fd, ".", "", &ignored) == 0;
}

/* 0 or errno; EEXIST also where somebody was quicker. */
static int create_other(int dir, const char *fresh, const char *shown, const FileState *state, int *ret_fd)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    bool symlink = state->type == FILE_SYMLINK;
    FileState found;
    Err ignored;
    int errnum = symlink ? DURABLE("symlink", shown, symlinkat(state->content.data, dir, fresh))
                         : DURABLE("mkdir", shown, mkdirat(dir, fresh, 0700));
    if (errnum)
        return errnum;
    *ret_fd = openat(dir, fresh, (symlink ? O_PATH : O_RDONLY | O_DIRECTORY | O_NONBLOCK) | O_NOFOLLOW | O_CLOEXEC);
    bool made = *ret_fd >= 0 && file_read_held(arena, *ret_fd, shown, &found, &ignored) == 0 &&
                is_as_made(*ret_fd, state, &found);
    return made ? 0 : EEXIST;
}

static bool cannot_be_nameless(int errnum)
{
    return errnum == ENOTSUP || errnum == EISDIR || errnum == EINVAL || errnum == ENOSYS;
}

static int create(int dir, const char *fresh, bool nameless, const char *shown, const FileState *state, int *ret_fd)
{
    if (state->type != FILE_REGULAR)
        return create_other(dir, fresh, shown, state, ret_fd);
    int errnum = nameless ? create_regular(dir, NULL, shown, state, ret_fd) : ENOTSUP;
    if (*ret_fd >= 0 || !cannot_be_nameless(errnum))
        return errnum;
    return create_regular(dir, fresh, shown, state, ret_fd);
}

static int make(int dir, const char *fresh, bool nameless, const char *shown, const FileState *state, int *ret_fd,
                Err *err)
{
    CLEANUP(fd_close) int fd = -1;
    int errnum = create(dir, fresh, nameless, shown, state, &fd);
    if (errnum == EEXIST)
        return FILES_EXISTS;
    if (errnum)
        return err_errno(err, errnum, "cannot write %s", shown);
    int r = set_attributes(fd, shown, state, err);
    if (r < 0)
        return r;
    errnum = state->type == FILE_SYMLINK ? 0 : DURABLE("fsync", shown, fsync(fd)); /* durable with its directory */
    if (errnum)
        return err_errno(err, errnum, "cannot sync %s", shown);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

int file_make(int dir, const char *fresh, const char *shown, const FileState *state, int *ret_fd, Err *err)
{
    return make(dir, fresh, true, shown, state, ret_fd, err);
}

int file_make_named(int dir, const char *fresh, const char *shown, const FileState *state, int *ret_fd, Err *err)
{
    return make(dir, fresh, false, shown, state, ret_fd, err);
}

/* --- Naming --- */

static int link_nameless(int fd, int dir, const char *name, const char *shown, Err *err)
{
    char path[HELD_PATH_SIZE];
    int errnum = DURABLE("link", shown, linkat(AT_FDCWD, file_held_path(path, fd), dir, name, AT_SYMLINK_FOLLOW));
    if (errnum == EEXIST)
        return FILES_EXISTS;
    return errnum ? err_errno(err, errnum, "cannot name %s", shown) : 0;
}

int file_name(int fd, int dir, const char *fresh, const char *name, const char *shown, Err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_errno(err, errno, "cannot name %s", shown);
    if (S_ISREG(st.st_mode) && st.st_nlink == 0 && (fcntl(fd, F_GETFL) & O_TMPFILE) == O_TMPFILE)
        return link_nameless(fd, dir, name, shown, err);
    if (!file_is_at(fd, dir, fresh))
        return FILES_MISSING;
    int r = file_move_at(dir, fresh, dir, name, shown, err);
    return r == 0 && !file_is_at(fd, dir, name) ? FILES_MISSING : r;
}
