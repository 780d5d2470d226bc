/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of one duration, and what they say about criteria. Pure: no clock, no host.
 *
 * A statistic is a value that was measured: the nearest rank, ceil(q * n / 100) of the n sorted durations. What enters
 * is every sample that says something about time: good ones, and those that were cut off ("slower than X"). A wrong
 * answer does not: a fast 502 would improve every latency; it counts against failure_limit instead.
 *
 * The rules:
 *   - Criteria are AND. `max` is absolute. `over_baseline: 20%` with `slack: 50ms` is not the one statistic against its
 *     like, which calls healthy changes worse too often, but all durations against those before (check/comparison.h),
 *     with 20% and 50ms allowed. Where that does not decide, the verdict is `undecided`. Without a usable baseline it
 * is dropped, and the result says so.
 *   - A percentile has a least number of samples, below which it is no statistic but the longest of a few, and is
 * called so. A check needs its min_samples; with fewer the verdict is `blind`.
 *   - More failures than failure_limit, or consecutive_errors of them in a row, fail the check.
 *   - A fail is final as soon as no further sample can turn it; a pass never is.
 *
 * The words are those of Argo Rollouts' AnalysisTemplate (failureLimit, consecutiveErrorLimit) and Keptn's SLO
 * (relative criteria against a comparison). */
#pragma once

#include "check/check.h"

typedef enum Statistic {
    STATISTIC_MEDIAN,
    STATISTIC_P95,
    STATISTIC_P99,
    STATISTIC_MAX,
    STATISTIC_COUNT,
} Statistic;

const char *statistic_to_string(Statistic statistic);

/* As a playbook writes it: p95: {max: 500ms, over_baseline: 20%, slack: 50ms}. */
typedef struct CriterionSpec {
    Value max, over_baseline, slack;
} CriterionSpec;

typedef struct CriteriaSpec {
    CriterionSpec *statistics[STATISTIC_COUNT];
    Value min_samples, failure_limit, consecutive_errors;
} CriteriaSpec;

extern const StructType criterion_type;

#define CRITERION_FIELD_(T, member, statistic, field_name, text)                                                       \
    {                                                                                                                  \
        .name = field_name, .shape = SHAPE_STRUCT, .offset = offsetof(T, member.statistics[statistic]),                \
        .type = &criterion_type, .help = text                                                                          \
    }
#define CRITERION_COUNT_(T, member, field_name, ...)                                                                   \
    {                                                                                                                  \
        .name = #field_name, .shape = SHAPE_VALUE, .offset = FIELD_OFFSET(T, member.field_name, Value),                \
        .kind = VALUE_INT, __VA_ARGS__                                                                                 \
    }
/* The rows for a spec that has a CriteriaSpec member. */
#define CRITERIA_FIELDS(T, member)                                                                                     \
    CRITERION_FIELD_(T, member, STATISTIC_MEDIAN, "median", "Limits of the median duration."),                         \
        CRITERION_FIELD_(T, member, STATISTIC_P95, "p95", "Limits of the 95th percentile; needs 59 samples."),         \
        CRITERION_FIELD_(T, member, STATISTIC_P99, "p99", "Limits of the 99th percentile; needs 299 samples."),        \
        CRITERION_FIELD_(T, member, STATISTIC_MAX, "max", "Limits of the longest duration."),                          \
        CRITERION_COUNT_(T, member, min_samples, .min = "1", .max = "10000",                                           \
                         .help =                                                                                       \
                             "With fewer the check is blind; 59 for p95, 299 for p99, 20 for over_baseline, else 3."), \
        CRITERION_COUNT_(T, member, failure_limit, .min = "0", .max = "10000", .default_text = "0",                    \
                         .help = "How many failed samples are tolerated."),                                            \
        CRITERION_COUNT_(T, member, consecutive_errors, .min = "1", .max = "10000",                                    \
                         .help = "So many failed samples in a row fail the check, whatever failure_limit is.")

typedef struct Criterion {
    Statistic statistic;
    usec max;      /* USEC_INFINITY: none */
    bool relative; /* over_baseline is given */
    uint64_t over_percent;
    usec slack;
} Criterion;

typedef struct Rules {
    Criterion criteria[STATISTIC_COUNT];
    size_t n;
    size_t min_samples, failure_limit;
    size_t consecutive_errors; /* SIZE_MAX: any number */
} Rules;

/* ERR_INVALID for a relative criterion without an absolute one, a slack or a criterion without meaning, a min_samples
 * below what a percentile or over_baseline needs. */
int rules_from_spec(const CriteriaSpec *spec, Rules *ret, Err *err);
bool rules_have_relative(const Rules *rules);
/* The largest and the smallest absolute limit; `otherwise` where there is none. */
usec rules_largest_max(const Rules *rules, usec otherwise);
usec rules_smallest_max(const Rules *rules, usec otherwise);
/* The samples with which a baseline is worth most: enough for every criterion, never more than that, because somebody
 * waits for it. */
size_t rules_baseline_samples(const Rules *rules);
/* The samples without which the baseline is of no use to a criterion. */
size_t rules_baseline_least(const Rules *rules);
/* The samples that a window must be able to hold, and with which no criterion gains by more. */
size_t rules_least_samples(const Rules *rules);
size_t rules_most_samples(const Rules *rules);

typedef enum SampleKind {
    SAMPLE_OK,
    SAMPLE_FAILED,     /* a wrong answer, or none; its duration says nothing */
    SAMPLE_TIMED_OUT,  /* failed; would have taken longer than its duration */
    SAMPLE_UNFINISHED, /* still running after its duration: slower than that, neither good nor bad yet */
    SAMPLE_UNKNOWN,    /* could not be taken; no evidence */
} SampleKind;

typedef struct Sample {
    SampleKind kind;
    usec duration;
    const char *text; /* why it failed or could not be taken: "HTTP 502"; NULL when good */
} Sample;

typedef VEC(Sample) SampleVec;

typedef struct Statistics {
    size_t n;                       /* samples that say something about time */
    usec values[STATISTIC_COUNT];   /* where n > 0 */
    bool at_least[STATISTIC_COUNT]; /* the value is a lower bound: that sample was cut off */
} Statistics;

void statistics_of(const SampleVec *samples, Statistics *ret);

typedef struct Trial {
    const Rules *rules;
    const SampleVec *baseline; /* NULL while the baseline itself is judged: relative criteria then do not apply */
    const SampleVec *samples;
    size_t remaining; /* how many further samples the window can hold at most; SIZE_MAX: unknown; 0: it is over */
    bool once;        /* one sample is enough; percentiles are dropped, which is reported */
} Trial;

/* Fills verdict, final, reason, measures (median, p95, p99 and max in ms, samples, failures) and dropped. */
void trial_judge(const Trial *trial, Arena *arena, CheckResult *ret);
