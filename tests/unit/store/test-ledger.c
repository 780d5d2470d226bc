/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger-bench.h"

static void a_run_comes_back_whole(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    RunRecord run;
    Err err;
    add_run(ledger, "20260301T031245-7f3a", 7, RUN_PLANNED, "ab");
    assert_int_equal(ledger_set_snapshot(ledger, "20260301T031245-7f3a", "c0ffee", &(StringVec){0}, NULL, &err), 0);
    assert_int_equal(ledger_set_thoroughness(ledger, "20260301T031245-7f3a", "once", &err), 0);
    assert_int_equal(ledger_advance(ledger, "20260301T031245-7f3a", RUN_PLANNED, RUN_BASELINING, NULL, &err), 0);
    assert_int_equal(ledger_find(ledger, tree->arena, "20260301T0312", &run, &err), 0);
    assert_string_equal(run.id, "20260301T031245-7f3a");
    assert_string_equal(run.commit, "c0ffee");
    assert_string_equal(run.thoroughness, "once");
    assert_string_equal(run.playbook, "gunicorn-timeout");
    assert_int_equal(run.created, 7);
    assert_int_equal(run.ended, 0);
    assert_int_equal(run.pid, 42);
    assert_null(run.reason);
}

static void a_state_moves_only_from_where_it_is(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    RunRecord run;
    Err err;
    add_run(ledger, "a", 1, RUN_VERIFYING, "x");
    assert_int_equal(ledger_advance(ledger, "a", RUN_APPLYING, RUN_KEPT, NULL, &err), -ERR_FAILED);
    assert_non_null(strstr(err.message, "not applying any more"));
    assert_int_equal(ledger_advance(ledger, "a", RUN_VERIFYING, RUN_KEPT, "all checks passed", &err), 0);
    assert_int_equal(ledger_advance(ledger, "a", RUN_VERIFYING, RUN_ROLLING_BACK, NULL, &err), -ERR_FAILED);
    assert_int_equal(ledger_find(ledger, tree->arena, "a", &run, &err), 0);
    assert_int_equal(run.state, RUN_KEPT);
    assert_string_equal(run.reason, "all checks passed");
    assert_true(run.ended > 0);
}

static void a_snapshot_is_recorded_once(void **state)
{
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(*state);
    Err err;
    add_run(ledger, "a", 1, RUN_PLANNED, "x");
    assert_int_equal(ledger_set_snapshot(ledger, "a", "c1", &(StringVec){0}, NULL, &err), 0);
    assert_int_equal(ledger_set_snapshot(ledger, "a", "c1", &(StringVec){0}, NULL, &err), 0);
    assert_true(ledger_set_snapshot(ledger, "a", "c2", &(StringVec){0}, NULL, &err) < 0);
    assert_true(ledger_set_snapshot(ledger, "nobody", "c2", &(StringVec){0}, NULL, &err) < 0);
}

static void runs_are_found_by_word_and_by_unique_prefix(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    RunRecord run;
    Err err;
    assert_int_equal(ledger_find(ledger, tree->arena, "last", &run, &err), -ERR_NOT_FOUND);
    add_run(ledger, "2026-a", 0, RUN_FAILED, "x");
    add_run(ledger, "2026-a1", 1, RUN_KEPT, "x");
    add_run(ledger, "2026-a2", 2, RUN_ROLLED_BACK, "x");
    assert_int_equal(ledger_find(ledger, tree->arena, "last", &run, &err), 0);
    assert_string_equal(run.id, "2026-a2");
    assert_int_equal(ledger_find(ledger, tree->arena, "last-kept", &run, &err), 0);
    assert_string_equal(run.id, "2026-a1");
    assert_int_equal(ledger_find(ledger, tree->arena, "2026-a", &run, &err), 0);
    assert_string_equal(run.id, "2026-a");
    assert_int_equal(ledger_find(ledger, tree->arena, "2026", &run, &err), -ERR_INVALID);
    assert_non_null(strstr(err.message, "2026-a1, 2026-a2"));
    assert_int_equal(ledger_find(ledger, tree->arena, "2%", &run, &err), -ERR_NOT_FOUND);
    assert_int_equal(ledger_find(ledger, tree->arena, "", &run, &err), -ERR_NOT_FOUND);
}

static void the_list_is_newest_first_and_bounded(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    RunRecordVec runs;
    Err err;
    for (unsigned i = 1; i <= 5; i++)
        add_run(ledger, arena_printf(tree->arena, "r%u", i), i, RUN_KEPT, "x");
    assert_int_equal(ledger_list(ledger, tree->arena, 2, &runs, &err), 0);
    assert_int_equal(runs.n, 2);
    assert_string_equal(runs.items[0].id, "r5");
    assert_int_equal(ledger_list(ledger, tree->arena, 0, &runs, &err), 0);
    assert_int_equal(runs.n, 5);
}

static void a_stuck_run_blocks_until_somebody_looked(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    RunRecordVec runs;
    Err err;
    add_run(ledger, "s", 1, RUN_STUCK, "x");
    add_run(ledger, "k", 2, RUN_KEPT, "x");
    add_run(ledger, "h", 3, RUN_APPLYING, "x");
    assert_int_equal(ledger_unfinished(ledger, tree->arena, &runs, &err), 0);
    assert_int_equal(runs.n, 2);
    assert_string_equal(runs.items[0].id, "s");
    assert_int_equal(ledger_acknowledge(ledger, "s", "ops", &err), 0);
    assert_true(ledger_acknowledge(ledger, "k", "ops", &err) < 0);
    assert_int_equal(ledger_unfinished(ledger, tree->arena, &runs, &err), 0);
    assert_int_equal(runs.n, 1);
}

