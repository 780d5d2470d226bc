/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger-bench.h"
#include "store/db.h"

static void end_run(Ledger *ledger, const char *id, RunState last)
{
    Err err;
    assert_int_equal(ledger_advance(ledger, id, RUN_VERIFYING, last, "told", &err), 0);
}

/* Three runs that ended, one by one. */
static Ledger *with_history(TempTree *tree)
{
    static const char *const ids[] = {"a", "b", "c"};
    Ledger *ledger = open_ledger(tree);
    const LedgerVerdict verdict = {"verify", "health", "pass", "fine", "{}"};
    StringVec files = {0};
    Err err;
    *vec_push(tree->arena, &files) = "/etc/x";
    for (unsigned i = 0; i < 3; i++) {
        add_run(ledger, ids[i], i + 1, RUN_VERIFYING, ids[i]);
        assert_int_equal(ledger_set_snapshot(ledger, ids[i], "c0ffee", &files, NULL, &err), 0);
        assert_int_equal(ledger_set_verdict(ledger, ids[i], &verdict, &err), 0);
        end_run(ledger, ids[i], i == 1 ? RUN_FAILED : RUN_KEPT);
    }
    return ledger;
}

static ChainReport verify(TempTree *tree, Ledger *ledger)
{
    ChainReport report;
    Err err;
    int r = ledger_verify(ledger, tree->arena, &report, &err);
    if (r < 0)
        fail_msg("%s", err.message);
    assert_int_equal(r == LEDGER_BROKEN, report.broken != NULL);
    return report;
}

/* As somebody with a tool of their own. */
static void meddle(TempTree *tree, const char *sql)
{
    static const char *const migrations[] = {"", "", "", "", NULL};
    Db *db;
    Err err;
    assert_int_equal(db_open(arena_printf(tree->arena, "%s/ledger.db", tree->root), DB_WRITE, migrations, &db, &err),
                     0);
    assert_int_equal(db_exec(db, "PRAGMA foreign_keys = OFF", &err), 0);
    if (db_exec(db, sql, &err) < 0)
        fail_msg("%s", err.message);
    db_close(db);
}

static void what_happened_is_sound(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = with_history(tree);
    add_run(ledger, "under-way", 9, RUN_APPLYING, "x");
    ChainReport report = verify(tree, ledger);
    assert_null(report.broken);
    assert_int_equal(report.runs, 3);
    assert_int_equal(report.links, 3);
    assert_int_equal(report.head_seq, 3);
    assert_int_equal(strlen(report.head_hash), 64);
}

