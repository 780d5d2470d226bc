/* SPDX-License-Identifier: Apache-2.0 */
/* Guards: what cannot be told satisfies none, and what speaks against a change is told first. */
#include "plan-bench.h"
#include "run/engine.h"
#include "run/guards.h"

static int present(FindingContext *context, const FindingSpec *spec, Finding *ret, Err *err)
{
    (void)context, (void)spec, (void)err;
    ret->state = FINDING_PRESENT;
    ret->summary = "it is there";
    return 0;
}

static int absent(FindingContext *context, const FindingSpec *spec, Finding *ret, Err *err)
{
    (void)context, (void)spec, (void)err;
    ret->state = FINDING_ABSENT;
    ret->summary = "it is not there";
    return 0;
}

static int blind(FindingContext *context, const FindingSpec *spec, Finding *ret, Err *err)
{
    (void)context, (void)spec, (void)ret;
    return err_set(err, ERR_DENIED, "no permission to look");
}

static const FindingKind there = {.name = "there", .examine = present}, gone = {.name = "gone", .examine = absent},
                         hidden = {.name = "hidden", .examine = blind};

static int check(PlanBench *bench, const Guard *guards, size_t n, const char *const *overrides)
{
    Playbook playbook = *plan_playbook(bench, "[{restart: {unit: gunicorn.service}}]");
    for (size_t i = 0; i < n; i++)
        *vec_push(bench->tree.arena, &playbook.guards) = guards[i];
    Plan plan = {.playbook = &playbook, .view = tree_view(&bench->tree)};
    FindingContext context = {.arena = bench->tree.arena, .view = plan.view};
    RunOptions options = {.overrides = overrides};
    Progress progress = {.run_id = NULL};
    return guards_check(&context, &plan, &progress, &options, &bench->tree.err);
}

static void guards_that_are_satisfied_say_nothing(void **state)
{
    CLEANUP(plan_bench_free) PlanBench bench = plan_bench("30");
    const Guard guards[] = {{.kind = &there, .require = true}, {.kind = &gone, .require = false}};
    assert_int_equal(check(&bench, guards, ARRAY_LEN(guards), NULL), 0);
}

static void what_speaks_against_the_change_is_told_before_what_does_not_speak_for_it(void **state)
{
    CLEANUP(plan_bench_free) PlanBench bench = plan_bench("30");
    const Guard guards[] = {{.kind = &gone, .require = true}, {.kind = &there, .require = false}};
    assert_int_equal(check(&bench, guards, ARRAY_LEN(guards), NULL), -ERR_REFUSED);
    assert_string_equal(err_text(&bench.tree.err), "guard there: it is there");
}

static void what_cannot_be_told_satisfies_no_guard(void **state)
{
    CLEANUP(plan_bench_free) PlanBench bench = plan_bench("30");
    for (int require = 0; require < 2; require++) {
        const Guard guards[] = {{.kind = &hidden, .require = require}};
        assert_int_equal(check(&bench, guards, 1, NULL), -ERR_REFUSED);
        assert_non_null(strstr(err_text(&bench.tree.err), "no permission to look"));
    }
}

static void only_the_guard_that_was_named_is_overridden(void **state)
{
    CLEANUP(plan_bench_free) PlanBench bench = plan_bench("30");
    const Guard guards[] = {{.kind = &gone, .require = true}, {.kind = &there, .require = false}};
    assert_int_equal(check(&bench, guards, ARRAY_LEN(guards), (const char *const[]){"there", NULL}), -ERR_REFUSED);
    assert_int_equal(check(&bench, guards, ARRAY_LEN(guards), (const char *const[]){"there", "gone", NULL}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guards_that_are_satisfied_say_nothing),
        cmocka_unit_test(what_speaks_against_the_change_is_told_before_what_does_not_speak_for_it),
        cmocka_unit_test(what_cannot_be_told_satisfies_no_guard),
        cmocka_unit_test(only_the_guard_that_was_named_is_overridden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
