/* SPDX-License-Identifier: Apache-2.0 */
#include "host/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/kernel-file.h"

static int read_pid_file(const char *root, Arena *arena, pid_t pid, const char *name, Bytes *ret_content, Err *err)
{
    return kernel_file_read(arena, ret_content, err, "%s/proc/%d/%s", root, pid, name);
}

int proc_stat(const char *root, Arena *arena, pid_t pid, ProcStat *ret_stat, Err *err)
{
    Bytes content;
    int r = read_pid_file(root, arena, pid, "stat", &content, err);
    if (r < 0)
        return r;
    /* The name may hold anything, ") " too: what follows the last parenthesis is plain (proc_pid_stat(5)). */
    const char *open = strchr(content.data, '('), *close = strrchr(content.data, ')');
    ProcStat stat = {.pid = pid};
    int parent = 0;
    if (!open || !close || close < open ||
        sscanf(close + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64,
               &stat.state, &parent, &stat.start_ticks) != 3)
        return err_set(err, ERR_FAILED, "cannot read /proc/%d/stat", pid);
    stat.parent = parent;
    stat.comm = arena_strndup(arena, open + 1, (size_t)(close - open - 1));
    *ret_stat = stat;
    return 0;
}

int proc_cmdline(const char *root, Arena *arena, pid_t pid, StringVec *ret_argv, Err *err)
{
    Bytes content;
    int r = read_pid_file(root, arena, pid, "cmdline", &content, err);
    if (r < 0)
        return r;
    StringVec argv = {0};
    /* A rewritten title is padded with NULs. */
    while (content.len > 0 && content.data[content.len - 1] == '\0')
        content.len--;
    for (size_t at = 0; at < content.len; at += strlen(content.data + at) + 1)
        *vec_push(arena, &argv) = content.data + at;
    *ret_argv = argv;
    return 0;
}

int proc_environ_get(const char *root, Arena *arena, pid_t pid, const char *name, const char **ret_value, Err *err)
{
    CLEANUP(arena_free) Arena *scratch = arena_new();
    Bytes content;
    int r = read_pid_file(root, scratch, pid, "environ", &content, err);
    if (r < 0)
        return r;
    const char *value = NULL;
    size_t len = strlen(name);
    for (size_t at = 0; at < content.len && !value; at += strlen(content.data + at) + 1) {
        if (strncmp(content.data + at, name, len) == 0 && content.data[at + len] == '=')
            value = arena_strdup(arena, content.data + at + len + 1);
    }
    explicit_bzero((char *)(uintptr_t)content.data, content.len);
    *ret_value = value;
    return 0;
}

static int read_link(const char *root, Arena *arena, pid_t pid, const char *name, const char **ret_path, Err *err)
{
    char target[PATH_MAX];
    const char *path = arena_printf(arena, "%s/proc/%d/%s", root, pid, name);
    ssize_t n = readlink(path, target, sizeof target);
    if (n < 0)
        return err_errno(err, errno == ESRCH ? ENOENT : errno, "%s", path);
    *ret_path = arena_strndup(arena, target, (size_t)n);
    return 0;
}

int proc_cwd(const char *root, Arena *arena, pid_t pid, const char **ret_path, Err *err)
{
    return read_link(root, arena, pid, "cwd", ret_path, err);
}

int proc_exe(const char *root, Arena *arena, pid_t pid, const char **ret_path, Err *err)
{
    return read_link(root, arena, pid, "exe", ret_path, err);
}

/* A file under /proc/PID/fdinfo says how it was opened, in octal (proc(5)). */
static bool is_opened_to_write(const char *root, Arena *arena, pid_t pid, const char *fd)
{
    Bytes content;
    unsigned flags;
    Err ignored; /* it was closed meanwhile */
    return read_pid_file(root, arena, pid, arena_printf(arena, "fdinfo/%s", fd), &content, &ignored) >= 0 &&
           sscanf(content.data, "pos: %*u flags: %o", &flags) == 1 && (flags & O_ACCMODE) != O_RDONLY;
}

int proc_written_files(const char *root, Arena *arena, pid_t pid, WrittenFileVec *ret_files, Err *err)
{
    WrittenFileVec files = {0};
    const char *directory = arena_printf(arena, "%s/proc/%d/fd", root, pid);
    DIR *stream = opendir(directory);
    if (!stream)
        return err_errno(err, errno, "%s", directory);
    for (struct dirent *entry; (entry = readdir(stream));) {
        struct stat st;
        const char *path;
        Err ignored; /* it was closed meanwhile */
        if (entry->d_name[0] == '.' || fstatat(dirfd(stream), entry->d_name, &st, 0) < 0 || !S_ISREG(st.st_mode) ||
            !is_opened_to_write(root, arena, pid, entry->d_name) ||
            read_link(root, arena, pid, arena_printf(arena, "fd/%s", entry->d_name), &path, &ignored) < 0)
            continue;
        *vec_push(arena, &files) = (WrittenFile){.path = path,
                                                 .open = arena_printf(arena, "%s/%s", directory, entry->d_name),
                                                 .device = st.st_dev,
                                                 .inode = st.st_ino};
    }
    closedir(stream);
    *ret_files = files;
    return 0;
}

