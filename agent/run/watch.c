/* SPDX-License-Identifier: Apache-2.0 */
#include "run/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "host/http.h"

/* How often a phase looks up from waiting: for cancelling, and so that a check with a lazy clock is asked again. */
#define ROUND_USEC (200 * USEC_PER_MSEC)
/* Between two rounds of requests that warm up. */
#define WARM_USEC (100 * USEC_PER_MSEC)

typedef struct Open {
    CheckContext context;
    const PlannedCheck *plan;
    void *state;
    bool enough;         /* poll said that it needs nothing more in this phase */
    const char *trouble; /* it could not go on observing: blind, with this reason */
} Open;

struct Watch {
    WatchInput input;
    HttpPool *http;
    VEC(Open) checks;
    size_t samples;
    bool ahead; /* the verification has begun */
};

static void count_sample(void *user, const char *check, double value, const char *unit, bool ok, const char *text)
{
    Watch *watch = user;
    watch->samples++;
    progress_emit(
        watch->input.progress,
        (Event){.kind = EVENT_SAMPLE, .subject = check, .value = value, .unit = unit, .ok = ok, .text = text});
}

static int open_check(Watch *watch, size_t index, Err *err)
{
    Open *check = &watch->checks.items[index];
    check->context = (CheckContext){
        .arena = watch->input.arena,
        .run_id = watch->input.run_id,
        .view = watch->input.view,
        .http = watch->http,
        .tag = index,
        .systemd = watch->input.systemd,
        .interval_usec = watch->input.interval_usec,
        .once = watch->input.once,
        .on_sample = count_sample,
        .user = watch,
    };
    int r = check->plan->kind->open(&check->context, check->plan->spec, &check->state, err);
    return r < 0 ? err_prefix(err, "check \"%s\" cannot observe", check->plan->name) : 0;
}

int watch_open(const WatchInput *input, Watch **ret, Err *err)
{
    CLEANUP(watch_close) Watch *watch = xmalloc(sizeof *watch);
    *watch = (Watch){.input = *input};
    const char *agent = arena_printf(input->arena, "salve-probe/%s", input->run_id);
    int r = http_pool_open(agent, &watch->http, err);
    if (r < 0)
        return r;
    /* All first: a check keeps a pointer to its context, which must not move. */
    VEC_EACH (plan, input->checks)
        vec_push(input->arena, &watch->checks)->plan = plan;
    for (size_t i = 0; i < watch->checks.n; i++) {
        r = open_check(watch, i, err);
        if (r < 0) {
            err->kind = ERR_REFUSED;
            return -ERR_REFUSED;
        }
    }
    *ret = STEAL(watch);
    return 0;
}

void watch_close(Watch *watch)
{
    if (!watch)
        return;
    VEC_EACH (check, &watch->checks) {
        if (check->state)
            check->plan->kind->close(check->state);
    }
    http_pool_close(watch->http);
    free(watch);
}

static void note_trouble(Watch *watch, Open *check, const Err *err)
{
    if (!check->trouble)
        check->trouble = arena_strdup(watch->input.arena, err_text(err));
}

static void begin_all(Watch *watch, CheckPhase phase, usec window)
{
    View *planned = watch->input.view;
    View *view = planned && phase == CHECK_BASELINE ? view_before(planned) : planned;
    watch->samples = 0;
    VEC_EACH (check, &watch->checks) {
        Err err;
        check->enough = false;
        check->trouble = NULL;
        check->context.view = view;
        check->context.over_usec = 0;
        if (check->plan->kind->begin(check->state, phase, window, &err) < 0)
            note_trouble(watch, check, &err);
    }
}

/* Polls every check; *ret_next is the earliest time that one asked for. True while any wants to go on. */
static bool poll_all(Watch *watch, usec now, usec *ret_next)
{
    bool wanting = false;
    VEC_EACH (check, &watch->checks) {
        Err err;
        usec next = now + ROUND_USEC;
        if (check->trouble)
            continue;
        int r = check->plan->kind->poll(check->state, now, &next, &err);
        if (r < 0)
            note_trouble(watch, check, &err);
        check->enough = r > 0;
        wanting = wanting || r == 0;
        if (next < *ret_next)
            *ret_next = next;
    }
    return wanting;
}

/* A signal ends it early: the caller looks at cancel. */
static void sleep_until(usec until)
{
    usec now = clock_boottime(), wait = until > now ? until - now : 0;
    struct timespec ts = {.tv_sec = (time_t)(wait / USEC_PER_SEC), .tv_nsec = (long)(wait % USEC_PER_SEC) * 1000};
    ppoll(NULL, 0, &ts, NULL);
}

