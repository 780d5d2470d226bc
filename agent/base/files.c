/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and comparing file states. Nothing here blocks, and no state is made of two files: a name is turned into a
 * descriptor once (O_PATH, which opens nothing), and everything is asked of that. Only a regular file is opened at all,
 * so that a FIFO or a device in a configuration directory does no harm. A file that changes while it is read is read
 * again; one that never holds still is an error, not a mixture. */
#include "base/files.h"

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
#include "base/files-at.h"
#include "base/hash.h"

enum { READ_ATTEMPTS = 5, XATTRS_MAX = 64 * 1024 };

/* --- Extended attributes --- */

/* What the kernel keeps for itself and changes on every write. */
static bool xattr_is_kernels(const char *name)
{
    return str_equal(name, "security.ima") || str_equal(name, "security.evm") || str_starts(name, "trusted.overlay.");
}

static int compare_xattrs(const void *a, const void *b)
{
    return strcmp(((const Xattr *)a)->name, ((const Xattr *)b)->name);
}

const char *file_held_path(char out[HELD_PATH_SIZE], int fd)
{
    snprintf(out, HELD_PATH_SIZE, "/proc/self/fd/%d", fd);
    return out;
}

static int read_xattr(Arena *arena, const char *path, const char *name, XattrVec *xattrs)
{
    char buffer[XATTRS_MAX];
    ssize_t len = getxattr(path, name, buffer, sizeof buffer);
    if (len < 0)
        return errno == ENODATA ? 0 : -1;
    *vec_push(arena, xattrs) = (Xattr){arena_strdup(arena, name), bytes_dup(arena, (Bytes){buffer, (size_t)len})};
    return 0;
}

static int read_xattrs(Arena *arena, int fd, XattrVec *ret)
{
    char names[XATTRS_MAX], path[HELD_PATH_SIZE];
    XattrVec xattrs = {0};
    ssize_t len = listxattr(file_held_path(path, fd), names, sizeof names);
    if (len < 0 && errno != ENOTSUP)
        return -1;
    for (const char *at = names; len > 0 && at < names + len; at += strlen(at) + 1) {
        if (!xattr_is_kernels(at) && read_xattr(arena, path, at, &xattrs) < 0)
            return -1;
    }
    if (xattrs.n > 1)
        qsort(xattrs.items, xattrs.n, sizeof *xattrs.items, compare_xattrs);
    *ret = xattrs;
    return 0;
}

/* --- Content --- */

static FileState state_of_stat(const struct stat *st)
{
    FileType type = S_ISREG(st->st_mode)   ? FILE_REGULAR
                    : S_ISLNK(st->st_mode) ? FILE_SYMLINK
                    : S_ISDIR(st->st_mode) ? FILE_DIRECTORY
                                           : FILE_OTHER;
    mode_t mode = type == FILE_SYMLINK ? 0 : st->st_mode & 07777;
    return (FileState){.type = type, .mode = mode, .uid = st->st_uid, .gid = st->st_gid, .content = BYTES("")};
}

static const FileState absent_state = {.type = FILE_ABSENT, .content = {"", 0}};

int file_stat_at(int dir, const char *name, const char *shown, FileState *ret, Err *err)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        *ret = state_of_stat(&st);
        return 0;
    }
    if (errno != ENOENT)
        return err_errno(err, errno, "cannot read %s", shown);
    *ret = absent_state;
    return 0;
}

