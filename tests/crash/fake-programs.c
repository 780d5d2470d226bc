/* SPDX-License-Identifier: Apache-2.0 */
/* host/namespace.h and host/child.h without namespaces and programs: the validators read nothing and say what the test
 * wants to hear. What salve itself makes of their answers is real. */
#include <stdlib.h>

#include "host/namespace.h"
#include "host/reach.h"
#include "sim.h"

struct Staging {
    bool candidate;
};

int staging_open(const StagedFile *files, size_t n_files, Staging **ret_staging, Err *err)
{
    (void)files;
    *ret_staging = xmalloc(sizeof **ret_staging);
    **ret_staging = (Staging){.candidate = n_files > 0};
    return 0;
}

void staging_remove_stale(void)
{
}

void staging_close(Staging *staging)
{
    free(staging);
}

int child_run(Arena *arena, const ChildSpec *spec, ChildResult *ret_result, Err *err)
{
    (void)arena, (void)spec;
    *ret_result = (ChildResult){.end = CHILD_EXITED, .output = BYTES(""), .error = BYTES("")};
    return 0;
}

int staging_run(Staging *staging, Arena *arena, const ChildSpec *spec, ChildResult *ret_result, Err *err)
{
    int r = child_run(arena, spec, ret_result, err);
    if (staging->candidate && sim->knobs.candidate_is_broken) {
        ret_result->status = 1;
        ret_result->error = BYTES("the candidate is broken");
    }
    return r;
}

const char *staging_copy(const Staging *staging, const char *path)
{
    (void)staging, (void)path;
    return NULL;
}

bool child_succeeded(const ChildResult *result)
{
    return result->end == CHILD_EXITED && result->status == 0;
}

/* What listens is told by the fake HTTP. */
int reach_try(const ReachTarget *target, pid_t as, usec timeout_usec, Err *err)
{
    (void)target, (void)as, (void)timeout_usec, (void)err;
    return 0;
}

char *child_end_to_string(Arena *arena, const ChildResult *result)
{
    return arena_printf(arena, "exit status %d", result->status);
}
