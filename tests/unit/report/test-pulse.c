/* SPDX-License-Identifier: Apache-2.0 */
#include "report/pulse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run-sample.h"

#define NOW  SAMPLE_START
#define BOOT (5000 * USEC_PER_SEC)

static Event wait_event(usec done)
{
    return (Event){EVENT_WAIT,
                   SAMPLE_AT(0),
                   .state = RUN_CONFIRMING,
                   .subject = "confirmation",
                   .duration_usec = done,
                   .total_usec = USEC_PER_HOUR};
}

static usec done_at(const Pulse *pulse, usec boottime)
{
    Event event;
    assert_true(pulse_now(pulse, NOW + 1, boottime, &event));
    assert_int_equal(event.realtime, NOW + 1);
    assert_int_equal(event.state, RUN_CONFIRMING);
    assert_string_equal(event.subject, "confirmation");
    return event.duration_usec;
}

static void a_wait_goes_on_between_two_lines(void **state)
{
    (void)state;
    Pulse pulse = {0};
    Event event = wait_event(90 * USEC_PER_SEC);
    pulse_take(&pulse, &event, NOW, BOOT);
    assert_int_equal(done_at(&pulse, BOOT + 7 * USEC_PER_SEC), 97 * USEC_PER_SEC);
    assert_int_equal(done_at(&pulse, BOOT + 2 * USEC_PER_HOUR), USEC_PER_HOUR);
}

static void who_comes_later_counts_from_when_it_was_told(void **state)
{
    (void)state;
    Pulse pulse = {0};
    Event event = wait_event(90 * USEC_PER_SEC);
    pulse_take(&pulse, &event, NOW + 20 * USEC_PER_SEC, BOOT);
    assert_int_equal(done_at(&pulse, BOOT), 110 * USEC_PER_SEC);
    pulse_take(&pulse, &event, NOW + 31 * USEC_PER_SEC, BOOT); /* right before the next line */
    assert_int_equal(done_at(&pulse, BOOT), 121 * USEC_PER_SEC);
    pulse_take(&pulse, &event, NOW + 24 * USEC_PER_HOUR, BOOT); /* the clock was stepped */
    assert_int_equal(done_at(&pulse, BOOT), 90 * USEC_PER_SEC);
}

static void a_wait_ends_with_its_step_but_not_with_a_note(void **state)
{
    (void)state;
    Pulse pulse = {0};
    Event event = wait_event(0), note = {EVENT_NOTE, .text = "confirmed by root"}, done = {EVENT_STEP_DONE};
    pulse_take(&pulse, &event, NOW, BOOT);
    pulse_take(&pulse, &note, NOW, BOOT);
    assert_int_equal(done_at(&pulse, BOOT), 0);
    pulse_take(&pulse, &done, NOW, BOOT);
    assert_false(pulse_now(&pulse, NOW, BOOT, &event));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_goes_on_between_two_lines),
        cmocka_unit_test(who_comes_later_counts_from_when_it_was_told),
        cmocka_unit_test(a_wait_ends_with_its_step_but_not_with_a_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
