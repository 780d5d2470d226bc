/* SPDX-License-Identifier: Apache-2.0 */
/* A call in a process of its own, for library code that may not come back. */
#pragma once

#include "base/err.h"

enum { GUARDED_DIED = 1 }; /* it ran out of time, or crashed */

/* What `function` returns there, with its error. What it changes in memory is lost. It ends with this process. */
int guarded_call(int (*function)(void *user, Err *err), void *user, unsigned limit_sec, Err *err);
