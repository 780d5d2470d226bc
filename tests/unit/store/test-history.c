/* SPDX-License-Identifier: Apache-2.0 */
/* Retention over ledger and snapshots: what goes, what stays, and that history is sound afterwards. */
#include "ledger-bench.h"

#include "store/db.h"
#include "store/history.h"

static Store open_store(TempTree *tree)
{
    Store store = {0};
    Err err;
    chmod(tree->root, 0700);
    if (store_open_write(tree->root, "test", 0, &store, &err) < 0)
        fail_msg("%s", err.message);
    return store;
}

static const char *const verdict_texts[] = {"verify", "health", "pass", "fine", "{}"};

/* A run of one file from planned to its end, with a snapshot of its own and one that all share. */
static void do_run(TempTree *tree, Store *store, unsigned number, const char *path, RunState last)
{
    Arena *arena = tree->arena;
    const char *id = arena_printf(arena, "r%03u", number);
    EditVec edits = {0};
    StringVec paths = {0};
    char commit[65];
    Err err;
    const LedgerVerdict verdict = {verdict_texts[0], verdict_texts[1], verdict_texts[2], verdict_texts[3],
                                   verdict_texts[4]};
    *vec_push(arena, &paths) = path;
    *vec_push(arena, &edits) = (Edit){
        .path = path,
        .before = {.type = FILE_REGULAR, .mode = 0644, .content = bytes_of("the same in all\n")},
        .after = {.type = FILE_REGULAR, .mode = 0644, .content = bytes_of(arena_printf(arena, "%s\n", id))},
    };
    add_run(store->ledger, id, number, RUN_VERIFYING, arena_printf(arena, "plan of %s", id));
    assert_int_equal(snapshot_write(store->repo, id, "{}", &edits, commit, &err), 0);
    assert_int_equal(ledger_set_snapshot(store->ledger, id, commit, &paths, NULL, &err), 0);
    assert_int_equal(ledger_set_verdict(store->ledger, id, &verdict, &err), 0);
    assert_int_equal(ledger_advance(store->ledger, id, RUN_VERIFYING, last, "told", &err), 0);
    if (last == RUN_KEPT)
        assert_int_equal(snapshot_tag_kept(store->repo, id, commit, &err), 0);
}

static void do_runs(TempTree *tree, Store *store, unsigned from, unsigned to)
{
    for (unsigned i = from; i <= to; i++)
        do_run(tree, store, i, "/etc/x", RUN_KEPT);
}

static const char *ids(TempTree *tree, const Store *store)
{
    RunRecordVec runs;
    const char *text = "";
    Err err;
    assert_int_equal(ledger_list(store->ledger, tree->arena, 0, &runs, &err), 0);
    for (size_t i = runs.n; i-- > 0;)
        text = arena_printf(tree->arena, "%s%s%s", text, *text ? " " : "", runs.items[i].id);
    return text;
}

static ChainReport sound(TempTree *tree, const Store *store)
{
    ChainReport report;
    Err err;
    int r = history_verify(store, tree->arena, &report, &err);
    if (r != 0)
        fail_msg("%s: %s", report.broken_run, r < 0 ? err.message : report.broken);
    return report;
}

static PruneReport prune(const Store *store, int64_t runs)
{
    const Retention keep = {.runs = runs, .age_usec = USEC_INFINITY};
    PruneReport report;
    Err err;
    if (history_prune(store, &keep, &report, &err) < 0)
        fail_msg("%s", err.message);
    return report;
}

static size_t refs(TempTree *tree, const Store *store)
{
    StringVec names;
    Err err;
    assert_int_equal(repo_refs(store->repo, tree->arena, "*", &names, &err), 0);
    return names.n;
}

