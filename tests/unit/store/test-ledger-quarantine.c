/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger-bench.h"

static void add_blamed(Ledger *ledger, const char *id, usec created, RunState run_state, const char *plan_hash)
{
    Err err;
    add_run(ledger, id, created, run_state, plan_hash);
    assert_int_equal(ledger_blame(ledger, id, &err), 0);
}

static const char *quarantined(TempTree *tree, Ledger *ledger, const char *plan_hash)
{
    RunRecord run;
    Err err;
    int r = ledger_quarantined(ledger, tree->arena, plan_hash, &run, &err);
    if (r < 0)
        fail_msg("%s", err.message);
    return r ? run.id : NULL;
}

static void only_what_is_to_blame_is_in_quarantine(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    add_run(ledger, "killed", 1, RUN_ROLLED_BACK, "p");
    add_blamed(ledger, "under-way", 2, RUN_ROLLING_BACK, "p");
    assert_null(quarantined(tree, ledger, "p"));
    add_blamed(ledger, "bad", 3, RUN_ROLLED_BACK, "p");
    assert_string_equal(quarantined(tree, ledger, "p"), "bad");
    assert_null(quarantined(tree, ledger, "other"));
}

static void a_later_failure_without_blame_does_not_end_it(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    add_blamed(ledger, "bad", 1, RUN_ROLLED_BACK, "p");
    add_run(ledger, "cancelled", 2, RUN_ROLLED_BACK, "p");
    add_run(ledger, "refused", 3, RUN_REFUSED, "p");
    assert_string_equal(quarantined(tree, ledger, "p"), "bad");
}

static void a_kept_run_ends_it_whatever_the_clock_said(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    add_run(ledger, "before", 90, RUN_KEPT, "p");
    add_blamed(ledger, "bad", 100, RUN_STUCK, "p");
    assert_string_equal(quarantined(tree, ledger, "p"), "bad");
    add_run(ledger, "forced", 50, RUN_KEPT, "p"); /* the clock was set back meanwhile */
    assert_null(quarantined(tree, ledger, "p"));
    add_blamed(ledger, "again", 40, RUN_ROLLED_BACK, "p");
    assert_string_equal(quarantined(tree, ledger, "p"), "again");
}

static void the_list_names_each_plan_once_by_its_newest_run(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    RunRecordVec runs;
    Err err;
    add_blamed(ledger, "p1", 1, RUN_ROLLED_BACK, "p");
    add_blamed(ledger, "q1", 2, RUN_ROLLED_BACK, "q");
    add_blamed(ledger, "p2", 3, RUN_STUCK, "p");
    add_blamed(ledger, "gone", 4, RUN_ROLLED_BACK, "r");
    add_run(ledger, "forced", 5, RUN_KEPT, "r");
    add_blamed(ledger, "lost", 6, RUN_ROLLED_BACK, "");
    assert_int_equal(ledger_list_quarantine(ledger, tree->arena, &runs, &err), 0);
    assert_int_equal(runs.n, 2);
    assert_string_equal(runs.items[0].id, "p2");
    assert_string_equal(runs.items[1].id, "q1");
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(only_what_is_to_blame_is_in_quarantine),
        TREE_TEST(a_later_failure_without_blame_does_not_end_it),
        TREE_TEST(a_kept_run_ends_it_whatever_the_clock_said),
        TREE_TEST(the_list_names_each_plan_once_by_its_newest_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
