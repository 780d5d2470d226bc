/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/temp-tree.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_and_errors_come_over),
        cmocka_unit_test(what_does_not_return_or_crashes_is_an_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
