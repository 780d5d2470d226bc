/* SPDX-License-Identifier: Apache-2.0 */
#include "change/dropin.h"

#include "gunicorn-unit.h"

static const Unit *load(Bench *bench)
{
    const Unit *unit = NULL;
    assert_int_equal(unit_load(bench->context.view, "gunicorn", &unit, &bench->tree.err), 0);
    return unit;
}

static void set(Bench *bench, const char *section, const char *key, const char *value)
{
    assert_done(&bench->tree, dropin_set(bench->context.view, load(bench), section, key, value, &bench->tree.err));
}

static void a_new_dropin_says_whose_it_is(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    set(&bench, "Service", "TasksMax", "50");
    assert_string_equal(bench_text(&bench, DROPIN_PATH),
                        "# Written by salve; removed by `salve rollback`.\n[Service]\nTasksMax=50\n");
    assert_int_equal(bench_edits(&bench), 2); /* and its directory */
}

static void settings_join_their_section(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    set(&bench, "Service", "TasksMax", "50");
    set(&bench, "Unit", "StartLimitBurst", "3");
    set(&bench, "Service", "Nice", "5");
    assert_has(bench_text(&bench, DROPIN_PATH), "[Service]\nTasksMax=50\nNice=5\n[Unit]\nStartLimitBurst=3\n");
}

static void an_assignment_is_replaced_and_every_other_byte_stays(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, DROPIN_PATH, "; mine\n[Service]\nNice = 3\nTasksMax=10\\\n0\n# end, without a newline");
    set(&bench, "Service", "TasksMax", "50");
    assert_string_equal(bench_text(&bench, DROPIN_PATH),
                        "; mine\n[Service]\nNice = 3\nTasksMax=50\n# end, without a newline");
    set(&bench, "Unit", "StartLimitBurst", "3");
    assert_has(bench_text(&bench, DROPIN_PATH), "# end, without a newline\n[Unit]\nStartLimitBurst=3\n");
}

static void a_later_dropin_that_sets_it_too_is_refused_with_its_place(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, "/etc/systemd/system/gunicorn.service.d/zzz.conf", "[Service]\n\nTasksMax=9\n");
    assert_error(&bench.tree,
                 dropin_set(bench.context.view, load(&bench), "Service", "TasksMax", "50", &bench.tree.err),
                 ERR_REFUSED, "zzz.conf:3:1: this drop-in applies after salve's zz-salve.conf");
    set(&bench, "Service", "Nice", "5");
}

static void an_environment_variable_is_quoted_and_its_percents_doubled(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    View *view = bench.context.view;
    Err *err = &bench.tree.err;
    assert_done(&bench.tree, dropin_set_environment(view, load(&bench), "A", "1 %", err));
    assert_done(&bench.tree, dropin_set_environment(view, load(&bench), "B", "2", err));
    assert_done(&bench.tree, dropin_set_environment(view, load(&bench), "A", "3", err));
    assert_has(bench_text(&bench, DROPIN_PATH), "[Service]\nEnvironment=\"A=3\"\nEnvironment=\"B=2\"\n");
    assert_error(&bench.tree, dropin_set_environment(view, load(&bench), "A", "a\"b", err), ERR_REFUSED, "of A");
}

static void a_command_is_overridden_with_its_hash_and_then_only_its_value_changes(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    View *view = bench.context.view;
    const Unit *unit = load(&bench);
    const UnitSetting *original = unit_last(&unit->files, "Service", "ExecStart");
    assert_done(&bench.tree, dropin_set_exec_start(view, unit, original, "/bin/a", &bench.tree.err));
    const char *first = bench_text(&bench, DROPIN_PATH);
    assert_has(first, "# overrides ExecStart= of " UNIT_PATH ", sha256 ");
    unit = load(&bench);
    original = unit_last(&unit->files, "Service", "ExecStart");
    assert_done(&bench.tree, dropin_set_exec_start(view, unit, original, "/bin/b", &bench.tree.err));
    const char *second = bench_text(&bench, DROPIN_PATH);
    assert_int_equal(strlen(first), strlen(second));
    assert_memory_equal(first, second, (size_t)(strstr(first, "/bin/a") - first));
    assert_has(second, "\nExecStart=\nExecStart=/bin/b\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_dropin_says_whose_it_is),
        cmocka_unit_test(settings_join_their_section),
        cmocka_unit_test(an_assignment_is_replaced_and_every_other_byte_stays),
        cmocka_unit_test(a_later_dropin_that_sets_it_too_is_refused_with_its_place),
        cmocka_unit_test(an_environment_variable_is_quoted_and_its_percents_doubled),
        cmocka_unit_test(a_command_is_overridden_with_its_hash_and_then_only_its_value_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
