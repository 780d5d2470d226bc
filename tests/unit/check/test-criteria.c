/* SPDX-License-Identifier: Apache-2.0 */
#include "check/criteria.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Samples in short: "20*100 900" are twenty of 100 ms and one of 900 ms; F failed, T5000 timed out after 5 s, U300
 * still running after 300 ms, ? could not be taken. */
static SampleVec samples_of(Arena *arena, const char *text)
{
    SampleVec samples = {0};
    for (const char *word = text; *word; word += strcspn(word, " "), word += *word == ' ') {
        const char *star = memchr(word, '*', strcspn(word, " "));
        long times = star ? strtol(word, NULL, 10) : 1;
        const char *what = star ? star + 1 : word;
        SampleKind kind = *what == 'F'   ? SAMPLE_FAILED
                          : *what == 'T' ? SAMPLE_TIMED_OUT
                          : *what == 'U' ? SAMPLE_UNFINISHED
                          : *what == '?' ? SAMPLE_UNKNOWN
                                         : SAMPLE_OK;
        usec duration = strtoull(what + (kind != SAMPLE_OK), NULL, 10) * USEC_PER_MSEC;
        const char *why = kind == SAMPLE_FAILED      ? "HTTP 502"
                          : kind == SAMPLE_TIMED_OUT ? "timed out"
                          : kind == SAMPLE_UNKNOWN   ? "no descriptor"
                                                     : NULL;
        for (long i = 0; i < times; i++)
            *vec_push(arena, &samples) = (Sample){kind, duration, why};
    }
    return samples;
}

static Criterion at_most(Statistic statistic, usec max_msec)
{
    return (Criterion){.statistic = statistic, .max = max_msec * USEC_PER_MSEC};
}

static Criterion over_baseline(Statistic statistic, usec max_msec, uint64_t percent, usec slack_msec)
{
    return (Criterion){statistic, max_msec * USEC_PER_MSEC, true, percent, slack_msec * USEC_PER_MSEC};
}

static const usec window_over = 0;

typedef struct Case {
    const char *name;
    Criterion criterion;
    const char *baseline; /* NULL: the baseline itself is judged */
    const char *samples;
    size_t remaining, min_samples, failure_limit, consecutive_errors;
    bool once;
    Verdict verdict;
    bool final;
    const char *reason; /* a part of it */
} Case;

static void run_case(const Case *c)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Rules rules = {.min_samples = c->min_samples ? c->min_samples : 3, .failure_limit = c->failure_limit};
    rules.consecutive_errors = c->consecutive_errors ? c->consecutive_errors : SIZE_MAX;
    if (c->criterion.max > 0)
        rules.criteria[rules.n++] = c->criterion;
    SampleVec samples = samples_of(arena, c->samples);
    SampleVec baseline = samples_of(arena, c->baseline ? c->baseline : "");
    Trial trial = {&rules, c->baseline ? &baseline : NULL, &samples, c->remaining, c->once};
    CheckResult result = {.name = "x"};
    trial_judge(&trial, arena, &result);
    if (result.verdict != c->verdict || result.final != c->final || !strstr(result.reason, c->reason))
        fail_msg("%s: %s%s, %s", c->name, verdict_to_string(result.verdict), result.final ? " (final)" : "",
                 result.reason);
    assert_string_equal(result.name, "x");
}