int proc_owner(const char *root, pid_t pid, uid_t *ret_uid, gid_t *ret_gid, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes content;
    int r = read_pid_file(root, arena, pid, "status", &content, err);
    if (r < 0)
        return r;
    const char *uid_line = strstr(content.data, "\nUid:"), *gid_line = strstr(content.data, "\nGid:");
    unsigned uid, gid; /* real, effective, saved, file system */
    if (!uid_line || !gid_line || sscanf(uid_line, "\nUid: %*u %u", &uid) != 1 ||
        sscanf(gid_line, "\nGid: %*u %u", &gid) != 1)
        return err_set(err, ERR_FAILED, "cannot read /proc/%d/status", pid);
    *ret_uid = uid;
    *ret_gid = gid;
    return 0;
}

int proc_cgroup(const char *root, Arena *arena, pid_t pid, const char **ret_path, Err *err)
{
    Bytes content;
    int r = read_pid_file(root, arena, pid, "cgroup", &content, err);
    if (r < 0)
        return r;
    const char *unified = NULL, *named = NULL;
    char *rest = arena_strdup(arena, content.data), *line;
    while ((line = strsep(&rest, "\n"))) {
        if (str_starts(line, "0::"))
            unified = line + 3;
        else if (strstr(line, ":name=systemd:"))
            named = strstr(line, ":name=systemd:") + strlen(":name=systemd:");
    }
    /* In the hybrid layout both are there; in a container one of them may not be systemd's. */
    const char *path = named && !str_equal(named, "/") ? named : unified;
    if (!path)
        return err_set(err, ERR_NOT_FOUND, "process %d is in no control group of systemd's", pid);
    *ret_path = path;
    return 0;
}

/* "Name:   123 kB" of a file in the form of /proc/PID/status; UINT64_MAX if it has no such line. */
static uint64_t kilobytes(Bytes content, const char *name)
{
    size_t len = strlen(name);
    for (const char *line = content.data; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, len) == 0 && line[len] == ':')
            return strtoull(line + len + 1, NULL, 10) * 1024;
    }
    return UINT64_MAX;
}

int proc_memory(const char *root, pid_t pid, uint64_t *ret_rss, uint64_t *ret_pss, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes status, rollup;
    int r = read_pid_file(root, arena, pid, "status", &status, err);
    if (r < 0)
        return r;
    uint64_t rss = kilobytes(status, "VmRSS");
    Err ignored;
    if (ret_pss)
        *ret_pss = read_pid_file(root, arena, pid, "smaps_rollup", &rollup, &ignored) == 0 ? kilobytes(rollup, "Pss")
                                                                                           : UINT64_MAX;
    *ret_rss = rss == UINT64_MAX ? 0 : rss; /* kernel threads and zombies have no such line */
    return 0;
}

/* When the machine booted, realtime. The kernel's btime is cut to whole seconds, which is too coarse to be compared
 * with the times of files: on the live host the clocks tell it exactly. */
static int boot_time(const char *root, Arena *arena, usec *ret_realtime, Err *err)
{
    Bytes content;
    if (!*root) {
        *ret_realtime = clock_realtime() - clock_boottime();
        return 0;
    }
    int r = kernel_file_read(arena, &content, err, "%s/proc/stat", root);
    if (r < 0)
        return r;
    const char *line = strstr(content.data, "btime ");
    if (!line)
        return err_set(err, ERR_FAILED, "no btime in /proc/stat");
    *ret_realtime = strtoull(line + strlen("btime "), NULL, 10) * USEC_PER_SEC;
    return 0;
}

int proc_start_time(const char *root, pid_t pid, usec *ret_realtime, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    ProcStat stat;
    usec boot = 0;
    int r = proc_stat(root, arena, pid, &stat, err);
    if (r == 0)
        r = boot_time(root, arena, &boot, err);
    if (r < 0)
        return r;
    *ret_realtime = boot + stat.start_ticks * (USEC_PER_SEC / (usec)sysconf(_SC_CLK_TCK));
    return 0;
}

static int compare_pids(const void *a, const void *b)
{
    pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;
    return (left > right) - (left < right);
}

int proc_list(const char *root, Arena *arena, PidVec *ret_pids, Err *err)
{
    const char *path = arena_printf(arena, "%s/proc", root);
    DIR *stream = opendir(path);
    if (!stream)
        return err_errno(err, errno, "%s", path);
    PidVec pids = {0};
    struct dirent *entry;
    while ((entry = readdir(stream))) {
        if (isdigit((unsigned char)entry->d_name[0]))
            *vec_push(arena, &pids) = (pid_t)strtol(entry->d_name, NULL, 10);
    }
    closedir(stream);
    if (pids.n > 0)
        qsort(pids.items, pids.n, sizeof *pids.items, compare_pids);
    *ret_pids = pids;
    return 0;
}

