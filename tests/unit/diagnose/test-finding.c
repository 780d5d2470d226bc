/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "diagnose/kinds.h"

static void every_kind_is_complete_and_found_by_its_name(void **state)
{
    size_t n = 0;
    for (; finding_kinds[n]; n++) {
        const FindingKind *kind = finding_kinds[n];
        assert_non_null(kind->examine);
        assert_true(strlen(kind->help) > 10);
        assert_ptr_equal(finding_kind_find(kind->name), kind);
    }
    assert_int_equal(n, 7);
    assert_null(finding_kind_find("worker-timeouts"));
}

static int cannot_examine(FindingContext *context, const FindingSpec *spec, Finding *ret, Err *err)
{
    ret->state = FINDING_ABSENT;
    return err_set(err, ERR_DENIED, "the journal may not be read");
}

static void what_cannot_be_examined_is_unknown_not_absent(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const FindingKind kind = {.name = "x", .help = "x", .examine = cannot_examine};
    FindingContext context = {.arena = arena, .unit = "gunicorn.service"};
    Finding finding;
    finding_examine(&context, &kind, NULL, &finding);
    assert_int_equal(finding.state, FINDING_UNKNOWN);
    assert_string_equal(finding.summary, "cannot be told: the journal may not be read");
    assert_string_equal(finding.subject, "gunicorn.service");
    assert_string_equal(finding_state_to_string(finding.state), "unknown");
}

static void a_tree_without_a_host_gives_no_absent_finding(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    FindingContext context = {.arena = arena, .view = view_new(arena, "/nowhere"), .unit = "gunicorn.service"};
    for (size_t i = 0; finding_kinds[i]; i++) {
        Finding finding;
        finding_examine(&context, finding_kinds[i], NULL, &finding);
        assert_int_equal(finding.state, FINDING_UNKNOWN);
    }
}

static void evidence_keeps_the_newest_lines(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Finding finding = {0};
    for (int i = 0; i < 25; i++)
        finding_add_evidence(arena, &finding, arena_printf(arena, "%d", i));
    assert_int_equal(finding.evidence.n, EVIDENCE_MAX);
    assert_string_equal(finding.evidence.items[0], "15");
    assert_string_equal(finding.evidence.items[EVIDENCE_MAX - 1], "24");
}

static void the_time_looked_back_is_the_one_asked_for(void **state)
{
    const FindingKind kind = {.default_since_usec = USEC_PER_HOUR};
    const FindingSpec asked = {.since_usec = USEC_PER_MIN}, not_asked = {0};
    assert_true(finding_since(&kind, &asked) == USEC_PER_MIN);
    assert_true(finding_since(&kind, &not_asked) == USEC_PER_HOUR);
    assert_true(finding_since(&kind, NULL) == USEC_PER_HOUR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_complete_and_found_by_its_name),
        cmocka_unit_test(what_cannot_be_examined_is_unknown_not_absent),
        cmocka_unit_test(a_tree_without_a_host_gives_no_absent_finding),
        cmocka_unit_test(evidence_keeps_the_newest_lines),
        cmocka_unit_test(the_time_looked_back_is_the_one_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
