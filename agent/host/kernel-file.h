/* SPDX-License-Identifier: Apache-2.0 */
/* Files of /proc and /sys: their size is not known before they are read, and their process may end meanwhile. */
#pragma once

#include "base/err.h"
#include "base/strbuf.h"

/* The whole content, up to 64 MiB (bounded: these files are the kernel's). ESRCH counts as ERR_NOT_FOUND: the process
 * went while it was read. */
int kernel_file_read(Arena *arena, Bytes *ret_content, Err *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
