/* SPDX-License-Identifier: Apache-2.0 */
#include "check/unit-watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MASTER = 100, OTHER_MASTER = 200 };

typedef struct Fixture {
    Arena *arena;
    UnitWatch watch;
    CheckResult result;
} Fixture;

static Fixture fixture_new(bool workers_all, uint64_t workers)
{
    Fixture f = {.arena = arena_new()};
    f.watch.arena = f.arena;
    f.watch.rules = (UnitRules){.unit = "gunicorn.service", .workers_all = workers_all, .workers = workers};
    unit_watch_begin(&f.watch, CHECK_VERIFY);
    return f;
}

/* A running service with workers from pid `first` on. */
static UnitLook running(Fixture *f, const char *invocation, pid_t first, int n)
{
    UnitLook look = {.nginx_generation = 7};
    look.unit = (LiveUnit){.active_state = "active", .sub_state = "running", .result = "success"};
    look.unit.invocation_id = invocation;
    look.unit.main_pid = MASTER;
    for (int i = 0; i < n; i++)
        *vec_push(f->arena, &look.unit.workers) = (LiveWorker){.pid = first + i, .start_ticks = 5};
    return look;
}

static void judged(Fixture *f, bool closing, Verdict verdict, bool final, const char *reason)
{
    f->result = (CheckResult){.name = "unit gunicorn"};
    unit_watch_judge(&f->watch, f->arena, closing, &f->result);
    if (f->result.verdict != verdict || f->result.final != final || !strstr(f->result.reason, reason))
        fail_msg("%s%s, %s", verdict_to_string(f->result.verdict), f->result.final ? " (final)" : "", f->result.reason);
}

static void see(Fixture *f, UnitLook look)
{
    unit_watch_see(&f->watch, &look);
}

static void a_service_that_goes_on_running_passes(void **state)
{
    Fixture f = fixture_new(true, 2);
    see(&f, running(&f, "a", 10, 2));
    see(&f, running(&f, "a", 10, 2));
    judged(&f, true, VERDICT_PASS, false, "running, 2 workers");
    arena_free(f.arena);
}

static void a_service_that_was_never_seen_is_no_evidence(void **state)
{
    Fixture f = fixture_new(true, 2);
    judged(&f, true, VERDICT_BLIND, false, "not looked at");
    Err err;
    err_set(&err, ERR_FAILED, "the bus is gone");
    unit_watch_miss(&f.watch, &err);
    judged(&f, true, VERDICT_BLIND, false, "the bus is gone");
    arena_free(f.arena);
}

static void a_service_that_stopped_fails(void **state)
{
    Fixture f = fixture_new(false, 0);
    see(&f, running(&f, "a", 10, 2));
    UnitLook look = running(&f, "a", 10, 0);
    look.unit.active_state = "activating";
    look.unit.sub_state = "auto-restart";
    look.unit.result = "exit-code";
    look.unit.main_pid = 0;
    see(&f, look);
    judged(&f, false, VERDICT_FAIL, false, "gunicorn.service is activating (auto-restart), result exit-code");
    look.unit.active_state = "failed";
    see(&f, look);
    judged(&f, false, VERDICT_FAIL, true, "failed");
    arena_free(f.arena);
}

static void a_restart_by_systemd_fails(void **state)
{
    Fixture f = fixture_new(false, 0);
    see(&f, running(&f, "a", 10, 2));
    UnitLook look = running(&f, "b", 20, 2);
    look.unit.restarts = 1;
    see(&f, look);
    judged(&f, false, VERDICT_FAIL, true, "systemd restarted it 1 time while it was watched");
    arena_free(f.arena);

    f = fixture_new(false, 0);
    f.watch.rules.restarts_allowed = 1;
    see(&f, running(&f, "a", 10, 2));
    look = running(&f, "b", 20, 2);
    look.unit.restarts = 1;
    see(&f, look);
    judged(&f, true, VERDICT_PASS, false, "running");
    arena_free(f.arena);
}

