/* SPDX-License-Identifier: Apache-2.0 */
/* The lines that a log file got since a point in time, found from its end: a large log is not read as a whole. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "config/log-line.h"

/* realtime: of the line, or of the line before where it shows none (a traceback). */
typedef void (*LogTailLine)(Bytes line, usec realtime, void *user);

typedef struct LogTail {
    bool complete; /* it reaches back to `since`, or to the start of the file */
    usec oldest;   /* the earliest time that a line shows; 0: none does */
} LogTail;

/* Calls `line` for each line not older than `since`, in order. At most the last max_bytes are read. A file that cannot
 * be opened is an error (promise 10). Lines in a file that was rotated away are not seen. */
int log_tail(LogSource source, const char *path, usec since, uint64_t max_bytes, LogTailLine line, void *user,
             LogTail *ret, Err *err);

/* East of Greenwich, now: what nginx's error log leaves out of its times. */
int32_t log_utc_offset(void);
