/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/log-tail.h"

#include <time.h>

#include "host/log-file.h"

enum { FIRST_BLOCK = 256 * 1024, LINES_WITHOUT_TIME = 1000, LINES_PER_ARENA = 1000 };

int32_t log_utc_offset(void)
{
    time_t now = time(NULL);
    struct tm tm = {0};
    localtime_r(&now, &tm);
    return (int32_t)tm.tm_gmtoff;
}

static usec time_of(LogSource source, Bytes text, int32_t utc_offset_sec)
{
    LogLine line;
    usec realtime;
    if (!log_line_parse(source, text, &line) || !log_line_time(source, &line, utc_offset_sec, &realtime))
        return 0;
    return realtime;
}

/* Opens at an offset; a line that it cuts in two is dropped. */
static int open_at(const char *path, LogMark mark, LogFile **ret, Err *err)
{
    CLEANUP(log_file_close) LogFile *log = NULL;
    int r = log_file_open_mark(path, mark, &log, err);
    if (r < 0)
        return r;
    if (mark.offset > 0) {
        CLEANUP(arena_free) Arena *scratch = arena_new();
        LogFileLine dropped;
        r = log_file_next(log, scratch, &dropped, err);
        if (r < 0)
            return r;
    }
    *ret = STEAL(log);
    return 0;
}

/* The time of the first line behind the mark that shows one; 0: none does. */
static int first_time(LogSource source, const char *path, LogMark mark, usec *ret, Err *err)
{
    CLEANUP(arena_free) Arena *scratch = arena_new();
    CLEANUP(log_file_close) LogFile *log = NULL;
    int r = open_at(path, mark, &log, err);
    if (r < 0)
        return r;
    usec found = 0;
    int32_t offset = log_utc_offset();
    LogFileLine line;
    for (int i = 0; i < LINES_WITHOUT_TIME && found == 0; i++) {
        r = log_file_next(log, scratch, &line, err);
        if (r != 0)
            break;
        found = time_of(source, line.text, offset);
    }
    *ret = found;
    return r < 0 ? r : 0;
}

/* Doubles the part of the file until its first line is old enough. */
static int find_start(LogSource source, const char *path, usec since, uint64_t max_bytes, LogMark *ret_mark,
                      LogTail *ret_tail, Err *err)
{
    LogMark end;
    CLEANUP(log_file_close) LogFile *log = NULL;
    int r = log_file_open_end(path, &log, &end, err);
    if (r < 0)
        return r;
    LogTail tail = {0};
    LogMark mark = end;
    for (uint64_t block = FIRST_BLOCK < max_bytes ? FIRST_BLOCK : max_bytes;; block *= 2) {
        if (block > max_bytes)
            block = max_bytes;
        mark.offset = end.offset > block ? end.offset - block : 0;
        r = first_time(source, path, mark, &tail.oldest, err);
        if (r < 0)
            return r;
        tail.complete = mark.offset == 0 || (tail.oldest > 0 && tail.oldest < since);
        if (tail.complete || block == max_bytes)
            break;
    }
    *ret_mark = mark;
    *ret_tail = tail;
    return 0;
}

int log_tail(LogSource source, const char *path, usec since, uint64_t max_bytes, LogTailLine line, void *user,
             LogTail *ret, Err *err)
{
    LogMark mark;
    LogTail tail;
    int r = find_start(source, path, since, max_bytes, &mark, &tail, err);
    if (r < 0)
        return r;
    CLEANUP(log_file_close) LogFile *log = NULL;
    r = open_at(path, mark, &log, err);
    if (r < 0)
        return r;
    int32_t offset = log_utc_offset();
    usec last = 0;
    while (r == 0) {
        CLEANUP(arena_free) Arena *scratch = arena_new();
        for (int i = 0; i < LINES_PER_ARENA; i++) {
            LogFileLine next;
            r = log_file_next(log, scratch, &next, err);
            if (r != 0)
                break;
            usec realtime = time_of(source, next.text, offset);
            last = realtime ? realtime : last;
            if (last >= since)
                line(next.text, last, user);
        }
    }
    *ret = tail;
    return r < 0 ? r : 0;
}
