/* SPDX-License-Identifier: Apache-2.0 */
/* A check observes one thing, repeatedly, first before anything is touched (baseline), then after the change (verify),
 * and judges what it saw.
 *
 * A kind is one file with a CheckKind and one row in check_kinds (check/check.c). The engine drives all checks of a run
 * from one loop:
 *
 *     open -> begin(BASELINE) -> poll... -> judge -> begin(VERIFY) -> poll... -> judge -> close
 *
 * poll never blocks: it starts what is due, collects what has come in, and says when it wants to be called again.
 * Waiting happens in the engine, on the one context->http of the run and on the clock: the engine calls http_poll and
 * hands each finished request to on_http of the check whose context->tag the request carries, at once, so that times
 * are those of the network and not of our loop. Between the phases the check keeps its baseline. Rollback is judged by
 * another begin(VERIFY) of the same checks.
 *
 * No evidence is not good news (promise 10): a check that could not observe judges `blind`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "data/decode.h"
#include "stack/view.h"

/* From good to bad: of two verdicts the later one counts. */
typedef enum Verdict {
    VERDICT_PASS,
    VERDICT_UNDECIDED, /* durations were observed, hard limits hold, and whether they are worse than before stays open
                        */
    VERDICT_BLIND,     /* what the check judges by could not be observed, or less of it than the check demands */
    VERDICT_FAIL,
    VERDICT_COUNT,
} Verdict;
const char *verdict_to_string(Verdict verdict);
/* -1: no such verdict. "inconclusive", which older programs wrote for both, is blind. */
int verdict_from_string(const char *text);

typedef enum CheckPhase { CHECK_BASELINE, CHECK_VERIFY } CheckPhase;

/* A number behind a verdict: {"p95", 412, "ms"}; unit "" for counts. */
typedef struct Measure {
    const char *name;
    double value;
    const char *unit;
} Measure;

typedef VEC(Measure) MeasureVec;

typedef struct CheckResult {
    const char *name; /* of the check, unique in a run */
    Verdict verdict;
    bool final; /* no further sample can change it: a fail that cannot become a pass any more. Never set on a pass. */
    const char *reason; /* one line with the numbers: "p95 812ms > 500ms (24 samples)" */
    MeasureVec measures;
    StringVec dropped; /* criteria that could not be applied: "over_baseline: the baseline has 3 samples" */
    /* Of a baseline that shows the check itself to be wrong here, and tells nothing of the service: what is wrong and
     * what to write instead. NULL: no such thing was seen. */
    const char *fault;
} CheckResult;

struct HttpPool;
struct HttpResult;
struct Systemd;

typedef struct CheckContext {
    Arena *arena;       /* lives as long as the run */
    const char *run_id; /* marks probes as salve's own */
    /* The configuration of the phase: in a baseline as it was before, in a verification as planned, after a rollback as
     * it is again. At open as planned: where logs are, which units there are. */
    View *view;
    struct HttpPool *http; /* shared; requests started here carry `tag` (HttpRequest.tag) */
    uint64_t tag;          /* of this check; each check has a CheckContext of its own */
    struct Systemd *systemd;
    usec interval_usec; /* the playbook's default */
    usec over_usec;     /* by how much the present phase goes on after its window, because a check is undecided */
    bool once;          /* --verify once: one sample a check is enough, min_samples is not demanded */
    /* A sample for the live view and the ledger; may be NULL. value is in `unit`. */
    void (*on_sample)(void *user, const char *check, double value, const char *unit, bool ok, const char *text);
    void *user;
} CheckContext;

/* What every check accepts: the first member of each kind's spec. */
typedef struct CheckCommon {
    Value baseline, when_absent;
} CheckCommon;

/* Which baselines end a run before anything is touched; CheckCommon.baseline.choice. */
typedef enum CheckBaseline {
    CHECK_MAY_FAIL,     /* none: what the check looks at is to come with the change */
    CHECK_MUST_OBSERVE, /* those with a CheckResult.fault */
    CHECK_MUST_PASS,    /* those that fail, too */
} CheckBaseline;

typedef enum CheckWhenAbsent { CHECK_ABSENT_REFUSE, CHECK_ABSENT_SKIP } CheckWhenAbsent;

extern const char *const check_baseline_choices[];    /* by CheckBaseline; NULL-terminated */
extern const char *const check_when_absent_choices[]; /* by CheckWhenAbsent; NULL-terminated */

