/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool blames(ErrKind kind)
{
    Err err;
    (void)err_set(&err, kind, "it failed");
    (void)err_prefix(&err, "restart gunicorn.service");
    return run_host_failed(&err);
}

static bool blames_errno(int number)
{
    Err err;
    (void)err_errno(&err, number, "cannot read /proc/1/stat");
    return run_host_failed(&err);
}

static void a_service_that_does_not_come_up_is_held_against_the_plan(void **state)
{
    (void)state;
    assert_true(blames(ERR_FAILED));
    assert_true(blames(ERR_NOT_FOUND));
    assert_true(blames_errno(ENOENT)); /* a process that is not there any more */
}

static void what_could_not_be_reached_or_looked_at_is_not(void **state)
{
    (void)state;
    assert_false(blames(ERR_UNREACHABLE));
    assert_false(blames(ERR_TIMEOUT));
    assert_false(blames(ERR_DENIED));
    assert_false(blames_errno(EIO));
    assert_false(blames_errno(EMFILE));
    assert_false(blames_errno(ENOSPC));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_that_does_not_come_up_is_held_against_the_plan),
        cmocka_unit_test(what_could_not_be_reached_or_looked_at_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
