/* SPDX-License-Identifier: Apache-2.0 */
#include "report/trail.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/json.h"
#include "report/record-json.h"
#include "store/runtime.h"

/* How often the progress of a young wait is told; the rounds that it is counted in are as long, or shorter. A
 * confirmation may be waited for through days, and the trail lies in memory. */
#define YOUNG_WAIT_USEC  USEC_PER_MIN
#define YOUNG_WAIT_EVERY (USEC_PER_SEC * 9 / 10)

enum { KEPT_TRAILS = 20 };

typedef struct TrailFile {
    const char *run_id;
    int fd;    /* -1: it cannot be written */
    bool torn; /* the last line is not whole: the disk was full */
} TrailFile;

struct Trail {
    Arena *arena;
    const char *dir, *own;
    EventSink next;
    VEC(TrailFile) files;
    StringVec others;
    usec last_wait, last_total;
};

static TrailFile *file_of(Trail *trail, const char *run_id)
{
    Err err; /* without its trail a run is as good as with it: the ledger has what counts */
    VEC_EACH (file, &trail->files) {
        if (str_equal(file->run_id, run_id))
            return file;
    }
    int fd = -1;
    if (runtime_make(trail->dir, &err) >= 0 && runtime_open_trail(trail->dir, run_id, &fd, &err) >= 0)
        runtime_prune_trails(trail->dir, KEPT_TRAILS);
    TrailFile *file = vec_push(trail->arena, &trail->files);
    *file = (TrailFile){.run_id = arena_strdup(trail->arena, run_id), .fd = fd};
    if (!str_equal(run_id, trail->own))
        *vec_push(trail->arena, &trail->others) = file->run_id;
    return file;
}

static void write_line(TrailFile *file, const StrBuf *line)
{
    if (file->fd < 0 || line->overflowed)
        return;
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(line->len + 1);
    strbuf_add_str(&text, file->torn ? "\n" : "");
    strbuf_add(&text, line->data, line->len);
    ssize_t n;
    do
        n = write(file->fd, text.data, text.len);
    while (n < 0 && errno == EINTR);
    file->torn = n < 0 ? file->torn : (size_t)n < text.len;
}

static bool worth_a_line(Trail *trail, const Event *event)
{
    if (event->kind != EVENT_WAIT)
        return true;
    usec every = event->duration_usec < YOUNG_WAIT_USEC ? YOUNG_WAIT_EVERY : TRAIL_WAIT_EVERY;
    bool due = event->realtime >= trail->last_wait + every || event->realtime < trail->last_wait ||
               event->total_usec != trail->last_total || event->duration_usec == 0;
    if (due) {
        trail->last_wait = event->realtime;
        trail->last_total = event->total_usec;
    }
    return due;
}

static void keep(void *user, const Event *event)
{
    Trail *trail = user;
    if (worth_a_line(trail, event)) {
        CLEANUP(strbuf_free) StrBuf line = STRBUF_INIT(JSON_MAX_BYTES);
        json_of_event(event, &line);
        if (trail->own)
            write_line(file_of(trail, trail->own), &line);
        if (event->run_id && !str_equal(event->run_id, trail->own))
            write_line(file_of(trail, event->run_id), &line);
    }
    if (trail->next.emit)
        trail->next.emit(trail->next.user, event);
}

Trail *trail_open(const char *runtime_dir, const char *own, EventSink next)
{
    Trail *trail = xmalloc(sizeof *trail);
    *trail = (Trail){.arena = arena_new(), .dir = runtime_dir, .own = own, .next = next};
    if (own)
        file_of(trail, own); /* whoever follows sees that we are there */
    return trail;
}

EventSink trail_sink(Trail *trail)
{
    return (EventSink){.emit = keep, .user = trail};
}

const StringVec *trail_others(const Trail *trail)
{
    return &trail->others;
}

void trail_add(Trail *trail, const char *run_id, const Node *line)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(JSON_MAX_BYTES);
    const char *run = run_id ? run_id : trail->own;
    if (!run)
        return;
    json_print(line, JSON_COMPACT, &text);
    strbuf_add_char(&text, '\n');
    write_line(file_of(trail, run), &text);
}

void trail_close(Trail *trail)
{
    if (!trail)
        return;
    VEC_EACH (file, &trail->files)
        fd_close(file->fd);
    arena_free(trail->arena);
    free(trail);
}