static void the_newest_runs_stay_and_the_chain_goes_on(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store store = open_store(tree);
    do_runs(tree, &store, 1, 6);
    ChainReport before = sound(tree, &store);
    PruneReport report = prune(&store, 3);
    assert_int_equal(report.runs, 3);
    assert_true(report.objects >= 6); /* of each a commit, a manifest and the bytes afterwards, at least */
    assert_string_equal(ids(tree, &store), "r004 r005 r006");
    assert_int_equal(refs(tree, &store), 6);
    ChainReport after = sound(tree, &store);
    assert_int_equal(after.checkpoint.seq, 3);
    assert_int_equal(after.checkpoint.runs, 3);
    assert_int_equal(after.head_seq, before.head_seq);
    assert_string_equal(after.head_hash, before.head_hash);
    do_runs(tree, &store, 7, 7);
    assert_int_equal(sound(tree, &store).head_seq, 7);
    assert_int_equal(prune(&store, 1).runs, 3);
    assert_int_equal(sound(tree, &store).checkpoint.runs, 6);
}

static void nothing_is_done_where_there_is_nothing_to_do(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store store = open_store(tree);
    do_runs(tree, &store, 1, 3);
    assert_int_equal(prune(&store, 3).runs, 0);
    assert_int_equal(prune(&store, INT64_MAX).runs, 0);
    assert_int_equal(sound(tree, &store).checkpoint.seq, 0);
}

static void what_is_too_old_goes_though_there_are_few(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store store = open_store(tree);
    const Retention keep = {.runs = INT64_MAX, .age_usec = 0};
    PruneReport report;
    Err err;
    do_runs(tree, &store, 1, 3);
    assert_int_equal(history_prune(&store, &keep, &report, &err), 0);
    assert_string_equal(ids(tree, &store), "r003"); /* the known good */
    sound(tree, &store);
}

static void what_is_still_needed_stays_however_old_it_is(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store store = open_store(tree);
    Err err;
    do_run(tree, &store, 1, "/etc/only-once", RUN_KEPT); /* the known good of that path */
    do_run(tree, &store, 2, "/etc/x", RUN_ROLLED_BACK);
    add_run(store.ledger, "r003", 3, RUN_RESTORED, "p3");
    assert_int_equal(ledger_blame(store.ledger, "r003", &err), 0); /* its plan is in quarantine */
    assert_int_equal(ledger_advance(store.ledger, "r003", RUN_RESTORED, RUN_ROLLED_BACK, "sick", &err), 0);
    add_run(store.ledger, "r004", 4, RUN_RESTORED, "p4");
    assert_int_equal(ledger_advance(store.ledger, "r004", RUN_RESTORED, RUN_STUCK, "no", &err), 0);
    add_run(store.ledger, "r005", 5, RUN_APPLYING, "p5");
    do_runs(tree, &store, 6, 9);
    assert_int_equal(prune(&store, 2).runs, 3);
    assert_string_equal(ids(tree, &store), "r001 r003 r004 r005 r008 r009");
    ChainReport report = sound(tree, &store);
    assert_int_equal(report.runs, 5);
    assert_int_equal(prune(&store, 2).runs, 0);

    assert_int_equal(ledger_acknowledge(store.ledger, "r004", "ops", &err), 0);
    add_run(store.ledger, "r010", 10, RUN_VERIFYING, "p3");
    assert_int_equal(ledger_advance(store.ledger, "r010", RUN_VERIFYING, RUN_KEPT, "forced", &err), 0);
    assert_int_equal(prune(&store, 2).runs, 3);
    assert_string_equal(ids(tree, &store), "r001 r005 r009 r010");
    sound(tree, &store);
}

static void add_temporary(TempTree *tree, Store *store, const char *id, usec created, usec until, const char *undoes)
{
    const RunRecord run = {
        .id = id, .state = RUN_VERIFYING, .created = created, .plan_hash = id, .until = until, .undoes = undoes};
    StringVec files = {0};
    Err err;
    *vec_push(tree->arena, &files) = "/etc/t";
    assert_int_equal(ledger_add(store->ledger, &run, &err), 0);
    assert_int_equal(ledger_set_snapshot(store->ledger, id, "c0ffee", &files, NULL, &err), 0);
    assert_int_equal(ledger_advance(store->ledger, id, RUN_VERIFYING, RUN_KEPT, "told", &err), 0);
}

