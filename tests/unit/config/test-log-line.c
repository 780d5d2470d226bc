/* SPDX-License-Identifier: Apache-2.0 */
#include "config/log-line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define P "[2026-03-01 12:33:12 +0000] [7] [INFO] "

static const struct {
    const char *line, *event; /* NULL: not a line of Gunicorn */
    uint32_t pid;
    int32_t number; /* signal or exit code */
} gunicorn_lines[] = {
    {"[2026-03-01 12:33:12 +0000] [7] [CRITICAL] WORKER TIMEOUT (pid:12)", "worker-timeout", 12, 0},
    {"2015-11-12 17:19:09 [17027] [CRITICAL] WORKER TIMEOUT (pid:17038)", "worker-timeout", 17038, 0},
    {"[7] WORKER TIMEOUT (pid:12)", "worker-timeout", 12, 0},
    {"WORKER TIMEOUT (pid:12)", "worker-timeout", 12, 0},
    {"{\"level\": \"CRITICAL\", \"message\": \"WORKER TIMEOUT (pid:12)\"}", "worker-timeout", 12, 0},
    {P "Worker with pid 9 was terminated due to signal 9", "worker-signaled", 9, 9},
    {P "Worker with pid 9 was terminated due to signal 15", "worker-terminated", 9, 15},
    {P "Worker (pid:9) was sent SIGKILL! Perhaps out of memory?", "worker-signaled", 9, 9},
    {P "Worker (pid:9) was sent SIGSEGV!", "worker-signaled", 9, 11},
    {P "Worker (pid:9) was sent SIGTERM!", "worker-terminated", 9, 15},
    {P "Worker (pid:9) was sent code 7!", "worker-exited", 9, 7},
    {P "Worker (pid:9) exited with code 7", "worker-exited", 9, 7},
    {P "Worker (pid:9) exited with code -1.", "worker-exited", 9, -1},
    {P "Booting worker with pid: 31", "worker-booting", 31, 0},
    {P "Worker exiting (pid: 31)", "worker-exiting", 31, 0},
    {P "Autorestarting worker after current request.", "worker-recycled", 0, 0},
    {P "Reason: Worker failed to boot.", "boot-failure", 0, 0},
    {P "Reason: App failed to load.", "boot-failure", 0, 0},
    {P "Exception in worker process", "boot-exception", 0, 0},
    {P "Connection in use: ('127.0.0.1', 8000)", "bind-failure", 0, 0},
    {P "connection to ('127.0.0.1', 8000) failed: [Errno 98]", "bind-failure", 0, 0},
    {P "Error handling request GET /x", "request-error", 0, 0},
    {P "Error handling request (no URI read)", "request-error", 0, 0},
    {P "Starting gunicorn 20.1.0", "starting", 0, 0},
    {P "Using worker: gthread", "worker-class", 0, 0},
    {P "Handling signal: hup", "handling-signal", 0, 0},
    {P "Parent changed, shutting down: <Worker 5>", "parent-changed", 0, 0},
    {P "Control server error: [Errno 13] Permission denied", "control-socket", 0, 0},
    {P "anything else", "none", 0, 0},
    {P "WORKER TIMEOUT (pid:x)", "none", 0, 0},
    {P "Worker (pid:9) is happy", "none", 0, 0},
    {"  File \"x.py\", line 3, in y", NULL, 0, 0},
    {"", NULL, 0, 0},
    {"Not Found: /WORKER TIMEOUT (pid:3)", NULL, 0, 0},
};

static void gunicorns_events_are_found_in_every_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(gunicorn_lines); i++) {
        LogLine line = {0};
        int r = log_line_parse(LOG_SOURCE_GUNICORN, bytes_of(gunicorn_lines[i].line), &line);
        const char *event = r > 0 ? log_event_name(line.event) : NULL;
        if (!str_equal(event, gunicorn_lines[i].event) || line.pid != gunicorn_lines[i].pid ||
            line.signal + line.exit_code != gunicorn_lines[i].number)
            fail_msg("%s: %s, pid %u, number %d", gunicorn_lines[i].line, event ? event : "no line", line.pid,
                     line.signal + line.exit_code);
    }
}

#define N "2026/03/01 12:33:12 [error] 8#9: *5 "
#define UP                                                                                                             \
    ", client: 10.0.0.1, server: x, request: \"GET /r HTTP/1.1\", upstream: \"http://unix:/run/g.sock:/r\", host: \"x\""
#define RST "(104: Connection reset by peer)"

