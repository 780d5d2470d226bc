/* SPDX-License-Identifier: Apache-2.0 */
/* Opening directories: each component is looked up from a descriptor of the one before, by the kernel in one call
 * (openat2, Linux 5.6) or, where that is missing or a filter forbids it, by walk() here. Both keep the same promise:
 * what DIR_NO_SYMLINKS opens was reached through real directories only, and nothing leads out of a root. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files-at.h"

enum { OPEN_ATTEMPTS = 5, LINKS_MAX = 40 };

void path_split(Arena *arena, const char *path, const char **ret_dir, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    *ret_dir = !slash ? "." : slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path));
    *ret_name = !slash ? path : slash[1] ? arena_strdup(arena, slash + 1) : ".";
}

/* --- Without openat2 --- */

typedef struct Walk {
    Arena *arena;
    int root; /* where an absolute link leads, and what `..` never leaves; AT_FDCWD: the live host */
    int at;   /* how far it came */
    DirFollow follow;
    const char *rest;
    unsigned links;
} Walk;

static bool same_object(int a, int b)
{
    struct stat one, other;
    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

static int open_step(int dir, const char *name)
{
    return openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

static int step_to(Walk *walk, int fd)
{
    if (fd < 0)
        return -1;
    fd_close(walk->at);
    walk->at = fd;
    return 0;
}

static int step_to_start(Walk *walk)
{
    return step_to(walk, walk->root == AT_FDCWD ? open_step(AT_FDCWD, walk->rest[0] == '/' ? "/" : ".")
                                                : open_step(walk->root, "."));
}

static int follow_link(Walk *walk, int link)
{
    char target[PATH_MAX];
    ssize_t len = walk->follow == DIR_FOLLOW ? readlinkat(link, "", target, sizeof target - 1) : -1;
    if (len < 0 || ++walk->links > LINKS_MAX) {
        errno = ELOOP;
        return -1;
    }
    target[len] = '\0';
    walk->rest = arena_printf(walk->arena, "%s/%s", target, walk->rest);
    return target[0] == '/' ? step_to_start(walk) : 0;
}

static int step(Walk *walk, const char *name)
{
    struct stat st;
    if (str_equal(name, "..") && walk->root != AT_FDCWD && same_object(walk->at, walk->root))
        return 0;
    CLEANUP(fd_close) int fd = open_step(walk->at, name);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    if (S_ISLNK(st.st_mode))
        return follow_link(walk, fd);
    if (!S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return -1;
    }
    int r = step_to(walk, fd);
    fd = -1;
    return r;
}

/* Component by component; -1 and errno as openat2 has it. */
static int walk(int root, const char *path, DirFollow follow)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Walk walk = {.arena = arena, .root = root, .at = -1, .follow = follow, .rest = path};
    int r = step_to_start(&walk);
    while (r == 0 && *(walk.rest += strspn(walk.rest, "/"))) {
        size_t len = strcspn(walk.rest, "/");
        const char *name = arena_strndup(arena, walk.rest, len);
        walk.rest += len;
        r = step(&walk, name);
    }
    int fd = r == 0 ? openat(walk.at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    fd_close(walk.at);
    return fd;
}

/* --- Opening --- */

static int open_below(int root, const char *path, DirFollow follow)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC};
    how.resolve = (follow == DIR_NO_SYMLINKS ? RESOLVE_NO_SYMLINKS : 0) | (root == AT_FDCWD ? 0 : RESOLVE_IN_ROOT);
    if (how.resolve == 0)
        return openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = -1;
    for (int i = 0; i < OPEN_ATTEMPTS && fd < 0; i++) {
        fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd < 0 && errno != EAGAIN && errno != EINTR)
            break;
    }
    bool unknown = fd < 0 && (errno == ENOSYS || errno == EPERM); /* filters of calls say EPERM */
    return unknown ? walk(root, path, follow) : fd;
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
    const char *below = live ? dir : dir + strspn(dir, "/");
    int fd = open_below(root_fd, *below ? below : ".", follow);
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

/* --- Listing --- */

DIR *dir_list_at(int dir, const char *name, const char *shown, Err *err)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list) {
        (void)err_errno(err, errno, "cannot list %s", shown);
        fd_close(fd);
    }
    return list;
}

int dir_filled_at(int dir, const char *name, const char *shown, Err *err)
{
    DIR *list = dir_list_at(dir, name, shown, err);
    if (!list)
        return -(int)err->kind;
    int filled = 0;
    for (const struct dirent *entry; !filled && (entry = readdir(list));)
        filled = !str_equal(entry->d_name, ".") && !str_equal(entry->d_name, "..");
    closedir(list);
    return filled;
}
