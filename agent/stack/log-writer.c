/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/log-writer.h"

#include <stdlib.h>
#include <string.h>

/* The unit is a component of the path: the processes may be in groups below it. */
static bool in_group(const char *cgroup, const char *unit)
{
    size_t len = strlen(unit);
    for (const char *at = strstr(cgroup, unit); at; at = strstr(at + 1, unit)) {
        if (at > cgroup && at[-1] == '/' && (at[len] == '/' || at[len] == '\0'))
            return true;
    }
    return false;
}

static bool belongs_to(const char *proc_root, Arena *arena, const LogService *service, pid_t pid)
{
    ProcStat stat;
    const char *cgroup;
    if (!service->comm && !service->unit)
        return true;
    Err ignored; /* it is gone */
    if (service->comm && proc_stat(proc_root, arena, pid, &stat, &ignored) >= 0 && str_equal(stat.comm, service->comm))
        return true;
    return service->unit && proc_cgroup(proc_root, arena, pid, &cgroup, &ignored) >= 0 &&
           in_group(cgroup, service->unit);
}

/* As the kernel names it: without symlinks. */
static const char *real_path(Arena *arena, const char *path)
{
    char *real = realpath(path, NULL);
    const char *copy = real ? arena_strdup(arena, real) : path;
    free(real);
    return copy;
}

static bool is_known(const WrittenFileVec *files, const WrittenFile *file)
{
    VEC_EACH (other, files) {
        if (other->device == file->device && other->inode == file->inode)
            return true;
    }
    return false;
}

/* "/var/log/a.log.1" of "/var/log/a.log"; not "/var/log/a.log.d/x". */
static bool is_of_name(const char *path, const char *log)
{
    size_t len = strlen(log);
    return strncmp(path, log, len) == 0 && !strchr(path + len, '/');
}

int log_writers(const char *proc_root, Arena *arena, const LogService *service, const char *path, WrittenFileVec *ret,
                Err *err)
{
    PidVec pids;
    WrittenFileVec found = {0};
    const char *real = real_path(arena, path);
    int r = proc_list(proc_root, arena, &pids, err);
    if (r < 0)
        return r;
    VEC_EACH (pid, &pids) {
        WrittenFileVec files;
        Err ignored; /* it is gone */
        if (!belongs_to(proc_root, arena, service, *pid) ||
            proc_written_files(proc_root, arena, *pid, &files, &ignored) < 0)
            continue;
        VEC_EACH (file, &files) {
            if (is_of_name(file->path, real) && !is_known(&found, file))
                *vec_push(arena, &found) = *file;
        }
    }
    *ret = found;
    return 0;
}