static void drift_is_measured_against_the_last_kept_snapshot(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    RunRecord run;
    Err err;
    assert_int_equal(ledger_last_known_good(ledger, tree->arena, &run, &err), 1);
    add_run(ledger, "restart", 2, RUN_KEPT, "x");
    add_run(ledger, "edit", 1, RUN_KEPT, "x");
    assert_int_equal(ledger_set_snapshot(ledger, "edit", "c", &(StringVec){0}, NULL, &err), 0);
    assert_int_equal(ledger_last_known_good(ledger, tree->arena, &run, &err), 0);
    assert_string_equal(run.id, "edit");
}

static void samples_wait_for_the_next_write(void **state)
{
    TempTree *tree = *state;
    Ledger *ledger = open_ledger(tree);
    CLEANUP(ledger_close) Ledger *reader = NULL;
    LedgerSampleVec samples;
    LedgerEventVec events;
    LedgerVerdictVec verdicts;
    Err err;
    add_run(ledger, "a", 1, RUN_VERIFYING, "x");
    const LedgerSample sample = {5, "verify", "health", 12.5, "ms", true, NULL};
    const LedgerEvent event = {6, "state", RUN_VERIFYING, NULL, "text", 3};
    const LedgerVerdict verdict = {"verify", "health", "pass", "fine", "{}"};
    assert_int_equal(ledger_open(tree->root, LEDGER_READ, &reader, &err), 0);
    assert_int_equal(ledger_add_sample(ledger, "a", &sample, &err), 0);
    assert_int_equal(ledger_samples(reader, tree->arena, "a", &samples, &err), 0);
    assert_int_equal(samples.n, 0);
    assert_int_equal(ledger_add_event(ledger, "a", &event, &err), 0);
    assert_int_equal(ledger_add_sample(ledger, "a", &sample, &err), 0);
    assert_int_equal(ledger_set_verdict(ledger, "a", &verdict, &err), 0);
    assert_int_equal(ledger_set_verdict(ledger, "a", &verdict, &err), 0);
    assert_int_equal(ledger_add_sample(ledger, "a", &sample, &err), 0);
    ledger_close(ledger);
    assert_int_equal(ledger_samples(reader, tree->arena, "a", &samples, &err), 0);
    assert_int_equal(samples.n, 3);
    assert_true(samples.items[0].value == 12.5 && samples.items[0].ok);
    assert_int_equal(ledger_events(reader, tree->arena, "a", &events, &err), 0);
    assert_int_equal(events.n, 1);
    assert_int_equal(events.items[0].state, RUN_VERIFYING);
    assert_int_equal(ledger_verdicts(reader, tree->arena, "a", &verdicts, &err), 0);
    assert_int_equal(verdicts.n, 1);
    assert_string_equal(verdicts.items[0].reason, "fine");
}

static void an_event_that_cannot_be_written_does_not_block_the_ledger(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    const LedgerEvent event = {6, "state", RUN_VERIFYING, NULL, "text", 3};
    RunRecord found;
    Err err;
    assert_int_equal(ledger_add_event(ledger, "nobody", &event, &err), 0);
    add_run(ledger, "a", 1, RUN_PLANNED, "x");
    assert_int_equal(ledger_find(ledger, tree->arena, "a", &found, &err), 0);
    assert_int_equal(found.state, RUN_PLANNED);
}

static void a_hold_ends_by_time_or_by_release(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    Hold hold = {10, 20, "deploy", "ops"}, found;
    Err err;
    assert_int_equal(ledger_current_hold(ledger, tree->arena, 15, &found, &err), 1);
    assert_int_equal(ledger_hold(ledger, &hold, &err), 0);
    assert_int_equal(ledger_current_hold(ledger, tree->arena, 15, &found, &err), 0);
    assert_string_equal(found.reason, "deploy");
    assert_int_equal(ledger_current_hold(ledger, tree->arena, 20, &found, &err), 1);
    hold.until = USEC_INFINITY;
    assert_int_equal(ledger_hold(ledger, &hold, &err), 0);
    assert_int_equal(ledger_current_hold(ledger, tree->arena, USEC_PER_HOUR * 24 * 365 * 100, &found, &err), 0);
    assert_int_equal(ledger_release(ledger, &err), 0);
    assert_int_equal(ledger_release(ledger, &err), 1);
}

static void reading_where_nothing_ran_is_an_outcome(void **state)
{
    TempTree *tree = *state;
    Ledger *ledger = NULL;
    Err err;
    assert_int_equal(ledger_open(tree->root, LEDGER_READ, &ledger, &err), LEDGER_NONE);
    assert_null(get_file(tree, "/ledger.db"));
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(a_run_comes_back_whole),
        TREE_TEST(a_state_moves_only_from_where_it_is),
        TREE_TEST(a_snapshot_is_recorded_once),
        TREE_TEST(runs_are_found_by_word_and_by_unique_prefix),
        TREE_TEST(the_list_is_newest_first_and_bounded),
        TREE_TEST(a_stuck_run_blocks_until_somebody_looked),
        TREE_TEST(drift_is_measured_against_the_last_kept_snapshot),
        TREE_TEST(samples_wait_for_the_next_write),
        TREE_TEST(an_event_that_cannot_be_written_does_not_block_the_ledger),
        TREE_TEST(a_hold_ends_by_time_or_by_release),
        TREE_TEST(reading_where_nothing_ran_is_an_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
