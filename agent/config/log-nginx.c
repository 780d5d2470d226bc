/* SPDX-License-Identifier: Apache-2.0 */
/* nginx's error.log (ngx_log.c, ngx_http_upstream.c) and access logs that start as "combined" does.
 *
 * A failure of an upstream is told by three things: how the message starts, the error number in "(110: ...)", and what
 * nginx was doing ("while reading response header from upstream"). Without "upstream" in the last, it was the client.
 */
#include "config/log-nginx.h"

#include "base/cleanup.h"
#include "config/log-text.h"

/* What the message says besides its start. */
typedef struct Failure {
    uint32_t errnum; /* 0: none */
    Bytes doing;     /* behind " while ", up to the comma */
    bool unix_socket;
} Failure;

static bool doing(const Failure *failure, const char *what)
{
    return log_starts(failure->doing, what);
}

static LogEvent timed_out(const Failure *failure)
{
    return doing(failure, "reading response header") ? LOG_UPSTREAM_TIMEOUT_HEADER
           : doing(failure, "reading upstream")      ? LOG_UPSTREAM_TIMEOUT_BODY
                                                     : LOG_UPSTREAM_TIMEOUT_CONNECT;
}

static LogEvent closed(const Failure *failure)
{
    (void)failure;
    return LOG_UPSTREAM_CLOSED;
}

static LogEvent none_live(const Failure *failure)
{
    (void)failure;
    return LOG_UPSTREAM_NONE_LIVE;
}

static LogEvent big_header(const Failure *failure)
{
    (void)failure;
    return LOG_UPSTREAM_BIG_HEADER;
}

static LogEvent could_not_bind(const Failure *failure)
{
    (void)failure;
    return LOG_NGINX_BIND;
}

/* Linux's error numbers, as nginx prints them. */
static LogEvent connect_failed(const Failure *failure)
{
    switch (failure->errnum) {
    case 2: return LOG_UPSTREAM_NO_SOCKET;
    case 13: return LOG_UPSTREAM_DENIED;
    case 11: return LOG_UPSTREAM_BACKLOG;
    case 110: return LOG_UPSTREAM_TIMEOUT_CONNECT;
    default: return LOG_UPSTREAM_REFUSED;
    }
}

static LogEvent io_failed(const Failure *failure)
{
    return failure->errnum == 110 ? timed_out(failure) : LOG_UPSTREAM_RESET;
}

static const struct {
    const char *start;
    LogEvent (*classify)(const Failure *failure);
    bool any_doing; /* counts without "upstream" in what nginx was doing */
} rows[] = {
    {"upstream timed out", timed_out, true},
    {"upstream prematurely closed connection", closed, true},
    {"upstream sent too big header", big_header, true},
    {"no live upstreams", none_live, true},
    {"connect() ", connect_failed, false},
    {"recv() failed", io_failed, false},
    {"readv() failed", io_failed, false},
    {"send() failed", io_failed, false},
    {"writev() failed", io_failed, false},
    {"sendfile() failed", io_failed, false},
    {"sendmsg() failed", io_failed, false},
    {"bind() to ", could_not_bind, true},
    {"still could not bind()", could_not_bind, true},
};

static Failure read_failure(Bytes message)
{
    Failure failure = {0};
    Bytes rest = message, skipped;
    if (log_until(&rest, "(", &skipped) && skipped.len > 0) {
        /* "connect() to ... failed (2: ...": the first bracket may be the function's own. */
        if (log_starts(rest, ")"))
            log_until(&rest, "(", &skipped);
        log_number(&rest, &failure.errnum);
    }
    rest = message;
    if (log_until(&rest, " while ", &skipped)) {
        failure.doing = rest;
        const char *comma = memchr(rest.data, ',', rest.len);
        if (comma)
            failure.doing.len = (size_t)(comma - rest.data);
    }
    return failure;
}

