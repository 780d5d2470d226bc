/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and comparing file states. Nothing here blocks: a name is looked at before it is opened, and only a regular
 * file or a directory is opened at all, so that a FIFO or a device in a configuration directory does no harm. A file
 * that changes while it is read is read again; one that never holds still is an error, not a mixture. */
#include "base/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files-at.h"
#include "base/hash.h"

enum { READ_ATTEMPTS = 5, XATTRS_MAX = 64 * 1024 };

void path_split(Arena *arena, const char *path, const char **ret_dir, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    *ret_dir = !slash ? "." : slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path));
    *ret_name = !slash ? path : slash[1] ? arena_strdup(arena, slash + 1) : ".";
}

static int open_below(int root, const char *relative, uint64_t resolve)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = resolve};
    int fd = -1;
    for (int i = 0; i < READ_ATTEMPTS && fd < 0; i++) {
        fd = (int)syscall(SYS_openat2, root, relative, &how, sizeof how);
        if (fd < 0 && errno != EAGAIN && errno != EINTR)
            break;
    }
    if (fd < 0 && errno == ENOSYS) /* before Linux 5.6 */
        fd = openat(root, relative, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd;
}

/* Where paths below `root` start; those of the live host lead from anywhere. */
static int open_root(const char *root, int *ret_fd, Err *err)
{
    *ret_fd = root[0] ? open(root, O_PATH | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
    return *ret_fd < 0 && root[0] ? err_errno(err, errno, "cannot open %s", root) : 0;
}

int dir_open(const char *root, const char *dir, DirFollow follow, int *ret_fd, Err *err)
{
    bool live = root[0] == '\0';
    CLEANUP(fd_close) int root_fd = -1;
    int r = open_root(root, &root_fd, err);
    if (r < 0)
        return r;
    uint64_t resolve = (follow == DIR_NO_SYMLINKS ? RESOLVE_NO_SYMLINKS : 0) | (live ? 0 : RESOLVE_IN_ROOT);
    const char *below = live ? dir : dir + strspn(dir, "/");
    int fd = open_below(root_fd, *below ? below : ".", resolve);
    if (fd >= 0) {
        *ret_fd = fd;
        return 0;
    }
    if (errno == ENOENT || errno == ENOTDIR) {
        *ret_fd = -1;
        return 1;
    }
    if (errno == ELOOP)
        return err_set(err, ERR_REFUSED, "%s%s leads through a symlink; name the real path", root, dir);
    return err_errno(err, errno, "cannot open the directory %s%s", root, dir);
}

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

/* Whose attributes: an open file's, or, of what cannot be opened, a path's that is not followed. */
typedef struct XattrOwner {
    int fd; /* -1: by path */
    char path[64 + NAME_MAX];
} XattrOwner;

static int read_xattr(Arena *arena, const XattrOwner *owner, const char *name, XattrVec *xattrs)
{
    char buffer[XATTRS_MAX];
    ssize_t len = owner->fd >= 0 ? fgetxattr(owner->fd, name, buffer, sizeof buffer)
                                 : lgetxattr(owner->path, name, buffer, sizeof buffer);
    if (len < 0)
        return errno == ENODATA ? 0 : -1;
    *vec_push(arena, xattrs) = (Xattr){arena_strdup(arena, name), bytes_dup(arena, (Bytes){buffer, (size_t)len})};
    return 0;
}

static int read_xattrs(Arena *arena, const XattrOwner *owner, XattrVec *ret)
{
    char names[XATTRS_MAX];
    XattrVec xattrs = {0};
    ssize_t len =
        owner->fd >= 0 ? flistxattr(owner->fd, names, sizeof names) : llistxattr(owner->path, names, sizeof names);
    if (len < 0 && errno != ENOTSUP)
        return -1;
    for (const char *at = names; len > 0 && at < names + len; at += strlen(at) + 1) {
        if (!xattr_is_kernels(at) && read_xattr(arena, owner, at, &xattrs) < 0)
            return -1;
    }
    if (xattrs.n > 1)
        qsort(xattrs.items, xattrs.n, sizeof *xattrs.items, compare_xattrs);
    *ret = xattrs;
    return 0;
}

static int read_xattrs_of_name(Arena *arena, int dir, const char *name, XattrVec *ret)
{
    XattrOwner owner = {.fd = -1};
    snprintf(owner.path, sizeof owner.path, "/proc/self/fd/%d/%s", dir, name);
    return read_xattrs(arena, &owner, ret);
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

/* 0 read, 1 it changed meanwhile, -1 errno. */
static int read_regular(Arena *arena, int dir, const char *name, const struct stat *before, FileState *state)
{
    CLEANUP(fd_close) int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat opened, after;
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP ? 1 : -1;
    if (fstat(fd, &opened) < 0)
        return -1;
    if (!S_ISREG(opened.st_mode) || !same_moment(before, &opened))
        return 1;
    if (read_bytes(arena, fd, (size_t)opened.st_size, &state->content) < 0 ||
        read_xattrs(arena, &(XattrOwner){.fd = fd}, &state->xattrs) < 0 || fstat(fd, &after) < 0)
        return -1;
    return !same_moment(&opened, &after) || state->content.len != (size_t)after.st_size;
}

static int read_symlink(Arena *arena, int dir, const char *name, FileState *state)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(dir, name, target, sizeof target);
    if (len < 0)
        return errno == EINVAL || errno == ENOENT ? 1 : -1;
    state->content = bytes_dup(arena, (Bytes){target, (size_t)len});
    return read_xattrs_of_name(arena, dir, name, &state->xattrs);
}

/* One attempt; as read_regular. FILE_MAX_SIZE is checked by the caller's stat. */
static int read_once(Arena *arena, int dir, const char *name, const struct stat *st, FileState *ret)
{
    *ret = state_of_stat(st);
    switch (ret->type) {
    case FILE_REGULAR: return read_regular(arena, dir, name, st, ret);
    case FILE_SYMLINK: return read_symlink(arena, dir, name, ret);
    case FILE_DIRECTORY: return read_xattrs_of_name(arena, dir, name, &ret->xattrs);
    case FILE_ABSENT:
    case FILE_OTHER: return 0;
    }
    return 0;
}

int file_read_at(Arena *arena, int dir, const char *name, const char *shown, FileState *ret, Err *err)
{
    for (int i = 0; i < READ_ATTEMPTS; i++) {
        struct stat st;
        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
            if (errno != ENOENT)
                return err_errno(err, errno, "cannot read %s", shown);
            *ret = absent_state;
            return 0;
        }
        if (S_ISREG(st.st_mode) && st.st_size > FILE_MAX_SIZE)
            return err_set(err, ERR_REFUSED, "%s is larger than %d MiB: salve does not manage such files", shown,
                           FILE_MAX_SIZE >> 20);
        FileState state;
        int r = read_once(arena, dir, name, &st, &state);
        if (r < 0)
            return err_errno(err, errno, "cannot read %s", shown);
        if (r == 0) {
            *ret = state;
            return 0;
        }
    }
    return err_set(err, ERR_FAILED, "%s keeps changing while it is read", shown);
}

