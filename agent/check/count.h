/* SPDX-License-Identifier: Apache-2.0 */
/* How often something happened in the window, against a number or against the time before the run. Pure.
 *
 * `no_more_than: 3` is three in the window. `no_more_than: baseline` is as often per time as in the look-back before
 * the run, rounded up; what did not happen then must not happen now. A count never sinks, so that one above its limit
 * is a final fail; it is also a fail where lines were lost, since it is a lower bound. A count within its limit from a
 * log that could not be read whole is blind (promise 10). */
#pragma once

#include "check/check.h"

typedef struct CountLimit {
    bool baseline;
    uint64_t n; /* of the window, unless baseline */
} CountLimit;

/* "baseline" or an integer. */
int count_limit_parse(const Value *value, CountLimit *ret, Err *err);

typedef struct Count {
    uint64_t n;
    usec span;           /* the time that was looked at; 0: none */
    const char *problem; /* why there may be more than n; NULL: all was seen */
} Count;

typedef struct CountTrial {
    const char *what; /* "worker-timeout" */
    CountLimit limit;
    Count count;           /* of the present phase; span is the window's length */
    const Count *baseline; /* NULL while the baseline itself is judged: a limit from it then does not apply */
} CountTrial;

/* Fills all but the name. The measures are `events`, and `limit` where there is one. */
void count_judge(const CountTrial *trial, Arena *arena, CheckResult *ret);

/* The least window in which an event that follows a request of that length can show. */
usec count_window(usec longest_request_usec);

enum { LOOK_BACK_LEAST_SEC = 60 };
