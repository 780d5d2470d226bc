/* SPDX-License-Identifier: Apache-2.0 */
/* The managed roots: the directories below which `template` and `symlink` may write (promise 9). */
#pragma once

#include "change/change.h"

typedef enum ManagedLink {
    MANAGED_FOLLOW,   /* the path itself may be a symlink: its target is what is written */
    MANAGED_NOFOLLOW, /* the path itself is written */
} ManagedLink;

/* Where a write to the path really goes: its directories' symlinks resolved. ERR_REFUSED where that is, or the path
 * as given is, below no managed root; ERR_REFUSED for a name that starts with a dot, which includes and drop-in
 * directories do not read. */
int managed_path(ChangeContext *context, const char *path, ManagedLink link, const char **ret, Err *err);
