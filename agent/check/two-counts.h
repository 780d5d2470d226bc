/* SPDX-License-Identifier: Apache-2.0 */
/* Two counts: whether durations got worse, from a few samples before and a few after. Pure: arrays in, a verdict out.
 *
 *   typical   Of all pairs of one sample before and one after, in how many is the later one above the margin, that is
 *             above factor x the earlier one + slack? Significantly more than half is worse; significantly less is
 *             fine. (Mann and Whitney's U with a margin; normal approximation with continuity correction.)
 *   slow ones How many samples are above the margin of the 90th percentile before, then and now? Fisher's exact test
 *             of both counts in its mid-p form (Lancaster), which counts only where the shares differ by 10 points: it
 *             sees the tail that the typical pair does not.
 *
 * Samples that follow one another resemble one another, and then say less than as many independent ones: the variance
 * of U is multiplied by (1 + r) / (1 - r), the counts of the slow ones are divided by something less, where r is the
 * lag-1 autocorrelation of the ranks, corrected for its bias in short series (Kendall).
 *
 * It is sequential: looks after 20, 40, 60, 90 and 120 samples. *Worse* at any of them where one of the counts has
 * p < 0.004: over five looks that is wrong in about 2 of 100 healthy changes. *Fine* from 40 samples on, where the
 * opposite is shown: typical below the margin with p < 0.02, and the slow ones within 10 points. The first look that
 * decides is the verdict; what never decides is undecided, and honestly so: where latency is wild, half as slow again
 * is not told from the same by 120 samples, whatever the method.
 *
 * The limits were chosen by simulation with log-normal durations, AR(1) on the log scale and a drift of 5 % between the
 * windows; tests/unit/check/test-two-counts.c repeats it, tests/bench/two-counts.c prints the table. A drift of more
 * than 10 % that has another cause is not the method's to see. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

enum {
    TWO_COUNTS_LEAST = 20,    /* samples on either side, without which nothing is said */
    TWO_COUNTS_FINE = 40,     /* after the change, before which nothing is called fine */
    TWO_COUNTS_BASELINE = 60, /* before the change: more of them help little */
    TWO_COUNTS_MOST = 120,    /* after the change: the last look */
};

/* Durations in any one unit; INFINITY: no good answer came, which is slower than all. In the order they were taken. */
typedef struct TwoCountsSeries {
    const double *values;
    size_t n;
} TwoCountsSeries;

/* What is allowed: factor x before + slack. */
typedef struct TwoCountsMargin {
    double factor, slack;
} TwoCountsMargin;

typedef enum TwoCountsAnswer { TWO_COUNTS_UNDECIDED, TWO_COUNTS_IS_FINE, TWO_COUNTS_IS_WORSE } TwoCountsAnswer;

/* What a look showed. */
typedef struct TwoCounts {
    TwoCountsAnswer answer;
    size_t before, after;         /* samples that were looked at */
    double pairs;                 /* share of pairs in which the later one is above the margin, 0 to 1 */
    double pairs_low, pairs_high; /* 95 % interval (Hanley and McNeil's variance, on the logit scale) */
    double p_slower, p_not_slower;
    double limit; /* above which a sample is a slow one; INFINITY: only what got no answer */
    size_t slow_before, slow_after;
    double p_slow;
    size_t needed; /* where undecided: about so many samples, before and after each, would decide what was seen */
} TwoCounts;

/* One look at all of both series, each of at least one sample. */
void two_counts_look(Arena *scratch, TwoCountsSeries before, TwoCountsSeries after, TwoCountsMargin margin,
                     TwoCounts *ret);

/* All looks that the samples so far allow; *ret is the one that decided, else the last one. False, with *ret untouched,
 * where there are too few samples on either side for any. */
bool two_counts_judge(Arena *scratch, TwoCountsSeries before, TwoCountsSeries after, TwoCountsMargin margin,
                      TwoCounts *ret);
