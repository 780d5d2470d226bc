/* SPDX-License-Identifier: Apache-2.0 */
#include "check/two-counts.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "durations.h"

static const TwoCountsMargin margin = {1.2, 20};

/* `n` values between low and high in an order without pattern, so that they are not taken for correlated. */
static void spread(double *ret, size_t n, double low, double high)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = low + (high - low) * (double)(i * 37 % n) / (double)n;
}

static TwoCounts look_at(const double *before, size_t m, const double *after, size_t n)
{
    CLEANUP(arena_free) Arena *scratch = arena_new();
    TwoCounts look;
    two_counts_look(scratch, (TwoCountsSeries){before, m}, (TwoCountsSeries){after, n}, margin, &look);
    return look;
}

static bool judge(const double *before, size_t m, const double *after, size_t n, TwoCounts *ret)
{
    CLEANUP(arena_free) Arena *scratch = arena_new();
    return two_counts_judge(scratch, (TwoCountsSeries){before, m}, (TwoCountsSeries){after, n}, margin, ret);
}

static void nothing_is_said_about_fewer_than_twenty_on_either_side(void **state)
{
    double before[60], after[60];
    TwoCounts look;
    spread(before, 60, 100, 200);
    spread(after, 60, 1000, 2000);
    assert_false(judge(before, 60, after, 19, &look));
    assert_false(judge(before, 19, after, 60, &look));
    assert_true(judge(before, 20, after, 20, &look));
    assert_int_equal(look.answer, TWO_COUNTS_IS_WORSE);
}

static void the_same_is_fine_from_forty_samples_on_and_not_before(void **state)
{
    double before[60], after[120];
    TwoCounts look;
    spread(before, 60, 100, 200);
    spread(after, 120, 100, 200);
    assert_true(judge(before, 60, after, 39, &look));
    assert_int_equal(look.answer, TWO_COUNTS_UNDECIDED);
    assert_int_equal(look.after, 20);
    assert_true(judge(before, 60, after, 120, &look));
    assert_int_equal(look.answer, TWO_COUNTS_IS_FINE);
    assert_int_equal(look.after, 40);
}

static void a_verdict_stands_whatever_comes_later(void **state)
{
    double before[60], after[120];
    TwoCounts look;
    spread(before, 60, 100, 200);
    spread(after, 20, 1000, 2000);
    spread(after + 20, 100, 100, 200);
    assert_true(judge(before, 60, after, 120, &look));
    assert_int_equal(look.answer, TWO_COUNTS_IS_WORSE);
    assert_int_equal(look.after, 20);
}

static void within_the_margin_is_not_slower(void **state)
{
    const double before[] = {100, 200}, equal[] = {140, 260}, more[] = {141, 261};
    assert_true(fabs(look_at(before, 2, equal, 2).pairs - 0.5) < 1e-9); /* 140: half, not; 260: above, half */
    assert_true(fabs(look_at(before, 2, more, 2).pairs - 0.75) < 1e-9);
}

static void a_tail_is_seen_though_the_typical_request_is_as_before(void **state)
{
    double before[60], after[60];
    spread(before, 60, 100, 200);
    spread(after, 60, 100, 200);
    for (size_t i = 0; i < 60; i++)
        after[i] *= i % 3 == 0 ? 20 : 1;
    TwoCounts look = look_at(before, 60, after, 60);
    assert_int_equal(look.answer, TWO_COUNTS_IS_WORSE);
    assert_true(look.p_slower > 0.5);
    assert_int_equal(look.slow_before, 0);
    assert_int_equal(look.slow_after, 20);
    assert_true(fabs(look.limit - (1.2 * 188.333 + 20)) < 0.1); /* the 54th of 60 */
}

/* 3 of 60 and 21 of 60: Fisher's exact test gives 2.76e-5 in one tail, the mid-p 1.50e-5. */
static void the_count_of_slow_ones_is_fishers_mid_p(void **state)
{
    double before[60], after[60];
    spread(before, 60, 100, 101);
    spread(after, 60, 100, 101);
    for (size_t i = 0; i < 3; i++)
        before[i * 20] = 900;
    for (size_t i = 0; i < 21; i++)
        after[i * 2] = 900; /* every other one: nothing like correlation */
    TwoCounts look = look_at(before, 60, after, 60);
    assert_int_equal(look.slow_before, 3);
    assert_int_equal(look.slow_after, 21);
    assert_true(fabs(look.p_slow - 1.5002e-5) < 1e-8);
}

static void what_got_no_answer_is_slower_than_all(void **state)
{
    double before[60], after[60];
    spread(before, 60, 100, 200);
    spread(after, 60, 100, 200);
    for (size_t i = 0; i < 60; i += 3)
        after[i] = INFINITY;
    TwoCounts look = look_at(before, 60, after, 60);
    assert_int_equal(look.answer, TWO_COUNTS_IS_WORSE);
    assert_int_equal(look.slow_after, 20);
    for (size_t i = 0; i < 60; i += 3)
        before[i] = INFINITY; /* as it was */
    look = look_at(before, 60, after, 60);
    assert_int_equal(look.answer, TWO_COUNTS_IS_FINE);
    assert_int_equal(look.slow_before, 20);
    assert_true(isinf(look.limit));
    for (size_t i = 0; i < 60; i++)
        before[i] = after[i] = INFINITY;
    assert_int_equal(look_at(before, 60, after, 60).answer, TWO_COUNTS_UNDECIDED);
}

