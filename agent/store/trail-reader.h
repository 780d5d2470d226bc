/* SPDX-License-Identifier: Apache-2.0 */
/* Follows a trail (store/runtime.h) from its first line on while somebody writes it, woken by inotify(7). */
#pragma once

#include <signal.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/strbuf.h"

typedef struct TrailReader TrailReader;

/* ERR_NOT_FOUND: there is no such trail. */
int trail_reader_open(const char *dir, const char *run_id, TrailReader **ret, Err *err);
void trail_reader_close(TrailReader *reader);
DEFINE_CLEANUP(TrailReader *, trail_reader_close)

enum { TRAIL_NO_LINE = 1 };

/* The next whole line, without its newline, valid until the next call. TRAIL_NO_LINE: nothing more was written yet. */
int trail_reader_next(TrailReader *reader, Bytes *ret, Err *err);

typedef enum TrailNews {
    TRAIL_WRITTEN,     /* there may be more to read, and whoever wrote it is at work */
    TRAIL_LEFT,        /* whoever wrote it has closed it: it ended, or it died */
    TRAIL_INTERRUPTED, /* a signal came */
    TRAIL_QUIET,       /* nothing happened in timeout_usec */
} TrailNews;

/* Waits with the signals of `unblocked` as ppoll(2) does; timeout_usec may be USEC_INFINITY. */
int trail_reader_wait(TrailReader *reader, usec timeout_usec, const sigset_t *unblocked, TrailNews *ret, Err *err);
