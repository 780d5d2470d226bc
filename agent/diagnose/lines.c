/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/lines.h"

#include <string.h>

#include "host/journal.h"
#include "stack/log-event.h"
#include "stack/log-tail.h"

enum {
    MOST_TEXT = 200,
    MOST_LINES = 20000, /* of one service; the newest count */
    LARGEST_TAIL = 16 * 1024 * 1024,
    LINES_PER_ARENA = 1000,
};

const char *printable(Arena *arena, Bytes text, size_t most)
{
    size_t len = text.len > most ? most : text.len;
    char *copy = arena_strndup(arena, text.data, len);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)copy[i];
        if (c < ' ' || c == 0x7f)
            copy[i] = '?';
    }
    return copy;
}

const char *route_of(Arena *arena, Bytes request)
{
    const char *start = memchr(request.data, '/', request.len);
    if (!start)
        return "";
    size_t left = request.len - (size_t)(start - request.data), len = 0;
    while (len < left && !strchr(" ?#\"", start[len]))
        len++;
    return printable(arena, (Bytes){start, len}, MOST_TEXT);
}

/* nginx: ..., request: "GET /reports/ HTTP/1.1", upstream: ... */
static Bytes request_of(Bytes message)
{
    static const char mark[] = "request: \"";
    const char *at = memmem(message.data, message.len, mark, sizeof mark - 1);
    if (!at)
        return BYTES("");
    at += sizeof mark - 1;
    return (Bytes){at, message.len - (size_t)(at - message.data)};
}

bool event_line_parse(Arena *arena, LogSource source, Bytes text, usec realtime, uint32_t writer, const char *from,
                      EventLine *ret)
{
    LogLine line;
    if (!log_line_parse(source, text, &line) || line.event == LOG_NONE)
        return false;
    uint32_t wrote = line.writer ? line.writer : writer;
    EventLine event = {
        .realtime = realtime,
        .event = line.event,
        .pid = line.pid ? line.pid : wrote,
        .signal = line.signal,
        .text = printable(arena, line.message, MOST_TEXT),
        .source = from,
    };
    if (source == LOG_SOURCE_NGINX_ERROR)
        event.detail = route_of(arena, request_of(line.message));
    else if (line.event == LOG_REQUEST_ERROR)
        event.detail = route_of(arena, line.text);
    else
        event.detail = printable(arena, line.text, MOST_TEXT);
    *ret = event;
    return true;
}

/* The newest lines stay: of too many the older half goes. */
static void keep(Arena *arena, EventLineVec *lines, const EventLine *line)
{
    if (lines->n >= MOST_LINES) {
        size_t half = lines->n / 2;
        memmove(lines->items, lines->items + half, (lines->n - half) * sizeof *lines->items);
        lines->n -= half;
    }
    *vec_push(arena, lines) = *line;
}

static int read_journal(Arena *arena, Journal *journal, EventLineVec *ret, Err *err)
{
    int r = 0;
    while (r == 0) {
        CLEANUP(arena_free) Arena *scratch = arena_new();
        for (int i = 0; i < LINES_PER_ARENA; i++) {
            JournalEntry entry;
            EventLine line;
            r = journal_next(journal, scratch, &entry, err);
            if (r != 0)
                break;
            if (event_line_parse(arena, LOG_SOURCE_GUNICORN, entry.message, entry.realtime, entry.pid, "journal",
                                 &line))
                keep(arena, ret, &line);
        }
    }
    return r < 0 ? r : 0;
}

static int journal_lines(FindingContext *context, usec since, const char *invocation, EventLineVec *ret, Err *err)
{
    CLEANUP(journal_close) Journal *journal = NULL;
    int r = journal_open(&journal, err);
    if (r < 0)
        return r;
    const JournalFilter filter = {.unit = context->unit, .invocation = invocation};
    r = journal_filter(journal, &filter, err);
    if (r < 0)
        return r;
    r = journal_seek_realtime(journal, since, err);
    return r < 0 ? r : read_journal(context->arena, journal, ret, err);
}

typedef struct Collect {
    Arena *arena;
    LogSource source;
    const char *path;
    EventLineVec *lines;
} Collect;

static void collect(Bytes text, usec realtime, void *user)
{
    Collect *c = user;
    EventLine line;
    if (event_line_parse(c->arena, c->source, text, realtime, 0, c->path, &line))
        keep(c->arena, c->lines, &line);
}

static int file_lines(FindingContext *context, LogSource source, const char *path, usec since, EventLineVec *ret,
                      Err *err)
{
    Collect c = {context->arena, source, path, ret};
    const char *full = arena_printf(context->arena, "%s%s", view_root(context->view), path);
    LogTail tail;
    int r = log_tail(source, full, since, LARGEST_TAIL, collect, &c, &tail, err);
    return r < 0 ? r : 0;
}

int gunicorn_lines(FindingContext *context, const GunicornFacts *facts, usec since, const char *invocation,
                   EventLineVec *ret, Err *err)
{
    EventLineVec lines = {0};
    int r;
    if (facts->error_log)
        r = file_lines(context, LOG_SOURCE_GUNICORN, facts->error_log, since, &lines, err);
    else if (!context->live)
        r = err_set(err, ERR_REFUSED, "%s logs to the journal, which is not part of a tree", context->unit);
    else
        r = journal_lines(context, since, invocation, &lines, err);
    if (r < 0)
        return r;
    *ret = lines;
    return 0;
}

void nginx_lines(FindingContext *context, const GunicornFacts *facts, usec since, EventLineVec *ret)
{
    EventLineVec lines = {0};
    StringVec paths = {0};
    const NginxFacts *nginx;
    Err err;
    bool found = nginx_load(context->view, &nginx, &err) == 0 &&
                 log_place_paths(context->arena, LOG_NGINX_ERROR, facts, nginx, &paths, &err) == 0;
    for (size_t i = 0; found && i < paths.n; i++)
        file_lines(context, LOG_SOURCE_NGINX_ERROR, paths.items[i], since, &lines, &err);
    *ret = lines;
}

const char *event_line_show(Arena *arena, const EventLine *line)
{
    return arena_printf(arena, "%s %s: %s", usec_to_local(arena, line->realtime), line->source, line->text);
}