/* Waits for an answer to a probe or until `until`, whichever is first, and hands the answer to its check. */
static int wait_for_answer(Watch *watch, usec until, Err *err)
{
    usec now = clock_boottime();
    usec wait = until > now ? until - now : 0;
    if (http_in_flight(watch->http) == 0) {
        sleep_until(until);
        return 0;
    }
    CLEANUP(arena_free) Arena *arena = arena_new();
    HttpResult result;
    int r = http_poll(watch->http, arena, wait, &result, err);
    if (r != 0)
        return r == HTTP_NONE ? 0 : r;
    Err trouble;
    Open *check = result.tag < watch->checks.n ? &watch->checks.items[result.tag] : NULL;
    if (check && check->plan->kind->on_http && check->plan->kind->on_http(check->state, &result, &trouble) < 0)
        note_trouble(watch, check, &trouble);
    return 0;
}

/* Until then, whatever comes in. */
static int pause_for_answers(Watch *watch, usec until, Err *err)
{
    int r = 0;
    while (r >= 0 && clock_boottime() < until && !(watch->input.cancel && *watch->input.cancel))
        r = wait_for_answer(watch, until, err);
    return r;
}

static void judge_one(Watch *watch, Arena *arena, Open *check, bool closing, CheckResult *ret)
{
    Err err;
    *ret = (CheckResult){.name = check->plan->name, .verdict = VERDICT_BLIND};
    if (!check->trouble && check->plan->kind->judge(check->state, arena, closing, ret, &err) < 0)
        note_trouble(watch, check, &err);
    if (check->trouble)
        *ret = (CheckResult){
            .name = check->plan->name, .verdict = VERDICT_BLIND, .reason = check->trouble, .fault = check->trouble};
    if (!ret->name)
        ret->name = check->plan->name;
}

/* What the checks say as things stand. */
typedef struct Standing {
    bool lost;      /* a fail that no further sample can mend */
    bool undecided; /* a check that further samples may decide */
} Standing;

static Standing standing_of(Watch *watch)
{
    CLEANUP(arena_free) Arena *scratch = arena_new(); /* asked every round */
    Standing standing = {0};
    VEC_EACH (check, &watch->checks) {
        CheckResult result;
        judge_one(watch, scratch, check, false, &result);
        standing.lost = standing.lost || (result.verdict == VERDICT_FAIL && result.final);
        standing.undecided = standing.undecided || result.verdict == VERDICT_UNDECIDED;
    }
    return standing;
}

static const char *say(Arena *arena, const CheckResult *result)
{
    return arena_printf(arena, "check \"%s\": %s", result->name,
                        result->reason ? result->reason : verdict_to_string(result->verdict));
}

static void add_up(Watch *watch, CheckPhase phase, WatchOutcome *outcome)
{
    VEC_EACH (check, &watch->checks) {
        CheckResult *result = vec_push(watch->input.arena, &outcome->results);
        judge_one(watch, watch->input.arena, check, true, result);
        if (result->verdict > outcome->verdict) {
            outcome->verdict = result->verdict;
            outcome->reason = say(watch->input.arena, result);
        }
        progress_emit(watch->input.progress, (Event){.kind = EVENT_VERDICT,
                                                     .subject = result->name,
                                                     .verdict = result->verdict,
                                                     .text = result->reason,
                                                     .unit = phase == CHECK_BASELINE ? "baseline" : "verify"});
    }
}

static bool cancelled(const Watch *watch)
{
    return watch->input.cancel && *watch->input.cancel;
}

/* One round of requests that do not count. */
static void warm_all(Watch *watch)
{
    VEC_EACH (check, &watch->checks) {
        Err err; /* what is wrong shows when the check is polled */
        if (!check->trouble && check->plan->kind->warm)
            check->plan->kind->warm(check->state, &err);
    }
}

