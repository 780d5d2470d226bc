/* SPDX-License-Identifier: Apache-2.0 */
#include "report/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "data/json.h"

#define START (1767323565 * USEC_PER_SEC) /* 2026-01-02 03:12:45 UTC */

static RunRecord sample_run(void)
{
    return (RunRecord){
        .id = "20260102T031245-7f3a",
        .state = RUN_ROLLED_BACK,
        .created = START,
        .ended = START + 33 * USEC_PER_SEC,
        .playbook = "gunicorn-timeout",
        .target = "web1",
        .values = "{\"timeout\":\"60s\",\"api_token\":\"abc\"}",
        .commit = "c0ffee",
        .origin = "manual",
        .user = "ada",
        .thoroughness = "window 75s, 2 checks, 61 samples",
        .reason = "health: p95 812ms > 500ms",
    };
}

static void runs_stand_in_columns(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    RunRecordVec runs = {0};
    *vec_push(arena, &runs) = sample_run();
    *vec_push(arena, &runs) =
        (RunRecord){.id = "r0", .state = RUN_APPLYING, .created = START, .playbook = "nginx-align"};
    history_table(&runs, false, &out);
    assert_string_equal(
        strbuf_str(&out),
        "RUN                   BEGAN                TOOK  STATE         PLAYBOOK          REASON\n"
        "20260102T031245-7f3a  2026-01-02 03:12:45  33s   rolled-back   gunicorn-timeout  health: p95 812ms > 500ms\n"
        "r0                    2026-01-02 03:12:45  -     applying      nginx-align       \n");
}

static RunReport sample_report(Arena *arena)
{
    RunReport report = {.run = sample_run()};
    *vec_push(arena, &report.events) = (LedgerEvent){START, "state", RUN_STAGED, NULL, NULL, 0};
    *vec_push(arena, &report.events) = (LedgerEvent){START + USEC_PER_SEC,        "step-done", RUN_STAGED,
                                                     "nginx -t on the candidate", NULL,        38 * USEC_PER_MSEC};
    *vec_push(arena, &report.events) = (LedgerEvent){START, "verdict", RUN_VERIFYING, "health", "p95", 0};
    *vec_push(arena, &report.verdicts) = (LedgerVerdict){"baseline", "health", "pass", "p95 41ms (24 samples)",
                                                         "{\"p95\":{\"value\":41,\"unit\":\"ms\"}}"};
    *vec_push(arena, &report.verdicts) = (LedgerVerdict){"verify", "health", "fail", "p95 812ms > 500ms", "{}"};
    Snapshot *snapshot = arena_new_of(arena, Snapshot);
    *vec_push(arena, &snapshot->edits) = (Edit){"/etc/x",
                                                {.type = FILE_REGULAR, .mode = 0644, .content = BYTES("a\n")},
                                                {.type = FILE_REGULAR, .mode = 0644, .content = BYTES("b\n")}};
    report.snapshot = snapshot;
    return report;
}

static void a_run_is_shown_from_its_records_alone(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    RunReport report = sample_report(arena);
    history_show(&report, false, &(DiffOptions){.context = 3}, &out);
    assert_string_equal(strbuf_str(&out), "run          20260102T031245-7f3a\n"
                                          "state        rolled-back\n"
                                          "reason       health: p95 812ms > 500ms\n"
                                          "playbook     gunicorn-timeout\n"
                                          "values       timeout=60s api_token=********\n"
                                          "host         web1\n"
                                          "began        2026-01-02 03:12:45\n"
                                          "ended        2026-01-02 03:13:18\n"
                                          "took         33s\n"
                                          "started by   ada\n"
                                          "trigger      manual\n"
                                          "verification window 75s, 2 checks, 61 samples\n"
                                          "snapshot     c0ffee\n"
                                          "\nTimeline\n"
                                          "    0.0s  staged\n"
                                          "    1.0s    nginx -t on the candidate: ok (38ms)\n"
                                          "\nVerdicts\n"
                                          "  baseline  pass          health  p95 41ms (24 samples)\n"
                                          "  verify    fail          health  p95 812ms > 500ms\n"
                                          "\nFiles\n"
                                          "  change /etc/x (content)\n");
}

static void the_diff_is_shown_where_it_is_asked_for(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    RunReport report = sample_report(arena);
    history_show(&report, true, &(DiffOptions){.context = 3}, &out);
    assert_non_null(strstr(strbuf_str(&out), "@@ -1 +1 @@\n-a\n+b\n"));
    report.snapshot = NULL;
    report.snapshot_error = "it is gone";
    strbuf_clear(&out);
    history_show(&report, true, &(DiffOptions){.context = 3}, &out);
    assert_non_null(strstr(strbuf_str(&out), "The snapshot cannot be read: it is gone\n"));
}

static void json_keeps_values_and_measures_as_trees(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    RunReport report = sample_report(arena);
    const Node *map = history_show_json(arena, &report, true);
    assert_string_equal(node_get_text(node_get(map, "values"), "timeout"), "60s");
    assert_string_equal(node_get_text(node_get(map, "values"), "api_token"), "********");
    const Node *verdict = node_get(map, "verdicts")->items.items[0];
    assert_string_equal(node_get_text(node_get(node_get(verdict, "measures"), "p95"), "value"), "41");
    assert_int_equal(node_get(map, "events")->items.n, 3);
    assert_non_null(node_get_text(node_get(map, "files")->items.items[0], "diff"));
}

static int use_utc(void **state)
{
    setenv("TZ", "UTC", 1);
    tzset();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_stand_in_columns),
        cmocka_unit_test(a_run_is_shown_from_its_records_alone),
        cmocka_unit_test(the_diff_is_shown_where_it_is_asked_for),
        cmocka_unit_test(json_keeps_values_and_measures_as_trees),
    };
    return cmocka_run_group_tests(tests, use_utc, NULL);
}
