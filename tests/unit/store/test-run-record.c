/* SPDX-License-Identifier: Apache-2.0 */
#include "store/run-record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void every_state_has_a_name_that_leads_back(void **state)
{
    for (int s = 0; s < RUN_STATE_COUNT; s++) {
        assert_non_null(run_state_to_string((RunState)s));
        assert_int_equal(run_state_from_string(run_state_to_string((RunState)s)), s);
    }
    assert_int_equal(run_state_from_string("keptt"), -1);
}

static void only_the_ends_are_terminal(void **state)
{
    unsigned terminal = 0;
    for (int s = 0; s < RUN_STATE_COUNT; s++)
        terminal += run_state_terminal((RunState)s);
    assert_int_equal(terminal, 5);
    assert_true(run_state_terminal(RUN_KEPT));
    assert_false(run_state_terminal(RUN_RESTORED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_has_a_name_that_leads_back),
        cmocka_unit_test(only_the_ends_are_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
