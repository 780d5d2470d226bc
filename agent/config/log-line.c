/* SPDX-License-Identifier: Apache-2.0 */
/* A line is judged from its start: the prefix has fixed places, and behind it the first bytes of the message say which
 * row of a table it may be. Nothing is searched for in the whole line before that, so ordinary lines cost next to
 * nothing. Rows differ in how the rest is read; one small function each. */
#include "config/log-line.h"

#include <string.h>

#include "base/cleanup.h"
#include "config/log-nginx.h"
#include "config/log-text.h"

typedef bool (*RestReader)(Bytes rest, LogLine *line);

typedef struct Row {
    const char *start;
    LogEvent event;
    RestReader read; /* NULL: the start is enough */
} Row;

static bool read_pid(Bytes rest, LogLine *line)
{
    return log_number(&rest, &line->pid);
}

static bool read_text(Bytes rest, LogLine *line)
{
    line->text = rest;
    return true;
}

static const struct {
    const char *name;
    int32_t number;
} signals[] = {{"HUP", 1},  {"INT", 2},   {"QUIT", 3},  {"ILL", 4},   {"ABRT", 6},  {"BUS", 7},   {"FPE", 8},
               {"KILL", 9}, {"USR1", 10}, {"SEGV", 11}, {"USR2", 12}, {"PIPE", 13}, {"ALRM", 14}, {"TERM", 15}};

static int32_t signal_number(Bytes name)
{
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        if (log_starts(name, signals[i].name) && name.len > strlen(signals[i].name) &&
            name.data[strlen(signals[i].name)] == '!')
            return signals[i].number;
    }
    return 0;
}

static bool set_signal(LogLine *line, int32_t signal)
{
    line->signal = signal;
    line->event = signal == 15 ? LOG_WORKER_TERMINATED : LOG_WORKER_SIGNALED;
    return true;
}

/* 20.1: "N was terminated due to signal 9". */
static bool read_terminated(Bytes rest, LogLine *line)
{
    uint32_t signal;
    if (!log_number(&rest, &line->pid) || !log_skip(&rest, " was terminated due to signal ") ||
        !log_number(&rest, &signal))
        return false;
    return set_signal(line, (int32_t)(signal & 0x7f));
}

/* 21 and later: "N) was sent SIGKILL! Perhaps out of memory?", "N) exited with code 7." */
static bool read_worker(Bytes rest, LogLine *line)
{
    uint32_t number = 0;
    if (!log_number(&rest, &line->pid) || !log_skip(&rest, ") "))
        return false;
    if (log_skip(&rest, "was sent SIG"))
        return set_signal(line, signal_number(rest));
    if (log_skip(&rest, "was sent signal "))
        return log_number(&rest, &number) && set_signal(line, (int32_t)(number & 0x7f));
    if (!log_skip(&rest, "exited with code ") && !log_skip(&rest, "was sent code "))
        return false;
    bool negative = log_skip(&rest, "-");
    line->event = LOG_WORKER_EXITED;
    if (!log_number(&rest, &number))
        return false;
    line->exit_code = negative ? -(int32_t)(number & 0xffff) : (int32_t)(number & 0xffff);
    return true;
}

static bool read_failed(Bytes rest, LogLine *line)
{
    (void)line;
    return memmem(rest.data, rest.len, "failed", 6) != NULL;
}

/* From Gunicorn's arbiter.py, glogging.py, sock.py and workers/base.py from 19.9 to 26. */
static const Row rows[] = {
    {"WORKER TIMEOUT (pid:", LOG_WORKER_TIMEOUT, read_pid},
    {"Worker with pid ", LOG_WORKER_SIGNALED, read_terminated},
    {"Worker (pid:", LOG_WORKER_SIGNALED, read_worker},
    {"Worker exiting (pid: ", LOG_WORKER_EXITING, read_pid},
    {"Booting worker with pid: ", LOG_WORKER_BOOTING, read_pid},
    {"Autorestarting worker after current request", LOG_WORKER_RECYCLED, NULL},
    {"Reason: Worker failed to boot", LOG_BOOT_FAILURE, NULL},
    {"Reason: App failed to load", LOG_BOOT_FAILURE, NULL},
    {"Exception in worker process", LOG_BOOT_EXCEPTION, NULL},
    {"Connection in use: ", LOG_BIND_FAILURE, read_text},
    {"Can't connect to ", LOG_BIND_FAILURE, read_text},
    {"connection to ", LOG_BIND_FAILURE, read_failed},
    {"Error handling request", LOG_REQUEST_ERROR, read_text},
    {"Starting gunicorn ", LOG_STARTING, read_text},
    {"Listening at: ", LOG_LISTENING, read_text},
    {"Using worker: ", LOG_WORKER_CLASS, read_text},
    {"Handling signal: ", LOG_HANDLING_SIGNAL, read_text},
    {"Shutting down: Master", LOG_SHUTTING_DOWN, NULL},
    {"Parent changed, shutting down", LOG_PARENT_CHANGED, NULL},
    {"Control server error", LOG_CONTROL_SOCKET, NULL},
};

