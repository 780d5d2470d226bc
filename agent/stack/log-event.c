/* SPDX-License-Identifier: Apache-2.0 */
/* One table of events, and one counter that applies a row to lines. */
#include "stack/log-event.h"

#include <string.h>

#include "config/log-line.h"
#include "host/journal.h"

enum { RING = 32, TEXT_MAX = 300, MAX_CLASSES = 4 };

/* A SIGKILL this soon after the worker's WORKER TIMEOUT is the arbiter's own (domain facts 1.1). */
#define ARBITER_KILL_USEC (3 * USEC_PER_SEC)

/* What makes a line the event. */
struct LogRule {
    LogEvent classes[MAX_CLASSES];   /* LOG_NONE ends the list */
    const char *group;               /* a name of config/log-line.h */
    unsigned status_from, status_to; /* access lines */
    const char *message_id;          /* journal */
    bool kernel_oom;
    bool not_after_timeout;
    usec once_usec; /* lines of one process within this time are one event */
};

#define GUNICORN_PLACES (1U << LOG_JOURNAL | 1U << LOG_GUNICORN_ERROR)
#define ERROR_PLACE     (1U << LOG_NGINX_ERROR)
#define ACCESS_PLACE    (1U << LOG_NGINX_ACCESS)
#define RULE(...)       (&(const struct LogRule){__VA_ARGS__})

const LogPlaceKind log_places[LOG_PLACE_COUNT] = {
    [LOG_JOURNAL] = {"journal", "The journal of the unit (Gunicorn's messages and systemd's about it)."},
    [LOG_NGINX_ERROR] = {"nginx-error", "nginx's error logs, where its configuration puts them."},
    [LOG_NGINX_ACCESS] = {"nginx-access", "nginx's access logs; lines must begin as in the combined format."},
    [LOG_GUNICORN_ERROR] = {"gunicorn-error", "Gunicorn's error log where it is a file (errorlog)."},
};