/* The rows for a spec whose member `common` is a CheckCommon. */
#define CHECK_COMMON_FIELDS(T)                                                                                         \
    {.name = "baseline",                                                                                               \
     .shape = SHAPE_VALUE,                                                                                             \
     .offset = FIELD_OFFSET(T, common.baseline, Value),                                                                \
     .kind = VALUE_ENUM,                                                                                               \
     .choices = check_baseline_choices,                                                                                \
     .default_text = "must_observe",                                                                                   \
     .help = "When the run is refused after the baseline, before anything is touched: must_pass, where the check "     \
             "fails; must_observe, where the baseline shows the check itself to be wrong on this host (a name that "   \
             "does not resolve, a redirect, a login); may_fail, never, for what is to come with the change."},         \
    {                                                                                                                  \
        .name = "when_absent", .shape = SHAPE_VALUE, .offset = FIELD_OFFSET(T, common.when_absent, Value),             \
        .kind = VALUE_ENUM, .choices = check_when_absent_choices, .default_text = "refuse",                            \
        .help = "Where the host has not what is looked at (no nginx, no such unit, no such file): refuse, or skip "    \
                "the check and say so in the plan."                                                                    \
    }

enum { CHECK_ABSENT = 1 };

/* For a preflight: that the path leads to nothing. False where it cannot be told. */
bool check_file_is_absent(View *view, const char *path);

#define CHECK_TAG_WARM UINT64_MAX /* HttpRequest.tag of a request that warms up: nobody gets its answer */

typedef struct CheckKind {
    const char *name, *help;
    const Field *fields;
    size_t spec_size;
    /* It judges a change against the state right before it, such as "no more errors than then". Of no use for a
     * rollback, which goes back to a state that may have been sicker. */
    bool judges_change;
    /* The check's name: what the playbook says, or made from its fields ("journal worker-timeout gunicorn.service"). */
    const char *(*name_of)(Arena *arena, const void *spec);
    /* Problems that no field table can express; NULL if there are none. Called by lint with window 0 when it is auto.
     */
    int (*lint)(const void *spec, usec window_usec, usec interval_usec, Err *err);
    /* The least window that this check needs to pass, given the longest request that the plan allows for (0: unknown).
     */
    usec (*window)(const void *spec, usec interval_usec, usec longest_request_usec);
    /* How long a window of length auto may go on, at most, while this check is undecided; NULL: no longer. */
    usec (*window_most)(const void *spec, usec interval_usec);
    /* What can be told from the configuration before anybody is asked; NULL: nothing. CHECK_ABSENT: the host has not
     * what is looked at, *ret_why says what. ERR_REFUSED: it cannot pass as it is written; what to write instead. */
    int (*preflight)(View *view, const void *spec, const char **ret_why, Err *err);
    int (*open)(CheckContext *context, const void *spec, void **ret_state, Err *err);
    /* window_usec: how long the phase will last at most, counted from the first poll; it may end earlier. In
     * CHECK_BASELINE it is the window of the verification to come: how far back logs are looked at. Verification begins
     * right after activation, so that logs miss nothing; the first poll comes after the warm-up. */
    int (*begin)(void *state, CheckPhase phase, usec window_usec, Err *err);
    /* Sends one request that does not count, so that new workers load what they load at their first one; NULL for kinds
     * that have none. Called between begin and the first poll, while nothing is in flight. */
    int (*warm)(void *state, Err *err);
    /* ret_next: boottime usec at which to call again at the latest. 1: this check needs nothing more in this phase
     * (a baseline with enough samples; with context->once, its one sample). In CHECK_VERIFY it goes on regardless. */
    int (*poll)(void *state, usec now_boottime, usec *ret_next, Err *err);
    /* A request of this check has ended; the result is valid only during the call. NULL for kinds without requests. A
     * late result of an earlier phase is told by what the check remembers of it and ignored. */
    int (*on_http)(void *state, const struct HttpResult *result, Err *err);
    /* The verdict on the current phase so far; `closing` when the window is over: what is missing now stays missing. */
    int (*judge)(void *state, Arena *arena, bool closing, CheckResult *ret, Err *err);
    void (*close)(void *state);
} CheckKind;

extern const CheckKind *const check_kinds[]; /* NULL-terminated */
const CheckKind *check_kind_find(const char *name);
