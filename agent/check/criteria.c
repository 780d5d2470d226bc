/* SPDX-License-Identifier: Apache-2.0 */
#include "check/criteria.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t percent;  /* of the nearest rank */
    bool percentile; /* says little about few samples */
} statistics[STATISTIC_COUNT] = {
    [STATISTIC_MEDIAN] = {"median", 50, false},
    [STATISTIC_P95] = {"p95", 95, true},
    [STATISTIC_P99] = {"p99", 99, true},
    [STATISTIC_MAX] = {"max", 100, false},
};

enum { DEFAULT_MIN_SAMPLES = 3 };

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

int rules_from_spec(const CriteriaSpec *spec, Rules *ret, Err *err)
{
    Rules rules = {.consecutive_errors = SIZE_MAX};
    const char *percentile = NULL;
    for (Statistic s = 0; s < STATISTIC_COUNT; s++) {
        if (!spec->statistics[s])
            continue;
        int r = criterion_from_spec(s, spec->statistics[s], &rules.criteria[rules.n++], err);
        if (r < 0)
            return r;
        if (statistics[s].percentile)
            percentile = statistics[s].name;
    }
    rules.min_samples = percentile ? PERCENTILE_MIN_SAMPLES : DEFAULT_MIN_SAMPLES;
    if (value_is_set(&spec->min_samples))
        rules.min_samples = (size_t)spec->min_samples.integer;
    if (percentile && rules.min_samples < PERCENTILE_MIN_SAMPLES)
        return err_set(err, ERR_INVALID, "%s needs %d samples, min_samples is %zu: raise it, or use max or median",
                       percentile, PERCENTILE_MIN_SAMPLES, rules.min_samples);
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
        if (statistics[rules->criteria[i].statistic].percentile)
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
    if (rules_have_percentile(rules))
        return PERCENTILE_MIN_SAMPLES;
    if (rules_have_relative(rules))
        return rules->min_samples > DEFAULT_MIN_SAMPLES ? DEFAULT_MIN_SAMPLES : rules->min_samples;
    return 1;
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
    const char *fails, *missing, *passes;
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

/* The limit that the baseline sets; false where it cannot, with the reason in *ret_why. */
static bool relative_limit(Judgement *j, const Criterion *criterion, usec *ret_limit, const char **ret_why)
{
    Statistics baseline;
    statistics_of(j->trial->baseline, &baseline);
    Statistic s = criterion->statistic;
    size_t needed = statistics[s].percentile ? PERCENTILE_MIN_SAMPLES : 1;
    if (baseline.n < needed) {
        *ret_why = arena_printf(j->arena, "%s over_baseline: the baseline has %zu usable samples, %zu are needed",
                                statistic_to_string(s), baseline.n, needed);
        return false;
    }
    if (baseline.at_least[s]) {
        *ret_why = arena_printf(j->arena, "%s over_baseline: the baseline's %s was cut off after %s",
                                statistic_to_string(s), statistic_to_string(s), show(j->arena, baseline.values[s]));
        return false;
    }
    usec more =
        baseline.values[s] / 100 * criterion->over_percent + baseline.values[s] % 100 * criterion->over_percent / 100;
    *ret_limit = baseline.values[s] + (more > criterion->slack ? more : criterion->slack);
    return true;
}

static void judge_limit(Judgement *j, Statistic s, usec limit, const char *what)
{
    Durations d;
    durations_of(j->scratch, j->trial->samples, limit, &d);
    size_t needed = statistics[s].percentile && !j->trial->once ? PERCENTILE_MIN_SAMPLES : 1, over = 0;
    for (size_t i = 0; i < d.n; i++)
        over += d.values[i] > limit || i >= d.n - d.cut_off;
    size_t remaining = j->trial->remaining;
    /* A window that holds at most `most` samples forgives that many that are over. */
    size_t most = remaining > SIZE_MAX / 200 ? SIZE_MAX / 200 : d.n + remaining;
    if (d.n > 0 && over > most - rank_of(s, most))
        j->final = true;
    else if (d.n < needed) {
        if (statistics[s].percentile)
            append(j->arena, &j->missing,
                   arena_printf(j->arena, "%s needs %zu samples, has %zu: lengthen the window, or use max or median",
                                statistic_to_string(s), needed, d.n));
        return; /* without any sample judge_amount says so */
    }
    bool at_least;
    usec value = durations_at(&d, s, &at_least);
    const char *shown =
        arena_printf(j->arena, "%s %s%s", statistic_to_string(s), at_least ? "more than " : "", show(j->arena, value));
    if (over > d.n - rank_of(s, d.n))
        append(j->arena, &j->fails, arena_printf(j->arena, "%s > %s%s", shown, show(j->arena, limit), what));
    else
        append(j->arena, &j->passes, arena_printf(j->arena, "%s <= %s%s", shown, show(j->arena, limit), what));
}

static void judge_criterion(Judgement *j, const Criterion *criterion)
{
    const char *name = statistic_to_string(criterion->statistic);
    if (j->trial->once && statistics[criterion->statistic].percentile) {
        *vec_push(j->arena, &j->result->dropped) = arena_printf(j->arena, "%s: not judged from one sample", name);
        return;
    }
    judge_limit(j, criterion->statistic, criterion->max, "");
    if (!criterion->relative || !j->trial->baseline)
        return;
    usec limit;
    const char *why;
    if (!relative_limit(j, criterion, &limit, &why)) {
        *vec_push(j->arena, &j->result->dropped) = why;
        return;
    }
    judge_limit(j, criterion->statistic, limit, " (from the baseline)");
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
    } else {
        result.verdict = VERDICT_PASS;
        result.reason = arena_printf(arena, "%s %s", j.passes ? j.passes : "all good", samples);
    }
    *ret = result;
}
