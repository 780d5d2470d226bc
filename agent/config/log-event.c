/* SPDX-License-Identifier: Apache-2.0 */
/* The names of log events, and when a line was written. */
#include <string.h>

#include "base/cleanup.h"
#include "config/log-line.h"
#include "config/log-text.h"

#define GUNICORN_EVENTS                                                                                                \
    X(LOG_WORKER_TIMEOUT, "worker-timeout")                                                                            \
    X(LOG_WORKER_SIGNALED, "worker-signaled")                                                                          \
    X(LOG_WORKER_TERMINATED, "worker-terminated")                                                                      \
    X(LOG_WORKER_EXITED, "worker-exited")                                                                              \
    X(LOG_WORKER_BOOTING, "worker-booting")                                                                            \
    X(LOG_WORKER_EXITING, "worker-exiting")                                                                            \
    X(LOG_WORKER_RECYCLED, "worker-recycled")                                                                          \
    X(LOG_BOOT_FAILURE, "boot-failure")                                                                                \
    X(LOG_BOOT_EXCEPTION, "boot-exception")                                                                            \
    X(LOG_BIND_FAILURE, "bind-failure")                                                                                \
    X(LOG_REQUEST_ERROR, "request-error")                                                                              \
    X(LOG_STARTING, "starting")                                                                                        \
    X(LOG_LISTENING, "listening")                                                                                      \
    X(LOG_WORKER_CLASS, "worker-class")                                                                                \
    X(LOG_HANDLING_SIGNAL, "handling-signal")                                                                          \
    X(LOG_SHUTTING_DOWN, "shutting-down")                                                                              \
    X(LOG_PARENT_CHANGED, "parent-changed")                                                                            \
    X(LOG_CONTROL_SOCKET, "control-socket")

#define NGINX_EVENTS                                                                                                   \
    X(LOG_UPSTREAM_TIMEOUT_HEADER, "upstream-timeout-header")                                                          \
    X(LOG_UPSTREAM_TIMEOUT_BODY, "upstream-timeout-body")                                                              \
    X(LOG_UPSTREAM_TIMEOUT_CONNECT, "upstream-timeout-connect")                                                        \
    X(LOG_UPSTREAM_CLOSED, "upstream-closed")                                                                          \
    X(LOG_UPSTREAM_RESET, "upstream-reset")                                                                            \
    X(LOG_UPSTREAM_REFUSED, "upstream-refused")                                                                        \
    X(LOG_UPSTREAM_NO_SOCKET, "upstream-no-socket")                                                                    \
    X(LOG_UPSTREAM_DENIED, "upstream-denied")                                                                          \
    X(LOG_UPSTREAM_BACKLOG, "upstream-backlog")                                                                        \
    X(LOG_UPSTREAM_NONE_LIVE, "upstream-none-live")                                                                    \
    X(LOG_UPSTREAM_BIG_HEADER, "upstream-big-header")                                                                  \
    X(LOG_NGINX_BIND, "nginx-bind")                                                                                    \
    X(LOG_NGINX_EMERG, "nginx-emerg")

#define X(event, name) [event] = name,
static const char *const event_names[LOG_EVENT_COUNT] = {[LOG_NONE] = "none",
                                                         GUNICORN_EVENTS NGINX_EVENTS[LOG_ACCESS] = "access"};
#undef X

/* A name for several events, first to last of the enumeration. */
static const struct {
    const char *name;
    LogEvent first, last;
} groups[] = {
    {"upstream-failure", LOG_UPSTREAM_TIMEOUT_HEADER, LOG_UPSTREAM_NONE_LIVE},
    {"upstream-timeout", LOG_UPSTREAM_TIMEOUT_HEADER, LOG_UPSTREAM_TIMEOUT_CONNECT},
};

const char *log_event_name(LogEvent event)
{
    return event_names[event];
}

bool log_event_is(LogEvent event, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (str_equal(groups[i].name, name))
            return event >= groups[i].first && event <= groups[i].last;
    }
    return str_equal(event_names[event], name);
}

const char *const *log_event_names(LogSource source)
{
#define X(event, name) name,
    static const char *const gunicorn[] = {GUNICORN_EVENTS NULL};
    static const char *const nginx[] = {"upstream-failure", "upstream-timeout", NGINX_EVENTS NULL};
    static const char *const access[] = {"access", NULL};
#undef X
    static const char *const *const names[] = {
        [LOG_SOURCE_GUNICORN] = gunicorn, [LOG_SOURCE_NGINX_ERROR] = nginx, [LOG_SOURCE_NGINX_ACCESS] = access};
    return names[source];
}

/* Days since 1970-01-01 in the Gregorian calendar; the year is counted from March, so that leap days come last. */
static int64_t days_since_epoch(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = year / 400, year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

typedef struct Time {
    uint32_t year, month, day, hour, minute, second;
} Time;

/* "+0530": seconds east. */
static bool read_zone(Bytes *rest, int32_t *ret)
{
    uint32_t zone;
    if (!log_skip(rest, " ") || rest->len != 5 || (rest->data[0] != '+' && rest->data[0] != '-'))
        return false;
    int32_t sign = rest->data[0] == '-' ? -1 : 1;
    *rest = log_tail(*rest, 1);
    if (!log_number(rest, &zone))
        return false;
    *ret = sign * (int32_t)(zone / 100 * 3600 + zone % 100 * 60);
    return true;
}

static bool read_clock(Bytes *rest, Time *time)
{
    return log_number(rest, &time->hour) && log_skip(rest, ":") && log_number(rest, &time->minute) &&
           log_skip(rest, ":") && log_number(rest, &time->second);
}

/* "2026-03-01 12:33:12" or with slashes. */
static bool read_date_time(Bytes *rest, const char *mark, Time *time)
{
    return log_number(rest, &time->year) && log_skip(rest, mark) && log_number(rest, &time->month) &&
           log_skip(rest, mark) && log_number(rest, &time->day) && log_skip(rest, " ") && read_clock(rest, time);
}

/* "01/Mar/2026:12:33:12". */
static bool read_access_time(Bytes *rest, Time *time)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (!log_number(rest, &time->day) || !log_skip(rest, "/") || rest->len < 4)
        return false;
    const char *found = memmem(months, sizeof months - 1, rest->data, 3);
    if (!found || (found - months) % 3 != 0)
        return false;
    time->month = (uint32_t)(found - months) / 3 + 1;
    *rest = log_tail(*rest, 3);
    return log_skip(rest, "/") && log_number(rest, &time->year) && log_skip(rest, ":") && read_clock(rest, time);
}

int log_line_time(LogSource source, const LogLine *line, int32_t utc_offset_sec, usec *ret_realtime)
{
    Bytes rest = line->time;
    Time time = {0};
    if (source == LOG_SOURCE_NGINX_ACCESS ? !read_access_time(&rest, &time)
                                          : !read_date_time(&rest, source == LOG_SOURCE_GUNICORN ? "-" : "/", &time))
        return 0;
    if (time.year < 1970 || time.year > 9999 || time.month < 1 || time.month > 12 || time.day < 1 || time.day > 31 ||
        time.hour > 23 || time.minute > 59 || time.second > 60)
        return 0;
    if (rest.len > 0 && !read_zone(&rest, &utc_offset_sec))
        return 0;
    int64_t seconds = days_since_epoch(time.year, time.month, time.day) * 86400 + (int64_t)time.hour * 3600 +
                      (int64_t)time.minute * 60 + time.second - utc_offset_sec;
    if (seconds < 0)
        return 0;
    *ret_realtime = (usec)seconds * USEC_PER_SEC;
    return 1;
}
