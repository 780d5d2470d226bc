/* SPDX-License-Identifier: Apache-2.0 */
/* What a recovery reads is what the run meant. */
#include "plan-bench.h"
#include "run/intent.h"

static void an_intent_comes_back_as_it_was(void **state)
{
    CLEANUP(plan_bench_free) PlanBench bench = plan_bench("30");
    Arena *arena = bench.tree.arena;
    Plan *plan = plan_of(&bench, TIMEOUT_AND_ALIGN("60s"));
    HostBefore before = {.nginx_generation = 77};
    plan->for_usec = USEC_PER_HOUR;
    *vec_push(arena, &before.was_down) = "nginx.service";
    *vec_push(arena, &before.was_sick) = "gunicorn.service";
    *vec_push(arena, &before.was_up) = "sidecar.service";
    *vec_push(arena, &before.no_way) = "unix:/run/x";

    Intent intent;
    const Playbook *playbook = NULL;
    const char *json = intent_to_json(arena, plan, &before);
    assert_int_equal(intent_from_json(arena, json, &intent, &bench.tree.err), 0);
    assert_int_equal(intent.effects.n, plan->effects.n);
    for (size_t i = 0; i < plan->effects.n; i++) {
        assert_int_equal(intent.effects.items[i].kind, plan->effects.items[i].kind);
        assert_true(str_equal(intent.effects.items[i].unit, plan->effects.items[i].unit));
        assert_int_equal(intent.effects.items[i].if_running, plan->effects.items[i].if_running);
    }
    assert_int_equal(intent.before.was_down.n, 1);
    assert_string_equal(intent.before.was_down.items[0], "nginx.service");
    assert_int_equal(intent.before.was_sick.n, 1);
    assert_string_equal(intent.before.was_sick.items[0], "gunicorn.service");
    assert_int_equal(intent.before.was_up.n, 1);
    assert_string_equal(intent.before.was_up.items[0], "sidecar.service");
    assert_string_equal(intent.before.no_way.items[0], "unix:/run/x");
    assert_int_equal(intent.before.nginx_generation, 77);
    assert_int_equal(intent.settle_usec, 3 * USEC_PER_SEC);
    assert_int_equal(intent.for_usec, USEC_PER_HOUR);
    assert_string_equal(intent.root, bench.tree.root);
    assert_int_equal(intent_playbook(arena, &intent, &playbook, &bench.tree.err), 0);
    assert_string_equal(playbook->name, "test");
    assert_int_equal(playbook->checks.n, 1);
}

static void an_intent_without_the_sick_units_of_a_later_version_is_read(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Intent intent;
    Err err;
    assert_int_equal(intent_from_json(arena,
                                      "{\"playbook\": {\"name\": \"t\", \"text\": \"\"}, \"effects\": "
                                      "[{\"effect\": \"restart\", \"unit\": \"g.service\"}]}",
                                      &intent, &err),
                     0);
    assert_int_equal(intent.before.was_sick.n, 0);
    assert_int_equal(intent.effects.items[0].kind, EFFECT_RESTART);
}

static void an_intent_that_cannot_be_understood_is_an_error(void **state)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"effects\": []}",
        "{\"playbook\": {\"name\": \"t\", \"text\": \"\"}, \"effects\": 1}",
        "{\"playbook\": {\"name\": \"t\", \"text\": \"\"}, \"effects\": [{\"effect\": \"explode\"}]}",
    };
    CLEANUP(arena_free) Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        Intent intent;
        Err err;
        assert_true(intent_from_json(arena, wrong[i], &intent, &err) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_intent_comes_back_as_it_was),
        cmocka_unit_test(an_intent_without_the_sick_units_of_a_later_version_is_read),
        cmocka_unit_test(an_intent_that_cannot_be_understood_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