const LogEventKind log_event_kinds[] = {
    {"worker-timeout", "Gunicorn ended a worker that was silent longer than timeout (WORKER TIMEOUT).", GUNICORN_PLACES,
     RULE(.classes = {LOG_WORKER_TIMEOUT}, .once_usec = USEC_PER_SEC)},
    {"worker-killed",
     "A worker was ended by a signal that was not the master's own after a timeout, nor an ordinary stop.",
     GUNICORN_PLACES, RULE(.classes = {LOG_WORKER_SIGNALED}, .once_usec = USEC_PER_SEC, .not_after_timeout = true)},
    {"worker-exit", "A worker ended with an exit code that is not 0.", GUNICORN_PLACES,
     RULE(.classes = {LOG_WORKER_EXITED}, .once_usec = USEC_PER_SEC)},
    {"worker-boot-failure", "The application could not be loaded, or a worker failed to boot.", GUNICORN_PLACES,
     RULE(.classes = {LOG_BOOT_FAILURE, LOG_BOOT_EXCEPTION}, .once_usec = USEC_PER_SEC)},
    {"worker-recycled", "A worker was replaced after max_requests.", GUNICORN_PLACES,
     RULE(.classes = {LOG_WORKER_RECYCLED})},
    {"request-error", "Gunicorn logged an error while handling a request (from 22 on a timeout, too).", GUNICORN_PLACES,
     RULE(.classes = {LOG_REQUEST_ERROR})},
    {"bind-failure", "The address to listen on was in use or could not be bound.", GUNICORN_PLACES | ERROR_PLACE,
     RULE(.classes = {LOG_BIND_FAILURE, LOG_NGINX_BIND}, .once_usec = 10 * USEC_PER_SEC)},
    {"upstream-failure", "nginx could not get an answer: every cause of a 502 or 504.", ERROR_PLACE | ACCESS_PLACE,
     RULE(.group = "upstream-failure", .status_from = 502, .status_to = 504)},
    {"upstream-timeout", "nginx waited longer than its proxy timeouts allow.", ERROR_PLACE | ACCESS_PLACE,
     RULE(.group = "upstream-timeout", .status_from = 504, .status_to = 504)},
    {"upstream-refused", "Nothing listened where nginx connects to.", ERROR_PLACE,
     RULE(.classes = {LOG_UPSTREAM_REFUSED, LOG_UPSTREAM_NO_SOCKET, LOG_UPSTREAM_NONE_LIVE})},
    {"upstream-closed", "The worker closed the connection without an answer: it was killed, or reset it.", ERROR_PLACE,
     RULE(.classes = {LOG_UPSTREAM_CLOSED, LOG_UPSTREAM_RESET})},
    {"upstream-denied", "nginx may not open Gunicorn's socket.", ERROR_PLACE, RULE(.classes = {LOG_UPSTREAM_DENIED})},
    {"upstream-backlog", "The queue of Gunicorn's socket was full: no worker was free.", ERROR_PLACE,
     RULE(.classes = {LOG_UPSTREAM_BACKLOG})},
    {"server-error", "A request ended with a status of 500 or more.", ACCESS_PLACE,
     RULE(.status_from = 500, .status_to = 599)},
    {"client-gave-up", "The client closed the connection before the answer came (status 499).", ACCESS_PLACE,
     RULE(.status_from = 499, .status_to = 499)},
    {"nginx-emergency", "nginx logged an [emerg] or [alert]: often a reload that it rejected.", ERROR_PLACE,
     RULE(.classes = {LOG_NGINX_EMERG, LOG_NGINX_BIND})},
    {"oom-kill", "The kernel killed a process of the unit because memory ran out (evidence of the kernel or systemd).",
     1U << LOG_JOURNAL, RULE(.kernel_oom = true, .message_id = MESSAGE_UNIT_OOM, .once_usec = 5 * USEC_PER_SEC)},
    {"unit-failed", "systemd marked the unit as failed.", 1U << LOG_JOURNAL, RULE(.message_id = MESSAGE_UNIT_FAILED)},
    {"unit-restarted", "systemd restarted the unit by itself (Restart=).", 1U << LOG_JOURNAL,
     RULE(.message_id = MESSAGE_UNIT_AUTO_RESTART)},
    {NULL, NULL, 0, NULL},
};

/* --- names */

int log_place_from_string(const char *name, LogPlace *ret, Err *err)
{
    const char *names[LOG_PLACE_COUNT + 1] = {0};
    for (int i = 0; i < LOG_PLACE_COUNT; i++) {
        names[i] = log_places[i].name;
        if (str_equal(name, names[i])) {
            *ret = (LogPlace)i;
            return 0;
        }
    }
    const char *near = str_nearest(name, names);
    return err_set(err, ERR_INVALID, "unknown log \"%s\"%s%s%s", name, near ? " (did you mean \"" : "",
                   near ? near : "", near ? "\"?)" : "");
}

const LogEventKind *log_event_kind(const char *name)
{
    for (const LogEventKind *kind = log_event_kinds; kind->name; kind++)
        if (str_equal(kind->name, name))
            return kind;
    return NULL;
}

static const char *first_place(unsigned places)
{
    for (int i = 0; i < LOG_PLACE_COUNT; i++)
        if (places & 1U << i)
            return log_places[i].name;
    return "";
}

int log_event_kind_in(const char *name, LogPlace place, const LogEventKind **ret, Err *err)
{
    const LogEventKind *kind = log_event_kind(name);
    const char *names[ARRAY_LEN(log_event_kinds)] = {0};
    size_t n = 0;
    if (kind && kind->places & 1U << place) {
        *ret = kind;
        return 0;
    }
    if (kind)
        return err_set(err, ERR_INVALID, "event \"%s\" cannot be seen in %s; look in %s", name, log_places[place].name,
                       first_place(kind->places));
    for (const LogEventKind *each = log_event_kinds; each->name; each++)
        if (each->places & 1U << place)
            names[n++] = each->name;
    const char *near = str_nearest(name, names);
    return err_set(err, ERR_INVALID, "unknown event \"%s\"%s%s%s", name, near ? " (did you mean \"" : "",
                   near ? near : "", near ? "\"?)" : "");
}

