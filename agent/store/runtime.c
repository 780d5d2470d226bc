/* SPDX-License-Identifier: Apache-2.0 */
#include "store/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "store/store.h"

static const char trail_suffix[] = ".events";

int runtime_make(const char *dir, Err *err)
{
    return store_make_dir(dir, err);
}

int runtime_put(const char *dir, const char *name, Bytes content, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *path = arena_printf(arena, "%s/%s", dir, name);
    CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, errno, "cannot create %s", path);
    for (size_t done = 0; done < content.len;) {
        ssize_t n = write(fd, content.data + done, content.len - done);
        if (n < 0 && errno != EINTR)
            return err_errno(err, errno, "cannot write %s", path);
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int runtime_take(Arena *arena, const char *dir, const char *name, size_t max, Bytes *ret, Err *err)
{
    const char *path = arena_printf(arena, "%s/%s", dir, name);
    int r = files_load(arena, path, max, ret, err);
    if (r > 0)
        return err_set(err, ERR_NOT_FOUND, "%s is not there", path);
    if (r == 0)
        unlink(path);
    return r;
}

void runtime_remove(const char *dir, const char *name)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    unlink(arena_printf(arena, "%s/%s", dir, name));
}

static char *trail_path(Arena *arena, const char *dir, const char *run_id)
{
    return arena_printf(arena, "%s/%s%s", dir, run_id, trail_suffix);
}

int runtime_open_trail(const char *dir, const char *run_id, int *ret_fd, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *path = trail_path(arena, dir, run_id);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, errno, "cannot open %s", path);
    *ret_fd = fd;
    return 0;
}

bool runtime_has_trail(const char *dir, const char *run_id)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    struct stat st;
    return *run_id && !strchr(run_id, '/') && lstat(trail_path(arena, dir, run_id), &st) == 0 && S_ISREG(st.st_mode);
}

/* Ids begin with the time, so that their order is that of the runs. */
static int list_trails(Arena *arena, const char *path, StringVec *ret, Err *err)
{
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? 0 : err_errno(err, errno, "cannot read %s", path);
    for (struct dirent *entry; (entry = readdir(dir));) {
        size_t len = strlen(entry->d_name), suffix = sizeof trail_suffix - 1;
        if (str_ends(entry->d_name, trail_suffix) && len > suffix)
            *vec_push(arena, ret) = arena_strndup(arena, entry->d_name, len - suffix);
    }
    closedir(dir);
    strings_sort(ret);
    return 0;
}

int runtime_newest_trail(Arena *arena, const char *dir, const char **ret_run_id, Err *err)
{
    StringVec runs = {0};
    int r = list_trails(arena, dir, &runs, err);
    if (r < 0 || runs.n == 0)
        return r < 0 ? r : 1;
    *ret_run_id = runs.items[runs.n - 1];
    return 0;
}

void runtime_prune_trails(const char *dir, size_t keep)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    StringVec runs = {0};
    Err ignored; /* what cannot be listed is not removed: the next run tries again */
    list_trails(arena, dir, &runs, &ignored);
    for (size_t i = 0; i + keep < runs.n; i++)
        unlink(trail_path(arena, dir, runs.items[i]));
}
