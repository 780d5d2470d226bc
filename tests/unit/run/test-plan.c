/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of a tree, and their way back. */
#include "plan-bench.h"

#define WITH_BENCH(name, seconds) CLEANUP(plan_bench_free) PlanBench name = plan_bench(seconds)

static void a_wish_that_is_fulfilled_is_nothing_to_do(void **state)
{
    WITH_BENCH(bench, "60");
    Plan *plan = plan_of(&bench, "[{gunicorn: {unit: gunicorn.service, at_least: {timeout: 60s}}}]");
    assert_true(plan->nothing_to_do);
    assert_false(plan->only_restarts);
    assert_int_equal(plan->effects.n, 0);
}

static void a_restart_is_never_nothing_to_do(void **state)
{
    WITH_BENCH(bench, "60");
    Plan *plan = plan_of(&bench, "[{restart: {unit: gunicorn.service}}]");
    assert_false(plan->nothing_to_do);
    assert_true(plan->only_restarts);
}

static void the_same_plan_has_the_same_hash_and_another_one_has_not(void **state)
{
    WITH_BENCH(bench, "30");
    const char *first = plan_of(&bench, TIMEOUT_AND_ALIGN("60s"))->hash;
    assert_string_equal(plan_of(&bench, TIMEOUT_AND_ALIGN("60s"))->hash, first);
    assert_string_not_equal(plan_of(&bench, TIMEOUT_AND_ALIGN("61s"))->hash, first);

    tree_write(
        &bench.tree, NGINX_PATH,
        "events { }\nhttp {\n  server {\n    location / {\n      proxy_pass http://127.0.0.1:8000;\n    }\n  }\n}\n");
    assert_string_not_equal(plan_of(&bench, TIMEOUT_AND_ALIGN("60s"))->hash, first);
}

static void what_a_check_asks_for_is_part_of_the_hash(void **state)
{
    WITH_BENCH(bench, "30");
    const char *changes = TIMEOUT_AND_ALIGN("60s");
    const char *first = plan_of(&bench, changes)->hash;
    bench.limit = "2s";
    assert_string_not_equal(plan_of(&bench, changes)->hash, first);
    bench.limit = "1s # a comment";
    assert_string_equal(plan_of(&bench, changes)->hash, first);
}

static void the_way_back_wishes_what_was_recorded(void **state)
{
    WITH_BENCH(bench, "30");
    Plan *plan = plan_of(&bench, "[{gunicorn: {unit: gunicorn.service, exactly: {timeout: 60s}}}]"), *back = NULL;
    const Edit *edit = &plan->edits.items[0];
    assert_int_equal(plan->edits.n, 1);
    tree_write(&bench.tree, edit->path, edit->after.content.data);

    StringVec passed = {0};
    PlanRecord record = {.origin = "rollback of r1", .undoes = "r1", .edits = &plan->edits, .passed = &passed};
    PlanOptions options = {.template_dirs = &bench.roots, .managed_roots = &bench.roots};
    assert_int_equal(plan_make_reverse(bench.tree.arena, plan->playbook, &record, tree_view(&bench.tree), NULL,
                                       &options, &back, &bench.tree.err),
                     0);
    assert_int_equal(back->edits.n, 1);
    assert_true(bytes_equal(back->edits.items[0].after.content, edit->before.content));
    assert_string_equal(back->origin, "rollback of r1");
    assert_string_equal(back->undoes, "r1");
    assert_int_equal(back->checks.n, 0); /* none passed before, so none is asked */
    assert_string_equal(plan_actions(back, bench.tree.arena), "restart gunicorn.service");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wish_that_is_fulfilled_is_nothing_to_do),
        cmocka_unit_test(a_restart_is_never_nothing_to_do),
        cmocka_unit_test(the_same_plan_has_the_same_hash_and_another_one_has_not),
        cmocka_unit_test(what_a_check_asks_for_is_part_of_the_hash),
        cmocka_unit_test(the_way_back_wishes_what_was_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
