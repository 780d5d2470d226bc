/* SPDX-License-Identifier: Apache-2.0 */
/* What every durable operation of files-make.c and files-write.c begins with: its fault point. */
#pragma once

#include <errno.h>

#include "base/fault.h"

static inline int fault_strikes(const char *operation, const char *shown)
{
    errno = fault_point(operation, shown);
    return errno != 0;
}

/* errno of the fault or of the call; 0 when it worked. */
#define DURABLE(operation, shown, call) (fault_strikes((operation), (shown)) || (call) < 0 ? errno : 0)
