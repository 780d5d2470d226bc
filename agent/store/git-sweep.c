/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what no ref reaches any more, which libgit2 cannot do. Only loose objects, because salve never makes others:
 * each is one file, named for its content. Nothing is removed unless everything that must stay could be read; and no
 * order matters, because what is unreachable is needed by nobody. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "store/git-internal.h"

typedef struct Sweep {
    const char *path; /* of the objects directory */
    StringVec reachable;
    size_t removed;
} Sweep;

DEFINE_CLEANUP(DIR *, closedir)

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
    CLEANUP(closedir) DIR *dir = NULL;
    int r = open_dir(at, prefix, arena_printf(arena, "%s/%s", sweep->path, prefix), &dir, err);
    for (struct dirent *entry; r >= 0 && (entry = readdir(dir));) {
        const char *hex = arena_printf(arena, "%s%s", prefix, entry->d_name);
        if (is_hex(entry->d_name, 38) && !is_reachable(sweep, hex))
            r = sweep_file(sweep, dirfd(dir), entry->d_name,
                           arena_printf(arena, "%s/%s/%s", sweep->path, prefix, entry->d_name), err);
    }
    return r;
}

int repo_sweep(Repo *repo, size_t *ret_removed, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(closedir) DIR *dir = NULL;
    Sweep sweep = {.path = arena_printf(arena, "%s/objects", repo_path(repo))};
    int r = repo_reachable(repo, arena, &sweep.reachable, err);
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