static LogEvent classify(Bytes message)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (message.len == 0 || message.data[0] != rows[i].start[0] || !log_starts(message, rows[i].start))
            continue;
        Failure failure = read_failure(message);
        bool upstream = failure.doing.len && memmem(failure.doing.data, failure.doing.len, "upstream", 8);
        if (rows[i].any_doing || upstream)
            return rows[i].classify(&failure);
    }
    return LOG_NONE;
}

/* `, name: "value"` of an error line. */
static Bytes field(Bytes message, const char *name)
{
    Bytes rest = message, before, value = {message.data, 0};
    if (log_until(&rest, name, &before))
        log_until(&rest, "\"", &value);
    return value;
}

static void read_event(LogLine *line)
{
    line->event = classify(line->message);
    if (line->event == LOG_NONE && (log_starts(line->level, "emerg") || log_starts(line->level, "alert")))
        line->event = LOG_NGINX_EMERG;
    if (line->event < LOG_UPSTREAM_TIMEOUT_HEADER || line->event > LOG_UPSTREAM_BIG_HEADER)
        return;
    Bytes rest = line->message, before;
    line->text = field(line->message, ", upstream: \"");
    line->request = field(line->message, ", request: \"");
    if (log_until(&rest, ", client: ", &before))
        log_until(&rest, ",", &line->remote);
}

/* "2026/03/01 12:33:12 [error] 7#7: *5 ". */
static bool read_prefix(Bytes *rest, LogLine *line)
{
    const char *at = rest->data;
    uint32_t thread, connection;
    if (rest->len < 28 || at[4] != '/' || at[7] != '/' || at[13] != ':' || at[16] != ':' || at[19] != ' ')
        return false;
    line->time = (Bytes){at, 19};
    *rest = log_tail(*rest, 20);
    if (!log_skip(rest, "[") || !log_until(rest, "] ", &line->level) || line->level.len > 6)
        return false;
    if (!log_number(rest, &line->writer) || !log_skip(rest, "#") || !log_number(rest, &thread) || !log_skip(rest, ": "))
        return false;
    Bytes behind = *rest;
    if (log_skip(&behind, "*") && log_number(&behind, &connection) && log_skip(&behind, " "))
        *rest = behind;
    return true;
}

int log_parse_nginx_error(Bytes text, LogLine *ret)
{
    LogLine line = {0};
    Bytes rest = text;
    if (!log_skip(&rest, "nginx: [") || !log_until(&rest, "] ", &line.level)) { /* as nginx writes at its start */
        rest = text;
        line = (LogLine){0};
        if (!read_prefix(&rest, &line))
            return 0;
    }
    line.message = rest;
    read_event(&line);
    *ret = line;
    return 1;
}

static bool read_quoted(Bytes *rest, Bytes *ret)
{
    Bytes at = *rest;
    if (!log_skip(&at, " \"") || !log_until(&at, "\"", ret))
        return false;
    *rest = at;
    return true;
}

/* `1.2.3.4 - user [01/Mar/2026:12:33:12 +0000] "GET / HTTP/1.1" 200 5 "referrer" "agent" and anything more`. */
int log_parse_nginx_access(Bytes text, LogLine *ret)
{
    LogLine line = {.event = LOG_ACCESS, .message = text};
    Bytes rest = text, user, referrer;
    uint32_t status;
    if (!log_until(&rest, " - ", &line.remote) || !log_until(&rest, " [", &user) ||
        !log_until(&rest, "]", &line.time) || !read_quoted(&rest, &line.request) || !log_skip(&rest, " ") ||
        !log_number(&rest, &status) || !log_skip(&rest, " ") || status > 999)
        return 0;
    line.status = status;
    for (; rest.len > 0 && rest.data[0] >= '0' && rest.data[0] <= '9'; rest = log_tail(rest, 1))
        line.body_bytes = line.body_bytes * 10 + (uint64_t)(rest.data[0] - '0');
    if (read_quoted(&rest, &referrer))
        read_quoted(&rest, &line.user_agent);
    *ret = line;
    return 1;
}
