/* SPDX-License-Identifier: Apache-2.0 */
/* Which runs stand, and which temporary changes end, over records alone. Time is in hours. */
#include "run/standing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

typedef struct Past {
    const char *id, *file, *undoes, *origin;
    usec until; /* 0: for good */
    RunState state;
    bool blamed;
    usec at; /* when it began and ended */
} Past;

enum { MAX_PAST = 8 };

/* The table is in the order in which things happened; the runs are newest first. */
static PastRunVec runs_of(Arena *arena, const Past *past)
{
    PastRunVec runs = {0};
    size_t n = 0;
    while (n < MAX_PAST && past[n].id)
        n++;
    for (size_t i = n; i-- > 0;) {
        PastRun *run = vec_push(arena, &runs);
        *run = (PastRun){.record = {.id = past[i].id,
                                    .state = past[i].state ? past[i].state : RUN_KEPT,
                                    .created = past[i].at ? past[i].at : i + 1,
                                    .ended = past[i].at ? past[i].at : i + 1,
                                    .undoes = past[i].undoes,
                                    .origin = past[i].origin,
                                    .until = past[i].until,
                                    .blamed = past[i].blamed}};
        *vec_push(arena, &run->files) = past[i].file ? past[i].file : "/f";
    }
    standing_mark(arena, &runs);
    return runs;
}

/* "r1 r3": those that stand, oldest first. */
static const char *standing(Arena *arena, const Past *past)
{
    PastRunVec runs = runs_of(arena, past);
    const char *text = "";
    for (size_t i = runs.n; i-- > 0;) {
        if (runs.items[i].stands)
            text = arena_printf(arena, "%s%s%s", text, *text ? " " : "", runs.items[i].record.id);
    }
    return text;
}

/* "r2 running; r1 waiting r2": newest first. */
static const char *temporaries(Arena *arena, usec now, const Past *past)
{
    PastRunVec runs = runs_of(arena, past);
    TemporaryVec found = {0};
    const char *text = "";
    temporaries_find(arena, &runs, now, &found);
    VEC_EACH (item, &found)
        text = arena_printf(arena, "%s%s%s %s%s%s", text, *text ? "; " : "", item->run->record.id,
                            temporary_state_to_string(item->state), item->by ? " " : "", item->by ? item->by->id : "");
    return text;
}

#define PAST(...) ((const Past[MAX_PAST + 1]){__VA_ARGS__})

static void a_kept_run_stands_until_a_standing_one_undoes_it(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_string_equal(standing(arena, PAST({"r1"}, {"r2", .state = RUN_ROLLED_BACK}, {"r3"})), "r1 r3");
    assert_string_equal(standing(arena, PAST({"r1"}, {"r2", .undoes = "r1"})), "r2");
    assert_string_equal(standing(arena, PAST({"r1"}, {"r2", .undoes = "r1", .state = RUN_ROLLED_BACK})), "r1");
    assert_string_equal(standing(arena, PAST({"r1"}, {"r2", .undoes = "r1"}, {"r3", .undoes = "r2"})), "r1 r3");
}

static void a_run_may_undo_several(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_string_equal(standing(arena, PAST({"r1"}, {"r2"}, {"r3", .undoes = "r2"}, {"r4", .undoes = "r3 r2"})),
                        "r1 r4");
    assert_string_equal(standing(arena, PAST({"r1"}, {"r2"}, {"r3", .undoes = "r2"}, {"r4", .undoes = "r3 r2"},
                                             {"r5", .undoes = "r4"})),
                        "r1 r3 r5");
    assert_string_equal(standing(arena, PAST({"r1"}, {"r11"}, {"r2", .undoes = "r11"})), "r1 r2");
}

static void a_temporary_change_ends_at_its_time(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Past *past = PAST({"r1", .until = 10}, {"r2", "/other"});
    assert_string_equal(temporaries(arena, 9, past), "r1 running");
    assert_string_equal(temporaries(arena, 10, past), "r1 due");
    PastRunVec runs = runs_of(arena, past);
    TemporaryVec found = {0};
    temporaries_find(arena, &runs, 3, &found);
    assert_int_equal(temporaries_next(&found, 3, 4), 10);
    temporaries_find(arena, &runs, 11, &found);
    assert_int_equal(temporaries_next(&found, 11, 12), 12);
    assert_int_equal(temporaries_next(&(TemporaryVec){0}, 1, 2), USEC_INFINITY);
}

static void a_later_run_for_good_supersedes_it(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_string_equal(temporaries(arena, 99, PAST({"r1", .until = 10}, {"r2"}, {"r3"})), "r1 superseded r2");
    assert_string_equal(temporaries(arena, 99, PAST({"r1"}, {"r2", .until = 10})), "r2 due");
    assert_string_equal(temporaries(arena, 99, PAST({"r1", .until = 10}, {"r2", .state = RUN_ROLLED_BACK})), "r1 due");
}

static void nested_ones_end_from_the_inside_out(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Past *past = PAST({"r1", .until = 10}, {"r2", .until = 20});
    assert_string_equal(temporaries(arena, 15, past), "r2 running; r1 waiting r2");
    assert_string_equal(temporaries(arena, 25, past), "r2 due; r1 waiting r2");
    assert_string_equal(temporaries(arena, 25, PAST({"r1", .until = 10}, {"r2", .until = 20}, {"r3", .undoes = "r2"})),
                        "r1 due");
}