static void a_temporary_change_stays_until_it_has_ended(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store store = open_store(tree);
    add_temporary(tree, &store, "t1", 1, 77, NULL);
    add_temporary(tree, &store, "t2", 2, 78, NULL); /* t1 waits for its end */
    do_runs(tree, &store, 1, 3);
    assert_int_equal(prune(&store, 1).runs, 2);
    assert_string_equal(ids(tree, &store), "t1 t2 r003");
    add_temporary(tree, &store, "undo", 4, 0, "t2 t1");
    assert_int_equal(prune(&store, 1).runs, 2);
    assert_string_equal(ids(tree, &store), "r003 undo");
}

static void the_known_good_stays_though_the_clock_was_ahead_before(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store store = open_store(tree);
    do_run(tree, &store, 9, "/etc/x", RUN_KEPT);
    do_run(tree, &store, 1, "/etc/x", RUN_KEPT);
    do_run(tree, &store, 2, "/etc/y", RUN_KEPT);
    assert_int_equal(prune(&store, 1).runs, 1);
    assert_string_equal(ids(tree, &store), "r001 r002");
}

static void a_temporary_change_that_was_superseded_may_go(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store store = open_store(tree);
    add_temporary(tree, &store, "t1", 1, 77, NULL);
    add_temporary(tree, &store, "for-good", 2, 0, NULL);
    assert_int_equal(prune(&store, 1).runs, 1);
    assert_string_equal(ids(tree, &store), "for-good");
}

static void what_takes_back_a_run_that_stays_stays_too(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store store = open_store(tree);
    const RunRecord undo = {.id = "undo", .state = RUN_VERIFYING, .created = 2, .plan_hash = "p", .undoes = "r001"};
    Err err;
    do_run(tree, &store, 1, "/etc/only-once", RUN_KEPT);        /* the known good of that path */
    assert_int_equal(ledger_add(store.ledger, &undo, &err), 0); /* somebody had put the file back by hand: no edits */
    assert_int_equal(ledger_advance(store.ledger, "undo", RUN_VERIFYING, RUN_KEPT, "told", &err), 0);
    do_runs(tree, &store, 3, 6);
    assert_int_equal(prune(&store, 1).runs, 3);
    assert_string_equal(ids(tree, &store), "r001 undo r006");
    assert_int_equal(prune(&store, 1).runs, 0);
    sound(tree, &store);
}

static void a_temporary_change_that_was_brought_back_stays_with_what_says_so(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store store = open_store(tree);
    add_temporary(tree, &store, "t1", 1, 77, NULL);
    add_temporary(tree, &store, "undo", 2, 0, "t1");
    add_temporary(tree, &store, "redo", 3, 0, "undo");
    do_runs(tree, &store, 4, 6);
    assert_int_equal(prune(&store, 1).runs, 2);
    assert_string_equal(ids(tree, &store), "t1 undo redo r006");
}

static void assert_snapshot_is_there(TempTree *tree, const Store *store, const char *id)
{
    RunRecord run;
    Snapshot snapshot;
    Err err;
    assert_int_equal(ledger_find(store->ledger, tree->arena, id, &run, &err), 0);
    assert_int_equal(snapshot_read(store->repo, tree->arena, run.commit, &snapshot, &err), 0);
}

static void nothing_is_removed_while_a_ref_cannot_be_read(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store store = open_store(tree);
    const Retention keep = {.runs = 2, .age_usec = USEC_INFINITY};
    char commit[65];
    PruneReport report;
    Err err;
    do_runs(tree, &store, 1, 4);
    assert_int_equal(snapshot_find(store.repo, "r003", commit, &err), 0);
    assert_int_equal(unlink(in_tree(tree, "/snapshots.git/refs/tags/kept/r003")), 0);
    put_file(tree, "/snapshots.git/refs/runs/r003", ""); /* as after a power cut */
    assert_int_equal(history_prune(&store, &keep, &report, &err), -ERR_FAILED);
    assert_non_null(strstr(err.message, "refs/runs/r003"));
    assert_snapshot_is_there(tree, &store, "r003");

    put_file(tree, "/snapshots.git/refs/runs/r003", arena_printf(tree->arena, "%s\n", commit));
    assert_int_equal(history_prune(&store, &keep, &report, &err), 0); /* the rest of what was begun */
    assert_true(report.objects >= 4);
    sound(tree, &store);
}

