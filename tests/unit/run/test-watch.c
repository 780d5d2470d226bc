/* SPDX-License-Identifier: Apache-2.0 */
#include "run/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A check whose verdict follows a script: what it says after its n-th poll. */
typedef struct Script {
    int open, begin, poll; /* results of these calls */
    int enough_after;      /* polls until it needs nothing more; 0: never */
    int fail_after;        /* polls until it is a final fail; 0: never */
    int undecided_until;   /* polls until it is no longer undecided; 0: it never is */
    Verdict closing;       /* verdict when the window is over */
    int polls;
    bool closed;
} Script;

static int script_open(CheckContext *context, const void *spec, void **ret_state, Err *err)
{
    (void)context;
    Script *script = (Script *)spec;
    if (script->open < 0)
        return err_set(err, ERR_DENIED, "no permission");
    *ret_state = script;
    return 0;
}

static int script_begin(void *state, CheckPhase phase, usec window_usec, Err *err)
{
    (void)phase;
    (void)window_usec;
    Script *script = state;
    script->polls = 0;
    return script->begin < 0 ? err_set(err, ERR_FAILED, "cannot begin") : 0;
}

static int script_poll(void *state, usec now_boottime, usec *ret_next, Err *err)
{
    Script *script = state;
    script->polls++;
    *ret_next = now_boottime + USEC_PER_MSEC;
    if (script->poll < 0)
        return err_set(err, ERR_FAILED, "went blind");
    return script->enough_after > 0 && script->polls >= script->enough_after;
}

static int script_judge(void *state, Arena *arena, bool closing, CheckResult *ret, Err *err)
{
    (void)arena;
    (void)err;
    Script *script = state;
    bool failed = script->fail_after > 0 && script->polls >= script->fail_after;
    bool undecided = script->polls < script->undecided_until;
    *ret = (CheckResult){.verdict = failed      ? VERDICT_FAIL
                                    : undecided ? VERDICT_UNDECIDED
                                    : closing   ? script->closing
                                                : VERDICT_BLIND,
                         .final = failed,
                         .reason = failed ? "too slow" : "scripted"};
    return 0;
}

static void script_close(void *state)
{
    ((Script *)state)->closed = true;
}

static const CheckKind script_kind = {
    .name = "script",
    .open = script_open,
    .begin = script_begin,
    .poll = script_poll,
    .judge = script_judge,
    .close = script_close,
};

typedef struct Fixture {
    Arena *arena;
    Progress progress;
    PlannedCheckVec checks;
    WatchInput input;
} Fixture;

static Fixture *fixture_new(Script *scripts, size_t n)
{
    Arena *arena = arena_new();
    Fixture *f = arena_new_of(arena, Fixture);
    f->arena = arena;
    for (size_t i = 0; i < n; i++)
        *vec_push(arena, &f->checks) =
            (PlannedCheck){.kind = &script_kind, .spec = &scripts[i], .name = i == 0 ? "first" : "second"};
    f->input = (WatchInput){.arena = arena,
                            .run_id = "test",
                            .checks = &f->checks,
                            .interval_usec = USEC_PER_SEC,
                            .progress = &f->progress};
    return f;
}

static WatchOutcome run_phase(Fixture *f, CheckPhase phase, usec limit)
{
    CLEANUP(watch_close) Watch *watch = NULL;
    WatchOutcome outcome = {0};
    WatchPhase spec = {.phase = phase, .limit_usec = limit, .window_usec = limit};
    Err err;
    assert_int_equal(watch_open(&f->input, &watch, &err), 0);
    assert_int_equal(watch_phase(watch, &spec, &outcome, &err), 0);
    return outcome;
}

static void a_pass_never_comes_before_the_window_is_over(void **state)
{
    (void)state;
    Script scripts[] = {{.closing = VERDICT_PASS, .enough_after = 1}};
    Fixture *f = fixture_new(scripts, 1);
    WatchOutcome outcome = run_phase(f, CHECK_VERIFY, 50 * USEC_PER_MSEC);
    assert_int_equal(outcome.verdict, VERDICT_PASS);
    assert_null(outcome.reason);
    assert_true(outcome.elapsed_usec >= 50 * USEC_PER_MSEC);
    assert_true(scripts[0].closed);
    arena_free(f->arena);
}

static void a_fail_that_cannot_be_mended_ends_the_window_at_once(void **state)
{
    (void)state;
    Script scripts[] = {{.closing = VERDICT_PASS}, {.closing = VERDICT_PASS, .fail_after = 2}};
    Fixture *f = fixture_new(scripts, 2);
    WatchOutcome outcome = run_phase(f, CHECK_VERIFY, 60 * USEC_PER_SEC);
    assert_int_equal(outcome.verdict, VERDICT_FAIL);
    assert_string_equal(outcome.reason, "check \"second\": too slow");
    assert_true(outcome.elapsed_usec < 10 * USEC_PER_SEC);
    assert_int_equal(outcome.results.n, 2);
    arena_free(f->arena);
}

