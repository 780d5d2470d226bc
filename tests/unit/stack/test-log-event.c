/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/log-event.h"

#include "host/journal.h"
#include "tree.h"

static uint64_t count(const char *event, LogPlace place, const char *const *lines)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    LogCounter *counter = log_counter_new(arena, log_event_kind(event));
    for (; *lines; lines++)
        log_counter_feed(counter, &(LogInput){.place = place, .text = bytes_of(*lines)}, NULL);
    return log_counter_events(counter);
}

#define COUNT(event, place, ...) count((event), (place), (const char *const[]){__VA_ARGS__, NULL})

static void a_timeout_is_counted_once_a_worker(void **state)
{
    assert_int_equal(COUNT("worker-timeout", LOG_JOURNAL,
                           "[2026-03-01 12:00:00 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:10)",
                           "[2026-03-01 06:00:00 -0600] [1] [CRITICAL] WORKER TIMEOUT (pid:10)",
                           "[2026-03-01 12:00:00 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:11)",
                           "[2026-03-01 12:05:00 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:10)",
                           "[2026-03-01 12:00:00 +0000] [10] [INFO] Worker exiting (pid: 10)"),
                     3);
}

static void the_arbiters_own_kill_is_no_kill(void **state)
{
    assert_int_equal(COUNT("worker-killed", LOG_GUNICORN_ERROR,
                           "[2026-03-01 12:00:00 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:10)",
                           "[2026-03-01 12:00:01 +0000] [1] [ERROR] Worker (pid:10) was sent SIGKILL! Perhaps out of "
                           "memory?",
                           "[2026-03-01 12:00:01 +0000] [1] [ERROR] Worker (pid:11) was sent SIGTERM!"),
                     0);
    assert_int_equal(COUNT("worker-killed", LOG_GUNICORN_ERROR,
                           "[2026-03-01 12:00:00 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:10)",
                           "[2026-03-01 12:00:30 +0000] [1] [ERROR] Worker (pid:10) was sent SIGKILL! Perhaps out of "
                           "memory?",
                           "[2026-03-01 12:00:31 +0000] [1] [WARNING] Worker with pid 12 was terminated due to signal "
                           "9"),
                     2);
}

static void an_exit_code_logged_twice_counts_once(void **state)
{
    assert_int_equal(COUNT("worker-exit", LOG_JOURNAL,
                           "[2026-03-01 12:00:00 +0000] [1] [ERROR] Worker (pid:10) exited with code 7",
                           "[2026-03-01 12:00:00 +0000] [1] [ERROR] Worker (pid:10) exited with code 7."),
                     1);
}

static void upstream_failures_are_all_502_and_504(void **state)
{
    static const char refused[] =
        "2026/03/01 12:00:00 [error] 5#5: *1 connect() failed (111: Connection refused) while "
        "connecting to upstream, client: 1.2.3.4, server: s";
    static const char late[] = "2026/03/01 12:00:01 [error] 5#5: *2 upstream timed out (110: Connection timed out) "
                               "while reading response header from upstream, client: 1.2.3.4, server: s";
    static const char other[] =
        "2026/03/01 12:00:02 [error] 5#5: *3 open() \"/x\" failed (2: No such file or directory)";
    assert_int_equal(COUNT("upstream-failure", LOG_NGINX_ERROR, refused, late, other), 2);
    assert_int_equal(COUNT("upstream-timeout", LOG_NGINX_ERROR, refused, late, other), 1);
    assert_int_equal(COUNT("upstream-refused", LOG_NGINX_ERROR, refused, late, other), 1);
}

static void a_timeout_explains_one_death_of_its_worker(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    LogCounter *counter = log_counter_new(arena, log_event_kind("worker-killed"));
    static const char timeout[] = "WORKER TIMEOUT (pid:101)";
    static const char death[] = "Worker (pid:101) was sent SIGKILL! Perhaps out of memory?";
    static const struct {
        const char *text;
        usec at_msec;
        int counted;
    } lines[] = {{timeout, 10000, 0}, {death, 11000, 0}, {death, 11100, 0}, {death, 12800, 1}, {death, 12900, 0}};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        LogInput input = {
            .place = LOG_JOURNAL, .text = bytes_of(lines[i].text), .realtime = lines[i].at_msec * USEC_PER_MSEC};
        assert_int_equal(log_counter_feed(counter, &input, NULL), lines[i].counted);
    }
}

