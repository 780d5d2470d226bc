/* SPDX-License-Identifier: Apache-2.0 */
/* A log file's new lines, from a mark taken earlier.
 *
 * Rotation is followed: the old file is read to its end first, then the one that has its name now, and both from then
 * on, since a process that nobody told goes on writing to the renamed one. A file that shrank was truncated
 * (copytruncate): reading goes on from its start, and the gap is told. A file that cannot be opened is an error, not an
 * empty log (promise 10). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"

/* A place in a log: which file had the name, and how far it was read. Can be stored; a zeroed one is "nothing yet". */
typedef struct LogMark {
    uint64_t device, inode;
    uint64_t offset;
} LogMark;

typedef struct LogFile LogFile;

/* Opens at the end of the file: only lines written from now on. ret_mark may be NULL. */
int log_file_open_end(const char *path, LogFile **ret_log, LogMark *ret_mark, Err *err);

enum { LOG_MARK_LOST = 1 };

/* Opens at a mark. When the name belongs to another file now, the old one is looked for in the same directory
 * (access.log.1) by its inode; of files that came and went between the two nothing is seen. LOG_MARK_LOST: it is gone
 * or was truncated, so lines may be missing; reading starts at the beginning of the present file. */
int log_file_open_mark(const char *path, LogMark mark, LogFile **ret_log, Err *err);
void log_file_close(LogFile *log);
DEFINE_CLEANUP(LogFile *, log_file_close)

typedef struct LogFileLine {
    Bytes text;     /* without the newline */
    bool cut;       /* longer than 16 KiB: the rest was dropped */
    bool truncated; /* the file was truncated before this line: lines may be missing */
} LogFileLine;

enum { LOG_END = 1 };

/* Another file besides, from its end on: one that was renamed before, under whatever name it can be opened. */
int log_file_add_end(LogFile *log, const char *name, Err *err);
/* Whether lines of that file are among those read. */
bool log_file_reads(const LogFile *log, uint64_t device, uint64_t inode);

/* The next whole line. LOG_END: no more now; a last line without a newline is kept until its end comes, unless the file
 * was rotated away, when it counts as whole. */
int log_file_next(LogFile *log, Arena *arena, LogFileLine *ret_line, Err *err);

/* Whether it was truncated behind the last line that was read: no line has told yet. */
bool log_file_is_truncated(const LogFile *log);

/* Where the next line begins. */
LogMark log_file_mark(const LogFile *log);