int dir_filled_at(int dir, const char *name, const char *shown, Err *err)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list) {
        int r = err_errno(err, errno, "cannot list %s", shown);
        fd_close(fd);
        return r;
    }
    int filled = 0;
    for (const struct dirent *entry; !filled && (entry = readdir(list));)
        filled = !str_equal(entry->d_name, ".") && !str_equal(entry->d_name, "..");
    closedir(list);
    return filled;
}

/* --- By path --- */

static int split_and_open(Arena *arena, const char *root, const char *path, DirFollow follow, int *ret_dir,
                          const char **ret_name, Err *err)
{
    const char *dir;
    path_split(arena, path, &dir, ret_name);
    return dir_open(root, dir, follow, ret_dir, err);
}

static int read_path(Arena *arena, const char *root, const char *path, DirFollow follow, FileState *ret, Err *err)
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
    return file_read_at(arena, dir, name, arena_printf(arena, "%s%s", root, path), ret, err);
}

int file_read(Arena *arena, const char *root, const char *path, FileState *ret, Err *err)
{
    return read_path(arena, root, path, DIR_FOLLOW, ret, err);
}

int file_read_real(Arena *arena, const char *root, const char *path, FileState *ret, Err *err)
{
    return read_path(arena, root, path, DIR_NO_SYMLINKS, ret, err);
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
    static const char *const names[] = {"absent", "file", "symlink", "directory", "special file"};
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
