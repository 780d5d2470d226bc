/* SPDX-License-Identifier: Apache-2.0 */
#include "check/http-answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static Value text_value(const char *text)
{
    return text ? (Value){.kind = VALUE_TEXT, .text = text} : (Value){0};
}

static HttpSpec spec_new(void)
{
    return (HttpSpec){.url = text_value("http://127.0.0.1/"), .method = text_value("GET")};
}

static void add_text(Arena *arena, ValueVec *values, const char *text)
{
    *vec_push(arena, values) = text_value(text);
}

/* What one answer says to a spec. */
static Sample judged(Arena *arena, const HttpSpec *spec, const HttpResult *result)
{
    CLEANUP(http_expect_close) HttpExpect expect = {0};
    Err err;
    if (http_expect_open(arena, spec, &expect, &err) < 0)
        fail_msg("%s", err.message);
    return http_answer_judge(arena, &expect, result);
}

static HttpResult answer(int status, const char *body)
{
    HttpResult result = {.status = status, .text = "", .body = bytes_of(body), .body_size = strlen(body)};
    result.timing.total_usec = 1234;
    return result;
}

static void the_status_must_be_the_expected_one(void **state)
{
    static const struct {
        const char *expected[3];
        int status;
        const char *failure; /* NULL: good */
    } cases[] = {
        {{NULL}, 200, NULL},
        {{NULL}, 204, "HTTP 204 instead of 200"},
        {{"204"}, 204, NULL},
        {{"2xx"}, 299, NULL},
        {{"2xx"}, 300, "HTTP 300 instead of 2xx"},
        {{"200", "404"}, 404, NULL},
        {{"200", "3xx"}, 500, "HTTP 500 instead of 200 or 3xx"},
        {{NULL}, 400, "ALLOWED_HOSTS"},
        {{NULL}, 405, "does not accept this method"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        HttpSpec spec = spec_new();
        for (size_t n = 0; cases[i].expected[n]; n++)
            add_text(arena, &spec.status, cases[i].expected[n]);
        HttpResult result = answer(cases[i].status, "");
        Sample sample = judged(arena, &spec, &result);
        assert_int_equal(sample.kind, cases[i].failure ? SAMPLE_FAILED : SAMPLE_OK);
        assert_int_equal(sample.duration, 1234);
        if (cases[i].failure)
            assert_non_null(strstr(sample.text, cases[i].failure));
    }
}

static void a_redirect_to_https_says_what_is_missing(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    HttpSpec spec = spec_new();
    HttpResult result = answer(301, "");
    *vec_push(arena, &result.headers) = (HttpHeader){"Location", "https://example.org/?secret=x"};
    Sample sample = judged(arena, &spec, &result);
    assert_int_equal(sample.kind, SAMPLE_FAILED);
    assert_string_equal(sample.text,
                        "HTTP 301 instead of 200 to https: send the header X-Forwarded-Proto: https, or ask "
                        "for the https URL");
}

static void the_body_is_looked_at(void **state)
{
    static const struct {
        const char *contains, *matches, *absent, *body, *failure;
    } cases[] = {
        {"ok", NULL, NULL, "all ok", NULL},
        {"ok", NULL, NULL, "down", "the body has no \"ok\""},
        {NULL, "\"db\": *true", NULL, "{\"db\":  true}", NULL},
        {NULL, "^up$", NULL, "down", "does not match /^up$/"},
        {NULL, NULL, "Traceback", "fine", NULL},
        {NULL, NULL, "Traceback", "a Traceback", "the body has \"Traceback\""},
        {"ok", "[0-9]+", "bad", "ok 1", NULL},
        {"ok", "[0-9]+", "bad", "ok one", "does not match"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        HttpSpec spec = spec_new();
        spec.body = text_value(cases[i].contains);
        spec.body_matches = text_value(cases[i].matches);
        spec.body_absent = text_value(cases[i].absent);
        HttpResult result = answer(200, cases[i].body);
        Sample sample = judged(arena, &spec, &result);
        assert_int_equal(sample.kind, cases[i].failure ? SAMPLE_FAILED : SAMPLE_OK);
        if (cases[i].failure)
            assert_non_null(strstr(sample.text, cases[i].failure));
    }
}

static void each_outcome_has_its_weight(void **state)
{
    static const struct {
        HttpOutcome outcome;
        SampleKind kind;
    } cases[] = {
        {HTTP_OK, SAMPLE_OK},
        {HTTP_REFUSED, SAMPLE_FAILED},
        {HTTP_UNREACHABLE, SAMPLE_FAILED},
        {HTTP_TIMEOUT, SAMPLE_TIMED_OUT},
        {HTTP_NAME, SAMPLE_UNKNOWN},
        {HTTP_TLS, SAMPLE_FAILED},
        {HTTP_CERTIFICATE, SAMPLE_FAILED},
        {HTTP_CA, SAMPLE_UNKNOWN},
        {HTTP_EMPTY, SAMPLE_FAILED},
        {HTTP_PARTIAL, SAMPLE_FAILED},
        {HTTP_RESET, SAMPLE_FAILED},
        {HTTP_OTHER, SAMPLE_UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        HttpSpec spec = spec_new();
        HttpResult result = answer(200, "part");
        result.outcome = cases[i].outcome;
        Sample sample = judged(arena, &spec, &result);
        assert_int_equal(sample.kind, cases[i].kind);
        assert_true((sample.text == NULL) == (cases[i].outcome == HTTP_OK));
    }
}

static void an_answer_that_ends_early_is_a_failure_though_its_status_is_200(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    HttpSpec spec = spec_new();
    HttpResult result = answer(200, "half");
    result.outcome = HTTP_PARTIAL;
    assert_string_equal(judged(arena, &spec, &result).text, "HTTP 200, but the answer ended early, after 4 bytes");
}

static void nonsense_is_refused(void **state)
{
    static const char *const statuses[] = {"20", "6xx", "0xx", "2x", "ok", "600", "-20"};
    static const char *const targets[] = {"web1", "web1:",      "web1:0", "web1:70000",
                                          ":80",  "unix:run/x", "unix:",  "a b:80"};
    static const char *const headers[] = {"no colon", ": x", "a b: c", ""};
    Err err;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        HttpSpec spec = spec_new();
        HttpExpect expect;
        add_text(arena, &spec.status, statuses[i]);
        assert_int_equal(http_expect_open(arena, &spec, &expect, &err), -ERR_INVALID);
    }
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        HttpSpec spec = spec_new();
        HttpRequest request;
        spec.connect_to = text_value(targets[i]);
        if (http_request_from_spec(arena, &spec, &request, &err) != -ERR_INVALID)
            fail_msg("%s is accepted", targets[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        HttpSpec spec = spec_new();
        HttpRequest request;
        add_text(arena, &spec.headers, headers[i]);
        assert_int_equal(http_request_from_spec(arena, &spec, &request, &err), -ERR_INVALID);
    }
}

static void a_bad_pattern_and_a_body_of_head_are_refused(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    HttpSpec spec = spec_new();
    HttpExpect expect;
    Err err;
    spec.body_matches = text_value("(");
    assert_int_equal(http_expect_open(arena, &spec, &expect, &err), -ERR_INVALID);
    spec.body_matches = text_value("x");
    spec.method = text_value("HEAD");
    assert_int_equal(http_expect_open(arena, &spec, &expect, &err), -ERR_INVALID);
}

static void targets_and_hosts_reach_the_request(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    HttpSpec spec = spec_new();
    HttpRequest request;
    Err err;
    spec.connect_to = text_value("unix:/run/gunicorn.sock");
    spec.host = text_value("example.org");
    add_text(arena, &spec.headers, "X-Forwarded-Proto: https");
    assert_int_equal(http_request_from_spec(arena, &spec, &request, &err), 0);
    assert_string_equal(request.unix_socket, "/run/gunicorn.sock");
    assert_null(request.connect_to);
    assert_int_equal(request.headers.n, 2);
    assert_string_equal(request.headers.items[1], "Host: example.org");
    spec.connect_to = text_value("127.0.0.1:8443");
    assert_int_equal(http_request_from_spec(arena, &spec, &request, &err), 0);
    assert_string_equal(request.connect_to, "127.0.0.1:8443");
}

static void a_header_from_a_file_is_its_first_line_and_never_quoted(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    HeaderFrom from = {text_value("Authorization"), text_value("/etc/site/token")};
    const char *header;
    Err err;
    assert_int_equal(http_header_from(arena, &from, BYTES("Bearer s3cret \r\nmore\n"), &header, &err), 0);
    assert_string_equal(header, "Authorization: Bearer s3cret");
    assert_int_equal(http_header_from(arena, &from, BYTES("\n"), &header, &err), -ERR_INVALID);
    assert_int_equal(http_header_from(arena, &from, BYTES("s3cret\x01\n"), &header, &err), -ERR_INVALID);
    assert_null(strstr(err.message, "s3cret"));
    assert_non_null(strstr(err.message, "/etc/site/token"));
}

static void the_timeout_outlasts_the_limits(void **state)
{
    HttpSpec spec = spec_new();
    Rules rules = {0};
    assert_int_equal(http_timeout_of(&spec, &rules), 30 * USEC_PER_SEC);
    rules.criteria[rules.n++] = (Criterion){.max = 60 * USEC_PER_SEC};
    assert_int_equal(http_timeout_of(&spec, &rules), 65 * USEC_PER_SEC);
    spec.timeout = (Value){.kind = VALUE_DURATION, .text = "9s", .duration = 9 * USEC_PER_SEC};
    assert_int_equal(http_timeout_of(&spec, &rules), 9 * USEC_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_must_be_the_expected_one),
        cmocka_unit_test(a_redirect_to_https_says_what_is_missing),
        cmocka_unit_test(the_body_is_looked_at),
        cmocka_unit_test(each_outcome_has_its_weight),
        cmocka_unit_test(an_answer_that_ends_early_is_a_failure_though_its_status_is_200),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(a_bad_pattern_and_a_body_of_head_are_refused),
        cmocka_unit_test(targets_and_hosts_reach_the_request),
        cmocka_unit_test(a_header_from_a_file_is_its_first_line_and_never_quoted),
        cmocka_unit_test(the_timeout_outlasts_the_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
