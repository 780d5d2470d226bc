/* SPDX-License-Identifier: Apache-2.0 */
#include "run/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void every_state_is_named_and_found_by_its_name(void **state)
{
    (void)state;
    for (int s = 0; s < RUN_STATE_COUNT; s++) {
        assert_non_null(run_state_to_string((RunState)s));
        assert_int_equal(run_state_from_string(run_state_to_string((RunState)s)), s);
    }
}

static void a_terminal_state_has_no_successor_but_stuck_can_be_tried_again(void **state)
{
    (void)state;
    for (int from = 0; from < RUN_STATE_COUNT; from++) {
        for (int to = 0; to < RUN_STATE_COUNT; to++) {
            bool retry = from == RUN_STUCK && to == RUN_ROLLING_BACK;
            if (run_state_terminal((RunState)from) && !retry)
                assert_false(run_state_may_follow((RunState)from, (RunState)to));
        }
    }
    assert_true(run_state_may_follow(RUN_STUCK, RUN_ROLLING_BACK));
}

static void nothing_touched_can_be_refused_and_everything_touched_can_be_rolled_back(void **state)
{
    (void)state;
    for (int s = 0; s < RUN_STATE_COUNT; s++) {
        RunState from = (RunState)s;
        if (run_state_terminal(from) || from == RUN_ROLLING_BACK || from == RUN_RESTORED)
            continue;
        assert_int_equal(run_state_may_follow(from, RUN_ROLLING_BACK), run_state_touched(from));
        assert_int_equal(run_state_may_follow(from, RUN_REFUSED), !run_state_touched(from));
    }
}

static void kept_is_reached_only_after_verification(void **state)
{
    (void)state;
    for (int s = 0; s < RUN_STATE_COUNT; s++) {
        bool expected = s == RUN_VERIFYING || s == RUN_CONFIRMING;
        assert_int_equal(run_state_may_follow((RunState)s, RUN_KEPT), expected);
    }
}

static void exit_statuses_tell_the_ends_apart(void **state)
{
    (void)state;
    assert_int_equal(run_state_exit_status(RUN_KEPT), 0);
    assert_int_equal(run_state_exit_status(RUN_REFUSED), 3);
    assert_int_equal(run_state_exit_status(RUN_ROLLED_BACK), 4);
    assert_int_equal(run_state_exit_status(RUN_STUCK), 5);
    assert_int_equal(run_state_exit_status(RUN_FAILED), 1);
    assert_int_equal(run_state_exit_status(RUN_APPLYING), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_is_named_and_found_by_its_name),
        cmocka_unit_test(a_terminal_state_has_no_successor_but_stuck_can_be_tried_again),
        cmocka_unit_test(nothing_touched_can_be_refused_and_everything_touched_can_be_rolled_back),
        cmocka_unit_test(kept_is_reached_only_after_verification),
        cmocka_unit_test(exit_statuses_tell_the_ends_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
