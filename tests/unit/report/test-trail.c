/* SPDX-License-Identifier: Apache-2.0 */
#include "report/trail.h"

#include "../base/temp-tree.h"
#include "run-sample.h"

static void count(void *user, const Event *event)
{
    (void)event;
    ++*(size_t *)user;
}

static void tell(Trail *trail, Event event)
{
    EventSink sink = trail_sink(trail);
    sink.emit(sink.user, &event);
}

static size_t lines_of(TempTree *tree, const char *run)
{
    Bytes text;
    Err err;
    size_t lines = 0;
    if (files_load(tree->arena, arena_printf(tree->arena, "%s/run/%s.events", tree->root, run), 1 << 20, &text, &err))
        return 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    return lines;
}

static void our_own_trail_has_all_and_another_runs_what_is_its(void **state)
{
    TempTree *tree = *state;
    size_t passed_on = 0;
    Trail *trail = trail_open(in_tree(tree, "/run"), "ours", (EventSink){count, &passed_on});
    tell(trail, (Event){EVENT_WARNING, .text = "before it began"});
    tell(trail, (Event){EVENT_STATE, .run_id = "theirs", .state = RUN_ROLLING_BACK});
    tell(trail, (Event){EVENT_STATE, .run_id = "ours", .state = RUN_PLANNED});
    assert_int_equal(trail_others(trail)->n, 1);
    assert_string_equal(trail_others(trail)->items[0], "theirs");
    trail_add(trail, NULL, node_map(tree->arena));
    trail_add(trail, "theirs", node_map(tree->arena));
    trail_close(trail);
    assert_int_equal(passed_on, 3);
    assert_int_equal(lines_of(tree, "ours"), 4);
    assert_int_equal(lines_of(tree, "theirs"), 2);
}

static void a_long_wait_does_not_fill_the_trail(void **state)
{
    TempTree *tree = *state;
    size_t passed_on = 0;
    Trail *trail = trail_open(in_tree(tree, "/run"), "r", (EventSink){count, &passed_on});
    for (usec at = 0; at < 10 * USEC_PER_SEC; at += 100 * USEC_PER_MSEC)
        tell(trail, (Event){EVENT_WAIT, .realtime = SAMPLE_START + at, .run_id = "r", .duration_usec = at});
    trail_close(trail);
    assert_int_equal(passed_on, 100);
    assert_in_range(lines_of(tree, "r"), 9, 13);
}

static void a_wait_of_days_is_told_now_and_then(void **state)
{
    TempTree *tree = *state;
    size_t passed_on = 0;
    Trail *trail = trail_open(in_tree(tree, "/run"), "r", (EventSink){count, &passed_on});
    Event event = {EVENT_WAIT, .run_id = "r", .total_usec = 168 * USEC_PER_HOUR};
    for (usec at = 0; at <= USEC_PER_HOUR; at += USEC_PER_SEC) {
        event.realtime = SAMPLE_START + at;
        event.duration_usec = at;
        tell(trail, event);
    }
    assert_in_range(lines_of(tree, "r"), 60 + 118, 60 + 120);
    size_t before = lines_of(tree, "r");
    event.total_usec += USEC_PER_HOUR; /* extended: whoever follows counts to another end at once */
    event.realtime += USEC_PER_SEC;
    tell(trail, event);
    trail_close(trail);
    assert_int_equal(lines_of(tree, "r"), before + 1);
}

static void a_trail_that_cannot_be_written_stops_nobody(void **state)
{
    TempTree *tree = *state;
    size_t passed_on = 0;
    put_file(tree, "/run", "a file");
    Trail *trail = trail_open(in_tree(tree, "/run"), "r", (EventSink){count, &passed_on});
    tell(trail, sample_events[0]);
    trail_close(trail);
    assert_int_equal(passed_on, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(our_own_trail_has_all_and_another_runs_what_is_its, tree_setup, tree_teardown),
        cmocka_unit_test_setup_teardown(a_long_wait_does_not_fill_the_trail, tree_setup, tree_teardown),
        cmocka_unit_test_setup_teardown(a_wait_of_days_is_told_now_and_then, tree_setup, tree_teardown),
        cmocka_unit_test_setup_teardown(a_trail_that_cannot_be_written_stops_nobody, tree_setup, tree_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
