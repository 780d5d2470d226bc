/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "data/json.h"

static void a_request_reaches_the_carrier_as_it_was_made(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Request request = {.id = "20260301T031245-7f3a",
                       .kind = "run",
                       .name = "x",
                       .source = "/etc/x.yaml",
                       .text = "salve: 1\nname: \"x\"\n",
                       .values = node_map(arena),
                       .reason = "because",
                       .user = "ann",
                       .once = true,
                       .accept_pending = true,
                       .confirm_usec = 5 * USEC_PER_MIN,
                       .for_usec = USEC_PER_HOUR};
    node_set_text(arena, (Node *)(uintptr_t)request.values, "timeout", "60s");
    *vec_push(arena, &request.overrides) = "oom-kill";
    *vec_push(arena, &request.overrides) = "recent-deploy";
    const char *json = request_to_json(arena, &request);
    Request read;
    Err err;
    assert_int_equal(request_from_json(arena, bytes_of(json), &read, &err), 0);
    assert_string_equal(request_to_json(arena, &read), json);
    assert_string_equal(read.text, request.text);
    assert_string_equal(node_get_text(read.values, "timeout"), "60s");
    assert_int_equal(read.overrides.n, 2);
    assert_string_equal(read.overrides.items[1], "recent-deploy");
    assert_int_equal(read.confirm_usec, request.confirm_usec);
    assert_true(read.once && read.accept_pending && !read.force && !read.colour);
    assert_null(read.accepted);
    assert_null(read.which);
    assert_string_equal(request_what(arena, &read), "run x");
}

static void a_damaged_request_is_refused(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"id\":\"a\"}",
        "{\"id\":\"a\",\"kind\":\"run\",\"once\":1}",
        "{\"id\":\"a\",\"kind\":\"run\",\"for_usec\":-1}",
        "{\"id\":\"a\",\"kind\":\"run\",\"values\":[]}",
        "{\"id\":\"a\",\"kind\":\"run\",\"overrides\":\"x\"}",
        "{\"id\":\"a\",\"kind\":{}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        Request read;
        Err err;
        assert_true(request_from_json(arena, bytes_of(wrong[i]), &read, &err) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_reaches_the_carrier_as_it_was_made),
        cmocka_unit_test(a_damaged_request_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
