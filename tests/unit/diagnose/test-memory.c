/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static size_t count_oom(const char *const *texts, size_t n, const char *unit)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    KernelLineVec kernel = {0}, found;
    for (size_t i = 0; i < n; i++)
        *vec_push(arena, &kernel) = (KernelLine){i, texts[i]};
    oom_lines_of(arena, &kernel, unit, &found);
    return found.n;
}

#define CONSTRAINT(group, pid)                                                                                         \
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/x,task_memcg=" group      \
    ",task=python3,pid=" pid ",uid=33"

static void kernel_lines_are_joined_by_group_and_pid(void **state)
{
    static const char *const ours[] = {
        CONSTRAINT("/system.slice/gunicorn.service", "501"),
        "Memory cgroup out of memory: Killed process 501 (python3) total-vm:99kB, anon-rss:88kB",
    };
    static const char *const others[] = {
        CONSTRAINT("/system.slice/postgresql.service", "502"),
        "Out of memory: Killed process 502 (postgres) total-vm:99kB",
        "Memory cgroup out of memory: Killed process 501 (python3) total-vm:99kB", /* of which group is not told */
    };
    static const char *const alike[] = {
        CONSTRAINT("/system.slice/my-gunicorn.service", "1"),
        CONSTRAINT("/system.slice/gunicorn.service.d", "2"),
    };
    static const char *const below[] = {CONSTRAINT("/system.slice/gunicorn.service/payload", "3")};
    assert_int_equal(count_oom(ours, ARRAY_LEN(ours), "gunicorn.service"), 2);
    assert_int_equal(count_oom(others, ARRAY_LEN(others), "gunicorn.service"), 0);
    assert_int_equal(count_oom(alike, ARRAY_LEN(alike), "gunicorn.service"), 0);
    assert_int_equal(count_oom(below, ARRAY_LEN(below), "gunicorn.service"), 1);
}

typedef struct Recorded {
    double at;
    const char *text;
} Recorded;

static size_t count_sigkills(const Recorded *recorded)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    EventLineVec lines = {0}, kills;
    for (; recorded->text; recorded++) {
        EventLine line;
        usec realtime = 1750000000 * USEC_PER_SEC + (usec)(recorded->at * (double)USEC_PER_SEC);
        if (event_line_parse(arena, LOG_SOURCE_GUNICORN, bytes_of(recorded->text), realtime, 0, "journal", &line))
            *vec_push(arena, &lines) = line;
    }
    sigkills_of(arena, &lines, &kills);
    return kills.n;
}

