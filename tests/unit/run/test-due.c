/* SPDX-License-Identifier: Apache-2.0 */
/* What plans say of temporary changes, and how the timer is told. */
#include "run/due.h"

#include "plan-bench.h"

static PastRunVec one_temporary(Arena *arena, const char *path)
{
    PastRunVec runs = {0};
    PastRun *run = vec_push(arena, &runs);
    *run = (PastRun){.record = {.id = "t1", .state = RUN_KEPT, .playbook = "more-time", .until = 100 * USEC_PER_SEC}};
    *vec_push(arena, &run->files) = path;
    standing_mark(arena, &runs);
    return runs;
}

static const char *notes(PlanBench *bench, const PastRunVec *runs, usec for_usec, const char *undoes)
{
    Arena *arena = bench->tree.arena;
    Plan *plan = plan_of(bench, "[{gunicorn: {unit: gunicorn.service, exactly: {timeout: 60s}}}]");
    const char *text = "";
    plan->notes = (NoteVec){0};
    plan->undoes = undoes;
    due_note(arena, runs, 0, for_usec, plan);
    assert_int_equal(plan->for_usec, for_usec);
    VEC_EACH (note, &plan->notes)
        text = arena_printf(arena, "%s%s: %s\n", text, note->subject, note->text);
    return text;
}

static void a_plan_says_what_becomes_of_a_temporary_change_of_its_files(void **state)
{
    CLEANUP(plan_bench_free) PlanBench bench = plan_bench("30");
    PastRunVec runs = one_temporary(bench.tree.arena, ENV_PATH);
    assert_non_null(strstr(notes(&bench, &runs, 0, NULL), "temporary change t1: more-time, until "));
    assert_non_null(strstr(notes(&bench, &runs, 0, NULL), "does not end by itself any more"));
    assert_non_null(strstr(notes(&bench, &runs, USEC_PER_HOUR, NULL), "waits for the end of this"));
}

static void only_a_word_makes_a_temporary_change_permanent(void **state)
{
    CLEANUP(plan_bench_free) PlanBench bench = plan_bench("30");
    PastRunVec runs = one_temporary(bench.tree.arena, ENV_PATH);
    Plan *plan = plan_of(&bench, "[{gunicorn: {unit: gunicorn.service, exactly: {timeout: 60s}}}]");
    Err err;
    due_note(bench.tree.arena, &runs, 0, 0, plan);
    assert_int_equal(due_check_permanent(plan, false, &err), -ERR_REFUSED);
    assert_non_null(strstr(err_text(&err), "salve rollback t1"));
    assert_int_equal(due_check_permanent(plan, true, &err), 0);
    plan->makes_permanent = NULL;
    due_note(bench.tree.arena, &runs, 0, USEC_PER_HOUR, plan);
    assert_int_equal(due_check_permanent(plan, false, &err), 0);
}

static void it_says_nothing_of_others_and_of_what_it_takes_back(void **state)
{
    CLEANUP(plan_bench_free) PlanBench bench = plan_bench("30");
    PastRunVec runs = one_temporary(bench.tree.arena, NGINX_PATH);
    assert_string_equal(notes(&bench, &runs, 0, NULL), "");
    runs = one_temporary(bench.tree.arena, ENV_PATH);
    assert_string_equal(notes(&bench, &runs, 0, "t1"), "");
    runs.items[0].stands = false;
    assert_string_equal(notes(&bench, &runs, 0, NULL), "");
}

static void the_timer_is_told_in_utc_and_not_too_early(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_non_null(strstr(due_drop_in(arena, 1772334765 * USEC_PER_SEC), "\nOnCalendar=2026-03-01 03:12:45 UTC\n"));
    assert_non_null(
        strstr(due_drop_in(arena, 1772334765 * USEC_PER_SEC + 1), "\nOnCalendar=2026-03-01 03:12:46 UTC\n"));
    assert_non_null(strstr(due_drop_in(arena, 1), "\nPersistent=true\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_says_what_becomes_of_a_temporary_change_of_its_files),
        cmocka_unit_test(only_a_word_makes_a_temporary_change_permanent),
        cmocka_unit_test(it_says_nothing_of_others_and_of_what_it_takes_back),
        cmocka_unit_test(the_timer_is_told_in_utc_and_not_too_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
