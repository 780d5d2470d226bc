/* SPDX-License-Identifier: Apache-2.0 */
#include "check/two-counts.h"

#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"

static const size_t looks[] = {20, 40, 60, 90, 120};

#define P_WORSE       0.004
#define P_FINE        0.02
#define Z_WORSE       2.652 /* the quantiles of both */
#define Z_FINE        2.054
#define SLOW_SHARE    0.10 /* by which the shares of slow ones must differ to count */
#define MOST_R        0.8
#define SLOW_WEIGHT   0.6 /* how much of the correlation the slow ones inherit: less than the values themselves */
#define MOST_NEEDED   10000.0
#define NORMAL_95     1.96
#define TENTHS_OF_P90 9

typedef struct Ranked {
    double value, rank;
    size_t at;
} Ranked;

static int compare_ranked(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    return x->value < y->value ? -1 : x->value > y->value;
}

/* The values in order; equal ones share the mean of their ranks. */
static Ranked *rank(Arena *scratch, TwoCountsSeries series)
{
    Ranked *sorted = arena_array(scratch, Ranked, series.n);
    for (size_t i = 0; i < series.n; i++)
        sorted[i] = (Ranked){series.values[i], 0, i};
    qsort(sorted, series.n, sizeof *sorted, compare_ranked);
    for (size_t i = 0, end; i < series.n; i = end) {
        for (end = i + 1; end < series.n && compare_ranked(&sorted[i], &sorted[end]) == 0; end++)
            continue;
        for (size_t k = i; k < end; k++)
            sorted[k].rank = ((double)i + (double)end - 1) / 2;
    }
    return sorted;
}

/* Lag-1 autocorrelation of the ranks; 0 where all are equal. */
static double rank_correlation(Arena *scratch, const Ranked *sorted, size_t n)
{
    double *ranks = arena_array(scratch, double, n), mean = ((double)n - 1) / 2, products = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        ranks[sorted[i].at] = sorted[i].rank - mean;
    for (size_t i = 0; i < n; i++) {
        squares += ranks[i] * ranks[i];
        products += i > 0 ? ranks[i] * ranks[i - 1] : 0;
    }
    return squares > 0 ? products / squares : 0;
}

/* Of both windows, weighted by size; the estimate is too small by about (1 + 3r) / n in a series of n. */
static double correlation(double r_before, double m, double r_after, double n)
{
    double r = (r_before * m + r_after * n) / (m + n);
    r += (1 + 3 * r) / ((m + n) / 2);
    return r < 0 ? 0 : r > MOST_R ? MOST_R : r;
}

/* Above the normal distribution's z. */
static double upper_tail(double z)
{
    return erfc(z / sqrt(2)) / 2;
}

static double allowed(TwoCountsMargin margin, double value)
{
    return margin.factor * value + margin.slack;
}

/* Pairs in which the later one is above the margin; equal ones are half a pair. Both sides are sorted, so that what is
 * below a sample only grows. */
static double count_pairs(const Ranked *before, size_t m, const Ranked *after, size_t n, TwoCountsMargin margin)
{
    double pairs = 0;
    size_t below = 0, up_to = 0;
    for (size_t i = 0; i < n; i++) {
        while (below < m && allowed(margin, before[below].value) < after[i].value)
            below++;
        up_to = up_to > below ? up_to : below;
        while (up_to < m && allowed(margin, before[up_to].value) <= after[i].value)
            up_to++;
        pairs += (double)below + (double)(up_to - below) / 2;
    }
    return pairs;
}

/* The normal interval on the logit scale, which stays within 0 and 1. It is moved by half a sample of the shorter
 * series towards the middle: no number of samples shows that all pairs there could be are above, or none. */
static void pairs_interval(double share, double m, double n, double inflation, TwoCounts *ret)
{
    double fewer = m < n ? m : n, a = (share * fewer + 0.5) / (fewer + 1), q1 = a / (2 - a), q2 = 2 * a * a / (1 + a);
    double variance = (a * (1 - a) + (m - 1) * (q1 - a * a) + (n - 1) * (q2 - a * a)) / (m * n) * inflation;
    double logit = log(a / (1 - a)), half = NORMAL_95 * sqrt(variance) / (a * (1 - a));
    ret->pairs_low = fmin(share, 1 / (1 + exp(half - logit)));
    ret->pairs_high = fmax(share, 1 / (1 + exp(-half - logit)));
}