static void a_check_that_cannot_observe_is_blind_and_so_is_the_whole(void **state)
{
    (void)state;
    Script scripts[] = {{.closing = VERDICT_PASS}, {.closing = VERDICT_PASS, .poll = -1}};
    Fixture *f = fixture_new(scripts, 2);
    WatchOutcome outcome = run_phase(f, CHECK_VERIFY, 30 * USEC_PER_MSEC);
    assert_int_equal(outcome.verdict, VERDICT_BLIND);
    assert_string_equal(outcome.reason, "check \"second\": went blind");
    arena_free(f->arena);
}

static void a_fail_outweighs_a_blind_check(void **state)
{
    (void)state;
    Script scripts[] = {{.closing = VERDICT_BLIND}, {.closing = VERDICT_FAIL}};
    Fixture *f = fixture_new(scripts, 2);
    WatchOutcome outcome = run_phase(f, CHECK_VERIFY, 10 * USEC_PER_MSEC);
    assert_int_equal(outcome.verdict, VERDICT_FAIL);
    assert_string_equal(outcome.reason, "check \"second\": scripted");
    arena_free(f->arena);
}

static WatchOutcome run_open_phase(Script *script, usec limit, usec most)
{
    Fixture *f = fixture_new(script, 1);
    Watch *watch = NULL;
    WatchOutcome outcome = {0};
    WatchPhase spec = {.phase = CHECK_VERIFY, .limit_usec = limit, .open_usec = most, .window_usec = limit};
    Err err;
    assert_int_equal(watch_open(&f->input, &watch, &err), 0);
    assert_int_equal(watch_phase(watch, &spec, &outcome, &err), 0);
    watch_close(watch); /* what it holds lives in the arena */
    arena_free(f->arena);
    return outcome;
}

static void an_undecided_check_is_given_more_time_but_not_for_ever(void **state)
{
    (void)state;
    Script never = {.closing = VERDICT_PASS, .undecided_until = 1 << 30},
           at_last = {.closing = VERDICT_PASS, .undecided_until = 40}, from_the_start = {.closing = VERDICT_PASS};
    WatchOutcome outcome = run_open_phase(&never, 10 * USEC_PER_MSEC, 100 * USEC_PER_MSEC);
    assert_int_equal(outcome.verdict, VERDICT_UNDECIDED);
    assert_true(outcome.elapsed_usec >= 100 * USEC_PER_MSEC);
    outcome = run_open_phase(&at_last, 10 * USEC_PER_MSEC, 600 * USEC_PER_SEC);
    assert_int_equal(outcome.verdict, VERDICT_PASS);
    assert_true(outcome.elapsed_usec >= 30 * USEC_PER_MSEC && outcome.elapsed_usec < 300 * USEC_PER_SEC);
    outcome = run_open_phase(&from_the_start, 10 * USEC_PER_MSEC, 600 * USEC_PER_SEC);
    assert_int_equal(outcome.verdict, VERDICT_PASS);
    assert_true(outcome.elapsed_usec < 300 * USEC_PER_SEC);
}

static const char *unwanted_of(Verdict first, Verdict second, bool undecided, bool blind)
{
    static Script scripts[2];
    const bool keeps[VERDICT_COUNT] = {[VERDICT_PASS] = true, [VERDICT_UNDECIDED] = undecided, [VERDICT_BLIND] = blind};
    scripts[0] = (Script){.closing = first};
    scripts[1] = (Script){.closing = second};
    Fixture *f = fixture_new(scripts, 2);
    WatchOutcome outcome = run_phase(f, CHECK_VERIFY, 10 * USEC_PER_MSEC);
    const char *unwanted = watch_unwanted(f->arena, &outcome, keeps);
    const char *which = !unwanted ? "none" : strstr(unwanted, "\"first\"") ? "first" : "second";
    arena_free(f->arena);
    return which;
}

static void an_open_verdict_stays_where_the_playbook_keeps_it(void **state)
{
    (void)state;
    const Verdict pass = VERDICT_PASS, undecided = VERDICT_UNDECIDED, blind = VERDICT_BLIND;
    assert_string_equal(unwanted_of(pass, undecided, true, false), "none");
    assert_string_equal(unwanted_of(pass, undecided, false, false), "second");
    assert_string_equal(unwanted_of(undecided, blind, true, false), "second");
    assert_string_equal(unwanted_of(undecided, blind, false, true), "first");
    assert_string_equal(unwanted_of(undecided, blind, true, true), "none");
    assert_string_equal(unwanted_of(VERDICT_FAIL, blind, true, true), "first");
}

