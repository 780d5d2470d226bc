/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a client would get through to a stream socket: connect(2), and nothing is sent. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/err.h"

typedef struct ReachTarget {
    const char *path; /* unix socket; "@name": abstract. NULL: TCP */
    const char *host; /* TCP: a number or a name */
    uint16_t port;
} ReachTarget;

/* As the process `as` would connect: with its user and groups, in its root directory and its mount and network
 * namespaces. 0: something listens (also where its queue is full, or a TCP connection is not answered within the time
 * limit); else the errno of connect(2): ENOENT, EACCES, ECONNREFUSED ... Negative: it could not be tried. */
int reach_try(const ReachTarget *target, pid_t as, usec timeout_usec, Err *err);
