/* SPDX-License-Identifier: Apache-2.0 */
#include "check/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *const baseline_limit = "baseline";

typedef struct Case {
    const char *name, *limit;
    uint64_t n;
    const char *problem;
    int64_t before; /* -1: the baseline itself is judged; -2: it could not be read */
    usec before_sec;
    Verdict verdict;
    bool final;
    const char *reason;
} Case;

static void run_case(const Case *c)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Err err;
    CountTrial trial = {.what = "worker-timeout", .count = {c->n, 60 * USEC_PER_SEC, c->problem}};
    Value value = {.kind = VALUE_SCALAR, .text = c->limit};
    assert_int_equal(count_limit_parse(&value, &trial.limit, &err), 0);
    Count before = {c->before > 0 ? (uint64_t)c->before : 0, c->before_sec * USEC_PER_SEC, NULL};
    if (c->before == -2)
        before.problem = "no permission";
    if (c->before != -1)
        trial.baseline = &before;
    CheckResult result = {.name = "x"};
    count_judge(&trial, arena, &result);
    if (result.verdict != c->verdict || result.final != c->final || !strstr(result.reason, c->reason))
        fail_msg("%s: %s%s, %s", c->name, verdict_to_string(result.verdict), result.final ? " (final)" : "",
                 result.reason);
}

static void counts_are_held_against_their_limit(void **state)
{
    const Case cases[] = {
        {"within a number", "3", 3, NULL, 0, 60, VERDICT_PASS, false, "3 worker-timeout <= 3"},
        {"above a number", "3", 4, NULL, 0, 60, VERDICT_FAIL, true, "4 worker-timeout > 3"},
        {"a number needs no baseline", "0", 0, NULL, -2, 0, VERDICT_PASS, false, "0 worker-timeout <= 0"},
        {"as often as before", baseline_limit, 2, NULL, 2, 60, VERDICT_PASS, false, "<= 2 (from the baseline)"},
        {"more often", baseline_limit, 3, NULL, 2, 60, VERDICT_FAIL, true, "3 worker-timeout > 2 (from the baseline)"},
        {"zero stays zero", baseline_limit, 1, NULL, 0, 6000, VERDICT_FAIL, true, "1 worker-timeout > 0"},
        {"scaled to the window, rounded up", baseline_limit, 1, NULL, 1, 600, VERDICT_PASS, false, "<= 1"},
        {"scaled down", baseline_limit, 3, NULL, 20, 600, VERDICT_FAIL, true, "> 2"},
        {"scaled up", baseline_limit, 4, NULL, 2, 30, VERDICT_PASS, false, "<= 4"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        run_case(&cases[i]);
}

static void what_could_not_be_seen_is_no_pass(void **state)
{
    const Case cases[] = {
        {"unreadable", "3", 0, "no permission", 0, 60, VERDICT_BLIND, false, "no permission"},
        {"unreadable, against a baseline", baseline_limit, 0, "no permission", 2, 60, VERDICT_BLIND, false,
         "no permission"},
        {"lines lost, but too many already", "3", 4, "lines lost", 0, 60, VERDICT_FAIL, true, "4 worker-timeout > 3"},
        {"no baseline, nothing happened", baseline_limit, 0, NULL, -2, 60, VERDICT_PASS, false,
         "0 worker-timeout in 1min"},
        {"no baseline, something happened", baseline_limit, 1, NULL, -2, 60, VERDICT_BLIND, false,
         "no baseline to compare with: no permission"},
        {"an empty baseline", baseline_limit, 1, NULL, 0, 0, VERDICT_BLIND, false, "nothing was looked at"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        run_case(&cases[i]);
}

static void a_baseline_is_as_it_is(void **state)
{
    const Case cases[] = {
        {"any number", baseline_limit, 12, NULL, -1, 0, VERDICT_PASS, false, "12 worker-timeout in 1min"},
        {"unreadable", baseline_limit, 0, "no permission", -1, 0, VERDICT_BLIND, false, "no permission"},
        {"above a number", "3", 4, NULL, -1, 0, VERDICT_FAIL, true, "4 worker-timeout > 3"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        run_case(&cases[i]);
}

static void other_limits_are_refused(void **state)
{
    static const char *const texts[] = {"", "-1", "3x", "Baseline", "1.5", "9999999999"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CountLimit limit;
        Err err;
        Value value = {.kind = VALUE_SCALAR, .text = texts[i]};
        assert_int_equal(count_limit_parse(&value, &limit, &err), -ERR_INVALID);
    }
}

static void the_window_outlasts_the_timeout(void **state)
{
    assert_true(count_window(60 * USEC_PER_SEC) >= 62 * USEC_PER_SEC);
    assert_true(count_window(0) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_held_against_their_limit),
        cmocka_unit_test(what_could_not_be_seen_is_no_pass),
        cmocka_unit_test(a_baseline_is_as_it_is),
        cmocka_unit_test(other_limits_are_refused),
        cmocka_unit_test(the_window_outlasts_the_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
