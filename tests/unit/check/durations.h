/* SPDX-License-Identifier: Apache-2.0 */
/* Made-up durations for tests and benches of verdicts: log-normal, AR(1) on the log scale, from a seed. */
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* splitmix64 (Steele, Lea and Flood 2014): the same numbers everywhere. */
static inline double durations_uniform(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

static inline double durations_normal(uint64_t *seed)
{
    double radius = sqrt(-2 * log(durations_uniform(seed)));
    return radius * cos(6.283185307179586 * durations_uniform(seed));
}

typedef struct DurationsModel {
    double median, sigma, phi;
    double drift;                   /* of the whole series: standard deviation on the log scale */
    double slow_share, slow_factor; /* so many of them take so much longer */
} DurationsModel;

static inline void durations_make(const DurationsModel *model, uint64_t *seed, double *ret, size_t n)
{
    double state = durations_normal(seed), median = model->median * exp(model->drift * durations_normal(seed));
    for (size_t i = 0; i < n; i++) {
        ret[i] = median * exp(model->sigma * state);
        if (model->slow_share > 0 && durations_uniform(seed) < model->slow_share)
            ret[i] *= model->slow_factor;
        state = model->phi * state + sqrt(1 - model->phi * model->phi) * durations_normal(seed);
    }
}
