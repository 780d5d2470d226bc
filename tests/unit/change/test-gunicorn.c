/* SPDX-License-Identifier: Apache-2.0 */
/* What the change promises, wherever a setting comes from: never lowers, says what has no effect, refuses what it
 * cannot do surely. */
#include "gunicorn-unit.h"

static void at_least_never_lowers(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn --timeout 90 a:b", "");
    bench_apply(&bench, "gunicorn: {at_least: {timeout: 60s}}");
    assert_int_equal(bench_edits(&bench), 0);
    assert_true(bench_noted(&bench, NOTE_INFO, "timeout stays"));
    assert_string_equal(bench_wish(&bench, WISH_SETTING, "timeout"), "");
    assert_int_equal(bench.context.longest_request_usec, 90 * USEC_PER_SEC);
}

static void exactly_lowers(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn --timeout 90 a:b", "");
    bench_apply(&bench, "gunicorn: {exactly: {timeout: 60s}}");
    assert_has(bench_text(&bench, DROPIN_PATH), "--timeout 60");
}

static void never_is_zero_and_more_than_any_time(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn --timeout 90 a:b", "");
    bench_apply(&bench, "gunicorn: {at_least: {timeout: never}}");
    assert_has(bench_text(&bench, DROPIN_PATH), "--timeout 0 a:b");
    assert_true(bench_noted(&bench, NOTE_WARNING, "no worker is ever ended"));
    bench_commit(&bench);
    bench_apply(&bench, "gunicorn: {at_least: {timeout: 60s}}");
    assert_int_equal(bench_edits(&bench), 0);
}

static void gunicorn_takes_whole_seconds(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    assert_error(&bench.tree, bench_try(&bench, "gunicorn: {exactly: {timeout: 1500ms}}"), ERR_INVALID,
                 "whole seconds");
}

static void zero_requests_are_more_than_any_number(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn --max-requests 0 a:b", "");
    bench_apply(&bench, "gunicorn: {at_least: {max_requests: 1000}}");
    assert_int_equal(bench_edits(&bench), 0);
}

static void auto_leaves_a_setting_as_it_is(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn --threads 4 a:b", "");
    bench_apply(&bench, "gunicorn: {exactly: {threads: auto, max_requests: 500}}");
    assert_has(bench_text(&bench, DROPIN_PATH), "ExecStart=/bin/gunicorn --threads 4 a:b --max-requests 500\n");
}

static void a_timeout_of_gthread_limits_no_request(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn --threads 2 --timeout 30 a:b", "");
    bench_apply(&bench, "gunicorn: {at_least: {timeout: 60s}}");
    assert_true(bench_noted(&bench, NOTE_WARNING, "threads 2 makes them gthread"));
}

static void sync_with_threads_is_gthread_all_the_same(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn -k gthread --threads 2 a:b", "");
    bench_apply(&bench, "gunicorn: {exactly: {worker_class: sync}}");
    assert_true(bench_noted(&bench, NOTE_WARNING, "gthread"));
}

static void graceful_timeout_carries_the_stop_limit_of_systemd(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "TimeoutStopSec=20\n");
    bench_apply(&bench, "gunicorn: {exactly: {graceful_timeout: 60s}}");
    const char *text = bench_text(&bench, DROPIN_PATH);
    assert_has(text, "--graceful-timeout 60");
    assert_has(text, "\nTimeoutStopSec=65s\n");
    assert_string_equal(bench_wish(&bench, WISH_PROPERTY, "TimeoutStopUSec"),
                        "gunicorn.service TimeoutStopUSec=65000000");
    bench_assert_settled(&bench, "gunicorn: {exactly: {graceful_timeout: 60s}}");
}

static void a_stop_limit_that_suffices_stays(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    bench_apply(&bench, "gunicorn: {exactly: {graceful_timeout: 85s}}"); /* systemd's default is 90 s */
    assert_null(strstr(bench_text(&bench, DROPIN_PATH), "TimeoutStopSec"));
}

static void a_wrapper_is_refused_with_the_reason(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/sh -c 'exec /srv/venv/bin/gunicorn --timeout 30 a:b'", "");
    assert_error(&bench.tree, bench_try(&bench, "gunicorn: {exactly: {timeout: 60s}}"), ERR_REFUSED,
                 UNIT_PATH ":7:1: gunicorn.service runs Gunicorn through a wrapper (/bin/sh runs a script");
    assert_int_equal(bench_edits(&bench), 0);
}

static void behind_a_wrapper_the_configuration_file_can_be_edited(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/srv/venv/bin/runner /srv/venv/bin/gunicorn a:b", "");
    tree_write(&bench.tree, CONF_PATH, "timeout = 30\n");
    bench_apply(&bench, "gunicorn: {exactly: {timeout: 60s}}");
    assert_string_equal(bench_text(&bench, CONF_PATH), "timeout = 60\n");
}

static void a_command_that_only_the_manager_can_expand_is_refused(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn --timeout 30 --pid %t/%m.pid a:b", "");
    assert_error(&bench.tree, bench_try(&bench, "gunicorn: {exactly: {timeout: 60s}}"), ERR_REFUSED,
                 "cannot be told from its files");
}

static void a_later_dropin_of_the_admin_is_refused_with_its_place(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, "/etc/systemd/system/gunicorn.service.d/zzz.conf",
               "[Service]\nExecStart=\nExecStart=/bin/gunicorn --timeout 30 a:b\n");
    assert_error(&bench.tree, bench_try(&bench, "gunicorn: {exactly: {timeout: 60s}}"), ERR_REFUSED,
                 "gunicorn.service.d/zzz.conf:3:1: this drop-in applies after salve's");
    assert_int_equal(bench_edits(&bench), 0);
}

