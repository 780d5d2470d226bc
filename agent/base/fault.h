/* SPDX-License-Identifier: Apache-2.0 */
/* Fault points: the places where salve makes something durable. Each is passed right before its system call, so that a
 * test can fail or kill the n-th one, for every n (promise 12).
 *
 * The environment variable SALVE_FAULT says what happens; points are counted from 1 in each process:
 *
 *     7:kill            SIGKILL of this process at the 7th point
 *     7:ENOSPC          the 7th operation fails with ENOSPC (or EIO, EROFS), the others work
 *     7+:ENOSPC         the 7th and all later ones fail: a disk that is and stays full
 *     7:ENOENT          at the 7th the file is not there: somebody moved it away at this very moment
 *     exchange:EINVAL   every operation of this name fails: a file system that cannot exchange
 *     count:FILE        FILE gets one line a point, "7 exchange /etc/x"; the last line's number is the count
 *
 * Several are separated by commas.
 *
 * Built without the option fault_injection, fault_point is nothing and the variable is not looked at. */
#pragma once

#include "config.h"

#if SALVE_FAULT_INJECTION
/* 0, or the errno that the operation is to fail with. `operation` is one word. */
int fault_point(const char *operation, const char *path);
/* For tests: takes SALVE_FAULT anew and counts from 1 again. */
void fault_reset(void);
#else
static inline int fault_point(const char *operation, const char *path)
{
    (void)operation;
    (void)path;
    return 0;
}
#endif
