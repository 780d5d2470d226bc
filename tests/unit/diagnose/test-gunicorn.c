/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/gunicorn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A recorded line: seconds since the start of the recording, and the text. */
typedef struct Recorded {
    double at;
    const char *text;
} Recorded;

static const usec epoch = 1750000000 * USEC_PER_SEC;

static usec at(double seconds)
{
    return epoch + (usec)(seconds * (double)USEC_PER_SEC);
}

static EventLineVec lines_of(Arena *arena, LogSource source, const Recorded *recorded)
{
    EventLineVec lines = {0};
    for (; recorded->text; recorded++) {
        EventLine line;
        if (event_line_parse(arena, source, bytes_of(recorded->text), at(recorded->at), 0, "journal", &line))
            *vec_push(arena, &lines) = line;
    }
    return lines;
}

static const Recorded incident[] = {
    {0, "[2026-03-01 03:00:00 +0000] [100] [INFO] Starting gunicorn 20.1.0"},
    {0, "[2026-03-01 03:00:00 +0000] [100] [INFO] Listening at: http://127.0.0.1:8000 (100)"},
    {0, "[2026-03-01 03:00:00 +0000] [100] [INFO] Using worker: sync"},
    {0.1, "[2026-03-01 03:00:00 +0000] [101] [INFO] Booting worker with pid: 101"},
    {0.1, "[2026-03-01 03:00:00 +0000] [102] [INFO] Booting worker with pid: 102"},
    {90, "[2026-03-01 03:01:30 +0000] [100] [CRITICAL] WORKER TIMEOUT (pid:101)"},
    {90, "[2026-03-01 03:01:30 +0000] [101] [INFO] Worker exiting (pid: 101)"},
    {91, "[2026-03-01 03:01:31 +0000] [100] [WARNING] Worker with pid 101 was terminated due to signal 9"},
    {91, "[2026-03-01 03:01:31 +0000] [103] [INFO] Booting worker with pid: 103"},
    {121.5, "[2026-03-01 03:02:01 +0000] [100] [CRITICAL] WORKER TIMEOUT (pid:103)"},
    {0, NULL},
};

static void timeouts_are_counted_once_each(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    static const Recorded twice[] = {
        {10.0, "[2026-03-01 03:00:10 +0000] [100] [CRITICAL] WORKER TIMEOUT (pid:101)"},
        {10.0, "WORKER TIMEOUT (pid:101)"}, /* a second handler without a format */
        {10.2, "[2026-03-01 03:00:10 +0000] [100] [CRITICAL] WORKER TIMEOUT (pid:102)"},
        {50.0, "[2026-03-01 03:00:50 +0000] [100] [CRITICAL] WORKER TIMEOUT (pid:101)"},
        {51.0, "the application says WORKER TIMEOUT (pid:9)"},
        {0, NULL},
    };
    EventLineVec lines = lines_of(arena, LOG_SOURCE_GUNICORN, twice);
    Timeouts timeouts;
    timeouts_of(arena, &lines, &timeouts);
    assert_int_equal(timeouts.lines.n, 3);
    assert_int_equal(timeouts.workers, 2);
}

static void routes_are_told_from_nginx_and_from_gunicorn(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    static const Recorded nginx_errors[] = {
        {90.1,
         "2026/03/01 03:01:30 [error] 7#7: *1 upstream prematurely closed connection while reading response header "
         "from upstream, client: 10.0.0.1, server: x, request: \"GET /reports/?token=secret HTTP/1.1\", upstream: "
         "\"http://127.0.0.1:8000/reports/\", host: \"x\""},
        {122,
         "2026/03/01 03:02:02 [error] 7#7: *2 upstream prematurely closed connection while reading response header "
         "from upstream, client: 10.0.0.1, server: x, request: \"POST /reports/ HTTP/1.1\", upstream: "
         "\"http://127.0.0.1:8000/reports/\", host: \"x\""},
        {60, "2026/03/01 03:01:00 [error] 7#7: *3 upstream prematurely closed connection while reading response header "
             "from upstream, client: 10.0.0.1, server: x, request: \"GET /unrelated/ HTTP/1.1\", upstream: "
             "\"http://127.0.0.1:8000/unrelated/\", host: \"x\""},
        {0, NULL},
    };
    static const Recorded newer[] = {
        {5, "[2026-03-01 03:00:05 +0000] [100] [CRITICAL] WORKER TIMEOUT (pid:101)"},
        {5, "[2026-03-01 03:00:05 +0000] [101] [ERROR] Error handling request GET /export/?q=1"},
        {7, "[2026-03-01 03:00:07 +0000] [102] [ERROR] Error handling request /old/"},
        {0, NULL},
    };
    EventLineVec lines = lines_of(arena, LOG_SOURCE_GUNICORN, incident), none = {0};
    EventLineVec nginx = lines_of(arena, LOG_SOURCE_NGINX_ERROR, nginx_errors);
    Timeouts timeouts;
    RouteVec routes;
    timeouts_of(arena, &lines, &timeouts);
    routes_of(arena, &timeouts, &lines, &nginx, &routes);
    assert_int_equal(routes.n, 1);
    assert_string_equal(routes.items[0].path, "/reports/");
    assert_int_equal(routes.items[0].n, 2);

    lines = lines_of(arena, LOG_SOURCE_GUNICORN, newer);
    timeouts_of(arena, &lines, &timeouts);
    routes_of(arena, &timeouts, &lines, &none, &routes);
    assert_int_equal(routes.n, 2);
    assert_string_equal(routes.items[0].path, "/export/");
    assert_string_equal(routes.items[1].path, "/old/");
}