static void a_later_environment_of_the_admin_is_refused(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, "/etc/systemd/system/gunicorn.service.d/zzz.conf",
               "[Service]\nEnvironment=\"GUNICORN_CMD_ARGS=--timeout 30\"\n");
    assert_error(&bench.tree, bench_try(&bench, "gunicorn: {exactly: {timeout: 60s}}"), ERR_REFUSED, "zzz.conf:2");
}

static void an_earlier_dropin_of_the_admin_is_overridden(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, "/etc/systemd/system/gunicorn.service.d/50-admin.conf",
               "[Service]\nExecStart=\nExecStart=/bin/gunicorn --timeout 30 c:d\n");
    bench_apply(&bench, "gunicorn: {exactly: {timeout: 60s}}");
    assert_has(bench_text(&bench, DROPIN_PATH), "50-admin.conf, sha256");
    assert_has(bench_text(&bench, DROPIN_PATH), "ExecStart=/bin/gunicorn --timeout 60 c:d\n");
}

static void an_instance_of_a_template_has_a_dropin_of_its_own(void **state)
{
    BENCH(bench);
    tree_write(&bench.tree, "/etc/systemd/system/gunicorn@.service",
               "[Service]\nExecStart=/bin/gunicorn --timeout 30 --name %i a:b\n");
    bench_apply(&bench, "gunicorn: {unit: gunicorn@shop, exactly: {timeout: 60s}}");
    assert_has(bench_text(&bench, "/etc/systemd/system/gunicorn@shop.service.d/zz-salve.conf"),
               "ExecStart=/bin/gunicorn --timeout 60 --name %i a:b\n");
    assert_error(&bench.tree, bench_try(&bench, "gunicorn: {unit: gunicorn@.service, exactly: {timeout: 60s}}"),
                 ERR_REFUSED, "template");
}

static void an_alias_is_the_unit_behind_it(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_link(&bench.tree, "/etc/systemd/system/web.service", UNIT_PATH);
    bench_apply(&bench, "gunicorn: {unit: web, exactly: {timeout: 60s}}");
    assert_has(bench_text(&bench, DROPIN_PATH), "--timeout 60");
}

static void no_gunicorn_several_and_an_unknown_one_are_refused(void **state)
{
    BENCH(bench);
    tree_write(&bench.tree, "/etc/systemd/system/celery.service", "[Service]\nExecStart=/bin/celery\n");
    const char *any = "gunicorn: {exactly: {timeout: 60s}}";
    assert_error(&bench.tree, bench_try(&bench, any), ERR_REFUSED, "Gunicorn");
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, "/etc/systemd/system/admin.service", "[Service]\nExecStart=/bin/gunicorn c:d\n");
    bench_look(&bench);
    assert_error(&bench.tree, bench_try(&bench, any), ERR_REFUSED, "admin.service");
    assert_has(err_text(&bench.tree.err), "gunicorn.service");
    assert_error(&bench.tree, bench_try(&bench, "gunicorn: {unit: shop, exactly: {timeout: 60s}}"), ERR_REFUSED,
                 "shop.service");
    assert_error(&bench.tree, bench_try(&bench, "gunicorn: {unit: celery, exactly: {timeout: 60s}}"), ERR_REFUSED,
                 "celery.service");
}

static void a_misspelt_setting_is_told(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    assert_error(&bench.tree, bench_try(&bench, "gunicorn: {exactly: {timout: 60s}}"), ERR_INVALID, "\"timeout\"");
}

static void units_that_may_be_affected_are_passed_on(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    bench_apply(&bench, "gunicorn: {exactly: {timeout: 60s}, also_affects: [celery]}");
    assert_string_equal(bench_wish(&bench, WISH_MAY_AFFECT, NULL), "celery.service");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_least_never_lowers),
        cmocka_unit_test(exactly_lowers),
        cmocka_unit_test(never_is_zero_and_more_than_any_time),
        cmocka_unit_test(gunicorn_takes_whole_seconds),
        cmocka_unit_test(zero_requests_are_more_than_any_number),
        cmocka_unit_test(auto_leaves_a_setting_as_it_is),
        cmocka_unit_test(a_timeout_of_gthread_limits_no_request),
        cmocka_unit_test(sync_with_threads_is_gthread_all_the_same),
        cmocka_unit_test(graceful_timeout_carries_the_stop_limit_of_systemd),
        cmocka_unit_test(a_stop_limit_that_suffices_stays),
        cmocka_unit_test(a_wrapper_is_refused_with_the_reason),
        cmocka_unit_test(behind_a_wrapper_the_configuration_file_can_be_edited),
        cmocka_unit_test(a_command_that_only_the_manager_can_expand_is_refused),
        cmocka_unit_test(a_later_dropin_of_the_admin_is_refused_with_its_place),
        cmocka_unit_test(a_later_environment_of_the_admin_is_refused),
        cmocka_unit_test(an_earlier_dropin_of_the_admin_is_overridden),
        cmocka_unit_test(an_instance_of_a_template_has_a_dropin_of_its_own),
        cmocka_unit_test(an_alias_is_the_unit_behind_it),
        cmocka_unit_test(no_gunicorn_several_and_an_unknown_one_are_refused),
        cmocka_unit_test(a_misspelt_setting_is_told),
        cmocka_unit_test(units_that_may_be_affected_are_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
