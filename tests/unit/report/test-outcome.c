/* SPDX-License-Identifier: Apache-2.0 */
#include "report/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "run/state.h"

static void every_end_says_what_to_type_next(void **state)
{
    for (int s = 0; s < RUN_STATE_COUNT; s++) {
        if (!run_state_terminal((RunState)s))
            continue;
        CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(10000);
        outcome_show(&(RunRecord){.id = "r1", .state = (RunState)s}, false, &out);
        assert_true(str_starts(strbuf_str(&out), run_state_to_string((RunState)s)));
        assert_non_null(strstr(strbuf_str(&out), "next: salve "));
        assert_null(strchr(strbuf_str(&out), '%'));
    }
}

static void a_kept_run_can_be_taken_back(void **state)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(10000);
    outcome_show(&(RunRecord){.id = "r1", .state = RUN_KEPT}, false, &out);
    assert_string_equal(strbuf_str(&out), "kept: the change stays\n"
                                          "next: salve show r1 --diff\n"
                                          "      salve rollback r1\n");
}

static void a_run_that_only_restarted_offers_nothing_to_undo(void **state)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(10000);
    outcome_show(&(RunRecord){.id = "r1", .state = RUN_KEPT, .restarts_only = true}, false, &out);
    assert_string_equal(strbuf_str(&out), "kept: restarted, and well since; nothing to undo\n"
                                          "next: salve show r1\n");
}

static void a_temporary_change_says_when_it_ends(void **state)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(10000);
    outcome_show(&(RunRecord){.id = "r1", .state = RUN_KEPT, .until = USEC_PER_SEC}, false, &out);
    assert_true(str_starts(strbuf_str(&out), "kept until 19"));
    assert_non_null(strstr(strbuf_str(&out), ": then the change is undone by itself\n"));
    assert_null(strstr(strbuf_str(&out), "stays"));
}

static void a_conflict_is_not_called_as_it_was_before(void **state)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(10000);
    const RunRecord run = {.id = "r1",
                           .state = RUN_ROLLED_BACK,
                           .reason = "cancelled " RUN_CONFLICT "/etc/a holds what somebody else wrote meanwhile)"};
    outcome_show(&run, false, &out);
    assert_true(str_starts(strbuf_str(&out), "rolled-back: everything else is as it was before "
                                             "(conflict: /etc/a holds what somebody else wrote meanwhile)\n"));
}

static void what_a_recovery_is_to_finish_is_told(void **state)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(10000);
    outcome_show(&(RunRecord){.id = "r1", .state = RUN_RESTORED}, false, &out);
    assert_true(str_starts(strbuf_str(&out), "restored: the files are back, but "));
    assert_non_null(strstr(strbuf_str(&out), "next: salve recover\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_end_says_what_to_type_next),
        cmocka_unit_test(a_kept_run_can_be_taken_back),
        cmocka_unit_test(a_run_that_only_restarted_offers_nothing_to_undo),
        cmocka_unit_test(a_temporary_change_says_when_it_ends),
        cmocka_unit_test(a_conflict_is_not_called_as_it_was_before),
        cmocka_unit_test(what_a_recovery_is_to_finish_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
