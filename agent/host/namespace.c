/* SPDX-License-Identifier: Apache-2.0 */
/* The candidate is written into the private copy itself, in the child, before it executes the program: so the kernel
 * makes the whiteouts and copies the directories up, and there is one way for every type of file. */
#include "host/namespace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/sandbox.h"

#define STAGE_PARENT "/run/salve"
#define STAGE_PREFIX "stage-"

struct Staging {
    const StagedFile *files;
    size_t n_files;
    Arena *arena;
    const char *home;    /* STAGE_PARENT/stage-<pid>-<number>, NULL until it is there */
    const char **copies; /* one per file, NULL where it has none */
};

/* Removes a tree; what cannot be removed stays (it is in /run, and root's). */
static void remove_tree(int parent, const char *name)
{
    if (unlinkat(parent, name, 0) == 0 || errno != EISDIR)
        return;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
            remove_tree(dirfd(stream), entry->d_name);
    }
    if (stream)
        closedir(stream);
    unlinkat(parent, name, AT_REMOVEDIR);
}

void staging_remove_stale(void)
{
    DIR *stream = opendir(STAGE_PARENT);
    struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        if (!str_starts(entry->d_name, STAGE_PREFIX))
            continue;
        long pid = strtol(entry->d_name + strlen(STAGE_PREFIX), NULL, 10);
        if (pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH)
            remove_tree(dirfd(stream), entry->d_name);
    }
    if (stream)
        closedir(stream);
}

/* A new regular file. The mode comes last: it may take the right to write away. */
static int write_file(const char *path, const StagedFile *file, Err *err)
{
    CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, errno, "cannot stage %s", path);
    for (size_t done = 0; done < file->content.len;) {
        ssize_t n = write(fd, file->content.data + done, file->content.len - done);
        if (n < 0)
            return err_errno(err, errno, "cannot stage %s", path);
        done += (size_t)n;
    }
    if (fchown(fd, file->uid, file->gid) < 0 || fchmod(fd, file->mode) < 0)
        return err_errno(err, errno, "cannot set owner and mode of %s", path);
    return 0;
}

static int make_copies(Staging *staging, Err *err)
{
    mkdir(STAGE_PARENT, 0700);
    for (unsigned number = 0; !staging->home; number++) {
        const char *home = arena_printf(staging->arena, STAGE_PARENT "/" STAGE_PREFIX "%d-%u", getpid(), number);
        if (mkdir(home, 0700) == 0)
            staging->home = home;
        else if (errno != EEXIST)
            return err_errno(err, errno, "cannot make %s", home);
    }
    for (size_t i = 0; i < staging->n_files; i++) {
        if (staging->files[i].type != STAGED_FILE)
            continue;
        const char *name = strrchr(staging->files[i].path, '/');
        staging->copies[i] = arena_printf(staging->arena, "%s/%zu-%s", staging->home, i, name + 1);
        int r = write_file(staging->copies[i], &staging->files[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

int staging_open(const StagedFile *files, size_t n_files, Staging **ret_staging, Err *err)
{
    staging_remove_stale();
    Arena *arena = arena_new();
    CLEANUP(staging_close) Staging *staging = arena_new_of(arena, Staging);
    *staging = (Staging){files, n_files, arena, NULL, arena_array(arena, const char *, n_files + 1)};
    int r = make_copies(staging, err);
    if (r < 0)
        return r;
    *ret_staging = STEAL(staging);
    return 0;
}

void staging_close(Staging *staging)
{
    if (!staging)
        return;
    if (staging->home)
        remove_tree(AT_FDCWD, staging->home);
    arena_free(staging->arena);
}

const char *staging_copy(const Staging *staging, const char *path)
{
    for (size_t i = 0; i < staging->n_files; i++) {
        if (str_equal(staging->files[i].path, path))
            return staging->copies[i];
    }
    return NULL;
}

/* The directories on the way to `path`, made where they are missing. */
static int make_parents(const char *path, Err *err)
{
    char parent[PATH_MAX];
    struct stat st;
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/'), *end = slash;
    for (*end = '\0'; stat(parent, &st) < 0 && (slash = strrchr(parent, '/')) && slash > parent;)
        *slash = '\0';
    int r = 0;
    while (r == 0 && strlen(parent) < (size_t)(end - parent)) {
        parent[strlen(parent)] = '/';
        if (mkdir(parent, 0755) < 0)
            r = err_errno(err, errno, "cannot stage directory %s", parent);
    }
    return r;
}

static int place_directory(const StagedFile *file, Err *err)
{
    struct stat st;
    bool there = lstat(file->path, &st) == 0;
    if (there && !S_ISDIR(st.st_mode)) {
        unlink(file->path);
        there = false;
    }
    if ((!there && mkdir(file->path, 0700) < 0) || chown(file->path, file->uid, file->gid) < 0 ||
        chmod(file->path, file->mode) < 0)
        return err_errno(err, errno, "cannot stage directory %s", file->path);
    return 0;
}

static int place(const StagedFile *file, Err *err)
{
    struct stat st;
    if (file->type == STAGED_ABSENT && lstat(file->path, &st) < 0)
        return 0;
    int r = make_parents(file->path, err);
    if (r < 0)
        return r;
    if (file->type == STAGED_DIRECTORY)
        return place_directory(file, err);
    remove_tree(AT_FDCWD, file->path);
    switch (file->type) {
    case STAGED_FILE: return write_file(file->path, file, err);
    case STAGED_SYMLINK:
        if (symlink(file->target, file->path) < 0 ||
            fchownat(AT_FDCWD, file->path, file->uid, file->gid, AT_SYMLINK_NOFOLLOW) < 0)
            return err_errno(err, errno, "cannot stage symlink %s", file->path);
        return 0;
    case STAGED_DIRECTORY:
    case STAGED_ABSENT: break;
    }
    return lstat(file->path, &st) == 0 ? err_set(err, ERR_FAILED, "cannot stage the absence of %s", file->path) : 0;
}

typedef struct StagedRun {
    const Staging *staging;
    const ChildSpec *spec; /* the caller's */
} StagedRun;

static bool ask_caller(void *context)
{
    const StagedRun *run = context;
    return run->spec->interrupted(run->spec->context);
}

/* Files are written in the copy: wherever the names on their way lead, nothing of the host is touched. */
static int enter(void *context, Err *err)
{
    const Staging *staging = ((const StagedRun *)context)->staging;
    int r = sandbox_enter(staging->home, err);
    mode_t mask = umask(0);
    for (size_t i = 0; i < staging->n_files && r == 0; i++)
        r = place(&staging->files[i], err);
    umask(mask);
    if (r < 0 && err->errnum == EROFS) { /* a file system that takes no overlay */
        err->kind = ERR_REFUSED;
        return -ERR_REFUSED;
    }
    return r < 0 ? r : sandbox_drop_rights(err);
}

int staging_run(Staging *staging, Arena *arena, const ChildSpec *spec, ChildResult *ret_result, Err *err)
{
    StagedRun run = {staging, spec};
    ChildSpec inside = *spec;
    inside.before_exec = enter;
    inside.interrupted = spec->interrupted ? ask_caller : NULL;
    inside.context = &run;
    int r = child_run(arena, &inside, ret_result, err);
    return r == -ERR_REFUSED ? STAGING_REFUSED : r;
}
