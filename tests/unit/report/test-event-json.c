/* SPDX-License-Identifier: Apache-2.0 */
#include "report/event-json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "data/json.h"
#include "report/record-json.h"
#include "run-sample.h"

static int read_line(Arena *arena, const char *line, Event *ret, Err *err)
{
    Node *root;
    int r = json_parse(arena, "line", bytes_of(line), &root, err);
    return r < 0 ? r : event_from_json(root, ret, err);
}

static void every_event_survives_its_line(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(sample_events); i++) {
        const Event *event = &sample_events[i];
        CLEANUP(strbuf_free) StrBuf line = STRBUF_INIT(10000);
        Event read = {0};
        Err err;
        json_of_event(event, &line);
        assert_int_equal(read_line(arena, strbuf_str(&line), &read, &err), 0);
        assert_int_equal(read.kind, event->kind);
        assert_int_equal(read.state, event->state);
        assert_int_equal(read.realtime, event->realtime);
        assert_string_equal(read.run_id, event->run_id);
        assert_true(str_equal(read.subject, event->subject));
        assert_true(event->kind == EVENT_WARNING || str_equal(read.text, event->text));
        assert_int_equal(read.verdict, event->verdict);
        assert_int_equal(read.duration_usec, event->duration_usec);
        assert_int_equal(read.total_usec, event->total_usec);
        if (event->kind == EVENT_SAMPLE) {
            assert_int_equal(read.ok, event->ok);
            assert_true(read.value == event->value);
            assert_string_equal(read.unit, event->unit);
        }
    }
}

static void a_line_that_is_no_event_is_told_from_one(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    static const char *const wrong[] = {
        "[]",
        "{}",
        "{\"event\":\"record\",\"state\":\"kept\"}",
        "{\"event\":\"state\"}",
        "{\"event\":\"state\",\"state\":\"nowhere\"}",
        "{\"event\":\"wait\",\"state\":\"verifying\",\"duration_usec\":-1}",
        "{\"event\":\"sample\",\"state\":\"verifying\",\"value\":\"41\"}",
        "{\"event\":\"verdict\",\"state\":\"verifying\",\"verdict\":\"good\"}",
        "{\"event\":\"end\",\"state\":\"kept\",\"time\":\"yesterday\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        Event event = {0};
        Err err;
        assert_int_equal(read_line(arena, wrong[i], &event, &err), -ERR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_survives_its_line),
        cmocka_unit_test(a_line_that_is_no_event_is_told_from_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
