/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/temp-tree.h"

#include <pthread.h>
#include <signal.h>

#include "store/guarded.h"

static int succeed(void *user, Err *err)
{
    (void)err;
    return *(int *)user;
}

static int fail_with_text(void *user, Err *err)
{
    (void)user;
    return err_set(err, ERR_SPACE, "the reason");
}

static int never_return(void *user, Err *err)
{
    (void)user;
    (void)err;
    volatile int forever = 1;
    while (forever)
        ;
    return 0;
}

static int crash(void *user, Err *err)
{
    (void)user;
    (void)err;
    return raise(SIGKILL);
}

static void results_and_errors_come_over(void **state)
{
    (void)state;
    int outcome = 7;
    Err err;
    assert_int_equal(guarded_call(succeed, &outcome, 10, &err), 7);
    outcome = 0;
    assert_int_equal(guarded_call(succeed, &outcome, 10, &err), 0);
    assert_int_equal(guarded_call(fail_with_text, NULL, 10, &err), -ERR_SPACE);
    assert_string_equal(err.message, "the reason");
}

static void what_does_not_return_or_crashes_is_an_outcome(void **state)
{
    (void)state;
    sigset_t all, before;
    Err err;
    sigfillset(&all);
    assert_int_equal(sigprocmask(SIG_SETMASK, &all, &before), 0); /* as a service with a signalfd has it */
    int r = guarded_call(never_return, NULL, 1, &err);
    assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
    assert_int_equal(r, GUARDED_DIED);
    assert_int_equal(guarded_call(crash, NULL, 10, &err), GUARDED_DIED);
}

static void lose_parent(void)
{
    pid_t parent = getppid();
    kill(parent, SIGKILL);
    while (getppid() == parent)
        usleep(1000);
}

static int tell_that_it_runs(void *user, Err *err)
{
    (void)err;
    return (int)write(*(int *)user, "x", 1);
}

/* It holds what its parent held: the lock, too. */
static void a_child_whose_parent_died_while_it_was_born_does_nothing(void **state)
{
    (void)state;
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t parent = fork();
    if (parent == 0) {
        Err err;
        pthread_atfork(NULL, NULL, lose_parent);
        (void)guarded_call(tell_that_it_runs, &ends[1], 10, &err);
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_and_errors_come_over),
        cmocka_unit_test(what_does_not_return_or_crashes_is_an_outcome),
        cmocka_unit_test(a_child_whose_parent_died_while_it_was_born_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