int proc_children(const char *root, Arena *arena, pid_t parent, PidVec *ret_pids, Err *err)
{
    PidVec all, children = {0};
    int r = proc_list(root, arena, &all, err);
    if (r < 0)
        return r;
    VEC_EACH (pid, &all) {
        ProcStat stat;
        Err gone;
        if (proc_stat(root, arena, *pid, &stat, &gone) == 0 && stat.parent == parent)
            *vec_push(arena, &children) = *pid;
    }
    *ret_pids = children;
    return 0;
}

int proc_child_hint(const char *root, pid_t parent, size_t *ret_n, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes pids;
    int r = kernel_file_read(arena, &pids, err, "%s/proc/%d/task/%d/children", root, parent, parent);
    if (r < 0)
        return r;
    size_t n = 0;
    for (size_t i = 0; i < pids.len; i++)
        n += pids.data[i] == ' '; /* one behind each */
    *ret_n = n;
    return 0;
}

typedef bool (*IsWorker)(const char *title, const StringVec *argv, const StringVec *master, Worker *worker);

/* ngx_setproctitle: the whole command line is one title. */
static bool is_nginx_worker(const char *title, const StringVec *argv, const StringVec *master, Worker *worker)
{
    worker->shutting_down = str_equal(title, "nginx: worker process is shutting down");
    return worker->shutting_down || str_equal(title, "nginx: worker process");
}

/* A worker is a fork: it has the arbiter's command line. With setproctitle installed both are titles, "gunicorn: master
 * [app]" and "gunicorn: worker [app]". Anything else was started by a hook. */
static bool is_gunicorn_worker(const char *title, const StringVec *argv, const StringVec *master, Worker *worker)
{
    if (str_starts(title, "gunicorn: worker"))
        return true;
    if (argv->n == 0 || argv->n != master->n)
        return false;
    for (size_t i = 0; i < argv->n; i++) {
        if (!str_equal(argv->items[i], master->items[i]))
            return false;
    }
    return true;
}

static int list_workers(const char *root, Arena *arena, pid_t master, IsWorker is_worker, WorkerVec *ret_workers,
                        Err *err)
{
    PidVec children;
    StringVec master_argv, argv;
    WorkerVec workers = {0};
    int r = proc_cmdline(root, arena, master, &master_argv, err);
    if (r == 0)
        r = proc_children(root, arena, master, &children, err);
    if (r < 0)
        return err_prefix(err, "cannot list the workers of process %d", master);
    VEC_EACH (pid, &children) {
        ProcStat stat;
        Err gone;
        if (proc_stat(root, arena, *pid, &stat, &gone) < 0 || proc_cmdline(root, arena, *pid, &argv, &gone) < 0)
            continue;
        Worker worker = {.pid = *pid, .start_ticks = stat.start_ticks};
        if (stat.state != 'Z' && is_worker(argv.n ? argv.items[0] : "", &argv, &master_argv, &worker))
            *vec_push(arena, &workers) = worker;
    }
    *ret_workers = workers;
    return 0;
}

int proc_nginx_workers(const char *root, Arena *arena, pid_t master, WorkerVec *ret_workers, Err *err)
{
    return list_workers(root, arena, master, is_nginx_worker, ret_workers, err);
}

int proc_gunicorn_workers(const char *root, Arena *arena, pid_t arbiter, WorkerVec *ret_workers, Err *err)
{
    return list_workers(root, arena, arbiter, is_gunicorn_worker, ret_workers, err);
}

int proc_boot_id(const char *root, Arena *arena, const char **ret_boot_id, Err *err)
{
    Bytes content;
    int r = kernel_file_read(arena, &content, err, "%s/proc/sys/kernel/random/boot_id", root);
    if (r < 0)
        return r;
    char *id = arena_alloc(arena, content.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < content.len; i++) {
        if (isxdigit((unsigned char)content.data[i]))
            id[n++] = content.data[i];
    }
    if (n != 32)
        return err_set(err, ERR_FAILED, "the kernel's boot id is not 32 hex digits");
    *ret_boot_id = id;
    return 0;
}

int proc_cpu_count(const char *root, unsigned *ret_n, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes content;
    int r = kernel_file_read(arena, &content, err, "%s/proc/stat", root);
    if (r < 0)
        return r;
    unsigned n = 0;
    for (const char *line = strstr(content.data, "\ncpu"); line; line = strstr(line + 1, "\ncpu"))
        n += isdigit((unsigned char)line[4]) != 0;
    if (n == 0)
        return err_set(err, ERR_FAILED, "no processor in /proc/stat");
    *ret_n = n;
    return 0;
}
