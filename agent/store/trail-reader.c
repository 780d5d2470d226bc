/* SPDX-License-Identifier: Apache-2.0 */
#include "store/trail-reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { CHUNK = 64 << 10, LINE_MAX_BYTES = 64 << 20 };

struct TrailReader {
    int fd, watch;
    StrBuf text;  /* what was read and not yet handed out, from `begin` on */
    size_t begin; /* of the next line */
};

int trail_reader_open(const char *dir, const char *run_id, TrailReader **ret, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *path = arena_printf(arena, "%s/%s.events", dir, run_id);
    CLEANUP(trail_reader_close) TrailReader *reader = xmalloc(sizeof *reader);
    *reader = (TrailReader){.watch = -1, .text = STRBUF_INIT(LINE_MAX_BYTES)};
    reader->fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (reader->fd < 0)
        return err_errno(err, errno, "cannot open %s", path);
    reader->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (reader->watch < 0 || inotify_add_watch(reader->watch, path, IN_MODIFY | IN_CLOSE_WRITE) < 0)
        return err_errno(err, errno, "cannot watch %s", path);
    *ret = STEAL(reader);
    return 0;
}

void trail_reader_close(TrailReader *reader)
{
    if (!reader)
        return;
    fd_close(reader->fd);
    fd_close(reader->watch);
    strbuf_free(&reader->text);
    free(reader);
}

/* Drops what was handed out and reads on; the number of bytes read. */
static ssize_t read_more(TrailReader *reader)
{
    StrBuf rest = STRBUF_INIT(LINE_MAX_BYTES);
    strbuf_add(&rest, strbuf_str(&reader->text) + reader->begin, reader->text.len - reader->begin);
    strbuf_free(&reader->text);
    reader->text = rest;
    reader->begin = 0;
    char chunk[CHUNK];
    ssize_t n;
    do
        n = read(reader->fd, chunk, sizeof chunk);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        strbuf_add(&reader->text, chunk, (size_t)n);
    return n;
}

int trail_reader_next(TrailReader *reader, Bytes *ret, Err *err)
{
    for (;;) {
        const char *start = strbuf_str(&reader->text) + reader->begin;
        size_t left = reader->text.len - reader->begin;
        const char *end = memchr(start, '\n', left);
        if (end) {
            reader->text.data[reader->begin + (size_t)(end - start)] = '\0';
            reader->begin += (size_t)(end - start) + 1;
            *ret = (Bytes){start, (size_t)(end - start)};
            return 0;
        }
        ssize_t n = read_more(reader);
        if (n < 0)
            return err_errno(err, errno, "cannot read the trail of the run");
        if (reader->text.overflowed)
            return err_set(err, ERR_FAILED, "the trail of the run has a line of more than %d bytes", LINE_MAX_BYTES);
        if (n == 0)
            return TRAIL_NO_LINE;
    }
}

static TrailNews take_news(TrailReader *reader)
{
    _Alignas(struct inotify_event) char buffer[4096];
    TrailNews news = TRAIL_WRITTEN;
    for (ssize_t n; (n = read(reader->watch, buffer, sizeof buffer)) > 0;) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)(buffer + at);
            news = event->mask & IN_CLOSE_WRITE ? TRAIL_LEFT : TRAIL_WRITTEN;
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
    return news;
}

int trail_reader_wait(TrailReader *reader, usec timeout_usec, const sigset_t *unblocked, TrailNews *ret, Err *err)
{
    struct pollfd fd = {.fd = reader->watch, .events = POLLIN};
    struct timespec limit = {.tv_sec = (time_t)(timeout_usec / USEC_PER_SEC),
                             .tv_nsec = (long)(timeout_usec % USEC_PER_SEC) * 1000};
    int n = ppoll(&fd, 1, timeout_usec == USEC_INFINITY ? NULL : &limit, unblocked);
    if (n < 0 && errno != EINTR)
        return err_errno(err, errno, "cannot wait for the run");
    *ret = n < 0 ? TRAIL_INTERRUPTED : n == 0 ? TRAIL_QUIET : take_news(reader);
    return 0;
}
