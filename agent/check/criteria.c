/* SPDX-License-Identifier: Apache-2.0 */
#include "check/criteria.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check/comparison.h"
#include "check/two-counts.h"

static const struct {
    const char *name;
    size_t percent; /* of the nearest rank */
    /* Of a percentile: with fewer samples nothing bounds it from above, because all of them may lie below it:
     * 0.95^59 and 0.99^299 are just under 5 %. */
    size_t least;
} statistics[STATISTIC_COUNT] = {
    [STATISTIC_MEDIAN] = {"median", 50, 0},
    [STATISTIC_P95] = {"p95", 95, 59},
    [STATISTIC_P99] = {"p99", 99, 299},
    [STATISTIC_MAX] = {"max", 100, 0},
};

enum { DEFAULT_MIN_SAMPLES = 3, PERCENTILE_BASELINE = 20 };

const char *statistic_to_string(Statistic statistic)
{
    return statistics[statistic].name;
}

static const Field criterion_fields[] = {
    FIELD_DURATION(CriterionSpec, max, .min = "1ms", .help = "The most that is acceptable."),
    FIELD_PERCENT(CriterionSpec, over_baseline, .max = "1000%",
                  .help = "How much slower than before the change is acceptable; needs a max beside it."),
    FIELD_DURATION(CriterionSpec, slack, .default_text = "50ms",
                   .help = "A difference to the baseline up to this is acceptable, whatever its percentage."),
    FIELDS_END,
};

const StructType criterion_type = {
    .name = "criterion",
    .help = "Limits of one statistic; all given ones must hold.",
    .fields = criterion_fields,
    .size = sizeof(CriterionSpec),
};

static int criterion_from_spec(Statistic statistic, const CriterionSpec *spec, Criterion *ret, Err *err)
{
    const char *name = statistic_to_string(statistic);
    bool relative = value_is_set(&spec->over_baseline);
    if (!value_is_set(&spec->max) && relative)
        return err_set(err, ERR_INVALID,
                       "%s: over_baseline needs an absolute limit beside it, for when there is no baseline: add max",
                       name);
    if (!value_is_set(&spec->max))
        return err_set(err, ERR_INVALID, "%s: no limit is given: add max", name);
    if (spec->slack.node && !relative)
        return err_set(err, ERR_INVALID, "%s: slack means nothing without over_baseline", name);
    *ret = (Criterion){
        .statistic = statistic,
        .max = spec->max.duration,
        .relative = relative,
        .over_percent = relative ? spec->over_baseline.percent : 0,
        .slack = value_is_set(&spec->slack) ? spec->slack.duration : 0,
    };
    return 0;
}

/* What one of the criteria needs; *ret_which: the one that needs most. */
static size_t needed_samples(const Rules *rules, const char **ret_which)
{
    size_t most = DEFAULT_MIN_SAMPLES;
    *ret_which = NULL;
    for (size_t i = 0; i < rules->n; i++) {
        const Criterion *criterion = &rules->criteria[i];
        if (criterion->relative && most < TWO_COUNTS_LEAST) {
            most = TWO_COUNTS_LEAST;
            *ret_which = "over_baseline";
        }
        if (most < statistics[criterion->statistic].least) {
            most = statistics[criterion->statistic].least;
            *ret_which = statistics[criterion->statistic].name;
        }
    }
    return most;
}

int rules_from_spec(const CriteriaSpec *spec, Rules *ret, Err *err)
{
    Rules rules = {.consecutive_errors = SIZE_MAX};
    for (Statistic s = 0; s < STATISTIC_COUNT; s++) {
        if (!spec->statistics[s])
            continue;
        int r = criterion_from_spec(s, spec->statistics[s], &rules.criteria[rules.n++], err);
        if (r < 0)
            return r;
    }
    const char *which;
    size_t needed = needed_samples(&rules, &which);
    rules.min_samples = value_is_set(&spec->min_samples) ? (size_t)spec->min_samples.integer : needed;
    if (which && rules.min_samples < needed)
        return err_set(err, ERR_INVALID, "%s needs %zu samples, min_samples is %zu: %s", which, needed,
                       rules.min_samples, "leave it out, or write max or median without over_baseline");
    if (value_is_set(&spec->failure_limit))
        rules.failure_limit = (size_t)spec->failure_limit.integer;
    if (value_is_set(&spec->consecutive_errors))
        rules.consecutive_errors = (size_t)spec->consecutive_errors.integer;
    *ret = rules;
    return 0;
}

