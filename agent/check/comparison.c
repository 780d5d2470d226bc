/* SPDX-License-Identifier: Apache-2.0 */
#include "check/comparison.h"

#include <inttypes.h>
#include <math.h>

#include "check/two-counts.h"

static size_t count_answers(const SampleVec *samples)
{
    size_t n = 0;
    VEC_EACH (sample, samples) {
        n += sample->kind == SAMPLE_OK;
    }
    return n;
}

static TwoCountsSeries series_of(Arena *scratch, const SampleVec *samples)
{
    double *values = arena_array(scratch, double, samples->n + 1);
    size_t n = 0;
    VEC_EACH (sample, samples) {
        if (sample->kind == SAMPLE_OK)
            values[n++] = (double)sample->duration;
        else if (sample->kind == SAMPLE_FAILED || sample->kind == SAMPLE_TIMED_OUT)
            values[n++] = INFINITY;
    }
    return (TwoCountsSeries){values, n};
}

static int percent(double share)
{
    return (int)lround(share * 100);
}

/* "20 % + 50 ms" */
static const char *say_margin(Arena *arena, uint64_t over_percent, usec slack)
{
    double ms = (double)slack / (double)USEC_PER_MSEC;
    return slack == 0 ? arena_printf(arena, "%" PRIu64 " %%", over_percent)
                      : arena_printf(arena, "%" PRIu64 " %% + %.3g ms", over_percent, ms);
}

static const char *say_p(Arena *arena, double p)
{
    if (p < 0.0001)
        return "p < 0.0001";
    return arena_printf(arena, p < 0.01 ? "p %.4f" : "p %.2f", p);
}

/* "above 240 ms: 3 of 60 before, 21 of 60 now (p 0.0001)" */
static const char *say_slow_ones(Arena *arena, const TwoCounts *look)
{
    const char *which = isinf(look->limit) ? "no good answer"
                                           : arena_printf(arena, "above %.*f ms", look->limit < 10000 ? 1 : 0,
                                                          look->limit / (double)USEC_PER_MSEC);
    return arena_printf(arena, "%s: %zu of %zu before, %zu of %zu now (%s)", which, look->slow_before, look->before,
                        look->slow_after, look->after, say_p(arena, look->p_slow));
}

static const char *say(Arena *arena, const TwoCounts *look, const char *margin)
{
    const char *pairs = arena_printf(arena, "in %d of 100 pairs (%d to %d)", percent(look->pairs),
                                     percent(look->pairs_low), percent(look->pairs_high));
    const char *slow = say_slow_ones(arena, look);
    switch (look->answer) {
    case TWO_COUNTS_IS_WORSE:
        return arena_printf(arena, "slower: %s although %s were allowed; %s", pairs, margin, slow);
    case TWO_COUNTS_IS_FINE: return arena_printf(arena, "not slower: %s, with %s allowed; %s", pairs, margin, slow);
    case TWO_COUNTS_UNDECIDED: break;
    }
    size_t needed = look->needed < TWO_COUNTS_FINE ? TWO_COUNTS_FINE : look->needed;
    return arena_printf(arena,
                        "%zu samples do not decide whether it got slower: %s, with %s allowed; %s; about %zu samples "
                        "before and as many after would have been needed",
                        look->after, pairs, margin, slow, needed);
}

void comparison_make(Arena *arena, const SampleVec *baseline, const SampleVec *samples, uint64_t over_percent,
                     usec slack, Comparison *ret)
{
    static const ComparisonAnswer answers[] = {[TWO_COUNTS_UNDECIDED] = COMPARISON_UNDECIDED,
                                               [TWO_COUNTS_IS_FINE] = COMPARISON_FINE,
                                               [TWO_COUNTS_IS_WORSE] = COMPARISON_WORSE};
    CLEANUP(arena_free) Arena *scratch = arena_new();
    size_t usable = count_answers(baseline);
    TwoCountsSeries before = series_of(scratch, baseline), after = series_of(scratch, samples);
    TwoCountsMargin margin = {1 + (double)over_percent / 100, (double)slack};
    TwoCounts look;
    if (usable < TWO_COUNTS_LEAST)
        *ret = (Comparison){COMPARISON_DROPPED,
                            arena_printf(arena, "over_baseline: the baseline has %zu usable sample%s, %d are needed",
                                         usable, usable == 1 ? "" : "s", TWO_COUNTS_LEAST)};
    else if (two_counts_judge(scratch, before, after, margin, &look))
        *ret = (Comparison){answers[look.answer], say(arena, &look, say_margin(arena, over_percent, slack))};
    else
        *ret = (Comparison){COMPARISON_UNDECIDED,
                            arena_printf(arena, "%zu samples do not decide whether it got slower: %d are needed",
                                         after.n, TWO_COUNTS_LEAST)};
}