static void own_probes_are_subtracted(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    LogCounter *counter = log_counter_new(arena, log_event_kind("upstream-failure"));
    static const char *const lines[] = {
        "1.2.3.4 - - [01/Mar/2026:12:00:00 +0000] \"GET /a HTTP/1.1\" 502 157 \"-\" \"curl/7\"",
        "127.0.0.1 - - [01/Mar/2026:12:00:00 +0000] \"GET /a HTTP/1.1\" 504 157 \"-\" \"salve-probe/r1\"",
        "1.2.3.4 - - [01/Mar/2026:12:00:00 +0000] \"GET /a HTTP/1.1\" 503 157 \"-\" \"curl/7\"",
        "1.2.3.4 - - [01/Mar/2026:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 157 \"-\" \"curl/7\"",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        log_counter_feed(counter, &(LogInput){.place = LOG_NGINX_ACCESS, .text = bytes_of(lines[i])}, NULL);
    assert_int_equal(log_counter_events(counter), 1);
    assert_int_equal(log_counter_own(counter), 1);
    assert_int_equal(log_counter_lines(counter), 4);
}

static void only_the_kernel_or_systemd_tell_of_oom(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    LogCounter *counter = log_counter_new(arena, log_event_kind("oom-kill"));
    LogInput gunicorn = {.text = BYTES("[2026-03-01 12:00:00 +0000] [1] [ERROR] Worker (pid:10) was sent SIGKILL! "
                                       "Perhaps out of memory?"),
                         .realtime = 100 * USEC_PER_SEC};
    assert_int_equal(log_counter_feed(counter, &gunicorn, NULL), 0);
    LogInput kernel = {.text =
                           BYTES("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
                                 "oom_memcg=/x,task_memcg=/system.slice/gunicorn.service,task=python3,pid=10,uid=33"),
                       .realtime = 100 * USEC_PER_SEC,
                       .kernel = true,
                       .cgroup = "gunicorn.service"};
    LogSeen seen;
    assert_int_equal(log_counter_feed(counter, &kernel, &seen), 1);
    assert_int_equal(seen.pid, 10);
    LogInput systemd = {.text = BYTES("gunicorn.service: A process of this unit has been killed by the OOM killer."),
                        .realtime = 101 * USEC_PER_SEC,
                        .message_id = MESSAGE_UNIT_OOM};
    assert_int_equal(log_counter_feed(counter, &systemd, NULL), 0); /* of the same kill */
    kernel.cgroup = "other.service";
    kernel.realtime = 300 * USEC_PER_SEC;
    assert_int_equal(log_counter_feed(counter, &kernel, NULL), 0);
    systemd.realtime = 400 * USEC_PER_SEC;
    assert_int_equal(log_counter_feed(counter, &systemd, NULL), 1);
}

static void what_is_seen_is_printable_and_short(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    LogCounter *counter = log_counter_new(arena, log_event_kind("worker-timeout"));
    char line[2000];
    memset(line, 'x', sizeof line);
    memcpy(line, "WORKER TIMEOUT (pid:10)\033[31m", strlen("WORKER TIMEOUT (pid:10)\033[31m"));
    line[sizeof line - 1] = '\0';
    LogSeen seen;
    assert_int_equal(log_counter_feed(counter, &(LogInput){.place = LOG_JOURNAL, .text = bytes_of(line)}, &seen), 1);
    assert_null(strchr(seen.text, '\033'));
    assert_true(strlen(seen.text) <= 300);
}

static void names_are_unique_and_lead_somewhere(void **state)
{
    Err err;
    const LogEventKind *kind;
    LogPlace place;
    for (const LogEventKind *each = log_event_kinds; each->name; each++) {
        assert_ptr_equal(log_event_kind(each->name), each);
        assert_true(each->places > 0 && each->places < 1U << LOG_PLACE_COUNT);
        assert_true(strlen(each->help) > 20);
        assert_non_null(each->rule);
    }
    for (int i = 0; i < LOG_PLACE_COUNT; i++) {
        assert_int_equal(log_place_from_string(log_places[i].name, &place, &err), 0);
        assert_int_equal(place, i);
    }
    assert_true(log_place_from_string("nginx-eror", &place, &err) < 0);
    assert_non_null(strstr(err.message, "did you mean \"nginx-error\""));
    assert_true(log_event_kind_in("worker-timout", LOG_JOURNAL, &kind, &err) < 0);
    assert_non_null(strstr(err.message, "did you mean \"worker-timeout\""));
    assert_true(log_event_kind_in("oom-kill", LOG_NGINX_ERROR, &kind, &err) < 0);
    assert_non_null(strstr(err.message, "look in journal"));
    assert_int_equal(log_event_kind_in("upstream-failure", LOG_NGINX_ERROR, &kind, &err), 0);
}

static void the_logs_are_those_of_the_servers_that_lead_to_the_service(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/nginx/nginx.conf",
               "error_log /var/log/nginx/error.log;\n"
               "http {\n"
               "  server { error_log /var/log/shop.log; location / { proxy_pass http://127.0.0.1:8000; } }\n"
               "  server { error_log /var/log/blog.log; location / { proxy_pass http://127.0.0.1:9000; } }\n"
               "}\n");
    const NginxFacts *nginx;
    StringVec paths;
    assert_done(&tree, nginx_load(tree_view(&tree), &nginx, &tree.err));
    GunicornFacts gunicorn = {.unit = &(Unit){.name = "shop.service"}};
    *vec_push(tree.arena, &gunicorn.binds) = address_of_bind(tree.arena, "127.0.0.1:8000");
    assert_done(&tree, log_place_paths(tree.arena, LOG_NGINX_ERROR, &gunicorn, nginx, &paths, &tree.err));
    assert_int_equal(paths.n, 1);
    assert_string_equal(paths.items[0], "/var/log/shop.log");
    assert_done(&tree, log_place_paths(tree.arena, LOG_NGINX_ERROR, NULL, nginx, &paths, &tree.err));
    assert_int_equal(paths.n, 3);
    assert_error(&tree, log_place_paths(tree.arena, LOG_GUNICORN_ERROR, &gunicorn, nginx, &paths, &tree.err),
                 ERR_REFUSED, "shop.service logs to the journal");
    assert_error(&tree, log_place_paths(tree.arena, LOG_NGINX_ACCESS, NULL, NULL, &paths, &tree.err), ERR_REFUSED,
                 "no nginx here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timeout_is_counted_once_a_worker),
        cmocka_unit_test(the_arbiters_own_kill_is_no_kill),
        cmocka_unit_test(an_exit_code_logged_twice_counts_once),
        cmocka_unit_test(upstream_failures_are_all_502_and_504),
        cmocka_unit_test(a_timeout_explains_one_death_of_its_worker),
        cmocka_unit_test(own_probes_are_subtracted),
        cmocka_unit_test(only_the_kernel_or_systemd_tell_of_oom),
        cmocka_unit_test(what_is_seen_is_printable_and_short),
        cmocka_unit_test(names_are_unique_and_lead_somewhere),
        cmocka_unit_test(the_logs_are_those_of_the_servers_that_lead_to_the_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
