/* SPDX-License-Identifier: Apache-2.0 */
#include "check/count.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int count_limit_parse(const Value *value, CountLimit *ret, Err *err)
{
    const char *text = value->text;
    if (str_equal(text, "baseline")) {
        *ret = (CountLimit){.baseline = true};
        return 0;
    }
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits] || digits > 9)
        return err_set(err, ERR_INVALID, "no_more_than: \"%s\" is neither a number nor baseline", text);
    *ret = (CountLimit){.n = strtoull(text, NULL, 10)};
    return 0;
}

/* Rounded up; zero stays zero. */
static uint64_t scaled(uint64_t n, usec from, usec to)
{
    double exact = (double)n * (double)to / (double)from;
    uint64_t whole = (uint64_t)exact;
    return whole + ((double)whole < exact);
}

/* False where there is no limit to hold the count against. */
static bool limit_of(const CountTrial *trial, uint64_t *ret)
{
    if (!trial->limit.baseline) {
        *ret = trial->limit.n;
        return true;
    }
    if (!trial->baseline || trial->baseline->problem || trial->baseline->span == 0)
        return false;
    *ret = scaled(trial->baseline->n, trial->baseline->span, trial->count.span);
    return true;
}

static const char *baseline_problem(const CountTrial *trial)
{
    return trial->baseline && trial->baseline->problem ? trial->baseline->problem : "nothing was looked at";
}

static void judge_without_limit(const CountTrial *trial, Arena *arena, CheckResult *ret)
{
    const Count *count = &trial->count;
    bool of_baseline = !trial->baseline; /* the baseline is as it is */
    if (count->problem) {
        ret->verdict = VERDICT_BLIND;
        ret->reason = count->problem;
    } else if (of_baseline || count->n == 0) {
        ret->verdict = VERDICT_PASS;
        ret->reason =
            arena_printf(arena, "%" PRIu64 " %s in %s", count->n, trial->what, usec_to_string(arena, count->span));
    } else {
        ret->verdict = VERDICT_BLIND;
        ret->reason = arena_printf(arena, "%" PRIu64 " %s, and no baseline to compare with: %s", count->n, trial->what,
                                   baseline_problem(trial));
    }
}

void count_judge(const CountTrial *trial, Arena *arena, CheckResult *ret)
{
    const Count *count = &trial->count;
    CheckResult result = {.name = ret->name};
    uint64_t limit;
    *vec_push(arena, &result.measures) = (Measure){"events", (double)count->n, ""};
    if (!limit_of(trial, &limit)) {
        judge_without_limit(trial, arena, &result);
        *ret = result;
        return;
    }
    *vec_push(arena, &result.measures) = (Measure){"limit", (double)limit, ""};
    const char *from = trial->limit.baseline ? " (from the baseline)" : "";
    if (count->n > limit) {
        result.verdict = VERDICT_FAIL;
        result.final = true;
        result.reason = arena_printf(arena, "%" PRIu64 " %s > %" PRIu64 "%s", count->n, trial->what, limit, from);
    } else if (count->problem) {
        result.verdict = VERDICT_BLIND;
        result.reason = count->problem;
    } else {
        result.verdict = VERDICT_PASS;
        result.reason = arena_printf(arena, "%" PRIu64 " %s <= %" PRIu64 "%s", count->n, trial->what, limit, from);
    }
    *ret = result;
}

/* Gunicorn's arbiter looks once a second and may need another one to kill (domain facts 1.1). */
usec count_window(usec longest_request_usec)
{
    return longest_request_usec + 3 * USEC_PER_SEC;
}
