/* SPDX-License-Identifier: Apache-2.0 */
/* The kill matrix: every fault at every durable operation of every scenario and of its recovery. */
#pragma once

#include <stdbool.h>

typedef struct MatrixOptions {
    const char *scenario;        /* only this one; NULL: all */
    const char *fault;           /* only kinds whose name begins so; NULL: all */
    unsigned long at;            /* only this point; 0: all */
    unsigned long killed_before; /* only the recovery of a run that was killed there; 0: the run, and all recoveries */
    unsigned long stride;        /* every n-th point */
    unsigned long memory_stride; /* of allocations, which are many more, every n-th of these */
    unsigned processes;
    const char *dir; /* an empty directory to work in; NULL: a tmpfs */
    bool verbose;
} MatrixOptions;

/* A test is one kind of fault in one scenario, in its run or in its recovery, at all points. */
typedef struct Tally {
    unsigned long passed, failed; /* tests */
    unsigned long points, wrong;
} Tally;

/* Prints what went wrong and the table of how many points ended how; adds to the tally. */
void matrix_run(const MatrixOptions *options, Tally *tally);
