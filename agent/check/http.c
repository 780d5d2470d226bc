/* SPDX-License-Identifier: Apache-2.0 */
/* The http check: asks for a URL again and again, one request at a time, and judges answers and durations.
 *
 * The baseline asks in quick succession until it has what its criteria need, because somebody waits for it; what still
 * runs when it is cut off counts as "slower than that". In the window requests start `every` so often, or later where
 * one takes longer. Durations that are compared are taken at random distances around that: what comes back at regular
 * intervals (a cron job, a garbage collection, a cache that expires) is then met by both windows alike, and samples
 * resemble their neighbours less. A request that was left running by an earlier phase is told by its start and
 * ignored. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "check/http-answer.h"
#include "check/kinds.h"

enum { BASELINE_GAP_MSEC = 100, LOOK_AGAIN_MSEC = 250 };

typedef enum Step { STEP_NAME, STEP_CONNECT, STEP_TLS, STEP_FIRST_BYTE, STEP_TOTAL, STEP_COUNT } Step;

static const char *const step_names[STEP_COUNT] = {"name", "connect", "tls", "first byte", "total"};

typedef VEC(HttpTiming) TimingVec;

typedef struct HttpState {
    CheckContext *context;
    const HttpSpec *spec;
    const char *name;
    Rules rules;
    HttpExpect expect;
    HttpRequest request;
    usec every;

    CheckPhase phase;
    usec window, began; /* began: boottime of the first poll, 0 before it */
    usec phase_realtime;
    usec next_start;
    usec ahead;    /* by how much next_start is behind the regular time */
    uint64_t seed; /* of the random distances: another one in each run and check, the same in each repetition */
    bool in_flight;
    usec in_flight_since, last_seen; /* boottime; last_seen: when it was last known to run */
    SampleVec baseline, samples;     /* `samples` of the present phase */
    TimingVec timings;               /* of good answers in the present phase */
    const char *fault;               /* the first answer in the present phase that shows the check to be wrong */
} HttpState;

static usec every_of(const HttpSpec *spec, usec interval_usec)
{
    return value_is_known(&spec->every) ? spec->every.duration : interval_usec;
}

static const char *http_name(Arena *arena, const void *spec_)
{
    const HttpSpec *spec = spec_;
    return value_is_set(&spec->name) ? spec->name.text : arena_printf(arena, "http %s", spec->url.text);
}

/* One sample after the other, each as slow as a good one may be, and a tenth more: a late one must not make the check
 * blind. */
static usec needed_window(const HttpSpec *spec, const Rules *rules, usec interval_usec, usec longest_request_usec)
{
    usec slowest = rules_smallest_max(rules, longest_request_usec), every = every_of(spec, interval_usec);
    usec gap = slowest > every ? slowest : every;
    size_t spare = rules->min_samples / 10;
    return (rules->min_samples - 1 + spare) * gap + slowest + USEC_PER_SEC;
}

static int http_lint(const void *spec_, usec window_usec, usec interval_usec, Err *err)
{
    const HttpSpec *spec = spec_;
    CLEANUP(arena_free) Arena *arena = arena_new();
    Rules rules;
    int r = rules_from_spec(&spec->criteria, &rules, err);
    if (r < 0)
        return r;
    CLEANUP(http_expect_close) HttpExpect expect = {0};
    r = http_expect_open(arena, spec, &expect, err);
    if (r < 0)
        return r;
    HttpRequest request;
    r = http_request_from_spec(arena, spec, &request, err);
    if (r < 0)
        return r;
    usec largest = rules_largest_max(&rules, 0), timeout = http_timeout_of(spec, &rules);
    if (timeout <= largest)
        return err_set(err, ERR_INVALID, "timeout %s gives up before the limit of %s can be judged: raise it",
                       usec_to_string(arena, timeout), usec_to_string(arena, largest));
    usec every = every_of(spec, interval_usec);
    size_t samples = rules_least_samples(&rules);
    if (window_usec > 0 && every > 0 && window_usec < (samples - 1) * every)
        return err_set(err, ERR_INVALID,
                       "the window of %s holds fewer than the %zu samples needed, one every %s: write window: auto, %s",
                       usec_to_string(arena, window_usec), samples, usec_to_string(arena, every),
                       "lengthen it, or lower every or min_samples");
    return 0;
}

