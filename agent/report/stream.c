/* SPDX-License-Identifier: Apache-2.0 */
#include "report/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/safe-text.h"
#include "report/live.h"
#include "report/record-json.h"

enum { STREAM_MAX_BYTES = 1 << 20 };

struct Stream {
    int fd;
    StreamForm form;
    bool broken;
    LiveView view; /* its text is also what STREAM_TEXT uses */
};

static void write_all(Stream *stream, const StrBuf *text)
{
    CLEANUP(strbuf_free) StrBuf safe = STRBUF_INIT(6 * STREAM_MAX_BYTES);
    SafeFlags flags = stream->form == STREAM_JSON ? SAFE_JSON : SAFE_PLAIN;
    flags |= stream->view.text.colour ? SAFE_COLOURS : SAFE_PLAIN;
    flags |= stream->form == STREAM_LIVE ? SAFE_MOVES : SAFE_PLAIN;
    safe_add(&safe, (Bytes){strbuf_str(text), text->len}, flags | safe_locale());
    const char *p = strbuf_str(&safe);
    for (size_t left = safe.len; left && !stream->broken;) {
        ssize_t n = write(stream->fd, p, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            stream->broken = true;
            return;
        }
        p += n;
        left -= (size_t)n;
    }
}

static size_t columns_of(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

static void stream_emit(void *user, const Event *event)
{
    Stream *stream = user;
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(STREAM_MAX_BYTES);
    switch (stream->form) {
    case STREAM_TEXT: text_event(&stream->view.text, event, &text); break;
    case STREAM_LIVE: live_event(&stream->view, event, columns_of(stream->fd), &text); break;
    case STREAM_JSON: json_of_event(event, &text); break;
    }
    write_all(stream, &text);
}

Stream *stream_open(int fd, StreamForm form, TextDetail detail, bool colour)
{
    Stream *stream = xmalloc(sizeof *stream);
    *stream = (Stream){.fd = fd, .form = form, .view.text = {.detail = detail, .colour = colour}};
    return stream;
}

EventSink stream_sink(Stream *stream)
{
    return (EventSink){.emit = stream_emit, .user = stream};
}

void stream_rest(Stream *stream)
{
    if (stream->form != STREAM_LIVE)
        return;
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(STREAM_MAX_BYTES);
    live_end(&stream->view, columns_of(stream->fd), &text);
    write_all(stream, &text);
}

void stream_close(Stream *stream)
{
    if (!stream)
        return;
    stream_rest(stream);
    free(stream);
}
