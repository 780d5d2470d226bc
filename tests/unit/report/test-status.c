/* SPDX-License-Identifier: Apache-2.0 */
#include "report/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "data/json.h"

static const char *show(Arena *arena, const StatusReport *report)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    status_show(report, false, &out);
    return strbuf_dup(arena, &out);
}

static void a_quiet_host_is_idle(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_string_equal(show(arena, &(StatusReport){0}), "idle       nothing is under way, nothing is stuck\n"
                                                         "last good  none: no run was kept on this host yet\n");
}

static void a_run_that_nothing_carries_says_what_to_type(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Hot hot = {.run_id = "r1", .phase = HOT_APPLYING};
    StatusReport report = {.hot = &hot};
    assert_non_null(strstr(show(arena, &report), "hot        run r1 is "));
    assert_non_null(strstr(show(arena, &report), "salve recover\n"));
    LockHolder holder = {.pid = 12, .what = "run gunicorn-timeout"};
    report.holder = &holder;
    assert_non_null(strstr(show(arena, &report), "busy       run gunicorn-timeout (process 12"));
    assert_null(strstr(show(arena, &report), "salve recover"));
}

static void a_hot_file_that_cannot_be_read_hides_nothing_else(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    RunRecord good = {.id = "r1", .state = RUN_KEPT, .playbook = "p", .ended = USEC_PER_SEC};
    StatusReport report = {.hot_error = "/var/lib/salve/hot: both copies are damaged", .last_good = &good};
    const char *text = show(arena, &report);
    assert_non_null(strstr(text, "hot        CANNOT BE TOLD: /var/lib/salve/hot: both copies are damaged\n"));
    assert_non_null(strstr(text, "salve recover\n"));
    assert_non_null(strstr(text, "last good  run r1"));
    assert_null(strstr(text, "idle"));
    assert_string_equal(node_get_text(status_json(arena, &report), "hot_error"), report.hot_error);
}

static void a_stuck_run_says_what_to_type(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    StatusReport report = {0};
    *vec_push(arena, &report.unfinished) =
        (RunRecord){.id = "r1", .state = RUN_STUCK, .playbook = "p", .reason = "gunicorn.service is down"};
    const char *text = show(arena, &report);
    assert_non_null(strstr(text, "stuck      run r1 (p): gunicorn.service is down\n"));
    assert_non_null(strstr(text, "salve show r1 --diff"));
    assert_non_null(strstr(text, "salve recover --again"));
    assert_non_null(strstr(text, "salve recover --acknowledge"));
    assert_null(strstr(text, "idle"));
}

static void drift_and_holds_are_listed(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Hold hold = {.since = USEC_PER_SEC, .until = USEC_INFINITY, .reason = "migration", .who = "ada"};
    RunRecord good = {.id = "r1", .state = RUN_KEPT, .playbook = "p", .ended = USEC_PER_SEC};
    StatusReport report = {.hold = &hold, .last_good = &good};
    assert_non_null(strstr(show(arena, &report), "drift      none"));
    *vec_push(arena, &report.drift) = (Edit){"/etc/x", {.type = FILE_REGULAR}, {.type = FILE_ABSENT}};
    const char *text = show(arena, &report);
    assert_non_null(strstr(text, "held       by ada since "));
    assert_non_null(strstr(text, ": migration\n"));
    assert_non_null(strstr(text, "drift      1 file changed since then (salve status --diff):\n  delete /etc/x\n"));
    const Node *map = status_json(arena, &report);
    assert_true(node_is_null(node_get(map, "hot")));
    assert_string_equal(node_get_text(node_get(map, "hold"), "who"), "ada");
    assert_int_equal(node_get(map, "drift")->items.n, 1);
}

static void temporary_changes_say_what_becomes_of_them(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    PastRun run = {.record = {.id = "r1", .playbook = "p", .until = USEC_PER_SEC}};
    RunRecord by = {.id = "r2", .state = RUN_ROLLED_BACK, .reason = "HTTP 500"};
    static const struct {
        TemporaryState state;
        bool has_by;
        const char *text, *name;
    } rows[] = {
        {TEMPORARY_RUNNING, false, "temporary  run r1 (p) until 19", "running"},
        {TEMPORARY_DUE, false, "journalctl -u salve-due.service", "due"},
        {TEMPORARY_DUE, true, "its end, run r2, was rolled-back: HTTP 500; tried again at ", "due"},
        {TEMPORARY_WAITING, true, "but not before run r2 has ended\n", "waiting"},
        {TEMPORARY_SUPERSEDED, true, "run r2 changed the same files for good, so it stays\n", "superseded"},
        {TEMPORARY_GIVEN_UP, true, "did NOT end: run r2 was rolled-back: HTTP 500\n", "given-up"},
        {TEMPORARY_GIVEN_UP, true, "salve rollback --force r1\n", "given-up"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        StatusReport report = {0};
        *vec_push(arena, &report.temporaries) =
            (Temporary){.run = &run, .state = rows[i].state, .by = rows[i].has_by ? &by : NULL};
        assert_non_null(strstr(show(arena, &report), rows[i].text));
        const Node *item = node_get(status_json(arena, &report), "temporary")->items.items[0];
        assert_string_equal(node_get_text(item, "state"), rows[i].name);
        assert_string_equal(node_get_text(item, "until"), "1970-01-01T00:00:01.000000Z");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_host_is_idle),
        cmocka_unit_test(a_run_that_nothing_carries_says_what_to_type),
        cmocka_unit_test(a_hot_file_that_cannot_be_read_hides_nothing_else),
        cmocka_unit_test(a_stuck_run_says_what_to_type),
        cmocka_unit_test(drift_and_holds_are_listed),
        cmocka_unit_test(temporary_changes_say_what_becomes_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