static void samples_that_follow_each_other_count_less(void **state)
{
    double before[60], mixed[60], sorted[60];
    spread(before, 60, 100, 200);
    spread(mixed, 60, 140, 330);
    for (size_t i = 0; i < 60; i++)
        sorted[i] = 140 + 190.0 * (double)i / 60; /* the same values, in a row */
    TwoCounts independent = look_at(before, 60, mixed, 60), correlated = look_at(before, 60, sorted, 60);
    assert_true(fabs(independent.pairs - correlated.pairs) < 1e-9);
    assert_true(independent.p_slower < correlated.p_slower);
    assert_true(correlated.pairs_high - correlated.pairs_low > independent.pairs_high - independent.pairs_low);
}

static void undecided_says_how_many_would_decide(void **state)
{
    double before[60], near[60], nearer[60];
    spread(before, 60, 100, 400);
    spread(near, 60, 120, 470);
    spread(nearer, 60, 130, 490);
    TwoCounts a = look_at(before, 60, near, 60), b = look_at(before, 60, nearer, 60);
    assert_int_equal(a.answer, TWO_COUNTS_UNDECIDED);
    assert_int_equal(b.answer, TWO_COUNTS_UNDECIDED);
    assert_true(a.needed > 60 && b.needed > a.needed);
    assert_true(a.pairs_low < a.pairs && a.pairs < a.pairs_high);
}

/* The share of `checks` in per mille that is answered so, each with 60 samples before and up to 120 after. */
static double per_mille(const DurationsModel *before, const DurationsModel *after, TwoCountsAnswer answer, int checks,
                        uint64_t seed)
{
    double was[TWO_COUNTS_BASELINE], is[TWO_COUNTS_MOST];
    int answers = 0;
    for (int i = 0; i < checks; i++) {
        TwoCounts look;
        durations_make(before, &seed, was, ARRAY_LEN(was));
        durations_make(after, &seed, is, ARRAY_LEN(is));
        assert_true(judge(was, ARRAY_LEN(was), is, ARRAY_LEN(is), &look));
        answers += look.answer == answer;
    }
    return 1000.0 * answers / checks;
}

static const struct {
    double sigma, phi;
} latencies[] = {{0.3, 0}, {0.3, 0.7}, {0.6, 0}, {0.6, 0.4}, {0.6, 0.7}, {1.0, 0.4}, {1.0, 0.7}};

static double of_latency(size_t i, double factor, TwoCountsAnswer answer)
{
    const DurationsModel before = {.median = 200, .sigma = latencies[i].sigma, .phi = latencies[i].phi};
    DurationsModel after = before;
    after.median *= factor;
    after.drift = 0.05;
    return per_mille(&before, &after, answer, 3000, 42 + i);
}

static void a_healthy_change_is_called_worse_in_at_most_2_of_100(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(latencies); i++) {
        double worse = of_latency(i, 1, TWO_COUNTS_IS_WORSE);
        if (worse > 20)
            fail_msg("sigma %g, phi %g: %g of 1000 are called worse", latencies[i].sigma, latencies[i].phi, worse);
    }
}

static void a_twofold_slowdown_is_called_fine_in_at_most_5_of_1000(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(latencies); i++) {
        double fine = of_latency(i, 2, TWO_COUNTS_IS_FINE);
        if (fine > 5)
            fail_msg("sigma %g, phi %g: %g of 1000 are called fine", latencies[i].sigma, latencies[i].phi, fine);
    }
}

static void a_threefold_slowdown_is_found_in_85_of_100(void **state)
{
    const size_t wild = 5;
    double found = of_latency(wild, 3, TWO_COUNTS_IS_WORSE);
    if (found < 850)
        fail_msg("%g of 1000 are found", found);
}

static void calm_latency_is_decided_soon(void **state)
{
    assert_true(of_latency(0, 1, TWO_COUNTS_IS_FINE) > 980);
    assert_true(of_latency(0, 2, TWO_COUNTS_IS_WORSE) > 990);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_about_fewer_than_twenty_on_either_side),
        cmocka_unit_test(the_same_is_fine_from_forty_samples_on_and_not_before),
        cmocka_unit_test(a_verdict_stands_whatever_comes_later),
        cmocka_unit_test(within_the_margin_is_not_slower),
        cmocka_unit_test(a_tail_is_seen_though_the_typical_request_is_as_before),
        cmocka_unit_test(the_count_of_slow_ones_is_fishers_mid_p),
        cmocka_unit_test(what_got_no_answer_is_slower_than_all),
        cmocka_unit_test(samples_that_follow_each_other_count_less),
        cmocka_unit_test(undecided_says_how_many_would_decide),
        cmocka_unit_test(a_healthy_change_is_called_worse_in_at_most_2_of_100),
        cmocka_unit_test(a_twofold_slowdown_is_called_fine_in_at_most_5_of_1000),
        cmocka_unit_test(a_threefold_slowdown_is_found_in_85_of_100),
        cmocka_unit_test(calm_latency_is_decided_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
