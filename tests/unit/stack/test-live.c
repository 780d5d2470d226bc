/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/live.h"

#include "tree.h"

static StringVec words(Arena *arena, const char *text)
{
    StringVec list = {0};
    Err err;
    assert_int_equal(gunicorn_split_args(arena, text, &list, &err), 0);
    return list;
}

static void the_running_command_line_is_compared_behind_the_interpreter(void **state)
{
    static const struct {
        const char *expected, *running;
        LiveMatch match;
    } rows[] = {
        {"/v/bin/gunicorn -t 30 app", "/v/bin/python3 /v/bin/gunicorn -t 30 app", LIVE_MATCH},
        {"gunicorn -t 30 app", "/v/bin/python3 -u -m gunicorn -t 30 app", LIVE_MATCH},
        {"/v/bin/gunicorn -t 60 app", "/v/bin/python3 /v/bin/gunicorn -t 30 app", LIVE_DIFFERS},
        {"/v/bin/gunicorn -t 30 app --timeout 60", "/v/bin/python3 /v/bin/gunicorn -t 30 app", LIVE_DIFFERS},
        {"/v/bin/gunicorn app", "/v/bin/python3 /v/bin/gunicorn -t 30 app", LIVE_DIFFERS},
        {"/v/bin/gunicorn app", "'gunicorn: master [app]'", LIVE_UNKNOWN},
        {"/v/bin/gunicorn app", "", LIVE_UNKNOWN},
    };
    CLEANUP(arena_free) Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        StringVec expected = words(arena, rows[i].expected), running = words(arena, rows[i].running);
        if (live_compare_argv(&expected, &running) != rows[i].match)
            fail_msg("%s and %s", rows[i].expected, rows[i].running);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_running_command_line_is_compared_behind_the_interpreter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
