/* SPDX-License-Identifier: Apache-2.0 */
#include "gunicorn-unit.h"

static void settings_go_to_our_dropin_and_are_read_back(void **state)
{
    static const char yaml[] = "unit: {unit: gunicorn, set: {TimeoutStopSec: 65s, StartLimitBurst: 10, Restart: "
                               "on-failure, MemoryMax: 512MiB, CPUQuota: 150%}}";
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    bench_apply(&bench, yaml);
    const char *text = bench_text(&bench, DROPIN_PATH);
    assert_has(text, "\nTimeoutStopSec=65s\n");
    assert_has(text, "[Unit]\nStartLimitBurst=10\n");
    assert_has(text, "\nRestart=on-failure\n");
    assert_has(text, "\nMemoryMax=512M\n");
    assert_has(text, "\nCPUQuota=150%\n");
    static const char *const wishes[] = {"TimeoutStopUSec=65000000", "StartLimitBurst=10", "Restart=on-failure",
                                         "MemoryMax=536870912", "CPUQuotaPerSecUSec=1500000"};
    for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
        const char *name = arena_strndup(bench.tree.arena, wishes[i], strcspn(wishes[i], "="));
        assert_string_equal(bench_wish(&bench, WISH_PROPERTY, name),
                            arena_printf(bench.tree.arena, "gunicorn.service %s", wishes[i]));
    }
    bench_assert_settled(&bench, yaml);
}

static void what_means_the_same_stays(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "TimeoutStopSec=1min 5s\nMemoryMax=524288K\nTimeoutStartSec=0\n");
    bench_apply(&bench,
                "unit: {unit: gunicorn, set: {TimeoutStopSec: 65s, MemoryMax: 512MiB, TimeoutStartSec: never}}");
    assert_int_equal(bench_edits(&bench), 0);
    assert_true(bench_noted(&bench, NOTE_INFO, "TimeoutStopSec stays: TimeoutStopSec=1min 5s (" UNIT_PATH ":8)"));
    assert_string_equal(bench_wish(&bench, WISH_PROPERTY, "TimeoutStartUSec"),
                        "gunicorn.service TimeoutStartUSec=infinity");
}

static void a_second_value_replaces_the_first_in_our_dropin(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    bench_apply(&bench, "unit: {unit: gunicorn, set: {Nice: 5, TasksMax: 100}}");
    bench_commit(&bench);
    bench_apply(&bench, "unit: {unit: gunicorn, set: {Nice: -5}}");
    assert_has(bench_text(&bench, DROPIN_PATH), "\nNice=-5\nTasksMax=100\n");
}

static void another_name_of_the_same_setting_counts(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "TimeoutSec=65\n");
    bench_apply(&bench, "unit: {unit: gunicorn, set: {TimeoutStopSec: 65s}}");
    assert_int_equal(bench_edits(&bench), 0);
    tree_write(&bench.tree, "/etc/systemd/system/gunicorn.service.d/zzz.conf", "[Service]\nTimeoutSec=10\n");
    bench_look(&bench);
    assert_error(&bench.tree, bench_try(&bench, "unit: {unit: gunicorn, set: {TimeoutStopSec: 65s}}"), ERR_REFUSED,
                 "zzz.conf:2:1");
}

static void a_later_dropin_wins_and_is_refused(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, "/etc/systemd/system/gunicorn.service.d/zzz.conf", "[Service]\nNice=1\n");
    assert_error(&bench.tree, bench_try(&bench, "unit: {unit: gunicorn, set: {Nice: 5}}"), ERR_REFUSED, "zzz.conf:2:1");
    assert_int_equal(bench_edits(&bench), 0);
}

static void what_runs_as_whom_and_with_what_cannot_be_set(void **state)
{
    static const char *const keys[] = {"ExecStart", "ExecStartPre", "ExecStopPost",
                                       "User",      "Environment",  "EnvironmentFile"};
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_error(&bench.tree,
                     bench_try(&bench, arena_printf(bench.tree.arena, "unit: {unit: gunicorn, set: {%s: x}}", keys[i])),
                     ERR_INVALID, "unknown key");
}

static void a_misspelt_setting_is_told(void **state)
{
    BENCH(bench);
    assert_error(&bench.tree, bench_try(&bench, "unit: {unit: gunicorn, set: {TimeoutStopsec: 5s}}"), ERR_INVALID,
                 "did you mean \"TimeoutStopSec\"");
    assert_error(&bench.tree, bench_try(&bench, "unit: {unit: gunicorn, set: {Restart: sometimes}}"), ERR_INVALID,
                 "on-failure");
    assert_error(&bench.tree, bench_try(&bench, "unit: {unit: gunicorn, set: {}}"), ERR_INVALID, "nothing to do");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_go_to_our_dropin_and_are_read_back),
        cmocka_unit_test(what_means_the_same_stays),
        cmocka_unit_test(a_second_value_replaces_the_first_in_our_dropin),
        cmocka_unit_test(another_name_of_the_same_setting_counts),
        cmocka_unit_test(a_later_dropin_wins_and_is_refused),
        cmocka_unit_test(what_runs_as_whom_and_with_what_cannot_be_set),
        cmocka_unit_test(a_misspelt_setting_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
