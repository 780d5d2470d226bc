/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a daemon over its varlink socket (varlink.org): one JSON object there and one back, each ended by NUL. */
#pragma once

#include "base/clock.h"
#include "base/err.h"

/* Calls a method without parameters and waits for its answer, of which only success counts. ERR_FAILED: the daemon
 * answered with an error, or not as the protocol wants; ERR_TIMEOUT; ERR_NOT_FOUND: there is no such socket. */
int varlink_call(const char *socket_path, const char *method, usec timeout_usec, Err *err);
