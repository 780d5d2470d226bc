/* SPDX-License-Identifier: Apache-2.0 */
/* Many runs in a row on one host, with random kills, strangers' edits and full disks: after each, no mixed state and no
 * lost byte; at the end, nothing leaked. */
#pragma once

#include "matrix.h"

typedef struct SoakOptions {
    unsigned long runs;
    unsigned long long seed; /* 0: from the clock; printed */
    const char *dir;         /* as in MatrixOptions */
} SoakOptions;

void soak_run(const SoakOptions *options, Tally *tally);