static void a_baseline_ends_when_every_check_has_enough(void **state)
{
    (void)state;
    Script scripts[] = {{.closing = VERDICT_PASS, .enough_after = 1}, {.closing = VERDICT_PASS, .enough_after = 3}};
    Fixture *f = fixture_new(scripts, 2);
    WatchOutcome outcome = run_phase(f, CHECK_BASELINE, 60 * USEC_PER_SEC);
    assert_true(outcome.elapsed_usec < 10 * USEC_PER_SEC);
    assert_int_equal(scripts[1].polls, 3);
    arena_free(f->arena);
}

static void a_check_that_cannot_observe_refuses_the_run(void **state)
{
    (void)state;
    Script scripts[] = {{0}, {.open = -1}};
    Fixture *f = fixture_new(scripts, 2);
    Watch *watch = NULL;
    Err err;
    assert_int_equal(watch_open(&f->input, &watch, &err), -ERR_REFUSED);
    assert_string_equal(err.message, "check \"second\" cannot observe: no permission");
    assert_null(watch);
    assert_true(scripts[0].closed);
    arena_free(f->arena);
}

static void a_cancel_ends_the_phase_without_a_verdict(void **state)
{
    (void)state;
    Script scripts[] = {{.closing = VERDICT_PASS}};
    Fixture *f = fixture_new(scripts, 1);
    volatile sig_atomic_t cancel = 1;
    f->input.cancel = &cancel;
    WatchOutcome outcome = run_phase(f, CHECK_VERIFY, 60 * USEC_PER_SEC);
    assert_true(outcome.cancelled);
    assert_int_equal(outcome.results.n, 0);
    arena_free(f->arena);
}

static void the_judgement_of_a_rollback_cannot_be_cancelled(void **state)
{
    (void)state;
    Script scripts[] = {{.closing = VERDICT_PASS}};
    Fixture *f = fixture_new(scripts, 1);
    volatile sig_atomic_t cancel = 1;
    f->input.cancel = &cancel;
    Watch *watch;
    WatchOutcome outcome;
    WatchPhase phase = {.phase = CHECK_VERIFY, .limit_usec = USEC_PER_SEC / 10};
    Err err;
    assert_int_equal(watch_open(&f->input, &watch, &err), 0);
    watch_for_rollback(watch, f->input.view);
    assert_int_equal(watch_phase(watch, &phase, &outcome, &err), 0);
    assert_false(outcome.cancelled);
    assert_int_equal(outcome.results.n, 1);
    watch_close(watch);
    arena_free(f->arena);
}

static void a_rollback_is_judged_only_by_what_passed_before(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    CheckResultVec before = {0}, now = {0};
    StringVec sick = {0};
    const char *reason;
    *vec_push(arena, &before) = (CheckResult){.name = "health", .verdict = VERDICT_PASS};
    *vec_push(arena, &before) = (CheckResult){.name = "slow", .verdict = VERDICT_FAIL};
    *vec_push(arena, &now) = (CheckResult){.name = "health", .verdict = VERDICT_PASS};
    *vec_push(arena, &now) = (CheckResult){.name = "slow", .verdict = VERDICT_FAIL, .reason = "502"};
    assert_true(watch_as_before(arena, &before, &now, &reason, &sick));
    assert_int_equal(sick.n, 1);
    assert_string_equal(sick.items[0], "check \"slow\": 502");

    now.items[0] = (CheckResult){.name = "health", .verdict = VERDICT_BLIND, .reason = "no samples"};
    assert_false(watch_as_before(arena, &before, &now, &reason, &sick));
    assert_string_equal(reason, "check \"health\": no samples");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_never_comes_before_the_window_is_over),
        cmocka_unit_test(a_fail_that_cannot_be_mended_ends_the_window_at_once),
        cmocka_unit_test(a_check_that_cannot_observe_is_blind_and_so_is_the_whole),
        cmocka_unit_test(a_fail_outweighs_a_blind_check),
        cmocka_unit_test(an_undecided_check_is_given_more_time_but_not_for_ever),
        cmocka_unit_test(an_open_verdict_stays_where_the_playbook_keeps_it),
        cmocka_unit_test(a_baseline_ends_when_every_check_has_enough),
        cmocka_unit_test(a_check_that_cannot_observe_refuses_the_run),
        cmocka_unit_test(a_cancel_ends_the_phase_without_a_verdict),
        cmocka_unit_test(the_judgement_of_a_rollback_cannot_be_cancelled),
        cmocka_unit_test(a_rollback_is_judged_only_by_what_passed_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
