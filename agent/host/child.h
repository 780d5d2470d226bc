/* SPDX-License-Identifier: Apache-2.0 */
/* Running other programs: by path and argument list, never through a shell.
 *
 * A child has a process group of its own, no descriptor but 0, 1 and 2 and default signal dispositions. At its end, or
 * at the time limit, whatever is left of its group is killed; the program itself is also killed when salve dies. What
 * it prints is kept up to a bound. A file that is not there or cannot be executed is an error; how the program ended is
 * a result. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "base/vec.h"

typedef struct ChildSpec {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH if it has no slash */
    const char *const *env;  /* NULL-terminated NAME=value; NULL: PATH and LC_ALL=C.UTF-8 only */
    const char *directory;   /* NULL: "/" */
    Bytes input;             /* standard input; data NULL: /dev/null */
    size_t max_output;       /* kept of each stream; 0: 256 KiB. More is read and dropped */
    usec timeout_usec;       /* 0: 60 s; USEC_INFINITY: none */
    bool inherit;            /* streams and process group are ours, nothing is captured, it outlives us */
    bool set_user;           /* become uid, gid, groups */
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    size_t n_groups;

    /* Runs in the child after the streams are set up and before the user changes; a failure is child_run's failure. */
    int (*before_exec)(void *context, Err *err);
    /* Asked about ten times a second; true kills the child. */
    bool (*interrupted)(void *context);
    void *context;
} ChildSpec;

typedef enum ChildEnd {
    CHILD_EXITED, /* status: exit code */
    CHILD_KILLED, /* status: signal */
    CHILD_TIMED_OUT,
    CHILD_INTERRUPTED,
} ChildEnd;

typedef struct ChildResult {
    ChildEnd end;
    int status;
    Bytes output, error;        /* standard output and standard error */
    bool output_cut, error_cut; /* there was more */
    usec elapsed_usec;
} ChildResult;

int child_run(Arena *arena, const ChildSpec *spec, ChildResult *ret_result, Err *err);

/* Whether it exited with 0. */
bool child_succeeded(const ChildResult *result);
/* "exit status 1", "killed by SIGKILL", "still running after 30s". */
char *child_end_to_string(Arena *arena, const ChildResult *result);