static const struct {
    const char *line, *event; /* NULL: not a line of nginx */
} nginx_lines[] = {
    {N "upstream timed out (110: Connection timed out) while reading response header from upstream" UP,
     "upstream-timeout-header"},
    {N "upstream timed out (110: Connection timed out) while reading upstream" UP, "upstream-timeout-body"},
    {N "upstream timed out (110: Connection timed out) while connecting to upstream" UP, "upstream-timeout-connect"},
    {N "upstream timed out (110: Connection timed out) while sending request to upstream" UP,
     "upstream-timeout-connect"},
    {N "upstream prematurely closed connection while reading response header from upstream" UP, "upstream-closed"},
    {N "recv() failed " RST " while reading response header from upstream" UP, "upstream-reset"},
    {N "recv() failed " RST " while reading client request line, client: 1.2.3.4, server: x", "none"},
    {N "writev() failed (32: Broken pipe) while sending request to upstream" UP, "upstream-reset"},
    {N "connect() failed (111: Connection refused) while connecting to upstream" UP, "upstream-refused"},
    {N "connect() failed (111: Connection refused) while requesting certificate status, responder: x", "none"},
    {N "connect() to unix:/run/g.sock failed (2: No such file or directory) while connecting to upstream" UP,
     "upstream-no-socket"},
    {N "connect() to unix:/run/g.sock failed (13: Permission denied) while connecting to upstream" UP,
     "upstream-denied"},
    {N "connect() to unix:/g failed (11: Resource temporarily unavailable) while connecting to upstream" UP,
     "upstream-backlog"},
    {N "no live upstreams while connecting to upstream" UP, "upstream-none-live"},
    {N "upstream sent too big header while reading response header from upstream" UP, "upstream-big-header"},
    {N "open() \"/x/upstream timed out\" failed (2: No such file or directory), client: 1.2.3.4", "none"},
    {"2026/03/01 12:33:12 [emerg] 8#8: bind() to 0.0.0.0:80 failed (98: Address already in use)", "nginx-bind"},
    {"2026/03/01 12:33:12 [emerg] 8#8: still could not bind()", "nginx-bind"},
    {"2026/03/01 12:33:12 [emerg] 8#8: unknown directive \"x\" in /etc/nginx/nginx.conf:1", "nginx-emerg"},
    {"nginx: [emerg] unknown directive \"x\" in /etc/nginx/nginx.conf:1", "nginx-emerg"},
    {"2026/03/01 12:33:12 [notice] 8#8: signal process started", "none"},
    {"something else", NULL},
};

static void nginxs_events_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(nginx_lines); i++) {
        LogLine line = {0};
        int r = log_line_parse(LOG_SOURCE_NGINX_ERROR, bytes_of(nginx_lines[i].line), &line);
        const char *event = r > 0 ? log_event_name(line.event) : NULL;
        if (!str_equal(event, nginx_lines[i].event))
            fail_msg("%s: %s", nginx_lines[i].line, event ? event : "no line");
    }
}

