/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what no ref reaches any more, which libgit2 cannot do. Only loose objects, because salve never makes others:
 * each is one file, named for its content. Nothing is removed unless everything that must stay could be read; and no
 * order matters, because what is unreachable is needed by nobody. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "store/git-internal.h"

typedef struct Sweep {
    const char *path; /* of the objects directory */
    StringVec reachable;
    size_t removed;
} Sweep;

static void dir_close(DIR *dir)
{
    if (dir)
        closedir(dir);
}
DEFINE_CLEANUP(DIR *, dir_close)

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_reachable(const Sweep *sweep, const char *hex)
{
    return sweep->reachable.n > 0 &&
           bsearch(&hex, sweep->reachable.items, sweep->reachable.n, sizeof hex, compare) != NULL;
}

static bool is_hex(const char *name, size_t min)
{
    size_t len = strlen(name);
    return len >= min && name[strspn(name, "0123456789abcdef")] == '\0';
}

/* Not fsynced: what comes back after a power cut is swept again. */
static int sweep_file(Sweep *sweep, int dir, const char *name, const char *shown, Err *err)
{
    int fault = fault_point("git-sweep", shown);
    int errnum = fault ? fault : unlinkat(dir, name, 0) < 0 ? errno : 0;
    if (errnum && errnum != ENOENT)
        return err_errno(err, errnum, "cannot remove %s", shown);
    sweep->removed++;
    return 0;
}

static int open_dir(int at, const char *name, const char *shown, DIR **ret, Err *err)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir) {
        *ret = dir;
        return 0;
    }
    int errnum = errno;
    fd_close(fd);
    return err_errno(err, errnum, "cannot open %s", shown);
}

/* The objects whose names begin with the two digits `prefix`. */
static int sweep_objects(Sweep *sweep, int at, const char *prefix, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(dir_close) DIR *dir = NULL;
    int r = open_dir(at, prefix, arena_printf(arena, "%s/%s", sweep->path, prefix), &dir, err);
    for (struct dirent *entry; r >= 0 && (entry = readdir(dir));) {
        const char *hex = arena_printf(arena, "%s%s", prefix, entry->d_name);
        if (is_hex(entry->d_name, 38) && !is_reachable(sweep, hex))
            r = sweep_file(sweep, dirfd(dir), entry->d_name,
                           arena_printf(arena, "%s/%s/%s", sweep->path, prefix, entry->d_name), err);
    }
    return r;
}

/* --- What must stay --- */

/* The files below refs/. libgit2 lists the refs, too, but passes over those that it cannot read. */
static int add_loose(Arena *arena, int at, const char *name, const char *ref, StringVec *refs, Err *err)
{
    CLEANUP(dir_close) DIR *dir = NULL;
    int r = open_dir(at, name, ref, &dir, err);
    while (r >= 0) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry)
            return errno ? err_errno(err, errno, "cannot list %s", ref) : 0;
        struct stat st;
        const char *path = arena_printf(arena, "%s/%s", ref, entry->d_name);
        if (entry->d_name[0] == '.' || str_ends(entry->d_name, ".lock")) /* a crash left it: see clear_file in git.c */
            continue;
        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return err_errno(err, errno, "cannot look at %s", path);
        if (S_ISDIR(st.st_mode))
            r = add_loose(arena, dirfd(dir), entry->d_name, path, refs, err);
        else
            *vec_push(arena, refs) = path;
    }
    return r;
}

static int list_refs(Repo *repo, Arena *arena, StringVec *ret, Err *err)
{
    CLEANUP(fd_close) int fd = open(repo_path(repo), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, errno, "cannot open %s", repo_path(repo));
    int r = repo_refs(repo, arena, "*", ret, err); /* packed ones are among them */
    return r < 0 ? r : add_loose(arena, fd, "refs", "refs", ret, err);
}

static int find_needed(Repo *repo, Arena *arena, const StringVec *also, StringVec *ret, Err *err)
{
    StringVec refs = {0};
    int r = list_refs(repo, arena, &refs, err);
    for (size_t i = 0; r >= 0 && i < refs.n; i++) {
        char commit[65];
        r = repo_ref(repo, refs.items[i], commit, err);
        if (r != 0)
            return err_set(err, ERR_FAILED,
                           "%s/%s cannot be read, so no object is removed: what it needs is not known; "
                           "look at it, and at: salve history --verify",
                           repo_path(repo), refs.items[i]);
        *vec_push(arena, ret) = arena_strdup(arena, commit);
    }
    for (size_t i = 0; r >= 0 && i < also->n; i++) {
        if ((r = repo_has(repo, also->items[i], err)) == 0)
            *vec_push(arena, ret) = also->items[i];
    }
    strings_sort(ret);
    size_t n = 0;
    for (size_t i = 0; i < ret->n; i++) {
        if (n == 0 || !str_equal(ret->items[n - 1], ret->items[i]))
            ret->items[n++] = ret->items[i];
    }
    ret->n = n;
    return r < 0 ? r : 0;
}

int repo_sweep(Repo *repo, const StringVec *also, size_t *ret_removed, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(dir_close) DIR *dir = NULL;
    Sweep sweep = {.path = arena_printf(arena, "%s/objects", repo_path(repo))};
    StringVec needed = {0};
    int r = find_needed(repo, arena, also, &needed, err);
    if (r >= 0)
        r = repo_reachable(repo, arena, &needed, &sweep.reachable, err);
    if (r >= 0)
        r = open_dir(AT_FDCWD, sweep.path, sweep.path, &dir, err);
    for (struct dirent *entry; r >= 0 && (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (strlen(name) == 2 && is_hex(name, 2))
            r = sweep_objects(&sweep, dirfd(dir), name, err);
        else if (str_starts(name, "tmp_")) /* a crash left it: whoever writes here holds the state's lock */
            r = sweep_file(&sweep, dirfd(dir), name, arena_printf(arena, "%s/%s", sweep.path, name), err);
    }
    *ret_removed = sweep.removed;
    return r < 0 ? r : 0;
}