static int http_preflight(View *view, const void *spec_, const char **ret_why, Err *err)
{
    const HttpSpec *spec = spec_;
    if (value_is_known(&spec->ca) && check_file_is_absent(view, spec->ca.text))
        return err_set(err, ERR_REFUSED, "%s is not there: write ca with a file of CA certificates that is",
                       spec->ca.text);
    VEC_EACH (from, &spec->header_from) {
        if (check_file_is_absent(view, from->file.text))
            return err_set(err, ERR_REFUSED, "%s is not there: it should hold the value of %s", from->file.text,
                           from->name.text);
    }
    return 0;
}

static usec http_window(const void *spec_, usec interval_usec, usec longest_request_usec)
{
    const HttpSpec *spec = spec_;
    Rules rules;
    Err err;
    if (rules_from_spec(&spec->criteria, &rules, &err) < 0)
        return 0; /* lint has said so */
    return needed_window(spec, &rules, interval_usec, longest_request_usec);
}

/* Time for the last sample that can decide a comparison, and a tenth more. */
static usec http_window_most(const void *spec_, usec interval_usec)
{
    const HttpSpec *spec = spec_;
    Rules rules;
    Err err;
    if (rules_from_spec(&spec->criteria, &rules, &err) < 0)
        return 0; /* lint has said so */
    size_t samples = rules_most_samples(&rules);
    return rules_have_relative(&rules) ? (samples + samples / 10) * every_of(spec, interval_usec) : 0;
}

static uint64_t seed_of(const char *run_id, const char *name)
{
    CLEANUP(arena_free) Arena *scratch = arena_new();
    const char *text = arena_printf(scratch, "%s %s", run_id ? run_id : "", name);
    Hash hash = hash_of(text, strlen(text));
    uint64_t seed;
    memcpy(&seed, &hash, sizeof seed);
    return seed;
}

/* Below `limit`; splitmix64 (Steele, Lea and Flood 2014). */
static usec random_below(uint64_t *seed, usec limit)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return limit > 0 ? (z ^ (z >> 31)) % limit : 0;
}