bool rules_have_relative(const Rules *rules)
{
    for (size_t i = 0; i < rules->n; i++) {
        if (rules->criteria[i].relative)
            return true;
    }
    return false;
}

static bool rules_have_percentile(const Rules *rules)
{
    for (size_t i = 0; i < rules->n; i++) {
        if (statistics[rules->criteria[i].statistic].least > 0)
            return true;
    }
    return false;
}

usec rules_largest_max(const Rules *rules, usec otherwise)
{
    usec largest = rules->n > 0 ? 0 : otherwise;
    for (size_t i = 0; i < rules->n; i++) {
        if (rules->criteria[i].max > largest)
            largest = rules->criteria[i].max;
    }
    return largest;
}

usec rules_smallest_max(const Rules *rules, usec otherwise)
{
    usec smallest = rules->n > 0 ? USEC_INFINITY : otherwise;
    for (size_t i = 0; i < rules->n; i++) {
        if (rules->criteria[i].max < smallest)
            smallest = rules->criteria[i].max;
    }
    return smallest;
}

size_t rules_baseline_samples(const Rules *rules)
{
    return rules_have_relative(rules) ? TWO_COUNTS_BASELINE : rules_have_percentile(rules) ? PERCENTILE_BASELINE : 1;
}

size_t rules_baseline_least(const Rules *rules)
{
    return rules_have_relative(rules) ? TWO_COUNTS_LEAST : 1;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t rules_least_samples(const Rules *rules)
{
    return rules_have_relative(rules) ? larger(rules->min_samples, TWO_COUNTS_FINE) : rules->min_samples;
}

size_t rules_most_samples(const Rules *rules)
{
    return rules_have_relative(rules) ? larger(rules->min_samples, TWO_COUNTS_MOST) : rules->min_samples;
}

/* The durations that say something about time, sorted; those that were cut off are longer than all others. */
typedef struct Durations {
    usec *values;
    size_t n, cut_off; /* the last `cut_off` ones are lower bounds */
} Durations;

static int compare_usec(const void *a, const void *b)
{
    usec x = *(const usec *)a, y = *(const usec *)b;
    return x < y ? -1 : x > y;
}

static void sort_usec(usec *values, size_t n)
{
    if (n > 1)
        qsort(values, n, sizeof *values, compare_usec);
}

/* An unfinished request that is not over `limit` yet says nothing about that limit and is left out. */
static void durations_of(Arena *arena, const SampleVec *samples, usec limit, Durations *ret)
{
    Durations d = {.values = arena_array(arena, usec, samples->n)};
    VEC_EACH (sample, samples) {
        if (sample->kind == SAMPLE_OK)
            d.values[d.n++] = sample->duration;
    }
    size_t whole = d.n;
    VEC_EACH (sample, samples) {
        if (sample->kind == SAMPLE_TIMED_OUT || (sample->kind == SAMPLE_UNFINISHED && sample->duration > limit))
            d.values[d.n++] = sample->duration;
    }
    d.cut_off = d.n - whole;
    sort_usec(d.values, whole);
    sort_usec(d.values + whole, d.cut_off);
    *ret = d;
}

static size_t rank_of(Statistic statistic, size_t n)
{
    return (n * statistics[statistic].percent + 99) / 100; /* 1-based */
}

static usec durations_at(const Durations *d, Statistic statistic, bool *ret_at_least)
{
    size_t rank = rank_of(statistic, d->n);
    *ret_at_least = rank > d->n - d->cut_off;
    return d->values[rank - 1];
}

static void statistics_with(const SampleVec *samples, usec unfinished_over, Statistics *ret)
{
    CLEANUP(arena_free) Arena *scratch = arena_new();
    Durations d;
    durations_of(scratch, samples, unfinished_over, &d);
    *ret = (Statistics){.n = d.n};
    for (Statistic s = 0; d.n > 0 && s < STATISTIC_COUNT; s++)
        ret->values[s] = durations_at(&d, s, &ret->at_least[s]);
}

void statistics_of(const SampleVec *samples, Statistics *ret)
{
    statistics_with(samples, 0, ret);
}

/* Milliseconds below a second, else seconds with two digits: short, and fine enough to compare. */
static const char *show(Arena *arena, usec duration)
{
    if (duration < USEC_PER_MSEC)
        return arena_printf(arena, "%.1fms", (double)duration / (double)USEC_PER_MSEC);
    if (duration < USEC_PER_SEC)
        return arena_printf(arena, "%" PRIu64 "ms", duration / USEC_PER_MSEC);
    return arena_printf(arena, "%.2fs", (double)duration / (double)USEC_PER_SEC);
}

static void append(Arena *arena, const char **text, const char *more)
{
    *text = *text ? arena_printf(arena, "%s; %s", *text, more) : more;
}

/* What judging one trial gathers. */
typedef struct Judgement {
    const Trial *trial;
    Arena *arena;   /* of the result */
    Arena *scratch; /* judging happens many times a second */
    CheckResult *result;
    size_t ok, failed, unknown, longest_row;
    const char *failed_text, *unknown_text; /* of the newest */
    const char *fails, *missing, *open, *passes;
    bool final;
} Judgement;

static void count_samples(Judgement *j)
{
    size_t row = 0;
    VEC_EACH (sample, j->trial->samples) {
        bool failed = sample->kind == SAMPLE_FAILED || sample->kind == SAMPLE_TIMED_OUT;
        if (sample->kind == SAMPLE_OK)
            j->ok++;
        if (sample->kind == SAMPLE_UNKNOWN) {
            j->unknown++;
            j->unknown_text = sample->text;
        }
        if (failed) {
            j->failed++;
            j->failed_text = sample->text;
        }
        row = failed ? row + 1 : sample->kind == SAMPLE_OK ? 0 : row;
        if (row > j->longest_row)
            j->longest_row = row;
    }
}

static void judge_failures(Judgement *j)
{
    const Rules *rules = j->trial->rules;
    const char *last = j->failed_text ? j->failed_text : "failed";
    bool in_a_row = j->longest_row >= rules->consecutive_errors;
    if (j->failed <= rules->failure_limit && !in_a_row)
        return;
    j->final = true;
    size_t finished = j->ok + j->failed;
    if (in_a_row && j->failed <= rules->failure_limit)
        append(j->arena, &j->fails, arena_printf(j->arena, "%zu failed in a row: %s", j->longest_row, last));
    else if (j->failed == 1 && finished == 1)
        append(j->arena, &j->fails, last);
    else
        append(j->arena, &j->fails, arena_printf(j->arena, "%zu of %zu failed: %s", j->failed, finished, last));
}

/* "p95", or "max of 20" where that is all that so few samples can tell. */
static const char *name_among(Arena *arena, Statistic *statistic, size_t n)
{
    if (n >= statistics[*statistic].least)
        return statistics[*statistic].name;
    *statistic = STATISTIC_MAX;
    return arena_printf(arena, "max of %zu", n);
}

/* A percentile of too few samples fails only where there are more slow ones than the least number of samples would
 * forgive; it passes only at the baseline, which has to be short. */
static void judge_limit(Judgement *j, Statistic s, usec limit)
{
    Durations d;
    durations_of(j->scratch, j->trial->samples, limit, &d);
    size_t least = statistics[s].least, over = 0, remaining = j->trial->remaining;
    for (size_t i = 0; i < d.n; i++)
        over += d.values[i] > limit || i >= d.n - d.cut_off;
    /* A window that holds at most `most` samples forgives that many that are over. */
    size_t most = larger(remaining > SIZE_MAX / 200 ? SIZE_MAX / 200 : d.n + remaining, least);
    bool lost = over > most - rank_of(s, most), few = d.n < least;
    if (d.n == 0)
        return; /* judge_amount says so */
    if (few && !lost && j->trial->baseline) {
        append(j->arena, &j->missing,
               arena_printf(j->arena, "%s needs %zu samples, has %zu: lengthen the window, or use max or median",
                            statistic_to_string(s), least, d.n));
        return;
    }
    j->final = j->final || lost;
    bool at_least, fails = lost || (!few && over > d.n - rank_of(s, d.n));
    const char *name = name_among(j->arena, &s, d.n);
    usec value = durations_at(&d, s, &at_least);
    const char *shown = arena_printf(j->arena, "%s %s%s", name, at_least ? "more than " : "", show(j->arena, value));
    const char *forgiven = few && !fails && over > 0 ? arena_printf(j->arena, ", %zu above", over) : "";
    append(j->arena, fails ? &j->fails : &j->passes,
           arena_printf(j->arena, "%s %s %s%s", shown, value > limit || at_least ? ">" : "<=", show(j->arena, limit),
                        forgiven));
}

static void judge_criterion(Judgement *j, const Criterion *criterion)
{
    if (j->trial->once && statistics[criterion->statistic].least > 0)
        *vec_push(j->arena, &j->result->dropped) =
            arena_printf(j->arena, "%s: not judged from one sample", statistic_to_string(criterion->statistic));
    else
        judge_limit(j, criterion->statistic, criterion->max);
}

static bool is_repeated(const Rules *rules, size_t index)
{
    const Criterion *criterion = &rules->criteria[index];
    for (const Criterion *other = rules->criteria; other < criterion; other++) {
        if (other->relative && other->over_percent == criterion->over_percent && other->slack == criterion->slack)
            return true;
    }
    return false;
}

static void compare(Judgement *j, const Criterion *criterion)
{
    const Trial *trial = j->trial;
    Comparison comparison = {COMPARISON_DROPPED, "over_baseline: not judged from one sample"};
    if (!trial->once)
        comparison_make(j->arena, trial->baseline, trial->samples, criterion->over_percent, criterion->slack,
                        &comparison);
    switch (comparison.answer) {
    case COMPARISON_DROPPED: *vec_push(j->arena, &j->result->dropped) = comparison.text; break;
    case COMPARISON_UNDECIDED: append(j->arena, &j->open, comparison.text); break;
    case COMPARISON_FINE: append(j->arena, &j->passes, comparison.text); break;
    case COMPARISON_WORSE:
        append(j->arena, &j->fails, comparison.text);
        j->final = true;
        break;
    }
}

/* Margins against the baseline; the same one is looked at once. While the baseline itself is taken, a short one is what
 * stays open. */
static void judge_relative(Judgement *j)
{
    const Rules *rules = j->trial->rules;
    size_t least = rules_baseline_least(rules), finished = j->ok + j->failed;
    for (size_t i = 0; j->trial->baseline && i < rules->n; i++) {
        if (rules->criteria[i].relative && !is_repeated(rules, i))
            compare(j, &rules->criteria[i]);
    }
    if (!j->trial->baseline && !j->trial->once && j->trial->remaining > 0 && finished < least)
        append(j->arena, &j->open, arena_printf(j->arena, "%zu of %zu samples for over_baseline", finished, least));
}

static void judge_amount(Judgement *j)
{
    size_t needed = j->trial->once ? 1 : j->trial->rules->min_samples, finished = j->ok + j->failed;
    if (!j->trial->baseline && needed > 1)
        needed = 1; /* a baseline is as long as it may be */
    if (finished < needed)
        append(j->arena, &j->missing, arena_printf(j->arena, "%zu of %zu samples", finished, needed));
    else if (j->ok == 0 && !j->fails)
        append(j->arena, &j->missing, "no sample succeeded");
    if (j->missing && j->unknown_text)
        append(j->arena, &j->missing, j->unknown_text);
}

static void add_measures(Judgement *j)
{
    Statistics stats;
    statistics_with(j->trial->samples, USEC_INFINITY, &stats); /* what still runs would be taken for a short one */
    for (Statistic s = 0; stats.n > 0 && s < STATISTIC_COUNT; s++) {
        if (stats.n < statistics[s].least)
            continue; /* it would be called what it is not; max and samples are there */
        *vec_push(j->arena, &j->result->measures) =
            (Measure){statistic_to_string(s), (double)stats.values[s] / (double)USEC_PER_MSEC, "ms"};
    }
    *vec_push(j->arena, &j->result->measures) = (Measure){"samples", (double)(j->ok + j->failed), ""};
    *vec_push(j->arena, &j->result->measures) = (Measure){"failures", (double)j->failed, ""};
}

void trial_judge(const Trial *trial, Arena *arena, CheckResult *ret)
{
    CLEANUP(arena_free) Arena *scratch = arena_new();
    CheckResult result = {.name = ret->name};
    Judgement j = {.trial = trial, .arena = arena, .scratch = scratch, .result = &result};
    count_samples(&j);
    judge_failures(&j);
    for (size_t i = 0; i < trial->rules->n; i++)
        judge_criterion(&j, &trial->rules->criteria[i]);
    judge_relative(&j);
    judge_amount(&j);
    add_measures(&j);
    size_t finished = j.ok + j.failed;
    const char *samples = arena_printf(arena, "(%zu sample%s)", finished, finished == 1 ? "" : "s");
    if (j.fails) {
        result.verdict = VERDICT_FAIL;
        result.final = j.final || trial->remaining == 0;
        result.reason = arena_printf(arena, "%s %s", j.fails, samples);
    } else if (j.missing) {
        result.verdict = VERDICT_BLIND;
        result.reason = j.missing;
    } else if (j.open) {
        result.verdict = VERDICT_UNDECIDED;
        result.reason = j.open;
    } else {
        result.verdict = VERDICT_PASS;
        result.reason = arena_printf(arena, "%s %s", j.passes ? j.passes : "all good", samples);
    }
    *ret = result;
}
