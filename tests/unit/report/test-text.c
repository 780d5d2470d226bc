/* SPDX-License-Identifier: Apache-2.0 */
#include "report/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "run-sample.h"

static void render(TextReport report, StrBuf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(sample_events); i++)
        text_event(&report, &sample_events[i], out);
}

static void a_run_reads_as_one_line_a_step(void **state)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(10000);
    render((TextReport){.detail = TEXT_NORMAL}, &out);
    assert_string_equal(strbuf_str(&out), "    0.0s  baselining\n"
                                          "    0.9s    pass  health: p95 41ms (24 samples)\n"
                                          "    1.0s  staged\n"
                                          "    1.0s    nginx -t on the candidate: ok (38ms)\n"
                                          "    1.0s    warning  DB_PASSWORD=******** in the unit\n"
                                          "    1.1s  verifying\n"
                                          "   30.0s    verifying: 30s of 1min\n"
                                          "   31.0s    fail  health: p95 812ms > 500ms (24 samples)\n"
                                          "   31.2s    restart gunicorn.service: job timed out (100ms)\n"
                                          "   33.0s  rolled-back: health: p95 812ms > 500ms\n");
}

static void an_equal_verdict_is_shown_once_a_state(void **state)
{
    static const Event events[] = {
        {.kind = EVENT_STATE, .state = RUN_RESTORED},
        {.kind = EVENT_VERDICT, .subject = "health", .verdict = VERDICT_FAIL, .text = "HTTP 502"},
        {.kind = EVENT_VERDICT, .subject = "slow", .verdict = VERDICT_FAIL, .text = "HTTP 502"},
        {.kind = EVENT_VERDICT, .subject = "health", .verdict = VERDICT_FAIL, .text = "HTTP 502"},
        {.kind = EVENT_VERDICT, .subject = "health", .verdict = VERDICT_PASS, .text = "3 samples"},
        {.kind = EVENT_STATE, .state = RUN_VERIFYING},
        {.kind = EVENT_VERDICT, .subject = "health", .verdict = VERDICT_PASS, .text = "4 samples"},
    };
    const struct {
        TextDetail detail;
        size_t failed;
    } rows[] = {{TEXT_NORMAL, 2}, {TEXT_VERBOSE, 3}};
    for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
        CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(10000);
        TextReport report = {.detail = rows[row].detail};
        for (size_t i = 0; i < ARRAY_LEN(events); i++)
            text_event(&report, &events[i], &out);
        size_t failed = 0;
        for (const char *at = strbuf_str(&out); (at = strstr(at, "HTTP 502")); at++)
            failed++;
        assert_int_equal(failed, rows[row].failed);
        assert_non_null(strstr(strbuf_str(&out), "health: 3 samples"));
        assert_non_null(strstr(strbuf_str(&out), "health: 4 samples"));
    }
}

static void quiet_leaves_what_a_person_must_know(void **state)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(10000);
    render((TextReport){.detail = TEXT_QUIET}, &out);
    assert_string_equal(strbuf_str(&out), "    1.0s    warning  DB_PASSWORD=******** in the unit\n"
                                          "   31.2s    restart gunicorn.service: job timed out (100ms)\n"
                                          "   33.0s  rolled-back: health: p95 812ms > 500ms\n");
}

static void verbose_shows_samples_and_beginnings(void **state)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(10000);
    render((TextReport){.detail = TEXT_VERBOSE}, &out);
    assert_non_null(strstr(strbuf_str(&out), "    0.4s    sample  health: 41.2ms 200\n"));
    assert_non_null(strstr(strbuf_str(&out), "    2.0s    bad     health: 812ms 502\n"));
    assert_non_null(strstr(strbuf_str(&out), "    1.0s    nginx -t on the candidate ...\n"));
}

static void numbers_carry_their_unit(void **state)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1000);
    text_number(&out, 3, "restarts");
    strbuf_add_str(&out, "; ");
    text_number(&out, 0.4567, "%");
    strbuf_add_str(&out, "; ");
    text_number(&out, 1234.5, "ms");
    strbuf_add_str(&out, "; ");
    text_number(&out, 7, "");
    assert_string_equal(strbuf_str(&out), "3 restarts; 0.457%; 1234ms; 7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_reads_as_one_line_a_step),
        cmocka_unit_test(an_equal_verdict_is_shown_once_a_state),
        cmocka_unit_test(quiet_leaves_what_a_person_must_know),
        cmocka_unit_test(verbose_shows_samples_and_beginnings),
        cmocka_unit_test(numbers_carry_their_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
