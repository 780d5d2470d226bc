/* SPDX-License-Identifier: Apache-2.0 */
#include "../store/ledger-bench.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "host/answer.h"
#include "store/store.h"
#include "verb/verb.h"

#define RUN "20260301T031245-7f3a"

typedef struct Bench {
    TempTree *tree;
    Globals globals;
    Settings settings;
    pid_t other; /* the process that carries the run */
} Bench;

static Bench bench_new(TempTree *tree)
{
    Bench bench = {.tree = tree,
                   .settings = {.state_dir = in_tree(tree, "/state"), .runtime_dir = in_tree(tree, "/run")}};
    return bench;
}

static int act(const Bench *bench, const Verb *verb, Err *err)
{
    const usec no_options[4] = {0};
    VerbContext context = {.arena = bench->tree->arena,
                           .verb = verb,
                           .globals = &bench->globals,
                           .settings = &bench->settings,
                           .options = no_options};
    return verb->run(&context, err);
}

/* A process like the one that carries a run: asked to end, the run ends in that state. Returns once it is under way. */
static void carry(Bench *bench, RunState end)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    bench->other = fork();
    if (bench->other == 0) {
        CLEANUP(store_close) Store store = {0};
        sigset_t asked;
        int number;
        Err err;
        sigemptyset(&asked);
        sigaddset(&asked, SIGTERM);
        sigprocmask(SIG_BLOCK, &asked, NULL);
        if (store_open_write(bench->settings.state_dir, "run " RUN, 0, &store, &err) != 0)
            _exit(1);
        const RunRecord run = {.id = RUN, .state = RUN_VERIFYING, .created = 1, .pid = (usec)getpid()};
        if (ledger_add(store.ledger, &run, &err) != 0 || write(ready[1], "", 1) != 1 || sigwait(&asked, &number) != 0)
            _exit(2);
        _exit(ledger_advance(store.ledger, RUN, RUN_VERIFYING, end, "told", &err) == 0 ? 0 : 3);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
}

static void must_have_ended_well(const Bench *bench)
{
    int status;
    assert_int_equal(waitpid(bench->other, &status, 0), bench->other);
    assert_int_equal(status, 0);
}

static void a_run_that_is_rolled_back_is_cancelled(void **state)
{
    Bench bench = bench_new(*state);
    Err err = {0};
    carry(&bench, RUN_ROLLED_BACK);
    assert_int_equal(act(&bench, &verb_cancel, &err), 0);
    must_have_ended_well(&bench);
}

/* Decided a moment before it was asked: a script must not take that for cancelled. */
static void a_run_that_was_kept_a_moment_before_is_not_cancelled(void **state)
{
    Bench bench = bench_new(*state);
    Err err = {0};
    carry(&bench, RUN_KEPT);
    assert_int_equal(act(&bench, &verb_cancel, &err), 1);
    must_have_ended_well(&bench);
}

/* What became of it is not known here. */
static void who_is_not_answered_is_told_where_to_look(void **state)
{
    Bench bench = bench_new(*state);
    Answers *answers = NULL;
    const char *path = arena_printf(bench.tree->arena, "%s/answer.sock", bench.settings.runtime_dir), *line;
    Err err = {0};
    assert_int_equal(answers_open(path, &answers, &err), 0);
    bench.other = fork();
    if (bench.other == 0) {
        int r = act(&bench, &verb_confirm, &err);
        _exit(r == -ERR_FAILED && strstr(err.message, "the run has just ended, or its process died") &&
                      !strstr(err.message, "rolls it back")
                  ? 0
                  : 1);
    }
    assert_int_equal(answers_next(answers, bench.tree->arena, 60 * USEC_PER_SEC, &line, &err), 0);
    answers_close(answers);
    must_have_ended_well(&bench);
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(a_run_that_is_rolled_back_is_cancelled),
        TREE_TEST(a_run_that_was_kept_a_moment_before_is_not_cancelled),
        TREE_TEST(who_is_not_answered_is_told_where_to_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
