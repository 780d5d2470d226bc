/* SPDX-License-Identifier: Apache-2.0 */
/* How often the method of two counts is right: for each kind of latency and of change, what of a thousand checks is
 * called worse, fine and undecided, and after how many samples. `two-counts [CHECKS [SEED]]`. */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/check/durations.h"
#include "base/cleanup.h"
#include "check/two-counts.h"

typedef struct Change {
    const char *name;
    double factor, slow_share, slow_factor;
} Change;

static const Change changes[] = {
    {"none", 1, 0, 1},
    {"x 1.5", 1.5, 0, 1},
    {"x 2", 2, 0, 1},
    {"x 3", 3, 0, 1},
    {"20 % of requests x 5", 1, 0.2, 5},
    {"20 % of requests x 20", 1, 0.2, 20},
};

static const struct {
    double sigma, phi;
} latencies[] = {{0.3, 0}, {0.3, 0.4}, {0.3, 0.7}, {0.6, 0}, {0.6, 0.4}, {0.6, 0.7}, {1.0, 0.4}, {1.0, 0.7}};

static void cell(const Change *change, double sigma, double phi, long checks, uint64_t seed)
{
    const DurationsModel before = {.median = 200, .sigma = sigma, .phi = phi};
    const DurationsModel after = {200 * change->factor, sigma, phi, 0.05, change->slow_share, change->slow_factor};
    const TwoCountsMargin margin = {1.2, 20};
    double was[TWO_COUNTS_BASELINE], is[TWO_COUNTS_MOST], samples = 0;
    long answers[3] = {0};
    for (long i = 0; i < checks; i++) {
        CLEANUP(arena_free) Arena *scratch = arena_new();
        TwoCounts look;
        durations_make(&before, &seed, was, ARRAY_LEN(was));
        durations_make(&after, &seed, is, ARRAY_LEN(is));
        two_counts_judge(scratch, (TwoCountsSeries){was, ARRAY_LEN(was)}, (TwoCountsSeries){is, ARRAY_LEN(is)}, margin,
                         &look);
        answers[look.answer]++;
        samples += (double)look.after;
    }
    double share = 100.0 / (double)checks;
    printf("%-28s %5.1f %4.1f %8.1f %8.1f %10.1f %9.0f\n", change->name, sigma, phi,
           (double)answers[TWO_COUNTS_IS_WORSE] * share, (double)answers[TWO_COUNTS_IS_FINE] * share,
           (double)answers[TWO_COUNTS_UNDECIDED] * share, samples / (double)checks);
}

int main(int argc, char **argv)
{
    long checks = argc > 1 ? strtol(argv[1], NULL, 10) : 4000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    if (checks <= 0) {
        fprintf(stderr, "usage: %s [CHECKS [SEED]]\n", argv[0]);
        return 2;
    }
    printf(
        "%ld checks a line: median 200 ms, drift 5 %%, 20 %% + 20 ms allowed, %d samples before, up to %d after; answers in %%\n\n",
        checks, TWO_COUNTS_BASELINE, TWO_COUNTS_MOST);
    printf("%-28s %5s %4s %8s %8s %10s %9s\n", "change", "sigma", "phi", "worse", "fine", "undecided", "samples");
    for (size_t c = 0; c < ARRAY_LEN(changes); c++) {
        for (size_t l = 0; l < ARRAY_LEN(latencies); l++)
            cell(&changes[c], latencies[l].sigma, latencies[l].phi, checks, seed + c * ARRAY_LEN(latencies) + l);
        printf("\n");
    }
    return 0;
}