static void each_way_to_change_the_past_is_noticed(void **state)
{
    static const struct {
        const char *sql, *what, *run;
        int64_t seq;
    } cases[] = {
        {"UPDATE chain SET record = replace(record, 'told', 'lied') WHERE seq = 2", "does not hash", "b", 2},
        {"UPDATE chain SET hash = lower(hex(randomblob(32))) WHERE seq = 1", "does not hash", "a", 1},
        {"DELETE FROM chain WHERE seq = 2", "missing", NULL, 2},
        {"DELETE FROM chain WHERE seq = 3", "no link", "c", 0},
        {"UPDATE runs SET reason = 'lied', user = 'mallory' WHERE id = 'b'", "reason, user changed", "b", 2},
        {"UPDATE runs SET state = 'kept' WHERE id = 'b'", "state changed", "b", 2},
        {"UPDATE runs SET state = 'applying', ended = 0 WHERE id = 'b'", "changed", "b", 2},
        {"UPDATE verdicts SET verdict = 'fail' WHERE run = 'a'", "verdicts changed", "a", 1},
        {"DELETE FROM run_files WHERE run = 'c'", "files changed", "c", 3},
        {"DELETE FROM runs WHERE id = 'a'", "the run is missing", "a", 1},
        {"INSERT INTO runs SELECT 'd', 'kept', 9, 9, playbook, target, variables, plan_hash, commit_id, origin, user,"
         " thoroughness, reason, boot_id, pid, acknowledged, undoes, until, blamed, intent FROM runs WHERE id = 'a'",
         "no link", "d", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        void *place = NULL;
        assert_int_equal(tree_setup(&place), 0);
        TempTree *tree = place;
        ledger_close(with_history(tree));
        meddle(tree, cases[i].sql);
        CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
        ChainReport report = verify(tree, ledger);
        if (!report.broken || !strstr(report.broken, cases[i].what))
            fail_msg("%s: %s", cases[i].sql, report.broken ? report.broken : "not noticed");
        assert_int_equal(report.broken_seq, cases[i].seq);
        if (cases[i].run)
            assert_string_equal(report.broken_run, cases[i].run);
        tree_teardown(&place);
    }
    (void)state;
}

static void what_becomes_of_a_stuck_run_is_linked_each_time(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    Err err;
    add_run(ledger, "s", 1, RUN_RESTORED, "x");
    assert_int_equal(ledger_advance(ledger, "s", RUN_RESTORED, RUN_STUCK, "no", &err), 0);
    assert_int_equal(verify(tree, ledger).links, 1);
    assert_int_equal(ledger_advance(ledger, "s", RUN_STUCK, RUN_ROLLING_BACK, NULL, &err), 0);
    assert_null(verify(tree, ledger).broken);
    assert_int_equal(ledger_advance(ledger, "s", RUN_ROLLING_BACK, RUN_STUCK, "still no", &err), 0);
    assert_int_equal(ledger_acknowledge(ledger, "s", "ops", &err), 0);
    ChainReport report = verify(tree, ledger);
    assert_null(report.broken);
    assert_int_equal(report.links, 3);
    assert_int_equal(report.runs, 1);
}

static void a_state_that_was_not_moved_leaves_no_link(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = with_history(tree);
    Err err;
    assert_true(ledger_advance(ledger, "a", RUN_VERIFYING, RUN_REFUSED, "told", &err) < 0);
    assert_int_equal(verify(tree, ledger).links, 3);
}

static void runs_that_ended_before_there_was_a_chain_are_not_missed(void **state)
{
    TempTree *tree = *state;
    ledger_close(with_history(tree));
    meddle(tree, "DROP TABLE chain; DROP TABLE checkpoint; DROP TABLE pruned; PRAGMA user_version = 2");
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    assert_null(verify(tree, ledger).broken);
    add_run(ledger, "d", 9, RUN_VERIFYING, "x");
    end_run(ledger, "d", RUN_KEPT);
    ChainReport report = verify(tree, ledger);
    assert_null(report.broken);
    assert_int_equal(report.links, 1);
}

static void verdicts_are_durable_with_the_state_that_follows_from_them(void **state)
{
    TempTree *tree = *state;
    CLEANUP(ledger_close) Ledger *ledger = open_ledger(tree);
    CLEANUP(ledger_close) Ledger *reader = NULL;
    const LedgerVerdict verdict = {"verify", "health", "pass", "fine", "{}"};
    const LedgerEvent strange = {6, "state", RUN_VERIFYING, NULL, "text", 3};
    LedgerVerdictVec verdicts;
    Err err;
    add_run(ledger, "a", 1, RUN_VERIFYING, "x");
    assert_int_equal(ledger_open(tree->root, LEDGER_READ, &reader, &err), 0);
    assert_int_equal(ledger_add_event(ledger, "nobody", &strange, &err), 0); /* cannot be written */
    assert_int_equal(ledger_set_verdict(ledger, "a", &verdict, &err), 0);
    assert_int_equal(ledger_verdicts(reader, tree->arena, "a", &verdicts, &err), 0);
    assert_int_equal(verdicts.n, 0);
    end_run(ledger, "a", RUN_KEPT);
    assert_int_equal(ledger_verdicts(reader, tree->arena, "a", &verdicts, &err), 0);
    assert_int_equal(verdicts.n, 1);
    assert_null(verify(tree, reader).broken);
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(what_happened_is_sound),
        cmocka_unit_test(each_way_to_change_the_past_is_noticed),
        TREE_TEST(what_becomes_of_a_stuck_run_is_linked_each_time),
        TREE_TEST(a_state_that_was_not_moved_leaves_no_link),
        TREE_TEST(runs_that_ended_before_there_was_a_chain_are_not_missed),
        TREE_TEST(verdicts_are_durable_with_the_state_that_follows_from_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
