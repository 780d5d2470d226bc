/* SPDX-License-Identifier: Apache-2.0 */
/* Processes and memory as the kernel shows them (proc(5), cgroups(7), Documentation/admin-guide/cgroup-v2.rst).
 *
 * `root` is put before /proc and /sys: "" for the live host, a fixture tree in tests. A process that is gone, or was
 * never there, is ERR_NOT_FOUND; ERR_DENIED where its owner's data may not be read. Processes come and go while they
 * are looked at: lists leave out what vanished. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "base/vec.h"

typedef struct ProcStat {
    pid_t pid, parent;
    char state;           /* R S D Z T ... */
    const char *comm;     /* may hold blanks and parentheses */
    uint64_t start_ticks; /* field 22, clock ticks since boot: with the pid it names a process for good */
} ProcStat;

int proc_stat(const char *root, Arena *arena, pid_t pid, ProcStat *ret_stat, Err *err);

typedef VEC(pid_t) PidVec;
int proc_list(const char *root, Arena *arena, PidVec *ret_pids, Err *err);
int proc_children(const char *root, Arena *arena, pid_t parent, PidVec *ret_pids, Err *err); /* ascending */
/* How many children the main thread has, zombies included. Much cheaper than proc_children, and a hint only: the kernel
 * may pass some over while others end (proc(5)). ERR_NOT_FOUND where the kernel was built without the list. */
int proc_child_hint(const char *root, pid_t parent, size_t *ret_n, Err *err);

/* The argument list; empty for kernel threads and zombies. A process that rewrote its title (nginx) gives that title as
 * one argument. */
int proc_cmdline(const char *root, Arena *arena, pid_t pid, StringVec *ret_argv, Err *err);
/* The value of one variable of the environment with which the process started, NULL if it has none. Only what is asked
 * for is ever kept in memory: the rest may be secret. */
int proc_environ_get(const char *root, Arena *arena, pid_t pid, const char *name, const char **ret_value, Err *err);
int proc_cwd(const char *root, Arena *arena, pid_t pid, const char **ret_path, Err *err);
int proc_exe(const char *root, Arena *arena, pid_t pid, const char **ret_path, Err *err);
int proc_owner(const char *root, pid_t pid, uid_t *ret_uid, gid_t *ret_gid, Err *err); /* effective */
/* A regular file that a process has open to write to: where its logs go. */
typedef struct WrittenFile {
    const char *path; /* as the kernel names it now: after a rename the new name; " (deleted)" behind a removed one */
    const char *open; /* "/proc/7/fd/3", under which it can be opened whatever its name */
    uint64_t device, inode;
} WrittenFile;
typedef VEC(WrittenFile) WrittenFileVec;
int proc_written_files(const char *root, Arena *arena, pid_t pid, WrittenFileVec *ret_files, Err *err);
/* Its path in the unified hierarchy, or in systemd's named one: "/system.slice/gunicorn.service". */
int proc_cgroup(const char *root, Arena *arena, pid_t pid, const char **ret_path, Err *err);
/* Bytes. ret_pss may be NULL; it is UINT64_MAX where the kernel does not tell (smaps_rollup). */
int proc_memory(const char *root, pid_t pid, uint64_t *ret_rss, uint64_t *ret_pss, Err *err);

/* Realtime of a process's start: boot time + start_ticks. */
int proc_start_time(const char *root, pid_t pid, usec *ret_realtime, Err *err);

/* One process below an nginx or Gunicorn master. */
typedef struct Worker {
    pid_t pid;
    uint64_t start_ticks;
    bool shutting_down; /* "nginx: worker process is shutting down" */
} Worker;
typedef VEC(Worker) WorkerVec;

/* nginx's worker processes, old generations that still drain included; cache manager and loader are none. */
int proc_nginx_workers(const char *root, Arena *arena, pid_t master, WorkerVec *ret_workers, Err *err);
/* A Gunicorn arbiter's workers: its children that are no zombies and run what it runs. */
int proc_gunicorn_workers(const char *root, Arena *arena, pid_t arbiter, WorkerVec *ret_workers, Err *err);

/* The process that listens on a TCP port (any address) or a unix socket's path; several share one listener after fork:
 * the one with the lowest pid. ERR_NOT_FOUND: nobody. */
int proc_listener_tcp(const char *root, Arena *arena, uint16_t port, pid_t *ret_pid, Err *err);
int proc_listener_unix(const char *root, Arena *arena, const char *path, pid_t *ret_pid, Err *err);

int proc_boot_id(const char *root, Arena *arena, const char **ret_boot_id, Err *err); /* 32 hex digits */
int proc_cpu_count(const char *root, unsigned *ret_n, Err *err);                      /* processors online */
