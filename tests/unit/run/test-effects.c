/* SPDX-License-Identifier: Apache-2.0 */
/* What edits make necessary, and in which order. */
#include "plan-bench.h"

#define WITH_BENCH(name, seconds) CLEANUP(plan_bench_free) PlanBench name = plan_bench(seconds)

static void nginx_goes_first_when_a_limit_is_raised(void **state)
{
    WITH_BENCH(bench, "30");
    Plan *plan = plan_of(&bench, TIMEOUT_AND_ALIGN("60s"));
    assert_int_equal(plan->edits.n, 2);
    assert_string_equal(plan_actions(plan, bench.tree.arena), "reload nginx.service, restart gunicorn.service");
}

static void gunicorn_goes_first_when_a_limit_is_lowered(void **state)
{
    WITH_BENCH(bench, "30");
    Plan *plan = plan_of(&bench, TIMEOUT_AND_ALIGN("10s"));
    assert_string_equal(plan_actions(plan, bench.tree.arena), "restart gunicorn.service, reload nginx.service");
}

static void a_limit_after_none_at_all_is_a_lowered_one(void **state)
{
    WITH_BENCH(bench, "0");
    Plan *plan = plan_of(&bench, TIMEOUT_AND_ALIGN("60s"));
    assert_string_equal(plan_actions(plan, bench.tree.arena), "restart gunicorn.service, reload nginx.service");
}

static void validations_come_before_all_else(void **state)
{
    WITH_BENCH(bench, "30");
    Plan *plan = plan_of(&bench, TIMEOUT_AND_ALIGN("60s"));
    bool acting = false;
    VEC_EACH (effect, &plan->effects) {
        assert_false(acting && effect_is_validation(effect->kind));
        acting = acting || !effect_is_validation(effect->kind);
    }
    assert_true(effect_is_validation(plan->effects.items[0].kind));
}

static void a_unit_file_makes_a_daemon_reload_necessary_before_its_restart(void **state)
{
    WITH_BENCH(bench, "30");
    Plan *plan = plan_of(&bench, "[{unit: {unit: gunicorn.service, set: {TimeoutStopSec: 50s}}}]");
    assert_string_equal(plan_actions(plan, bench.tree.arena), "daemon-reload, restart gunicorn.service");
}

static void a_restart_without_a_socket_refuses_connections_while_it_drains(void **state)
{
    WITH_BENCH(bench, "30");
    Plan *plan = plan_of(&bench, "[{restart: {unit: gunicorn.service}}]");
    assert_string_equal(plan_actions(plan, bench.tree.arena), "restart gunicorn.service");
    assert_int_equal(plan_refused_usec(plan), 9 * USEC_PER_SEC);
}

#define SOCKET_PATH "/etc/systemd/system/gunicorn.socket"

static void give_socket(PlanBench *bench, const char *service_settings)
{
    tree_write(&bench->tree, "/etc/systemd/system/gunicorn.service",
               arena_printf(bench->tree.arena,
                            "[Service]\nEnvironmentFile=" ENV_PATH "\nExecStart=/usr/bin/gunicorn site.wsgi\n%s\n",
                            service_settings));
    tree_write(&bench->tree, SOCKET_PATH, "[Socket]\nListenStream=/run/site/socket\n");
}

static void a_socket_whose_name_stays_refuses_nobody(void **state)
{
    static const char *const settings[] = {
        "",
        "RuntimeDirectory=other",
        "RuntimeDirectory=sit",
        "RuntimeDirectory=site\nRuntimeDirectory=",
        "RuntimeDirectory=site\nRuntimeDirectoryPreserve=restart",
        "RuntimeDirectory=site\nRuntimeDirectoryPreserve=yes",
    };
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        WITH_BENCH(bench, "30");
        give_socket(&bench, settings[i]);
        Plan *plan = plan_of(&bench, "[{restart: {unit: gunicorn.service}}]");
        assert_int_equal(plan_refused_usec(plan), 0);
        assert_int_equal(plan->effects.items[0].sockets.n, 0);
    }
}

static void a_socket_in_the_runtime_directory_is_restarted_too_and_both_lines_are_named(void **state)
{
    static const char *const settings[] = {
        "RuntimeDirectory=site",
        "RuntimeDirectory=other site",
        "RuntimeDirectory=site:link\nRuntimeDirectoryPreserve=no",
    };
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        WITH_BENCH(bench, "30");
        give_socket(&bench, settings[i]);
        Plan *plan = plan_of(&bench, "[{restart: {unit: gunicorn.service}}]");
        const Effect *restart = &plan->effects.items[0];
        assert_int_equal(restart->sockets.n, 1);
        assert_string_equal(restart->sockets.items[0], "gunicorn.socket");
        assert_non_null(strstr(restart->loses, "/run/site/socket (" SOCKET_PATH ":2)"));
        assert_non_null(strstr(restart->loses, "(/etc/systemd/system/gunicorn.service:4)"));
        assert_int_equal(plan_refused_usec(plan), 9 * USEC_PER_SEC);
    }
}