/* --- counting */

typedef struct Remembered {
    uint32_t pid;
    usec realtime;
    bool used;
} Remembered;

struct LogCounter {
    Arena *arena;
    const LogEventKind *kind;
    uint64_t events, lines, own;
    Remembered seen[RING], timeouts[RING]; /* the last ones, in a ring */
    size_t next_seen, next_timeout;
};

LogCounter *log_counter_new(Arena *arena, const LogEventKind *kind)
{
    LogCounter *counter = arena_new_of(arena, LogCounter);
    *counter = (LogCounter){.arena = arena, .kind = kind};
    return counter;
}

uint64_t log_counter_events(const LogCounter *counter)
{
    return counter->events;
}

uint64_t log_counter_lines(const LogCounter *counter)
{
    return counter->lines;
}

uint64_t log_counter_own(const LogCounter *counter)
{
    return counter->own;
}

static void remember(Remembered *ring, size_t *next, uint32_t pid, usec realtime)
{
    ring[*next % RING] = (Remembered){.pid = pid, .realtime = realtime, .used = true};
    (*next)++;
}

static bool remembered(const Remembered *ring, uint32_t pid, usec realtime, usec within)
{
    for (size_t i = 0; i < RING; i++) {
        usec apart = ring[i].realtime > realtime ? ring[i].realtime - realtime : realtime - ring[i].realtime;
        if (ring[i].used && ring[i].pid == pid && apart <= within)
            return true;
    }
    return false;
}

/* Takes what it finds out of the ring: a timeout that explains one death explains no other. */
static bool take_remembered(Remembered *ring, uint32_t pid, usec realtime, usec within)
{
    for (size_t i = 0; i < RING; i++) {
        bool before = ring[i].used && ring[i].pid == pid && ring[i].realtime <= realtime;
        if (!before || realtime - ring[i].realtime > within)
            continue;
        ring[i].used = false;
        return true;
    }
    return false;
}

static LogSource source_of(LogPlace place)
{
    static const LogSource sources[] = {[LOG_JOURNAL] = LOG_SOURCE_GUNICORN,
                                        [LOG_NGINX_ERROR] = LOG_SOURCE_NGINX_ERROR,
                                        [LOG_NGINX_ACCESS] = LOG_SOURCE_NGINX_ACCESS,
                                        [LOG_GUNICORN_ERROR] = LOG_SOURCE_GUNICORN};
    return sources[place];
}

/* "oom-kill:...,task_memcg=/system.slice/gunicorn.service,task=python3,pid=4711,uid=33": the pid, where the control
 * group is the one asked for. */
static bool kernel_oom(const LogInput *input, uint32_t *ret_pid)
{
    static const char memcg_key[] = "task_memcg=", pid_key[] = ",pid=";
    const char *text = input->text.data, *end = text + input->text.len;
    const char *memcg = memmem(text, input->text.len, memcg_key, sizeof memcg_key - 1);
    if (input->text.len < 9 || memcmp(text, "oom-kill:", 9) != 0 || !memcg)
        return false;
    memcg += sizeof memcg_key - 1;
    const char *stop = memchr(memcg, ',', (size_t)(end - memcg));
    size_t len = (size_t)((stop ? stop : end) - memcg), wanted = input->cgroup ? strlen(input->cgroup) : 0;
    bool ours = wanted == 0;
    for (size_t i = 0; !ours && i + wanted <= len; i++)
        ours = memcmp(memcg + i, input->cgroup, wanted) == 0 && (i == 0 || memcg[i - 1] == '/') &&
               (i + wanted == len || memcg[i + wanted] == '/');
    const char *pid = memmem(text, input->text.len, pid_key, sizeof pid_key - 1);
    *ret_pid = 0;
    for (pid = pid ? pid + sizeof pid_key - 1 : end; pid < end && *pid >= '0' && *pid <= '9'; pid++)
        *ret_pid = *ret_pid * 10 + (uint32_t)(*pid - '0');
    return ours;
}