static bool read_message(Bytes message, LogLine *line)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (message.len == 0 || rows[i].start[0] != message.data[0])
            continue;
        Bytes rest = message;
        if (!log_skip(&rest, rows[i].start))
            continue;
        LogLine read = *line;
        read.event = rows[i].event;
        if (rows[i].read && !rows[i].read(rest, &read))
            continue;
        *line = read;
        return true;
    }
    return false;
}

/* "[PID] [LEVEL] ", or "[PID] " alone as the syslog handler writes it. */
static bool read_writer(Bytes *rest, LogLine *line)
{
    Bytes at = *rest;
    if (!log_skip(&at, "[") || !log_number(&at, &line->writer) || !log_skip(&at, "] "))
        return false;
    *rest = at;
    if (log_skip(&at, "[") && log_until(&at, "] ", &line->level) && line->level.len <= 8)
        *rest = at;
    return true;
}

/* "[2026-03-01 12:33:12 +0000] ", before 19 without brackets and zone. */
static bool read_time(Bytes *rest, LogLine *line)
{
    Bytes at = *rest;
    bool bracket = log_skip(&at, "[");
    size_t len = bracket ? 25 : 19;
    if (at.len < len + 2 || at.data[4] != '-' || at.data[7] != '-' || at.data[13] != ':' || at.data[16] != ':')
        return false;
    Bytes time = {at.data, len};
    at = log_tail(at, len);
    if (!log_skip(&at, bracket ? "] " : " "))
        return false;
    line->time = time;
    *rest = at;
    return true;
}

/* A JSON log: the message is the value of some key. */
static bool read_json(Bytes line, LogLine *ret)
{
    const char *end = line.data + line.len;
    for (const char *p = line.data; (p = memchr(p, '"', (size_t)(end - p))); p++) {
        Bytes message = {p + 1, (size_t)(end - p) - 1};
        const char *quote = memchr(message.data, '"', message.len);
        if (quote)
            message.len = (size_t)(quote - message.data);
        ret->message = message;
        if (read_message(message, ret))
            return true;
    }
    return false;
}

static int parse_gunicorn(Bytes text, LogLine *ret)
{
    LogLine line = {0};
    Bytes rest = text;
    bool prefix = false;
    if (text.len > 0 && (text.data[0] == '[' || (text.data[0] >= '0' && text.data[0] <= '9'))) {
        read_time(&rest, &line);
        prefix = read_writer(&rest, &line);
        if (!prefix) {
            line = (LogLine){0};
            rest = text;
        }
    }
    line.message = rest;
    bool found = read_message(rest, &line) || (text.len > 0 && text.data[0] == '{' && read_json(text, &line));
    if (!found && !prefix)
        return 0;
    *ret = line;
    return 1;
}

int log_line_parse(LogSource source, Bytes line, LogLine *ret)
{
    switch (source) {
    case LOG_SOURCE_GUNICORN: return parse_gunicorn(line, ret);
    case LOG_SOURCE_NGINX_ERROR: return log_parse_nginx_error(line, ret);
    case LOG_SOURCE_NGINX_ACCESS: return log_parse_nginx_access(line, ret);
    }
    return 0;
}

int log_scan(LogSource source, Bytes text, LogFound found, void *ctx, size_t *ret_consumed)
{
    const char *start = text.data, *end = text.data + text.len, *newline;
    int r = 0;
    while (r == 0 && (newline = memchr(start, '\n', (size_t)(end - start)))) {
        LogLine line;
        size_t len = (size_t)(newline - start);
        if (len > 0 && start[len - 1] == '\r')
            len--;
        if (log_line_parse(source, (Bytes){start, len}, &line) > 0 && line.event != LOG_NONE)
            r = found(&line, ctx);
        start = newline + 1;
    }
    if (ret_consumed)
        *ret_consumed = (size_t)(start - text.data);
    return r;
}