static void slow_requests_are_no_boot_failure(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    EventLineVec lines = lines_of(arena, LOG_SOURCE_GUNICORN, incident);
    BootTrouble trouble;
    boot_trouble_of(arena, &lines, 30 * USEC_PER_SEC, at(130), &trouble);
    assert_int_equal(trouble.lines.n, 0);
    assert_false(trouble.loop);
}

static void an_import_that_outlasts_the_timeout_is_a_loop(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    static const Recorded loop[] = {
        {0, "[x] [101] [INFO] Booting worker with pid: 101"}, /* not Gunicorn's prefix: no line of its */
        {0, "[2026-03-01 03:00:00 +0000] [101] [INFO] Booting worker with pid: 101"},
        {30.5, "[2026-03-01 03:00:30 +0000] [100] [CRITICAL] WORKER TIMEOUT (pid:101)"},
        {30.6, "[2026-03-01 03:00:30 +0000] [102] [INFO] Booting worker with pid: 102"},
        {61, "[2026-03-01 03:01:01 +0000] [100] [CRITICAL] WORKER TIMEOUT (pid:102)"},
        {61.1, "[2026-03-01 03:01:01 +0000] [103] [INFO] Booting worker with pid: 103"},
        {92, "[2026-03-01 03:01:32 +0000] [100] [CRITICAL] WORKER TIMEOUT (pid:103)"},
        {92.1, "[2026-03-01 03:01:32 +0000] [104] [INFO] Booting worker with pid: 104"},
        {0, NULL},
    };
    EventLineVec lines = lines_of(arena, LOG_SOURCE_GUNICORN, loop);
    BootTrouble trouble;
    boot_trouble_of(arena, &lines, 30 * USEC_PER_SEC, at(100), &trouble);
    assert_true(trouble.loop);
    assert_int_equal(trouble.young, 3);
    boot_trouble_of(arena, &lines, 30 * USEC_PER_SEC, at(200), &trouble); /* the last one lives on */
    assert_false(trouble.loop);
    boot_trouble_of(arena, &lines, 0, at(100), &trouble); /* timeout 0 kills nobody */
    assert_false(trouble.loop);
    EventLine handled;
    assert_true(event_line_parse(arena, LOG_SOURCE_GUNICORN,
                                 BYTES("[2026-03-01 03:01:32 +0000] [103] [ERROR] Error "
                                       "handling request GET /"),
                                 at(92), 0, "journal", &handled));
    *vec_push(arena, &lines) = handled;
    boot_trouble_of(arena, &lines, 30 * USEC_PER_SEC, at(100), &trouble); /* it was handling a request */
    assert_false(trouble.loop);
}

static void what_stops_a_boot_is_found(void **state)
{
    static const char *const texts[] = {
        "[2026-03-01 03:00:00 +0000] [100] [INFO] Reason: Worker failed to boot.",
        "[2026-03-01 03:00:00 +0000] [100] [ERROR] Reason: App failed to load.",
        "[2026-03-01 03:00:00 +0000] [101] [ERROR] Exception in worker process",
        "[2026-03-01 03:00:00 +0000] [100] [ERROR] Connection in use: ('127.0.0.1', 8000)",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        const Recorded recorded[] = {{0, texts[i]}, {0, NULL}};
        EventLineVec lines = lines_of(arena, LOG_SOURCE_GUNICORN, recorded);
        BootTrouble trouble;
        boot_trouble_of(arena, &lines, 30 * USEC_PER_SEC, at(1), &trouble);
        if (trouble.lines.n != 1)
            fail_msg("not found: %s", texts[i]);
    }
}

static void the_running_class_has_its_present_name(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    static const Recorded threads[] = {
        {0, "[2026-03-01 03:00:00 +0000] [100] [INFO] Using worker: sync"},
        {9, "[2026-03-01 03:00:09 +0000] [200] [INFO] Using worker: threads"},
        {0, NULL},
    };
    EventLineVec lines = lines_of(arena, LOG_SOURCE_GUNICORN, incident), none = {0};
    assert_string_equal(running_class_of(&lines), "sync");
    lines = lines_of(arena, LOG_SOURCE_GUNICORN, threads);
    assert_string_equal(running_class_of(&lines), "gthread");
    assert_null(running_class_of(&none));
}

static void evidence_is_printable_and_bounded(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    char text[400] = "[2026-03-01 03:00:00 +0000] [100] [ERROR] Connection in use: \x1b[31m";
    memset(text + strlen(text), 'x', 300);
    EventLine line;
    assert_true(event_line_parse(arena, LOG_SOURCE_GUNICORN, bytes_of(text), epoch, 0, "journal", &line));
    assert_true(strlen(line.text) <= 200);
    assert_null(strchr(line.text, '\x1b'));
    const char *shown = event_line_show(arena, &line);
    assert_non_null(strstr(shown, " journal: Connection in use: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timeouts_are_counted_once_each),
        cmocka_unit_test(routes_are_told_from_nginx_and_from_gunicorn),
        cmocka_unit_test(slow_requests_are_no_boot_failure),
        cmocka_unit_test(an_import_that_outlasts_the_timeout_is_a_loop),
        cmocka_unit_test(what_stops_a_boot_is_found),
        cmocka_unit_test(the_running_class_has_its_present_name),
        cmocka_unit_test(evidence_is_printable_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