static void a_snapshot_whose_ref_is_lost_stays_with_its_run(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store store = open_store(tree);
    do_runs(tree, &store, 1, 4);
    assert_int_equal(unlink(in_tree(tree, "/snapshots.git/refs/runs/r003")), 0);
    assert_int_equal(unlink(in_tree(tree, "/snapshots.git/refs/tags/kept/r003")), 0);
    assert_int_equal(prune(&store, 2).runs, 2);
    assert_snapshot_is_there(tree, &store, "r003");
}

static void a_run_that_goes_takes_a_ref_that_cannot_be_read_with_it(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store store = open_store(tree);
    do_runs(tree, &store, 1, 4);
    put_file(tree, "/snapshots.git/refs/runs/r001", "");
    assert_int_equal(prune(&store, 2).runs, 2);
    assert_int_equal(refs(tree, &store), 4);
    sound(tree, &store);
}

static void a_crash_at_any_point_is_made_good_by_the_next_time(void **state)
{
#if SALVE_FAULT_INJECTION
    unsigned points = 0;
    for (unsigned n = 1; points == 0; n++) {
        void *place = NULL;
        assert_int_equal(tree_setup(&place), 0);
        TempTree *tree = place;
        Store store = open_store(tree);
        do_runs(tree, &store, 1, 4);
        const Retention keep = {.runs = 2, .age_usec = USEC_INFINITY};
        PruneReport report;
        Err err;
        setenv("SALVE_FAULT", arena_printf(tree->arena, "%u:EIO", n), 1);
        fault_reset();
        int r = history_prune(&store, &keep, &report, &err);
        unsetenv("SALVE_FAULT");
        fault_reset();
        if (r == 0)
            points = n - 1;
        sound(tree, &store);
        store_close(&store);
        store = open_store(tree); /* as after a crash */
        assert_true(r == 0 || prune(&store, 2).runs <= 2);
        assert_string_equal(ids(tree, &store), "r003 r004");
        assert_int_equal(refs(tree, &store), 4);
        size_t left = 1;
        assert_int_equal(repo_sweep(store.repo, &(StringVec){0}, &left, &err), 0);
        assert_int_equal(left, 0);
        sound(tree, &store);
        store_close(&store);
        tree_teardown(&place);
    }
    assert_true(points >= 10);
#endif
    (void)state;
}

static void what_is_not_sound_is_not_pruned(void **state)
{
    TempTree *tree = *state;
    CLEANUP(store_close) Store store = open_store(tree);
    const Retention keep = {.runs = 1, .age_usec = USEC_INFINITY};
    PruneReport report;
    Db *db;
    Err err;
    do_runs(tree, &store, 1, 3);
    static const char *const migrations[] = {"", "", "", "", NULL};
    const char *path = arena_printf(tree->arena, "%s/ledger.db", tree->root);
    assert_int_equal(db_open(path, DB_WRITE, migrations, &db, &err), 0);
    assert_int_equal(db_exec(db, "UPDATE runs SET reason = 'lied' WHERE id = 'r001'", &err), 0);
    db_close(db);
    assert_int_equal(history_prune(&store, &keep, &report, &err), -ERR_REFUSED);
    assert_string_equal(ids(tree, &store), "r001 r002 r003");
}