static bool same_moment(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size && a->st_mode == b->st_mode &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int read_bytes(Arena *arena, int fd, size_t expected, Bytes *ret)
{
    char *data = arena_alloc(arena, expected + 1);
    size_t len = 0;
    while (len < expected) {
        ssize_t n = read(fd, data + len, expected - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    *ret = (Bytes){data, len};
    return 0;
}

int file_hold_at(int dir, const char *name, const char *shown, int *ret_fd, Err *err)
{
    *ret_fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (*ret_fd >= 0)
        return 0;
    return errno == ENOENT ? 1 : err_errno(err, errno, "cannot read %s", shown);
}

bool file_is_at(int fd, int dir, const char *name)
{
    struct stat held, named;
    return fstat(fd, &held) == 0 && fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

typedef enum Reading { READ, CHANGED, TOO_LARGE, FAILED } Reading;

static Reading read_regular(Arena *arena, int held, const struct stat *before, FileState *state)
{
    char path[HELD_PATH_SIZE];
    struct stat after;
    if (before->st_size > FILE_MAX_SIZE)
        return TOO_LARGE;
    CLEANUP(fd_close) int fd = open(file_held_path(path, held), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || read_bytes(arena, fd, (size_t)before->st_size, &state->content) < 0 ||
        read_xattrs(arena, fd, &state->xattrs) < 0 || fstat(fd, &after) < 0)
        return FAILED;
    return same_moment(before, &after) && state->content.len == (size_t)after.st_size ? READ : CHANGED;
}

static Reading read_symlink(Arena *arena, int held, FileState *state)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(held, "", target, sizeof target);
    if (len < 0)
        return FAILED;
    state->content = bytes_dup(arena, (Bytes){target, (size_t)len});
    return read_xattrs(arena, held, &state->xattrs) < 0 ? FAILED : READ;
}

static Reading read_once(Arena *arena, int held, FileState *ret)
{
    struct stat st;
    if (fstat(held, &st) < 0)
        return FAILED;
    *ret = state_of_stat(&st);
    switch (ret->type) {
    case FILE_REGULAR: return read_regular(arena, held, &st, ret);
    case FILE_SYMLINK: return read_symlink(arena, held, ret);
    case FILE_DIRECTORY: return read_xattrs(arena, held, &ret->xattrs) < 0 ? FAILED : READ;
    case FILE_ABSENT:
    case FILE_OTHER:
    case FILE_UNREAD: return READ;
    }
    return READ;
}

static int raise_reading(Reading reading, const char *shown, Err *err)
{
    if (reading == TOO_LARGE)
        return err_set(err, ERR_REFUSED, "%s is larger than %d MiB: salve does not manage such files", shown,
                       FILE_MAX_SIZE >> 20);
    if (reading == FAILED)
        return err_errno(err, errno, "cannot read %s", shown);
    return err_set(err, ERR_FAILED, "%s keeps changing while it is read", shown);
}

int file_read_held(Arena *arena, int fd, const char *shown, FileState *ret, Err *err)
{
    FileState state;
    Reading reading = CHANGED;
    for (int i = 0; i < READ_ATTEMPTS && reading == CHANGED; i++)
        reading = read_once(arena, fd, &state);
    if (reading != READ)
        return raise_reading(reading, shown, err);
    *ret = state;
    return 0;
}

/* What cannot be had because of what it is, or of what somebody does to it, is a state for who only looks. EAGAIN: its
 * owner holds a lease on it. */
int file_look_held(Arena *arena, int fd, const char *shown, FileState *ret, Err *err)
{
    int r = file_read_held(arena, fd, shown, ret, err);
    struct stat st;
    if (r >= 0 || (err->errnum != 0 && err->errnum != EAGAIN) || fstat(fd, &st) < 0)
        return r;
    *ret = state_of_stat(&st);
    ret->type = FILE_UNREAD;
    return 0;
}

/* A name that somebody gives to another file meanwhile is asked again: the file that it leads to now is what counts. */
static int read_at(Arena *arena, int dir, const char *name, const char *shown,
                   int (*read_held)(Arena *, int, const char *, FileState *, Err *), FileState *ret, Err *err)
{
    for (int i = 0;; i++) {
        CLEANUP(fd_close) int fd = -1;
        int r = file_hold_at(dir, name, shown, &fd, err);
        if (r == 1)
            *ret = absent_state;
        if (r != 0)
            return r < 0 ? r : 0;
        if ((r = read_held(arena, fd, shown, ret, err)) >= 0 || i >= READ_ATTEMPTS || file_is_at(fd, dir, name))
            return r;
    }
}

int file_read_at(Arena *arena, int dir, const char *name, const char *shown, FileState *ret, Err *err)
{
    return read_at(arena, dir, name, shown, file_read_held, ret, err);
}

int file_look_at(Arena *arena, int dir, const char *name, const char *shown, FileState *ret, Err *err)
{
    return read_at(arena, dir, name, shown, file_look_held, ret, err);
}

/* --- By path --- */

static int split_and_open(Arena *arena, const char *root, const char *path, DirFollow follow, int *ret_dir,
                          const char **ret_name, Err *err)
{
    const char *dir;
    path_split(arena, path, &dir, ret_name);
    return dir_open(root, dir, follow, ret_dir, err);
}

typedef int (*ReadAt)(Arena *arena, int dir, const char *name, const char *shown, FileState *ret, Err *err);

static int read_path(Arena *arena, const char *root, const char *path, DirFollow follow, ReadAt read, FileState *ret,
                     Err *err)
{
    CLEANUP(fd_close) int dir = -1;
    const char *name;
    int r = split_and_open(arena, root, path, follow, &dir, &name, err);
    if (r < 0)
        return r;
    if (r > 0) {
        *ret = absent_state;
        return 0;
    }
    return read(arena, dir, name, arena_printf(arena, "%s%s", root, path), ret, err);
}

int file_read(Arena *arena, const char *root, const char *path, FileState *ret, Err *err)
{
    return read_path(arena, root, path, DIR_FOLLOW, file_read_at, ret, err);
}

int file_look(Arena *arena, const char *root, const char *path, FileState *ret, Err *err)
{
    return read_path(arena, root, path, DIR_FOLLOW, file_look_at, ret, err);
}

int file_read_real(Arena *arena, const char *root, const char *path, FileState *ret, Err *err)
{
    return read_path(arena, root, path, DIR_NO_SYMLINKS, file_read_at, ret, err);
}

/* A name behind what is no directory is absent, too. */
static int stat_live(const char *path, FileState *ret, Err *err)
{
    int r = file_stat_at(AT_FDCWD, path, path, ret, err);
    if (r == 0 || err->errnum != ENOTDIR)
        return r;
    *ret = absent_state;
    return 0;
}

int file_stat(const char *root, const char *path, FileState *ret, Err *err)
{
    if (root[0] == '\0')
        return stat_live(path, ret, err);
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(fd_close) int dir = -1;
    const char *name;
    int r = split_and_open(arena, root, path, DIR_FOLLOW, &dir, &name, err);
    if (r < 0)
        return r;
    if (r > 0) {
        *ret = absent_state;
        return 0;
    }
    return file_stat_at(dir, name, path, ret, err);
}

/* --- Comparing --- */

static bool xattr_equal(const Xattr *a, const Xattr *b)
{
    return str_equal(a->name, b->name) && bytes_equal(a->value, b->value);
}

static bool xattrs_equal(const XattrVec *a, const XattrVec *b)
{
    for (size_t i = 0; a->n == b->n && i < a->n; i++) {
        if (!xattr_equal(&a->items[i], &b->items[i]))
            return false;
    }
    return a->n == b->n;
}

static const Xattr *find_xattr(const XattrVec *xattrs, const char *name)
{
    VEC_EACH (xattr, xattrs) {
        if (str_equal(xattr->name, name))
            return xattr;
    }
    return NULL;
}

static bool xattrs_match(const XattrVec *wanted, const XattrVec *found)
{
    VEC_EACH (xattr, wanted) {
        const Xattr *other = find_xattr(found, xattr->name);
        if (!other || !xattr_equal(xattr, other))
            return false;
    }
    VEC_EACH (xattr, found) {
        if (!find_xattr(wanted, xattr->name) && !str_starts(xattr->name, "security."))
            return false;
    }
    return true;
}

static bool equal_but_xattrs(const FileState *a, const FileState *b)
{
    if (a->type != b->type)
        return false;
    return a->type == FILE_ABSENT ||
           (a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && bytes_equal(a->content, b->content));
}

bool file_state_equal(const FileState *a, const FileState *b)
{
    return equal_but_xattrs(a, b) && (a->type == FILE_ABSENT || xattrs_equal(&a->xattrs, &b->xattrs));
}

bool file_state_matches(const FileState *wanted, const FileState *found)
{
    return equal_but_xattrs(wanted, found) &&
           (wanted->type == FILE_ABSENT || xattrs_match(&wanted->xattrs, &found->xattrs));
}

const char *file_type_to_string(FileType type)
{
    static const char *const names[] = {"absent",    "file",         "symlink",
                                        "directory", "special file", "file that cannot be read"};
    return names[type];
}

static void add_part(StrBuf *out, const char *text)
{
    strbuf_add_str(out, out->len > 0 ? ", " : "");
    strbuf_add_str(out, text);
}

char *file_state_difference(Arena *arena, const FileState *a, const FileState *b)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(4096);
    if (a->type != b->type)
        return arena_printf(arena, "%s -> %s", file_type_to_string(a->type), file_type_to_string(b->type));
    if (file_state_equal(a, b))
        return arena_strdup(arena, "");
    if (!bytes_equal(a->content, b->content))
        add_part(&out, a->type == FILE_SYMLINK ? "target" : "content");
    if (a->mode != b->mode)
        add_part(&out, arena_printf(arena, "mode %04o -> %04o", (unsigned)a->mode, (unsigned)b->mode));
    if (a->uid != b->uid || a->gid != b->gid)
        add_part(&out, arena_printf(arena, "owner %u:%u -> %u:%u", a->uid, a->gid, b->uid, b->gid));
    VEC_EACH (xattr, &a->xattrs) {
        const Xattr *other = find_xattr(&b->xattrs, xattr->name);
        if (!other || !xattr_equal(xattr, other))
            add_part(&out, arena_printf(arena, "%s %s", xattr->name, other ? "changed" : "removed"));
    }
    VEC_EACH (xattr, &b->xattrs) {
        if (!find_xattr(&a->xattrs, xattr->name))
            add_part(&out, arena_printf(arena, "%s added", xattr->name));
    }
    return strbuf_dup(arena, &out);
}

void file_state_hash(const FileState *state, struct Hash *ret)
{
    /* Lengths go before texts, so that no two states are written alike. */
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT((size_t)FILE_MAX_SIZE * 2);
    strbuf_printf(&out, "%d", (int)state->type);
    if (state->type != FILE_ABSENT) {
        strbuf_printf(&out, " %o %u %u %zu:", (unsigned)state->mode, state->uid, state->gid, state->content.len);
        strbuf_add(&out, state->content.data, state->content.len);
        VEC_EACH (xattr, &state->xattrs) {
            strbuf_printf(&out, " %zu:%s %zu:", strlen(xattr->name), xattr->name, xattr->value.len);
            strbuf_add(&out, xattr->value.data, xattr->value.len);
        }
    }
    *ret = hash_of(strbuf_str(&out), out.len);
}