static void what_is_superseded_supersedes(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    PastRunVec runs = runs_of(arena, PAST({"r1", "/f", .until = 10}, {"r2", "/f", .until = 20}, {"r3", "/g"}));
    TemporaryVec found = {0};
    *vec_push(arena, &runs.items[1].files) = "/g";
    temporaries_find(arena, &runs, 99, &found);
    assert_int_equal(found.n, 2);
    assert_int_equal(found.items[0].state, TEMPORARY_SUPERSEDED);
    assert_int_equal(found.items[1].state, TEMPORARY_SUPERSEDED);
    assert_string_equal(found.items[1].by->id, "r2");
}

static void taking_back_what_came_later_changes_nothing_for_it(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_string_equal(temporaries(arena, 99, PAST({"r1", .until = 10}, {"r2"}, {"r3", .undoes = "r2"})), "r1 due");
    assert_string_equal(temporaries(arena, 99, PAST({"r0"}, {"r1", .until = 10}, {"r2", .undoes = "r0"})),
                        "r1 superseded r2");
    assert_string_equal(temporaries(arena, 99, PAST({"r1", .until = 10}, {"r2", .undoes = "r1"})), "");
}

static void one_that_was_brought_back_after_its_end_is_for_good(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_string_equal(
        temporaries(arena, 99,
                    PAST({"r1", .until = 10}, {"r2", .undoes = "r1", .at = 11}, {"r3", .undoes = "r2", .at = 12})),
        "");
    assert_string_equal(
        temporaries(arena, 99,
                    PAST({"r1", .until = 10}, {"r2", .undoes = "r1", .at = 3}, {"r3", .undoes = "r2", .at = 4})),
        "r1 due");
}

static void an_end_that_failed_is_not_tried_again_and_again(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Past failed = {.id = "r2", .undoes = "r1", .state = RUN_ROLLED_BACK, .at = 11};
    Past blamed = failed, refused = failed, second = failed, third = failed;
    blamed.blamed = true;
    refused.state = RUN_REFUSED;
    second.id = "r3";
    third.id = "r4";
    assert_string_equal(temporaries(arena, 99, PAST({"r1", .until = 10}, blamed)), "r1 given-up r2");
    assert_string_equal(temporaries(arena, 99, PAST({"r1", .until = 10}, failed)), "r1 due r2");
    assert_string_equal(temporaries(arena, 99, PAST({"r1", .until = 10}, failed, second, third)), "r1 given-up r4");
    assert_string_equal(temporaries(arena, 99, PAST({"r1", .until = 10}, refused, refused, refused, refused)),
                        "r1 due r2");
    PastRunVec runs = runs_of(arena, PAST({"r1", .until = 10}, failed));
    TemporaryVec found = {0};
    temporaries_find(arena, &runs, 12, &found);
    assert_int_equal(temporaries_next(&found, 12, 13), 11 + TEMPORARY_RETRY_USEC);
}

static void an_end_is_an_end_though_the_clock_was_set_back(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Past end = {.id = "r2", .undoes = "r1", .origin = temporary_end_origin(arena, "r1"), .at = 3};
    Past failed = end, other = end;
    failed.state = RUN_ROLLED_BACK;
    failed.blamed = true;
    other.origin = temporary_end_origin(arena, "r11");
    assert_string_equal(temporaries(arena, 99, PAST({"r1", .until = 10}, end, {"r3", .undoes = "r2", .at = 4})), "");
    assert_string_equal(temporaries(arena, 99, PAST({"r1", .until = 10}, other, {"r3", .undoes = "r2", .at = 4})),
                        "r1 due");
    assert_string_equal(temporaries(arena, 99, PAST({"r1", .until = 10}, failed)), "r1 given-up r2");
}

static void an_attempt_in_the_future_does_not_put_off_the_next_one(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Past *past = PAST({"r1", .until = 10}, {"r2", .undoes = "r1", .state = RUN_ROLLED_BACK, .at = 5000});
    PastRunVec runs = runs_of(arena, past);
    TemporaryVec found = {0};
    temporaries_find(arena, &runs, 12, &found);
    assert_int_equal(found.items[0].state, TEMPORARY_DUE);
    assert_int_equal(found.items[0].next, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kept_run_stands_until_a_standing_one_undoes_it),
        cmocka_unit_test(a_run_may_undo_several),
        cmocka_unit_test(a_temporary_change_ends_at_its_time),
        cmocka_unit_test(a_later_run_for_good_supersedes_it),
        cmocka_unit_test(nested_ones_end_from_the_inside_out),
        cmocka_unit_test(what_is_superseded_supersedes),
        cmocka_unit_test(taking_back_what_came_later_changes_nothing_for_it),
        cmocka_unit_test(one_that_was_brought_back_after_its_end_is_for_good),
        cmocka_unit_test(an_end_is_an_end_though_the_clock_was_set_back),
        cmocka_unit_test(an_attempt_in_the_future_does_not_put_off_the_next_one),
        cmocka_unit_test(an_end_that_failed_is_not_tried_again_and_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