/* Nothing that is seen here counts, but for logs. */
static int warm_up(Watch *watch, usec warmup_usec, Err *err)
{
    usec started = clock_boottime(), now = started;
    for (; now - started < warmup_usec && !cancelled(watch); now = clock_boottime()) {
        usec left = started + warmup_usec - now;
        progress_wait(watch->input.progress, "warm-up", now - started, warmup_usec);
        if (http_in_flight(watch->http) == 0)
            warm_all(watch);
        int r = pause_for_answers(watch, now + (left < WARM_USEC ? left : WARM_USEC), err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Whether the phase goes on: nothing is lost, somebody still wants to see more, and it has time. */
static bool phase_goes_on(Watch *watch, const WatchPhase *phase, bool wanting, usec elapsed)
{
    bool early = phase->phase == CHECK_BASELINE || watch->input.once;
    if (early && !wanting)
        return false;
    if (phase->phase == CHECK_BASELINE && elapsed < phase->limit_usec)
        return true;
    Standing standing = standing_of(watch);
    if (standing.lost && phase->phase == CHECK_VERIFY)
        return false;
    return elapsed < phase->limit_usec || (standing.undecided && !watch->input.once && elapsed < phase->open_usec);
}

static void note_over(Watch *watch, usec over_usec)
{
    VEC_EACH (check, &watch->checks)
        check->context.over_usec = over_usec;
}

static int observe(Watch *watch, const WatchPhase *phase, Err *err)
{
    usec started = clock_boottime(), now = started, shown = started;
    while (!cancelled(watch)) {
        usec elapsed = now - started, next = now + ROUND_USEC, end = started + phase->limit_usec;
        note_over(watch, elapsed > phase->limit_usec ? elapsed - phase->limit_usec : 0);
        if (next > end && now < end)
            next = end;
        if (!phase_goes_on(watch, phase, poll_all(watch, now, &next), elapsed))
            break;
        int r = wait_for_answer(watch, next, err);
        if (r < 0)
            return r;
        now = clock_boottime();
        if (now - shown >= USEC_PER_SEC) {
            progress_wait(watch->input.progress, phase->phase == CHECK_BASELINE ? "baseline" : "verify", now - started,
                          now < end ? phase->limit_usec : phase->open_usec);
            shown = now;
        }
    }
    return 0;
}

static void send_requests(Watch *watch)
{
    VEC_EACH (check, &watch->checks) {
        Err err;
        usec next;
        if (check->plan->kind->on_http && !check->trouble &&
            check->plan->kind->poll(check->state, clock_boottime(), &next, &err) < 0)
            note_trouble(watch, check, &err);
    }
}

void watch_ahead(Watch *watch, usec window_usec, usec until)
{
    Err ignored; /* a request that got no answer tells it in its phase */
    usec now = clock_boottime();
    if (!watch->ahead) {
        begin_all(watch, CHECK_VERIFY, window_usec);
        send_requests(watch);
        watch->ahead = true;
    }
    if (until > now && http_pump(watch->http, until - now, &ignored) < 0)
        sleep_until(until);
}

int watch_phase(Watch *watch, const WatchPhase *phase, WatchOutcome *ret, Err *err)
{
    WatchOutcome outcome = {.verdict = VERDICT_PASS};
    usec started = clock_boottime();
    if (!watch->ahead)
        begin_all(watch, phase->phase, phase->window_usec);
    watch->ahead = false;
    int r = warm_up(watch, phase->warmup_usec, err);
    if (r >= 0)
        r = observe(watch, phase, err);
    if (r < 0)
        return r;
    outcome.cancelled = cancelled(watch);
    if (!outcome.cancelled)
        add_up(watch, phase->phase, &outcome);
    outcome.samples = watch->samples;
    outcome.elapsed_usec = clock_boottime() - started;
    *ret = outcome;
    return 0;
}

const char *watch_unwanted(Arena *arena, const WatchOutcome *outcome, const bool keeps[static VERDICT_COUNT])
{
    const CheckResult *worst = NULL;
    VEC_EACH (result, &outcome->results) {
        if (!keeps[result->verdict] && (!worst || result->verdict > worst->verdict))
            worst = result;
    }
    return worst ? say(arena, worst) : NULL;
}

void watch_for_rollback(Watch *watch, View *restored)
{
    watch->input.view = restored;
    watch->input.once = true;
    watch->input.cancel = NULL;
    watch->ahead = false;
    VEC_EACH (check, &watch->checks)
        check->context.once = true;
}

bool watch_as_before(Arena *arena, const CheckResultVec *baseline, const CheckResultVec *now, const char **ret_reason,
                     StringVec *ret_sick)
{
    const char *reason = NULL;
    for (size_t i = 0; i < now->n; i++) {
        const CheckResult *result = &now->items[i];
        const CheckResult *then = i < baseline->n ? &baseline->items[i] : NULL;
        if (result->verdict == VERDICT_PASS)
            continue;
        const char *text = say(arena, result);
        bool failed = then && then->verdict == VERDICT_FAIL && result->verdict == VERDICT_FAIL;
        if (then && then->verdict == VERDICT_PASS)
            reason = reason ? reason : text;
        else if (failed && !then->fault)
            *vec_push(arena, ret_sick) = text;
    }
    *ret_reason = reason;
    return reason == NULL;
}