static void a_socket_of_another_service_must_not_go_with_the_directory(void **state)
{
    WITH_BENCH(bench, "30");
    Plan *plan = NULL;
    give_socket(&bench, "RuntimeDirectory=site");
    tree_write(&bench.tree, "/etc/systemd/system/admin.socket", "[Socket]\nListenStream=/var/run/site/admin\n");
    assert_int_equal(plan_try(&bench, "[{restart: {unit: gunicorn.service}}]", &plan), -ERR_REFUSED);
    assert_non_null(strstr(err_text(&bench.tree.err), "admin.socket could not be reached any more"));
    assert_non_null(strstr(err_text(&bench.tree.err), "RuntimeDirectoryPreserve=restart"));
}

static void another_reader_of_the_environment_file_must_be_named(void **state)
{
    WITH_BENCH(bench, "30");
    Plan *plan = NULL;
    tree_write(&bench.tree, "/etc/systemd/system/celery.service",
               "[Service]\nEnvironmentFile=" ENV_PATH "\nExecStart=/usr/bin/celery worker\n");
    assert_int_equal(plan_try(&bench, "[{gunicorn: {unit: gunicorn.service, exactly: {timeout: 60s}}}]", &plan),
                     -ERR_REFUSED);
    assert_non_null(strstr(err_text(&bench.tree.err), "also_affects: [celery.service]"));

    plan = plan_of(&bench, "[{gunicorn: {unit: gunicorn.service, exactly: {timeout: 60s}, "
                           "also_affects: [celery.service]}}]");
    assert_int_equal(plan->affected.n, 1);
    assert_true(plan->affected.items[0].allowed);
    assert_string_equal(plan->affected.items[0].unit, "celery.service");
}

static void a_restart_that_pulls_another_unit_along_must_be_named(void **state)
{
    WITH_BENCH(bench, "30");
    Plan *plan = NULL;
    tree_write(&bench.tree, "/etc/systemd/system/worker.service",
               "[Unit]\nPartOf=gunicorn.service\n[Service]\nExecStart=/usr/bin/worker\n");
    assert_int_equal(plan_try(&bench, "[{gunicorn: {unit: gunicorn.service, exactly: {timeout: 60s}}}]", &plan),
                     -ERR_REFUSED);
    assert_non_null(strstr(err_text(&bench.tree.err), "worker.service"));
}

static void an_edit_restarts_a_service_only_if_it_runs_and_a_restart_in_any_case(void **state)
{
    WITH_BENCH(bench, "30");
    Plan *plan = plan_of(&bench, "[{unit: {unit: gunicorn.service, set: {TimeoutStopSec: 50s}}}]");
    assert_true(plan->effects.items[plan->effects.n - 1].if_running);
    plan = plan_of(&bench, "[{unit: {unit: gunicorn.service, set: {TimeoutStopSec: 50s}}}, "
                           "{restart: {unit: gunicorn.service}}]");
    assert_string_equal(plan_actions(plan, bench.tree.arena), "daemon-reload, restart gunicorn.service");
    assert_false(plan->effects.items[plan->effects.n - 1].if_running);
}

static void a_unit_rests_that_was_stopped_or_is_a_job(void **state)
{
    assert_true(effect_rests("inactive", "notify"));
    assert_false(effect_rests("failed", "notify"));
    assert_false(effect_rests("active", "notify"));
    assert_false(effect_rests("activating", "notify"));
    assert_true(effect_rests("inactive", "oneshot"));
    assert_true(effect_rests("activating", "oneshot"));
    assert_true(effect_rests("failed", "oneshot"));
    assert_false(effect_rests("active", "oneshot"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nginx_goes_first_when_a_limit_is_raised),
        cmocka_unit_test(gunicorn_goes_first_when_a_limit_is_lowered),
        cmocka_unit_test(a_limit_after_none_at_all_is_a_lowered_one),
        cmocka_unit_test(validations_come_before_all_else),
        cmocka_unit_test(a_unit_file_makes_a_daemon_reload_necessary_before_its_restart),
        cmocka_unit_test(a_restart_without_a_socket_refuses_connections_while_it_drains),
        cmocka_unit_test(a_socket_whose_name_stays_refuses_nobody),
        cmocka_unit_test(a_socket_in_the_runtime_directory_is_restarted_too_and_both_lines_are_named),
        cmocka_unit_test(a_socket_of_another_service_must_not_go_with_the_directory),
        cmocka_unit_test(another_reader_of_the_environment_file_must_be_named),
        cmocka_unit_test(a_restart_that_pulls_another_unit_along_must_be_named),
        cmocka_unit_test(an_edit_restarts_a_service_only_if_it_runs_and_a_restart_in_any_case),
        cmocka_unit_test(a_unit_rests_that_was_stopped_or_is_a_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
