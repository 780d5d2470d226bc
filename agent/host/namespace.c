/* SPDX-License-Identifier: Apache-2.0 */
/* The candidate is written through the overlay itself, in the child, before it executes the program: so the kernel
 * makes the whiteouts and copies the directories up, and there is one way for every type of file. */
#include "host/namespace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define STAGE_PARENT "/run/salve"
#define STAGE_PREFIX "stage-"

struct Staging {
    const StagedFile *files;
    size_t n_files;
    const char *const *directories;
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

/* What processes left that did not live to close their staging. */
static void remove_stale(void)
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

static bool is_below(const char *path, const char *directory)
{
    size_t len = strlen(directory);
    return strncmp(path, directory, len) == 0 && path[len] == '/';
}

static int check_path(const StagedFile *file, const char *const *directories, Err *err)
{
    for (const char *const *directory = directories; *directory; directory++) {
        if (is_below(file->path, *directory))
            return 0;
    }
    return err_set(err, ERR_FAILED, "%s is in none of the staged directories", file->path);
}

static int check_directory(const char *directory, Err *err)
{
    char resolved[PATH_MAX];
    struct stat st;
    if (stat(directory, &st) < 0)
        return err_errno(err, errno, "cannot stage below %s", directory);
    if (!S_ISDIR(st.st_mode) || !realpath(directory, resolved) || !str_equal(resolved, directory))
        return err_set(err, ERR_FAILED, "cannot stage below %s: not a real directory", directory);
    return 0;
}

int staging_open(const StagedFile *files, size_t n_files, const char *const *directories, Staging **ret_staging,
                 Err *err)
{
    int r = 0;
    for (size_t i = 0; i < n_files && r == 0; i++)
        r = check_path(&files[i], directories, err);
    for (const char *const *directory = directories; *directory && r == 0; directory++)
        r = check_directory(*directory, err);
    if (r < 0)
        return r;
    remove_stale();
    Arena *arena = arena_new();
    CLEANUP(staging_close) Staging *staging = arena_new_of(arena, Staging);
    *staging = (Staging){files, n_files, directories, arena, NULL, arena_array(arena, const char *, n_files)};
    r = make_copies(staging, err);
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

/* Follows symlinks: a way that leads out of the overlays would end in a write to the host. */
static int check_inside(const Staging *staging, const char *directory, Err *err)
{
    char resolved[PATH_MAX];
    if (!realpath(directory, resolved))
        return err_errno(err, errno, "cannot stage below %s", directory);
    for (const char *const *staged = staging->directories; *staged; staged++) {
        if (str_equal(resolved, *staged) || is_below(resolved, *staged))
            return 0;
    }
    return err_set(err, ERR_FAILED, "cannot stage below %s: it leads to %s", directory, resolved);
}

/* The directories on the way to `path`, made where they are missing. */
static int make_parents(const Staging *staging, const char *path, Err *err)
{
    char parent[PATH_MAX];
    struct stat st;
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/'), *end = slash;
    for (*end = '\0'; stat(parent, &st) < 0 && (slash = strrchr(parent, '/')) && slash > parent;)
        *slash = '\0';
    int r = check_inside(staging, parent, err);
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

static int place(const Staging *staging, const StagedFile *file, Err *err)
{
    struct stat st;
    if (file->type == STAGED_ABSENT && lstat(file->path, &st) < 0)
        return 0;
    int r = make_parents(staging, file->path, err);
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

/* What the kernel or a container does not let us do: ERR_REFUSED, which staging_run turns into its outcome. */
static int refused(Err *err, const char *what, const char *where)
{
    int errnum = errno;
    err_errno(err, errnum, "%s %s", what, where);
    err->kind = ERR_REFUSED;
    return -ERR_REFUSED;
}

/* An overlay does not show what is mounted below its lower directory: the candidate would be judged without it. */
static int check_mounts_below(const char *directory, Err *err)
{
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    if (!mounts)
        return refused(err, "cannot read", "/proc/self/mountinfo");
    char line[8192], point[4096];
    bool below = false;
    while (!below && fgets(line, sizeof line, mounts))
        below = sscanf(line, "%*s %*s %*s %*s %4095s", point) == 1 && is_below(point, directory);
    fclose(mounts);
    return below ? err_set(err, ERR_REFUSED, "%s is mounted below %s, which an overlay would hide", point, directory)
                 : 0;
}

/* The upper layers of all overlays are in one tmpfs over `home`; number keeps them apart. */
static int lay_overlay(const char *home, size_t number, const char *directory, Err *err)
{
    char upper[256], work[256], options[PATH_MAX + 600];
    struct stat st;
    if (strpbrk(directory, ",:\\\""))
        return err_set(err, ERR_REFUSED, "an overlay cannot name %s", directory);
    int r = check_mounts_below(directory, err);
    if (r < 0)
        return r;
    snprintf(upper, sizeof upper, "%s/upper-%zu", home, number);
    snprintf(work, sizeof work, "%s/work-%zu", home, number);
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s", directory, upper, work);
    /* The root of the overlay shows the upper directory's owner and mode: a service's user must get in as before. */
    if (stat(directory, &st) < 0 || mkdir(upper, 0700) < 0 || mkdir(work, 0700) < 0 ||
        chown(upper, st.st_uid, st.st_gid) < 0 || chmod(upper, st.st_mode & 07777) < 0)
        return refused(err, "cannot prepare an overlay over", directory);
    return mount("overlay", directory, "overlay", 0, options) < 0
               ? refused(err, "cannot lay an overlay over", directory)
               : 0;
}

/* Whether another directory's overlay already shows this one. */
static bool is_covered(const char *const *directories, size_t at)
{
    for (size_t i = 0; directories[i]; i++) {
        if (is_below(directories[at], directories[i]) || (i < at && str_equal(directories[at], directories[i])))
            return true;
    }
    return false;
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

static int enter(void *context, Err *err)
{
    const Staging *staging = ((const StagedRun *)context)->staging;
    if (unshare(CLONE_NEWNS) < 0)
        return refused(err, "cannot make", "a mount namespace");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return refused(err, "cannot make the mounts private of", "the namespace");
    if (mount("tmpfs", staging->home, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700,size=64m") < 0)
        return refused(err, "cannot mount a tmpfs on", staging->home);
    int r = 0;
    for (size_t i = 0; staging->directories[i] && r == 0; i++) {
        if (!is_covered(staging->directories, i))
            r = lay_overlay(staging->home, i, staging->directories[i], err);
    }
    mode_t mask = umask(0);
    for (size_t i = 0; i < staging->n_files && r == 0; i++)
        r = place(staging, &staging->files[i], err);
    umask(mask);
    return r;
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