static void the_arbiters_own_sigkill_is_no_evidence(void **state)
{
    static const Recorded after_timeout[] = {
        {10.0, "[2026-03-01 03:00:10 +0000] [100] [CRITICAL] WORKER TIMEOUT (pid:101)"},
        {11.0, "[2026-03-01 03:00:11 +0000] [100] [ERROR] Worker (pid:101) was sent SIGKILL! Perhaps out of memory?"},
        {0, NULL},
    };
    static const Recorded at_stop[] = {
        {10.0, "[2026-03-01 03:00:10 +0000] [100] [INFO] Handling signal: term"},
        {40.0, "[2026-03-01 03:00:40 +0000] [100] [ERROR] Worker (pid:101) was sent SIGKILL! Perhaps out of memory?"},
        {0, NULL},
    };
    static const Recorded of_another[] = {
        {10.0, "[2026-03-01 03:00:10 +0000] [100] [CRITICAL] WORKER TIMEOUT (pid:102)"},
        {11.0, "[2026-03-01 03:00:11 +0000] [100] [ERROR] Worker (pid:101) was sent SIGKILL! Perhaps out of memory?"},
        {0, NULL},
    };
    static const Recorded out_of_the_blue[] = {
        {10.0, "[2026-03-01 03:00:10 +0000] [100] [CRITICAL] WORKER TIMEOUT (pid:101)"},
        {31.0, "[2026-03-01 03:00:31 +0000] [100] [WARNING] Worker with pid 103 was terminated due to signal 9"},
        {0, NULL},
    };
    static const Recorded other_signal[] = {
        {11.0, "[2026-03-01 03:00:11 +0000] [100] [ERROR] Worker (pid:101) was sent SIGSEGV!"},
        {0, NULL},
    };
    static const Recorded others_after_a_reload[] = {
        {10.0, "[2026-03-01 03:00:10 +0000] [100] [INFO] Handling signal: hup"},
        {11.0, "[2026-03-01 03:00:11 +0000] [100] [ERROR] Worker (pid:101) was sent SIGKILL! Perhaps out of memory?"},
        {31.0, "[2026-03-01 03:00:31 +0000] [100] [ERROR] Worker (pid:102) was sent SIGKILL! Perhaps out of memory?"},
        {0, NULL},
    };
    static const Recorded after_its_timeout_again[] = {
        {10.0, "[2026-03-01 03:00:10 +0000] [100] [CRITICAL] WORKER TIMEOUT (pid:101)"},
        {11.0, "[2026-03-01 03:00:11 +0000] [100] [ERROR] Worker (pid:101) was sent SIGKILL! Perhaps out of memory?"},
        {11.2, "[2026-03-01 03:00:11 +0000] [100] [ERROR] Worker (pid:101) was sent SIGKILL! Perhaps out of memory?"},
        {12.8, "[2026-03-01 03:00:12 +0000] [100] [ERROR] Worker (pid:101) was sent SIGKILL! Perhaps out of memory?"},
        {0, NULL},
    };
    static const Recorded younger_than_the_signal[] = {
        {10.0, "[2026-03-01 03:00:10 +0000] [100] [INFO] Handling signal: hup"},
        {11.0, "[2026-03-01 03:00:11 +0000] [103] [INFO] Booting worker with pid: 103"},
        {40.0, "[2026-03-01 03:00:40 +0000] [100] [ERROR] Worker (pid:103) was sent SIGKILL! Perhaps out of memory?"},
        {0, NULL},
    };
    static const Recorded after_a_rotation[] = {
        {10.0, "[2026-03-01 03:00:10 +0000] [100] [INFO] Handling signal: usr1"},
        {11.0, "[2026-03-01 03:00:11 +0000] [100] [ERROR] Worker (pid:101) was sent SIGKILL! Perhaps out of memory?"},
        {0, NULL},
    };
    static const Recorded all_at_a_stop[] = {
        {10.0, "[2026-03-01 03:00:10 +0000] [100] [INFO] Handling signal: term"},
        {40.0, "[2026-03-01 03:00:40 +0000] [100] [ERROR] Worker (pid:101) was sent SIGKILL! Perhaps out of memory?"},
        {40.0, "[2026-03-01 03:00:40 +0000] [100] [ERROR] Worker (pid:102) was sent SIGKILL! Perhaps out of memory?"},
        {0, NULL},
    };
    assert_int_equal(count_sigkills(others_after_a_reload), 1);
    assert_int_equal(count_sigkills(after_its_timeout_again), 1);
    assert_int_equal(count_sigkills(younger_than_the_signal), 1);
    assert_int_equal(count_sigkills(after_a_rotation), 1);
    assert_int_equal(count_sigkills(all_at_a_stop), 0);
    assert_int_equal(count_sigkills(after_timeout), 0);
    assert_int_equal(count_sigkills(at_stop), 0);
    assert_int_equal(count_sigkills(of_another), 1);
    assert_int_equal(count_sigkills(out_of_the_blue), 1);
    assert_int_equal(count_sigkills(other_signal), 0);
}

static void only_newer_versions_log_signals(void **state)
{
    assert_true(version_logs_signals("20.1.0"));
    assert_true(version_logs_signals("26.1.0"));
    assert_false(version_logs_signals("20.0.4"));
    assert_false(version_logs_signals("19.9.0"));
    assert_false(version_logs_signals(NULL));
    assert_false(version_logs_signals("unknown"));
}

static void pressure_has_thresholds(void **state)
{
    static const Pressure calm = {.some_avg60 = 9.9}, stalled = {.some_avg60 = 10.0}, full = {.full_avg60 = 5.0};
    static const struct {
        MemoryInfo info;
        const Pressure *host, *unit;
        const char *reason; /* NULL: none */
    } cases[] = {
        {{.total = 1000, .available = 500}, NULL, NULL, NULL},
        {{.total = 1000, .available = 50}, NULL, NULL, NULL},
        {{.total = 1000, .available = 49}, NULL, NULL, "only 4.9% of the memory"},
        {{.total = 1000, .available = 90, .swap_total = 100, .swap_free = 50}, NULL, NULL, NULL},
        {{.total = 1000, .available = 90, .swap_total = 100, .swap_free = 10}, NULL, NULL, "90% of the swap"},
        {{.total = 1000, .available = 500, .swap_total = 100, .swap_free = 0}, NULL, NULL, NULL},
        {{.total = 1000, .available = 90}, &calm, &calm, NULL},
        {{.total = 1000, .available = 500}, &stalled, &calm, "tasks on this host waited for memory 10%"},
        {{.total = 1000, .available = 500}, &calm, &full, "the service waited for memory"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        const char *reason = memory_pressure_of(arena, &cases[i].info, cases[i].host, cases[i].unit);
        if (!cases[i].reason != !reason || (reason && !strstr(reason, cases[i].reason)))
            fail_msg("case %zu: %s", i, reason ? reason : "no pressure");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernel_lines_are_joined_by_group_and_pid),
        cmocka_unit_test(the_arbiters_own_sigkill_is_no_evidence),
        cmocka_unit_test(only_newer_versions_log_signals),
        cmocka_unit_test(pressure_has_thresholds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