static bool class_matches(const struct LogRule *rule, const LogLine *line)
{
    for (size_t i = 0; i < MAX_CLASSES && rule->classes[i] != LOG_NONE; i++)
        if (rule->classes[i] == line->event)
            return true;
    if (line->event == LOG_ACCESS)
        return rule->status_from && line->status >= rule->status_from && line->status <= rule->status_to &&
               (line->status != 503 || rule->status_from == 500); /* 503 is an answer, not an upstream's failure */
    return rule->group && log_event_is(line->event, rule->group);
}

/* Whether the line is of the event's kind at all; fills in what it is about. */
static bool line_matches(LogCounter *counter, const LogInput *input, LogLine *line, usec *realtime, uint32_t *pid)
{
    const struct LogRule *rule = counter->kind->rule;
    if (rule->message_id && input->message_id && str_equal(rule->message_id, input->message_id))
        return true;
    if (rule->kernel_oom)
        return input->kernel && kernel_oom(input, pid);
    if (input->kernel || log_line_parse(source_of(input->place), input->text, line) != 1)
        return false;
    if (*realtime == 0)
        log_line_time(source_of(input->place), line, input->utc_offset_sec, realtime);
    *pid = line->pid ? line->pid : line->writer ? line->writer : input->pid;
    if (line->event == LOG_WORKER_TIMEOUT)
        remember(counter->timeouts, &counter->next_timeout, *pid, *realtime);
    return class_matches(rule, line);
}

/* systemd's line about an OOM kill names no process, and the kernel's comes from another stream: only time joins them.
 */
static bool is_duplicate(const LogCounter *counter, uint32_t pid, usec realtime)
{
    const struct LogRule *rule = counter->kind->rule;
    if (rule->once_usec == 0)
        return false;
    if (!rule->kernel_oom)
        return remembered(counter->seen, pid, realtime, rule->once_usec);
    for (size_t i = 0; i < RING; i++) {
        const Remembered *other = &counter->seen[i];
        usec apart = other->realtime > realtime ? other->realtime - realtime : realtime - other->realtime;
        bool joined = other->pid == pid || other->pid == 0 || pid == 0;
        if (other->used && joined && apart <= rule->once_usec)
            return true;
    }
    return false;
}

static char *printable(Arena *arena, Bytes text)
{
    char *out = arena_strndup(arena, text.data, text.len < TEXT_MAX ? text.len : TEXT_MAX);
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = '?';
    return out;
}

int log_counter_feed(LogCounter *counter, const LogInput *input, LogSeen *ret)
{
    const struct LogRule *rule = counter->kind->rule;
    LogLine line = {0};
    usec realtime = input->realtime;
    uint32_t pid = 0;
    counter->lines++;
    if (!line_matches(counter, input, &line, &realtime, &pid))
        return 0;
    if (line.user_agent.len >= strlen(LOG_OWN_AGENT) &&
        memcmp(line.user_agent.data, LOG_OWN_AGENT, strlen(LOG_OWN_AGENT)) == 0) {
        counter->own++;
        return 0;
    }
    if (is_duplicate(counter, pid, realtime))
        return 0;
    remember(counter->seen, &counter->next_seen, pid, realtime);
    if (rule->not_after_timeout && take_remembered(counter->timeouts, pid, realtime, ARBITER_KILL_USEC))
        return 0;
    counter->events++;
    if (ret)
        *ret = (LogSeen){.realtime = realtime, .pid = pid, .text = printable(counter->arena, input->text)};
    return 1;
}
