/* SPDX-License-Identifier: Apache-2.0 */
#include "report/record-json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "data/json.h"
#include "run-sample.h"

static void each_event_is_one_line_of_json(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(100000);
    for (size_t i = 0; i < ARRAY_LEN(sample_events); i++) {
        strbuf_clear(&out);
        json_of_event(&sample_events[i], &out);
        assert_ptr_equal(strchr(strbuf_str(&out), '\n'), strbuf_str(&out) + out.len - 1);
        Node *root;
        Err err;
        assert_int_equal(json_parse(arena, "event", strbuf_bytes(arena, &out), &root, &err), 0);
        assert_string_equal(node_get_text(root, "event"), event_kind_to_string(sample_events[i].kind));
        assert_string_equal(node_get_text(root, "state"), run_state_to_string(sample_events[i].state));
        assert_string_equal(node_get_text(root, "run"), "20260301T031245-7f3a");
    }
}

static void a_sample_and_a_verdict_carry_their_numbers(void **state)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(100000);
    json_of_event(&sample_events[1], &out);
    assert_string_equal(
        strbuf_str(&out),
        "{\"event\":\"sample\",\"time\":\"1970-01-01T00:16:40.400000Z\",\"run\":\"20260301T031245-7f3a\","
        "\"state\":\"baselining\",\"subject\":\"health\",\"text\":\"200\",\"ok\":true,\"value\":41.25,"
        "\"unit\":\"ms\"}\n");
    strbuf_clear(&out);
    json_of_event(&sample_events[6], &out);
    assert_non_null(strstr(strbuf_str(&out), "DB_PASSWORD=********"));
}

static void a_record_keeps_what_is_not_known_as_null_or_leaves_it_out(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    RunRecord run = {.id = "r1", .state = RUN_KEPT, .created = SAMPLE_START, .playbook = "p", .values = "{\"n\": 2}"};
    assert_string_equal(json_to_string(arena, json_of_run(arena, &run), JSON_COMPACT),
                        "{\"run\":\"r1\",\"state\":\"kept\",\"created\":\"1970-01-01T00:16:40.000000Z\",\"ended\":null,"
                        "\"playbook\":\"p\",\"values\":{\"n\":2},\"blamed\":false}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_is_one_line_of_json),
        cmocka_unit_test(a_sample_and_a_verdict_carry_their_numbers),
        cmocka_unit_test(a_record_keeps_what_is_not_known_as_null_or_leaves_it_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
