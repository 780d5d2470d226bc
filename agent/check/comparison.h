/* SPDX-License-Identifier: Apache-2.0 */
/* What is judged against the baseline, and what a person reads of it. The method is that of check/two-counts.h; it
 * looks at all durations, whichever statistic the playbook names: the margin is what counts. Pure. */
#pragma once

#include "check/criteria.h"

typedef enum ComparisonAnswer {
    COMPARISON_DROPPED, /* there is no baseline to compare with */
    COMPARISON_UNDECIDED,
    COMPARISON_FINE,
    COMPARISON_WORSE, /* stays so, whatever comes later */
} ComparisonAnswer;

typedef struct Comparison {
    ComparisonAnswer answer;
    const char *text; /* "slower: in 93 of 100 pairs (87 to 97) although 20 % + 50 ms were allowed; ..." */
} Comparison;

/* Failed samples count as slower than all others: whoever asked got nothing. What could not be taken and what still
 * runs is left out. */
void comparison_make(Arena *arena, const SampleVec *baseline, const SampleVec *samples, uint64_t over_percent,
                     usec slack, Comparison *ret);