static void assert_bytes(Bytes bytes, const char *expected)
{
    if (!bytes_equal(bytes, bytes_of(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)bytes.len, bytes.data, expected);
}

static void the_parts_of_a_line_are_ranges_of_it(void **state)
{
    (void)state;
    LogLine line = {0};
    assert_int_equal(log_line_parse(LOG_SOURCE_NGINX_ERROR, bytes_of(nginx_lines[0].line), &line), 1);
    assert_bytes(line.time, "2026/03/01 12:33:12");
    assert_bytes(line.level, "error");
    assert_int_equal(line.writer, 8);
    assert_bytes(line.remote, "10.0.0.1");
    assert_bytes(line.request, "GET /r HTTP/1.1");
    assert_bytes(line.text, "http://unix:/run/g.sock:/r");
    assert_int_equal(log_line_parse(LOG_SOURCE_GUNICORN, BYTES(P "Starting gunicorn 20.1.0"), &line), 1);
    assert_bytes(line.time, "2026-03-01 12:33:12 +0000");
    assert_bytes(line.level, "INFO");
    assert_bytes(line.text, "20.1.0");
    const char *access =
        "10.0.0.1 - - [01/Mar/2026:12:33:12 +0100] \"GET /r HTTP/1.1\" 504 12345678901 \"-\" \"curl/8\" 0.1";
    assert_int_equal(log_line_parse(LOG_SOURCE_NGINX_ACCESS, bytes_of(access), &line), 1);
    assert_int_equal(line.event, LOG_ACCESS);
    assert_int_equal(line.status, 504);
    assert_int_equal(line.body_bytes, 12345678901);
    assert_bytes(line.user_agent, "curl/8");
    assert_bytes(line.request, "GET /r HTTP/1.1");
    assert_int_equal(log_line_parse(LOG_SOURCE_NGINX_ACCESS, BYTES("10.0.0.1 \"GET\" 200"), &line), 0);
}

static void the_zone_of_a_line_counts_and_else_the_given_offset(void **state)
{
    (void)state;
    static const struct {
        LogSource source;
        const char *line;
        int32_t offset;
        usec seconds;
    } times[] = {
        {LOG_SOURCE_GUNICORN, "[2026-03-01 12:33:12 +0000] [7] [INFO] x", 3600, 1772368392},
        {LOG_SOURCE_GUNICORN, "[2026-03-01 06:33:12 -0600] [7] [INFO] x", 0, 1772368392},
        {LOG_SOURCE_GUNICORN, "2026-03-01 13:33:12 [7] [INFO] x", 3600, 1772368392},
        {LOG_SOURCE_NGINX_ERROR, "2026/03/01 13:33:12 [error] 8#9: x", 3600, 1772368392},
        {LOG_SOURCE_NGINX_ACCESS, "1.2.3.4 - - [01/Mar/2026:13:33:12 +0100] \"x\" 200 1", 0, 1772368392},
        {LOG_SOURCE_NGINX_ERROR, "2024/02/29 00:00:00 [error] 8#9: x", 0, 1709164800},
    };
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        LogLine line = {0};
        usec realtime = 0;
        assert_int_equal(log_line_parse(times[i].source, bytes_of(times[i].line), &line), 1);
        assert_int_equal(log_line_time(times[i].source, &line, times[i].offset, &realtime), 1);
        assert_int_equal(realtime / USEC_PER_SEC, times[i].seconds);
    }
    LogLine line = {.time = BYTES("2026/13/01 13:33:12")};
    usec realtime;
    assert_int_equal(log_line_time(LOG_SOURCE_NGINX_ERROR, &line, 0, &realtime), 0);
}

static int count(const LogLine *line, void *ctx)
{
    unsigned *counts = ctx;
    counts[line->event]++;
    return 0;
}

static void a_scan_stops_in_front_of_an_unfinished_line(void **state)
{
    (void)state;
    const char *text =
        "noise\n" P "WORKER TIMEOUT (pid:1)\r\n" P "ordinary\n\n" P "WORKER TIMEOUT (pid:2)\n" P "WORKER TI";
    unsigned counts[LOG_EVENT_COUNT] = {0};
    size_t consumed = 0;
    assert_int_equal(log_scan(LOG_SOURCE_GUNICORN, bytes_of(text), count, counts, &consumed), 0);
    assert_int_equal(counts[LOG_WORKER_TIMEOUT], 2);
    assert_int_equal(counts[LOG_NONE], 0);
    assert_string_equal(text + consumed, P "WORKER TI");
}

static void every_event_has_a_name_of_its_own_and_its_source_lists_it(void **state)
{
    (void)state;
    for (LogEvent event = LOG_NONE; event < LOG_EVENT_COUNT; event++) {
        assert_non_null(log_event_name(event));
        assert_true(log_event_is(event, log_event_name(event)));
        for (LogEvent other = LOG_NONE; other < event; other++)
            assert_false(log_event_is(other, log_event_name(event)));
    }
    size_t n = 0;
    for (LogSource source = LOG_SOURCE_GUNICORN; source <= LOG_SOURCE_NGINX_ACCESS; source++) {
        for (const char *const *name = log_event_names(source); *name; name++)
            n++;
    }
    assert_int_equal(n, LOG_EVENT_COUNT - 1 + 2); /* without "none", with two groups */
    assert_true(log_event_is(LOG_UPSTREAM_NONE_LIVE, "upstream-failure"));
    assert_false(log_event_is(LOG_UPSTREAM_BIG_HEADER, "upstream-failure"));
    assert_true(log_event_is(LOG_UPSTREAM_TIMEOUT_BODY, "upstream-timeout"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gunicorns_events_are_found_in_every_version),
        cmocka_unit_test(nginxs_events_are_told_apart),
        cmocka_unit_test(the_parts_of_a_line_are_ranges_of_it),
        cmocka_unit_test(the_zone_of_a_line_counts_and_else_the_given_offset),
        cmocka_unit_test(a_scan_stops_in_front_of_an_unfinished_line),
        cmocka_unit_test(every_event_has_a_name_of_its_own_and_its_source_lists_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