static int add_secret_headers(HttpState *state, Err *err)
{
    CheckContext *context = state->context;
    VEC_EACH (from, &state->spec->header_from) {
        Bytes content;
        int r = view_read(context->view, from->file.text, &content, NULL, err);
        if (r < 0)
            return r;
        if (r > 0)
            return err_set(err, ERR_NOT_FOUND, "%s is not there: it should hold the value of %s", from->file.text,
                           from->name.text);
        r = http_header_from(context->arena, from, content, vec_push(context->arena, &state->request.headers), err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int http_open(CheckContext *context, const void *spec, void **ret_state, Err *err)
{
    HttpState *state = arena_new_of(context->arena, HttpState);
    *state = (HttpState){.context = context, .spec = spec, .name = http_name(context->arena, spec)};
    state->every = every_of(state->spec, context->interval_usec);
    state->seed = seed_of(context->run_id, state->name);
    int r = rules_from_spec(&state->spec->criteria, &state->rules, err);
    if (r < 0)
        return r;
    r = http_request_from_spec(context->arena, spec, &state->request, err);
    if (r < 0)
        return r;
    r = add_secret_headers(state, err);
    if (r < 0)
        return r;
    r = http_expect_open(context->arena, spec, &state->expect, err);
    if (r < 0)
        return r;
    state->request.tag = context->tag;
    state->request.timeout_usec = http_timeout_of(state->spec, &state->rules);
    *ret_state = state;
    return 0;
}

static void http_close(void *state_)
{
    HttpState *state = state_;
    if (state)
        http_expect_close(&state->expect);
}

/* The samples so far, with the request that still ran at `now` as one that is not finished. */
static SampleVec samples_at(const HttpState *state, Arena *arena, usec now_boottime)
{
    SampleVec samples = {0};
    VEC_EACH (sample, &state->samples) {
        *vec_push(arena, &samples) = *sample;
    }
    if (state->in_flight)
        *vec_push(arena, &samples) = (Sample){SAMPLE_UNFINISHED, now_boottime - state->in_flight_since, NULL};
    return samples;
}

static int http_begin(void *state_, CheckPhase phase, usec window_usec, Err *err)
{
    HttpState *state = state_;
    if (state->phase == CHECK_BASELINE && phase == CHECK_VERIFY)
        state->baseline = samples_at(state, state->context->arena, state->last_seen);
    state->phase = phase;
    state->window = window_usec;
    state->began = state->next_start = state->ahead = 0;
    state->phase_realtime = clock_realtime();
    state->in_flight = false;
    state->samples = (SampleVec){0};
    state->timings = (TimingVec){0};
    state->fault = NULL;
    return 0;
}

static size_t count_finished(const SampleVec *samples)
{
    size_t n = 0;
    VEC_EACH (sample, samples) {
        n += sample->kind != SAMPLE_UNKNOWN;
    }
    return n;
}

static bool any_failed(const SampleVec *samples)
{
    VEC_EACH (sample, samples) {
        if (sample->kind == SAMPLE_FAILED || sample->kind == SAMPLE_TIMED_OUT)
            return true;
    }
    return false;
}

/* A baseline that is only good for its verdict ends with the first failure: more of them would only load a sick host.
 */
static bool has_enough(const HttpState *state)
{
    size_t n = count_finished(&state->samples);
    if (state->context->once)
        return n >= 1;
    if (state->phase == CHECK_VERIFY)
        return false;
    return n >= rules_baseline_samples(&state->rules) ||
           (!rules_have_relative(&state->rules) && state->rules.failure_limit == 0 && any_failed(&state->samples));
}

/* Until the next start. Each start is late by up to four fifths of the regular distance, whatever the one before was:
 * the distances are random, and as many samples fit into the window as with equal ones. */
static usec gap_of(HttpState *state)
{
    usec dense = BASELINE_GAP_MSEC * USEC_PER_MSEC, tenth = state->every / 10;
    usec regular = state->phase == CHECK_VERIFY ? state->every : tenth < dense ? tenth : dense;
    if (!rules_have_relative(&state->rules))
        return regular;
    usec late = random_below(&state->seed, regular / 5 * 4), gap = regular + late - state->ahead;
    state->ahead = late;
    return gap;
}

static int http_check_poll(void *state_, usec now_boottime, usec *ret_next, Err *err)
{
    HttpState *state = state_;
    if (state->began == 0)
        state->began = now_boottime;
    state->last_seen = now_boottime;
    if (!state->in_flight && has_enough(state)) {
        *ret_next = USEC_INFINITY;
        return 1;
    }
    if (!state->in_flight && now_boottime >= state->next_start) {
        int r = http_start(state->context->http, &state->request, err);
        if (r < 0)
            return err_prefix(err, "%s", state->name);
        state->in_flight = true;
        state->in_flight_since = now_boottime;
        state->next_start = now_boottime + gap_of(state);
    }
    *ret_next = state->in_flight ? now_boottime + LOOK_AGAIN_MSEC * USEC_PER_MSEC : state->next_start;
    return 0;
}

/* A check that asks seldom asks for something dear: that one is not repeated to warm up. */
static int http_warm(void *state_, Err *err)
{
    HttpState *state = state_;
    HttpRequest request = state->request;
    request.tag = CHECK_TAG_WARM;
    return state->every > state->context->interval_usec ? 0 : http_start(state->context->http, &request, err);
}

static int http_on_result(void *state_, const HttpResult *result, Err *err)
{
    HttpState *state = state_;
    CheckContext *context = state->context;
    if (!state->in_flight || result->started < state->phase_realtime)
        return 0; /* of an earlier phase */
    state->in_flight = false;
    Sample sample = http_answer_judge(context->arena, &state->expect, result);
    *vec_push(context->arena, &state->samples) = sample;
    bool ok = sample.kind == SAMPLE_OK;
    if (ok)
        *vec_push(context->arena, &state->timings) = result->timing;
    else if (!state->fault)
        state->fault = http_answer_fault(context->arena, &state->expect, &state->request, result);
    if (context->on_sample)
        context->on_sample(context->user, state->name, (double)sample.duration / (double)USEC_PER_MSEC, "ms", ok,
                           sample.text);
    return 0;
}

static usec step_of(const HttpTiming *timing, Step step)
{
    const usec ends[STEP_COUNT] = {timing->name_usec, timing->connect_usec, timing->tls_usec, timing->first_byte_usec,
                                   timing->total_usec};
    if (step == STEP_TOTAL || ends[step] == 0)
        return ends[step];
    usec before = 0; /* the last step that took place */
    for (Step s = STEP_NAME; s < step; s++)
        before = ends[s] > before ? ends[s] : before;
    return ends[step] > before ? ends[step] - before : 0;
}

static int compare_usec(const void *a, const void *b)
{
    usec x = *(const usec *)a, y = *(const usec *)b;
    return x < y ? -1 : x > y;
}

/* The median of each step: where the time goes. */
static void add_steps(const HttpState *state, Arena *arena, CheckResult *result)
{
    size_t n = state->timings.n;
    if (n == 0)
        return;
    CLEANUP(arena_free) Arena *scratch = arena_new();
    usec *values = arena_array(scratch, usec, n);
    for (Step step = 0; step < STEP_COUNT; step++) {
        for (size_t i = 0; i < n; i++)
            values[i] = step_of(&state->timings.items[i], step);
        qsort(values, n, sizeof *values, compare_usec);
        usec median = values[(n - 1) / 2];
        if (median > 0)
            *vec_push(arena, &result->measures) =
                (Measure){step_names[step], (double)median / (double)USEC_PER_MSEC, "ms"};
    }
}

/* How many more samples can begin before the window is over, and the one that runs. */
static size_t remaining_samples(const HttpState *state)
{
    if (state->window == 0 || state->every == 0 || state->phase == CHECK_BASELINE)
        return SIZE_MAX;
    usec elapsed = state->began ? clock_boottime() - state->began : 0;
    if (elapsed >= state->window)
        return state->in_flight;
    return (size_t)((state->window - elapsed) / state->every) + 1 + state->in_flight;
}

static int http_judge(void *state_, Arena *arena, bool closing, CheckResult *ret, Err *err)
{
    HttpState *state = state_;
    CLEANUP(arena_free) Arena *scratch = arena_new();
    state->last_seen = clock_boottime();
    SampleVec samples = samples_at(state, scratch, state->last_seen);
    Trial trial = {
        .rules = &state->rules,
        .baseline = state->phase == CHECK_VERIFY ? &state->baseline : NULL,
        .samples = &samples,
        .remaining = closing ? 0 : remaining_samples(state),
        .once = state->context->once,
    };
    CheckResult result = {.name = state->name};
    trial_judge(&trial, arena, &result);
    if (state->phase == CHECK_BASELINE && state->timings.n == 0) /* one good answer, and the check is right */
        result.fault = state->fault;
    add_steps(state, arena, &result);
    *ret = result;
    return 0;
}

const CheckKind check_http = {
    .name = "http",
    .help = "Asks for a URL and judges status, body and durations.",
    .fields = http_fields,
    .spec_size = sizeof(HttpSpec),
    .name_of = http_name,
    .lint = http_lint,
    .window = http_window,
    .window_most = http_window_most,
    .preflight = http_preflight,
    .open = http_open,
    .begin = http_begin,
    .warm = http_warm,
    .poll = http_check_poll,
    .on_http = http_on_result,
    .judge = http_judge,
    .close = http_close,
};
