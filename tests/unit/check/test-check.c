/* SPDX-License-Identifier: Apache-2.0 */
#include "check/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void every_kind_is_complete_and_found_by_its_name(void **state)
{
    size_t n = 0;
    for (; check_kinds[n]; n++) {
        const CheckKind *kind = check_kinds[n];
        assert_true(kind->fields && kind->spec_size > 0 && strlen(kind->help) > 10);
        assert_true(kind->name_of && kind->window && kind->open && kind->begin && kind->poll && kind->judge &&
                    kind->close);
        assert_ptr_equal(check_kind_find(kind->name), kind);
        kind->close(NULL); /* of a check that could not be opened */
    }
    assert_int_equal(n, 4);
    assert_null(check_kind_find("htpp"));
}

static void every_verdict_has_a_name(void **state)
{
    static const char *const names[VERDICT_COUNT] = {"pass", "undecided", "blind", "fail"};
    for (Verdict verdict = 0; verdict < VERDICT_COUNT; verdict++) {
        assert_string_equal(verdict_to_string(verdict), names[verdict]);
        assert_int_equal(verdict_from_string(names[verdict]), verdict);
    }
    assert_int_equal(verdict_from_string("good"), -1);
}

static void the_one_word_of_older_records_is_the_worse_one_of_today(void **state)
{
    assert_int_equal(verdict_from_string("inconclusive"), VERDICT_BLIND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_complete_and_found_by_its_name),
        cmocka_unit_test(every_verdict_has_a_name),
        cmocka_unit_test(the_one_word_of_older_records_is_the_worse_one_of_today),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