static void look_at_pairs(const Ranked *before, size_t m_, const Ranked *after, size_t n_, TwoCountsMargin margin,
                          double inflation, TwoCounts *ret)
{
    double m = (double)m_, n = (double)n_, u = count_pairs(before, m_, after, n_, margin);
    double deviation = sqrt(inflation * m * n * (m + n + 1) / 12);
    ret->pairs = u / (m * n);
    ret->p_slower = upper_tail((u - m * n / 2 - 0.5) / deviation);
    ret->p_not_slower = upper_tail((m * n / 2 - u - 0.5) / deviation);
    pairs_interval(ret->pairs, m, n, inflation, ret);
}

static double log_choose(double n, double k)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* That k or more of n after are slow where j of m before are, if all were drawn from the same; half of k itself. */
static double fisher_mid_p(double j, double m, double k, double n)
{
    double slow = j + k, all = log_choose(m + n, slow), p = 0;
    double most = slow < n ? slow : n;
    for (double x = k; x <= most; x++) {
        if (slow - x <= m)
            p += exp(log_choose(n, x) + log_choose(m, slow - x) - all) * (x > k ? 1 : 0.5);
    }
    return p;
}

static size_t count_above(const Ranked *sorted, size_t n, double limit)
{
    size_t above = 0;
    while (above < n && (sorted[n - 1 - above].value > limit || isinf(sorted[n - 1 - above].value)))
        above++;
    return above;
}

static void look_at_slow_ones(const Ranked *before, size_t m, const Ranked *after, size_t n, TwoCountsMargin margin,
                              double divisor, TwoCounts *ret)
{
    size_t rank_of_p90 = (m * TENTHS_OF_P90 + 9) / 10;
    ret->limit = allowed(margin, before[rank_of_p90 - 1].value);
    ret->slow_before = count_above(before, m, ret->limit);
    ret->slow_after = count_above(after, n, ret->limit);
    ret->p_slow = fisher_mid_p(round((double)ret->slow_before / divisor), round((double)m / divisor),
                               round((double)ret->slow_after / divisor), round((double)n / divisor));
}

/* So many on either side would bring what was seen to the limit of its test: both go with the square root of their
 * number. */
static size_t needed(const TwoCounts *look, double more_slow, double inflation, double divisor)
{
    double most = 0, off = look->pairs - 0.5, z = off > 0 ? Z_WORSE : Z_FINE;
    if (look->p_not_slower >= P_FINE)
        most = off != 0 ? inflation * z * z / (6 * off * off) : MOST_NEEDED;
    if (more_slow >= SLOW_SHARE) {
        double x = (double)look->slow_before / (double)look->before, y = (double)look->slow_after / (double)look->after;
        double n = divisor * Z_WORSE * Z_WORSE * (x * (1 - x) + y * (1 - y)) / (more_slow * more_slow);
        most = n > most ? n : most;
    }
    size_t seen = look->before < look->after ? look->before : look->after;
    most = most < MOST_NEEDED ? ceil(most) : MOST_NEEDED;
    return (size_t)most > seen ? (size_t)most : seen + 1;
}

void two_counts_look(Arena *scratch, TwoCountsSeries before, TwoCountsSeries after, TwoCountsMargin margin,
                     TwoCounts *ret)
{
    TwoCounts look = {.before = before.n, .after = after.n};
    const Ranked *sorted_before = rank(scratch, before), *sorted_after = rank(scratch, after);
    double r = correlation(rank_correlation(scratch, sorted_before, before.n), (double)before.n,
                           rank_correlation(scratch, sorted_after, after.n), (double)after.n);
    double inflation = (1 + r) / (1 - r), divisor = 1 + SLOW_WEIGHT * (inflation - 1);
    look_at_pairs(sorted_before, before.n, sorted_after, after.n, margin, inflation, &look);
    look_at_slow_ones(sorted_before, before.n, sorted_after, after.n, margin, divisor, &look);
    double more_slow = (double)look.slow_after / (double)after.n - (double)look.slow_before / (double)before.n;
    bool tail = more_slow >= SLOW_SHARE;
    if (look.p_slower < P_WORSE || (tail && look.p_slow < P_WORSE))
        look.answer = TWO_COUNTS_IS_WORSE;
    else if (after.n >= TWO_COUNTS_FINE && look.p_not_slower < P_FINE && !tail)
        look.answer = TWO_COUNTS_IS_FINE;
    else
        look.needed = needed(&look, more_slow, inflation, divisor);
    *ret = look;
}

bool two_counts_judge(Arena *scratch, TwoCountsSeries before, TwoCountsSeries after, TwoCountsMargin margin,
                      TwoCounts *ret)
{
    bool looked = false;
    if (before.n < TWO_COUNTS_LEAST)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(looks) && looks[i] <= after.n; i++) {
        two_counts_look(scratch, before, (TwoCountsSeries){after.values, looks[i]}, margin, ret);
        looked = true;
        if (ret->answer != TWO_COUNTS_UNDECIDED)
            break;
    }
    return looked;
}