static void tidying_waits_until_it_is_worth_the_while(void **state)
{
    TempTree *tree = *state;
    const Retention keep = {.runs = 40, .age_usec = USEC_INFINITY};
    Err err;
    Store store = open_store(tree);
    do_runs(tree, &store, 1, 42);
    assert_int_equal(history_tidy(tree->root, &keep, &err), 0); /* the lock is held, and it is not even tried */
    store_close(&store);
    assert_int_equal(history_tidy(tree->root, &keep, &err), 0);
    store = open_store(tree);
    do_runs(tree, &store, 43, 43);
    assert_int_equal(refs(tree, &store), 86);
    assert_int_equal(history_tidy(tree->root, &keep, &err), 0); /* held again */
    store_close(&store);
    assert_int_equal(history_tidy(tree->root, &keep, &err), 0);
    store = open_store(tree);
    assert_int_equal(refs(tree, &store), 80);
    store_close(&store);
}

static void a_clock_that_is_years_ahead_costs_no_history_unasked(void **state)
{
    TempTree *tree = *state;
    const Retention keep = {.runs = INT64_MAX, .age_usec = 0}; /* all that ended before now is too old */
    Err err;
    Store store = open_store(tree);
    do_runs(tree, &store, 1, 49);
    store_close(&store);
    assert_int_equal(history_tidy(tree->root, &keep, &err), 0);
    store = open_store(tree);
    assert_int_equal(refs(tree, &store), 98);
    PruneReport report;
    assert_int_equal(history_prune(&store, &keep, &report, &err), 0);
    assert_int_equal(report.runs, 48); /* somebody asked */
    store_close(&store);
}

static void add_old_run(Store *store, const char *id, usec when)
{
    const RunRecord run = {.id = id, .state = RUN_REFUSED, .created = when, .ended = when, .plan_hash = id};
    Err err;
    assert_int_equal(ledger_add(store->ledger, &run, &err), 0);
}

static void what_is_too_old_for_all_recent_runs_goes_unasked(void **state)
{
    TempTree *tree = *state;
    const usec year = 365 * 24 * 3600 * USEC_PER_SEC;
    const Retention keep = {.runs = INT64_MAX, .age_usec = year};
    Err err;
    Store store = open_store(tree);
    for (unsigned i = 0; i < 30; i++)
        add_old_run(&store, arena_printf(tree->arena, "old-%02u", i), i + 1);
    for (unsigned i = 0; i < 49; i++)
        add_old_run(&store, arena_printf(tree->arena, "new-%02u", i), 10 * year);
    do_run(tree, &store, 1, "/etc/x", RUN_KEPT);
    store_close(&store);
    assert_int_equal(history_tidy(tree->root, &keep, &err), 0);
    store = open_store(tree);
    RunRecordVec left;
    assert_int_equal(ledger_list(store.ledger, tree->arena, 0, &left, &err), 0);
    assert_int_equal(left.n, 50);
    store_close(&store);
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(the_newest_runs_stay_and_the_chain_goes_on),
        TREE_TEST(nothing_is_done_where_there_is_nothing_to_do),
        TREE_TEST(what_is_too_old_goes_though_there_are_few),
        TREE_TEST(what_is_still_needed_stays_however_old_it_is),
        TREE_TEST(a_temporary_change_stays_until_it_has_ended),
        TREE_TEST(the_known_good_stays_though_the_clock_was_ahead_before),
        TREE_TEST(a_temporary_change_that_was_superseded_may_go),
        TREE_TEST(what_takes_back_a_run_that_stays_stays_too),
        TREE_TEST(a_temporary_change_that_was_brought_back_stays_with_what_says_so),
        TREE_TEST(nothing_is_removed_while_a_ref_cannot_be_read),
        TREE_TEST(a_snapshot_whose_ref_is_lost_stays_with_its_run),
        TREE_TEST(a_run_that_goes_takes_a_ref_that_cannot_be_read_with_it),
        cmocka_unit_test(a_crash_at_any_point_is_made_good_by_the_next_time),
        TREE_TEST(what_is_not_sound_is_not_pruned),
        TREE_TEST(tidying_waits_until_it_is_worth_the_while),
        TREE_TEST(a_clock_that_is_years_ahead_costs_no_history_unasked),
        TREE_TEST(what_is_too_old_for_all_recent_runs_goes_unasked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