static void absolute_limits_are_judged(void **state)
{
    const Criterion p95 = at_most(STATISTIC_P95, 500), max = at_most(STATISTIC_MAX, 500),
                    median = at_most(STATISTIC_MEDIAN, 500);
    const Case cases[] = {
        {"good", p95, "", "64*100", .verdict = VERDICT_PASS, .reason = "p95 100ms <= 500ms (64 samples)"},
        {"equal is good", max, "", "3*500", .verdict = VERDICT_PASS, .reason = "max 500ms <= 500ms"},
        {"three of 60 are forgiven", p95, "", "57*100 3*900", .verdict = VERDICT_PASS, .reason = "p95 100ms"},
        {"four of 60 are not", p95, "", "56*100 4*900", .verdict = VERDICT_FAIL, .final = true,
         .reason = "p95 900ms > 500ms"},
        {"max forgives none", max, "", "99*100 501", .verdict = VERDICT_FAIL, .final = true,
         .reason = "max 501ms > 500ms"},
        {"median forgives half", median, "", "3*100 3*900", .verdict = VERDICT_PASS, .reason = "median 100ms"},
        {"median of more than half", median, "", "3*100 4*900", .verdict = VERDICT_FAIL, .final = true,
         .reason = "median 900ms"},
        {"58 samples make no percentile", p95, "", "58*100", .verdict = VERDICT_BLIND, .reason = "use max or median"},
        {"19 samples make a median", median, "", "19*100", .verdict = VERDICT_PASS, .reason = "median"},
        {"no data", max, "", "", .verdict = VERDICT_BLIND, .reason = "0 of 3 samples"},
        {"no data, no criterion", {0}, "", "", .verdict = VERDICT_BLIND, .reason = "0 of 3 samples"},
        {"only what could not be taken", max, "", "5*?", .verdict = VERDICT_BLIND, .reason = "no descriptor"},
        {"too few", max, "", "2*100", .verdict = VERDICT_BLIND, .reason = "2 of 3 samples"},
        {"too few, but slow", max, "", "100 900", .verdict = VERDICT_FAIL, .final = true, .reason = "max 900ms"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        run_case(&cases[i]);
}

static void a_fail_is_final_when_nothing_can_turn_it(void **state)
{
    const Criterion p95 = at_most(STATISTIC_P95, 500), max = at_most(STATISTIC_MAX, 500);
    const Case cases[] = {
        {"max is final at once", max, "", "900", 50, .verdict = VERDICT_FAIL, .final = true, .reason = "max 900ms"},
        {"p95 may still recover", p95, "", "56*100 4*900", 40, .verdict = VERDICT_FAIL, .final = false,
         .reason = "p95"},
        {"p95 cannot recover", p95, "", "16*100 4*900", 40, .verdict = VERDICT_FAIL, .final = true,
         .reason = "max of 20 900ms > 500ms"},
        {"p95 cannot recover, with few samples", p95, "", "3*900", 20, .verdict = VERDICT_FAIL, .final = true,
         .reason = "max of 3 900ms > 500ms"},
        {"p95 with few samples may", p95, "", "2*900", 20, .verdict = VERDICT_BLIND, .reason = "needs 59"},
        {"unknown window", p95, "", "10*900", SIZE_MAX, .verdict = VERDICT_BLIND, .reason = "needs 59"},
        {"unknown window, enough samples", p95, "", "60*900", SIZE_MAX, .verdict = VERDICT_FAIL, .final = false,
         .reason = "p95"},
        {"a pass is never final", max, "", "30*100", 40, .verdict = VERDICT_PASS, .final = false, .reason = "max"},
        {"a pass is not final at the end either", max, "", "30*100", .verdict = VERDICT_PASS, .reason = "max"},
        {"too few is not final", max, "", "100", 40, .verdict = VERDICT_BLIND, .reason = "1 of 3"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        run_case(&cases[i]);
}

static void what_was_cut_off_counts_as_slow(void **state)
{
    const Criterion p95 = at_most(STATISTIC_P95, 500), max = at_most(STATISTIC_MAX, 500);
    const Case cases[] = {
        {"running for longer than allowed", max, "", "5*100 U600", 9, .verdict = VERDICT_FAIL, .final = true,
         .reason = "max more than 600ms > 500ms"},
        {"running for less says nothing", max, "", "5*100 U400", .verdict = VERDICT_PASS, .reason = "(5 samples)"},
        {"running is no sample", max, "", "2*100 U400", .verdict = VERDICT_BLIND, .reason = "2 of 3"},
        {"a tolerated time-out is still slow", max, "", "5*100 T400", .failure_limit = 1, .verdict = VERDICT_FAIL,
         .final = true, .reason = "max more than 400ms"},
        {"a percentile can bear it", p95, "", "59*100 T400", .failure_limit = 1, .verdict = VERDICT_PASS,
         .reason = "p95 100ms"},
        {"a fast wrong answer does not help", p95, "", "60*900 20*F1", .failure_limit = 30, .verdict = VERDICT_FAIL,
         .final = true, .reason = "p95 900ms"},
        {"wrong answers make no percentile", p95, "", "10*100 20*F1", .failure_limit = 30, .verdict = VERDICT_BLIND,
         .reason = "p95 needs 59 samples, has 10"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        run_case(&cases[i]);
}

static void failures_are_limited(void **state)
{
    const Case cases[] = {
        {"none is tolerated",
         {0},
         "",
         "9*100 F1",
         40,
         .verdict = VERDICT_FAIL,
         .final = true,
         .reason = "1 of 10 failed: HTTP 502"},
        {"the first sample fails", {0}, "", "F1", 40, .verdict = VERDICT_FAIL, .final = true, .reason = "HTTP 502"},
        {"within the limit", {0}, "", "9*100 2*F1", .failure_limit = 2, .verdict = VERDICT_PASS, .reason = "all good"},
        {"over the limit",
         {0},
         "",
         "9*100 3*F1",
         40,
         .failure_limit = 2,
         .verdict = VERDICT_FAIL,
         .final = true,
         .reason = "3 of 12 failed"},
        {"in a row",
         {0},
         "",
         "100 3*F1 100",
         40,
         .failure_limit = 9,
         .consecutive_errors = 3,
         .verdict = VERDICT_FAIL,
         .final = true,
         .reason = "3 failed in a row"},
        {"not in a row",
         {0},
         "",
         "2*F1 100 2*F1",
         40,
         .failure_limit = 9,
         .consecutive_errors = 3,
         .verdict = VERDICT_PASS,
         .reason = "all good"},
        {"what could not be taken does not part a row",
         {0},
         "",
         "100 2*F1 ? F1",
         40,
         .failure_limit = 9,
         .consecutive_errors = 3,
         .verdict = VERDICT_FAIL,
         .final = true,
         .reason = "3 failed in a row"},
        {"nothing succeeded",
         {0},
         "",
         "3*F1",
         .failure_limit = 9,
         .verdict = VERDICT_BLIND,
         .reason = "no sample succeeded"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        run_case(&cases[i]);
}

static void what_got_worse_than_the_baseline_fails_for_good(void **state)
{
    const Criterion max = over_baseline(STATISTIC_MAX, 5000, 20, 50);
    const Case cases[] = {
        {"at the limit", max, "60*10", "40*62", .remaining = 80, .verdict = VERDICT_UNDECIDED,
         .reason = "do not decide whether it got slower: in 50 of 100 pairs"}, /* as many above as below */
        {"beyond the slack", max, "60*10", "40*63", .remaining = 80, .verdict = VERDICT_FAIL, .final = true,
         .reason = "slower: in 100 of 100 pairs (92 to 100) although 20 % + 50 ms were allowed; above 62 ms: 0 of 60 "
                   "before, 20 of 20 now (p < 0.0001)"},
        {"both allowances count", max, "60*1000", "40*1240", .remaining = 80, .verdict = VERDICT_PASS,
         .reason = "not slower: in 0 of 100 pairs"},
        {"good", max, "60*10", "40*11", .remaining = 80, .verdict = VERDICT_PASS,
         .reason = "max 11ms <= 5.00s; not slower: in 0 of 100 pairs (0 to 9), with 20 % + 50 ms allowed; above 62 ms: "
                   "0 of 60 before, 0 of 40 now (p 0.50) (40 samples)"},
        {"too early for a good word", max, "60*10", "39*11", .remaining = 80, .verdict = VERDICT_UNDECIDED,
         .reason = "20 samples do not decide"},
        {"too early for any", max, "60*10", "19*11", .remaining = 80, .verdict = VERDICT_UNDECIDED,
         .reason = "19 samples do not decide whether it got slower: 20 are needed"},
        {"how many would be needed", max, "30*10 30*90", "60*80 60*9", .verdict = VERDICT_UNDECIDED,
         .reason = "before and as many after would have been needed"},
        {"the absolute limit holds beside it, at once", max, "60*10", "6000", .remaining = 80, .verdict = VERDICT_FAIL,
         .final = true, .reason = "max 6.00s > 5.00s"},
        {"failures are slow", max, "60*10", "20*10 20*F1", .remaining = 80, .failure_limit = 99,
         .verdict = VERDICT_FAIL, .final = true, .reason = "slower"},
        {"the baseline itself has none", max, NULL, "20*1000", .verdict = VERDICT_PASS,
         .reason = "max 1.00s <= 5.00s (20 samples)"},
        {"a short baseline is not over yet", max, NULL, "11*1000", .remaining = SIZE_MAX, .verdict = VERDICT_UNDECIDED,
         .reason = "11 of 20 samples for over_baseline"},
        {"a short baseline that is over", max, NULL, "11*1000", .verdict = VERDICT_PASS, .reason = "(11 samples)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        run_case(&cases[i]);
}

static void a_short_baseline_calls_a_percentile_what_it_is(void **state)
{
    const Criterion p95 = at_most(STATISTIC_P95, 500);
    const Case cases[] = {
        {"good", p95, NULL, "20*100", .verdict = VERDICT_PASS, .reason = "max of 20 100ms <= 500ms"},
        {"one slow one is told", p95, NULL, "19*100 900", .verdict = VERDICT_PASS,
         .reason = "max of 20 900ms > 500ms, 1 above"},
        {"more than 59 would forgive", p95, NULL, "17*100 3*900", .verdict = VERDICT_FAIL, .final = true,
         .reason = "max of 20 900ms > 500ms"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        run_case(&cases[i]);
}

static void a_useless_baseline_is_dropped_and_reported(void **state)
{
    static const struct {
        const char *baseline, *dropped;
        Statistic statistic;
    } cases[] = {
        {"", "over_baseline: the baseline has 0 usable samples", STATISTIC_MAX},
        {"60*F1", "over_baseline: the baseline has 0 usable samples", STATISTIC_MAX},
        {"19*10", "over_baseline: the baseline has 19 usable samples, 20 are needed", STATISTIC_MEDIAN},
        {"19*10 U3000", "over_baseline: the baseline has 19 usable samples", STATISTIC_MAX},
        {"19*10 40*T3000", "over_baseline: the baseline has 19 usable samples", STATISTIC_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        Rules rules = {.n = 1, .min_samples = 3, .consecutive_errors = SIZE_MAX};
        rules.criteria[0] = over_baseline(cases[i].statistic, 5000, 20, 50);
        SampleVec samples = samples_of(arena, "20*100"), baseline = samples_of(arena, cases[i].baseline);
        Trial trial = {&rules, &baseline, &samples, 0, false};
        CheckResult result = {0};
        trial_judge(&trial, arena, &result);
        assert_int_equal(result.verdict, VERDICT_PASS);
        assert_int_equal(result.dropped.n, 1);
        assert_non_null(strstr(result.dropped.items[0], cases[i].dropped));
    }
}

static void once_is_satisfied_with_one_sample(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Rules rules = {.n = 2, .min_samples = 20, .consecutive_errors = SIZE_MAX};
    rules.criteria[0] = at_most(STATISTIC_P95, 50);
    rules.criteria[1] = at_most(STATISTIC_MAX, 500);
    SampleVec samples = samples_of(arena, "100"), baseline = {0};
    Trial trial = {&rules, &baseline, &samples, window_over, true};
    CheckResult result = {0};
    trial_judge(&trial, arena, &result);
    assert_int_equal(result.verdict, VERDICT_PASS);
    assert_string_equal(result.reason, "max 100ms <= 500ms (1 sample)");
    assert_int_equal(result.dropped.n, 1);
    assert_string_equal(result.dropped.items[0], "p95: not judged from one sample");
}

static void measures_tell_the_numbers(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Rules rules = {.min_samples = 3, .failure_limit = 1, .consecutive_errors = SIZE_MAX};
    SampleVec samples = samples_of(arena, "3*100 200 F1 U5"), baseline = {0};
    Trial trial = {&rules, &baseline, &samples, window_over, false};
    CheckResult result = {0};
    trial_judge(&trial, arena, &result);
    /* p95 and p99 of five are no percentiles: max is there. */
    static const Measure expected[] = {
        {"median", 100, "ms"}, {"max", 200, "ms"}, {"samples", 5, ""}, {"failures", 1, ""}};
    assert_int_equal(result.measures.n, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_string_equal(result.measures.items[i].name, expected[i].name);
        assert_string_equal(result.measures.items[i].unit, expected[i].unit);
        assert_int_equal((int)result.measures.items[i].value, (int)expected[i].value);
    }
}

static Value duration(usec msec)
{
    return (Value){.kind = VALUE_DURATION, .text = "given", .duration = msec * USEC_PER_MSEC};
}

static void rules_refuse_what_cannot_be_meant(void **state)
{
    const Node node = {0};
    Value slack = duration(10), percent = {.kind = VALUE_PERCENT, .text = "20%", .percent = 20};
    slack.node = &node;
    CriterionSpec only_relative = {.over_baseline = percent}, only_slack = {.max = duration(500), .slack = slack},
                  empty = {0}, absolute = {.max = duration(500)};
    static const Value few = {.kind = VALUE_INT, .text = "5", .integer = 5};
    const struct {
        CriteriaSpec spec;
        const char *message;
    } cases[] = {
        {{.statistics[STATISTIC_MAX] = &only_relative}, "max: over_baseline needs an absolute limit beside it"},
        {{.statistics[STATISTIC_MAX] = &only_slack}, "slack means nothing without over_baseline"},
        {{.statistics[STATISTIC_MEDIAN] = &empty}, "median: no limit is given"},
        {{.statistics[STATISTIC_P95] = &absolute, .min_samples = few}, "p95 needs 59 samples, min_samples is 5"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Rules rules;
        Err err;
        assert_int_equal(rules_from_spec(&cases[i].spec, &rules, &err), -ERR_INVALID);
        assert_non_null(strstr(err.message, cases[i].message));
    }
}

static void rules_have_sensible_defaults(void **state)
{
    CriterionSpec p95 = {.max = duration(500)}, max = {.max = duration(2000)};
    CriteriaSpec spec = {.statistics = {[STATISTIC_P95] = &p95, [STATISTIC_MAX] = &max}};
    Rules rules;
    Err err;
    assert_int_equal(rules_from_spec(&spec, &rules, &err), 0);
    assert_int_equal(rules.min_samples, 59);
    assert_int_equal(rules_least_samples(&rules), 59);
    assert_int_equal(rules_most_samples(&rules), 59);
    assert_int_equal(rules.failure_limit, 0);
    assert_true(rules.consecutive_errors == SIZE_MAX);
    assert_int_equal(rules_baseline_samples(&rules), 20);
    assert_int_equal(rules_largest_max(&rules, 7), 2000 * USEC_PER_MSEC);
    assert_int_equal(rules_smallest_max(&rules, 7), 500 * USEC_PER_MSEC);
    max.over_baseline = (Value){.kind = VALUE_PERCENT, .text = "20%", .percent = 20};
    spec.statistics[STATISTIC_P95] = NULL;
    assert_int_equal(rules_from_spec(&spec, &rules, &err), 0);
    assert_int_equal(rules.min_samples, 20);
    assert_int_equal(rules_least_samples(&rules), 40);
    assert_int_equal(rules_most_samples(&rules), 120);
    assert_int_equal(rules_baseline_samples(&rules), 60);
    assert_int_equal(rules_baseline_least(&rules), 20);
    spec = (CriteriaSpec){0};
    assert_int_equal(rules_from_spec(&spec, &rules, &err), 0);
    assert_int_equal(rules.min_samples, 3);
    assert_int_equal(rules_baseline_samples(&rules), 1);
    assert_int_equal(rules_largest_max(&rules, 7), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absolute_limits_are_judged),
        cmocka_unit_test(a_fail_is_final_when_nothing_can_turn_it),
        cmocka_unit_test(what_was_cut_off_counts_as_slow),
        cmocka_unit_test(failures_are_limited),
        cmocka_unit_test(what_got_worse_than_the_baseline_fails_for_good),
        cmocka_unit_test(a_short_baseline_calls_a_percentile_what_it_is),
        cmocka_unit_test(a_useless_baseline_is_dropped_and_reported),
        cmocka_unit_test(once_is_satisfied_with_one_sample),
        cmocka_unit_test(measures_tell_the_numbers),
        cmocka_unit_test(rules_refuse_what_cannot_be_meant),
        cmocka_unit_test(rules_have_sensible_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