static void a_foreign_restart_is_no_evidence(void **state)
{
    Fixture f = fixture_new(true, 2);
    see(&f, running(&f, "a", 10, 2));
    UnitLook look = running(&f, "b", 20, 2);
    look.unit.main_pid = OTHER_MASTER;
    see(&f, look);
    judged(&f, true, VERDICT_BLIND, false, "foreign activity: gunicorn.service was restarted by somebody else");
    arena_free(f.arena);
}

static void a_foreign_reload_is_no_evidence(void **state)
{
    Fixture f = fixture_new(true, 2);
    see(&f, running(&f, "a", 10, 2));
    see(&f, running(&f, "a", 20, 2));
    judged(&f, true, VERDICT_BLIND, false, "foreign activity: gunicorn.service got new workers beside its 2");
    arena_free(f.arena);

    f = fixture_new(true, 2);
    see(&f, running(&f, "a", 10, 2));
    see(&f, running(&f, "a", 11, 3)); /* 10 is gone, 11 still serves, 12 and 13 are new */
    see(&f, running(&f, "a", 12, 2));
    judged(&f, true, VERDICT_BLIND, false, "got new workers beside its 2");
    arena_free(f.arena);

    f = fixture_new(true, 2);
    see(&f, running(&f, "a", 10, 2));
    UnitLook look = running(&f, "a", 10, 2);
    look.nginx_generation = 8;
    see(&f, look);
    judged(&f, true, VERDICT_BLIND, false, "foreign activity: nginx");
    arena_free(f.arena);
}

static void a_lost_worker_fails_unless_workers_are_recycled(void **state)
{
    for (int recycles = 0; recycles < 2; recycles++) {
        Fixture f = fixture_new(true, 3);
        f.watch.rules.recycles = recycles;
        see(&f, running(&f, "a", 10, 3));
        see(&f, running(&f, "a", 11, 3)); /* 10 is gone, 13 is new */
        if (recycles)
            judged(&f, true, VERDICT_PASS, false, "running, 3 workers");
        else
            judged(&f, false, VERDICT_FAIL, true, "1 of 3 workers ended while it was watched");
        assert_int_equal((int)f.result.measures.items[2].value, 1);
        arena_free(f.arena);
    }
}

static void a_reused_pid_is_another_worker(void **state)
{
    Fixture f = fixture_new(true, 1);
    see(&f, running(&f, "a", 10, 1));
    UnitLook look = running(&f, "a", 10, 1);
    look.unit.workers.items[0].start_ticks = 99;
    see(&f, look);
    judged(&f, false, VERDICT_FAIL, true, "1 of 1 workers ended");
    arena_free(f.arena);
}

static void missing_workers_may_still_come(void **state)
{
    Fixture f = fixture_new(true, 3);
    see(&f, running(&f, "a", 10, 1));
    judged(&f, false, VERDICT_FAIL, false, "1 of 3 workers");
    see(&f, running(&f, "a", 10, 3));
    judged(&f, true, VERDICT_PASS, false, "running, 3 workers");
    arena_free(f.arena);
}

static void a_computed_number_of_workers_is_the_baselines(void **state)
{
    Fixture f = fixture_new(true, 0);
    f.watch.rules.workers_from = "workers is computed";
    unit_watch_begin(&f.watch, CHECK_BASELINE);
    see(&f, running(&f, "a", 10, 3));
    unit_watch_begin(&f.watch, CHECK_VERIFY);
    see(&f, running(&f, "b", 20, 2));
    judged(&f, true, VERDICT_FAIL, true, "2 of 3 workers");
    assert_int_equal(f.result.dropped.n, 1);
    arena_free(f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_that_goes_on_running_passes),
        cmocka_unit_test(a_service_that_was_never_seen_is_no_evidence),
        cmocka_unit_test(a_service_that_stopped_fails),
        cmocka_unit_test(a_restart_by_systemd_fails),
        cmocka_unit_test(a_foreign_restart_is_no_evidence),
        cmocka_unit_test(a_foreign_reload_is_no_evidence),
        cmocka_unit_test(a_lost_worker_fails_unless_workers_are_recycled),
        cmocka_unit_test(a_reused_pid_is_another_worker),
        cmocka_unit_test(missing_workers_may_still_come),
        cmocka_unit_test(a_computed_number_of_workers_is_the_baselines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
