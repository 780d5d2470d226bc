/* SPDX-License-Identifier: Apache-2.0 */
#include "check/http-answer.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check/kinds.h"

enum { MAX_BODY = 1024 * 1024 };

static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "POST", NULL};

static const Field header_from_fields[] = {
    FIELD_WORD(HeaderFrom, name, .required = true, .help = "The header, for example Authorization."),
    FIELD_PATH(HeaderFrom, file, .required = true, .help = "Its first line is the value; never shown."),
    FIELDS_END,
};

static const StructType header_from_type = {
    .name = "header_from",
    .help = "A header whose value is a secret in a file.",
    .fields = header_from_fields,
    .size = sizeof(HeaderFrom),
};

const Field http_fields[] = {
    FIELD_WORD(HttpSpec, name, .no_references = true, .help = "What the check is called; the URL where not given."),
    FIELD_URL(HttpSpec, url, .required = true, .help = "What to ask for."),
    FIELD_ENUM(HttpSpec, method, methods, .default_text = "GET", .help = "The request's method."),
    FIELD_LIST(HttpSpec, headers, VALUE_TEXT, .help = "Headers to send, each \"Name: value\"."),
    FIELD_STRUCT_LIST(HttpSpec, header_from, &header_from_type, .help = "Headers whose values are secrets in files."),
    FIELD_LIST(HttpSpec, status, VALUE_SCALAR, .help = "Expected status codes, 204 or 2xx; 200 where not given."),
    FIELD_TEXT(HttpSpec, body, .help = "Text that the body must contain."),
    FIELD_TEXT(HttpSpec, body_matches, .help = "Regular expression (PCRE2) that the body must match."),
    FIELD_TEXT(HttpSpec, body_absent, .help = "Text that the body must not contain."),
    FIELD_PATH(HttpSpec, ca, .help = "File of CA certificates (PEM); the system's where not given."),
    FIELD_BOOL(HttpSpec, insecure, .default_text = "false", .help = "Accept any certificate."),
    FIELD_HOST(HttpSpec, host, .help = "Host header, where it is not the URL's."),
    FIELD_SCALAR(HttpSpec, connect_to,
                 .help = "Connect to HOST:PORT or unix:/PATH, whatever the URL says; Host and SNI stay the URL's."),
    FIELD_DURATION(HttpSpec, timeout, .min = "10ms", .default_text = "auto", .allow_auto = true,
                   .help = "When to give up on a request; auto: 5s above the largest limit, 30s without one."),
    FIELD_DURATION(HttpSpec, every, .min = "100ms", .help = "From one request to the next; the interval by default."),
    CRITERIA_FIELDS(HttpSpec, criteria),
    CHECK_COMMON_FIELDS(HttpSpec),
    FIELDS_END,
};

static int parse_status(const char *text, StatusRange *ret, Err *err)
{
    bool class = strlen(text) == 3 && strcmp(text + 1, "xx") == 0 && *text >= '1' && *text <= '5';
    if (class) {
        int first = (*text - '0') * 100;
        *ret = (StatusRange){first, first + 99};
        return 0;
    }
    bool digits = strlen(text) == 3 && strspn(text, "0123456789") == 3;
    int code = digits ? (int)strtol(text, NULL, 10) : 0;
    if (code < 100 || code > 599)
        return err_set(err, ERR_INVALID, "\"%s\" is not a status: write 200 or 2xx", text);
    *ret = (StatusRange){code, code};
    return 0;
}

static int parse_statuses(Arena *arena, const ValueVec *values, HttpExpect *ret, Err *err)
{
    static const StatusRange ok = {200, 200};
    if (values->n == 0) {
        *vec_push(arena, &ret->statuses) = ok;
        ret->status_text = "200";
    }
    VEC_EACH (value, values) {
        int r = parse_status(value->text, vec_push(arena, &ret->statuses), err);
        if (r < 0)
            return r;
        ret->status_text =
            ret->status_text ? arena_printf(arena, "%s or %s", ret->status_text, value->text) : value->text;
    }
    return 0;
}

int http_expect_open(Arena *arena, const HttpSpec *spec, HttpExpect *ret, Err *err)
{
    HttpExpect expect = {
        .body = spec->body.text, .body_absent = spec->body_absent.text, .pattern = spec->body_matches.text};
    bool body = expect.body || expect.pattern;
    if (body && str_equal(spec->method.text, "HEAD"))
        return err_set(err, ERR_INVALID, "the answer to HEAD has no body to look at: use GET");
    int r = parse_statuses(arena, &spec->status, &expect, err);
    if (r < 0)
        return r;
    if (expect.pattern) {
        r = regex_compile(expect.pattern, &expect.regex, NULL, err);
        if (r < 0)
            return err_prefix(err, "body_matches");
    }
    *ret = expect;
    return 0;
}

void http_expect_close(HttpExpect *expect)
{
    regex_free(expect->regex);
    expect->regex = NULL;
}

static int check_header(const char *header, Err *err)
{
    const char *colon = strchr(header, ':');
    if (!colon || colon == header || strcspn(header, " \t\"()/;<=>?@[]{}") < (size_t)(colon - header))
        return err_set(err, ERR_INVALID, "\"%.*s\" is not a header: write \"Name: value\"", (int)strcspn(header, ": "),
                       header);
    return 0;
}

/* HOST:PORT or unix:/PATH */
static int parse_connect_to(Arena *arena, const char *text, HttpRequest *ret, Err *err)
{
    if (str_starts(text, "unix:")) {
        if (!is_normal_path(text + strlen("unix:")))
            return err_set(err, ERR_INVALID, "connect_to: \"%s\" has no absolute path: write unix:/run/x.sock", text);
        ret->unix_socket = text + strlen("unix:");
        return 0;
    }
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    unsigned long port = colon && isdigit((unsigned char)colon[1]) ? strtoul(colon + 1, &end, 10) : 0;
    if (port == 0 || port > 65535 || *end || !is_host_name(arena_strndup(arena, text, (size_t)(colon - text))))
        return err_set(err, ERR_INVALID, "connect_to: \"%s\" is neither HOST:PORT nor unix:/PATH", text);
    ret->connect_to = text;
    return 0;
}

int http_request_from_spec(Arena *arena, const HttpSpec *spec, HttpRequest *ret, Err *err)
{
    HttpRequest request = {
        .url = spec->url.text,
        .method = spec->method.text,
        .ca_file = spec->ca.text,
        .insecure = value_is_set(&spec->insecure) && spec->insecure.boolean,
        .max_body = MAX_BODY,
    };
    if (request.insecure && request.ca_file)
        return err_set(err, ERR_INVALID, "ca means nothing with insecure: leave one out");
    VEC_EACH (header, &spec->headers) {
        int r = check_header(header->text, err);
        if (r < 0)
            return r;
        *vec_push(arena, &request.headers) = header->text;
    }
    if (value_is_set(&spec->host))
        *vec_push(arena, &request.headers) = arena_printf(arena, "Host: %s", spec->host.text);
    if (value_is_set(&spec->connect_to)) {
        int r = parse_connect_to(arena, spec->connect_to.text, &request, err);
        if (r < 0)
            return r;
    }
    *ret = request;
    return 0;
}

int http_header_from(Arena *arena, const HeaderFrom *from, Bytes content, const char **ret, Err *err)
{
    const char *end = memchr(content.data, '\n', content.len);
    size_t len = end ? (size_t)(end - content.data) : content.len;
    while (len > 0 && isspace((unsigned char)content.data[len - 1]))
        len--;
    if (len == 0)
        return err_set(err, ERR_INVALID, "%s is empty: it should hold the value of %s", from->file.text,
                       from->name.text);
    for (size_t i = 0; i < len; i++) {
        if (iscntrl((unsigned char)content.data[i]) && content.data[i] != '\t')
            return err_set(err, ERR_INVALID, "%s has control characters in its first line", from->file.text);
    }
    *ret = arena_printf(arena, "%s: %.*s", from->name.text, (int)len, content.data);
    return 0;
}

usec http_timeout_of(const HttpSpec *spec, const Rules *rules)
{
    if (value_is_known(&spec->timeout))
        return spec->timeout.duration;
    return rules_largest_max(rules, 25 * USEC_PER_SEC) + 5 * USEC_PER_SEC;
}

static Sample failed(SampleKind kind, const HttpResult *result, const char *text)
{
    return (Sample){kind, result->timing.total_usec, text};
}

static bool status_expected(const HttpExpect *expect, int status)
{
    VEC_EACH (range, &expect->statuses) {
        if (status >= range->first && status <= range->last)
            return true;
    }
    return false;
}

/* Domain facts 9: what Django means by these. */
static const char *status_hint(const HttpResult *result)
{
    const char *location = http_header(result, "Location");
    if (result->status == 400)
        return ": is the host name in ALLOWED_HOSTS?";
    if (result->status >= 300 && result->status < 400 && location && str_starts(location, "https:"))
        return " to https: send the header X-Forwarded-Proto: https, or ask for the https URL";
    if (result->status == 405)
        return ": the view does not accept this method";
    return "";
}

static const char *judge_body(Arena *arena, const HttpExpect *expect, const HttpResult *result)
{
    const char *rest = result->body_size > result->body.len ? " in its first MiB" : "";
    Bytes body = result->body;
    if (expect->body && !memmem(body.data, body.len, expect->body, strlen(expect->body)))
        return arena_printf(arena, "HTTP %d, but the body%s has no \"%s\"", result->status, rest, expect->body);
    if (expect->body_absent && memmem(body.data, body.len, expect->body_absent, strlen(expect->body_absent)))
        return arena_printf(arena, "HTTP %d, but the body has \"%s\"", result->status, expect->body_absent);
    if (expect->regex) {
        Err err;
        int r = regex_match(expect->regex, body, &err);
        if (r < 0)
            return arena_strdup(arena, err_text(&err));
        if (r == REGEX_NO_MATCH)
            return arena_printf(arena, "HTTP %d, but the body%s does not match /%s/", result->status, rest,
                                expect->pattern);
    }
    return NULL;
}

static Sample judge_answer(Arena *arena, const HttpExpect *expect, const HttpResult *result)
{
    if (!status_expected(expect, result->status))
        return failed(
            SAMPLE_FAILED, result,
            arena_printf(arena, "HTTP %d instead of %s%s", result->status, expect->status_text, status_hint(result)));
    const char *text = judge_body(arena, expect, result);
    if (text)
        return failed(SAMPLE_FAILED, result, text);
    return (Sample){SAMPLE_OK, result->timing.total_usec, NULL};
}

Sample http_answer_judge(Arena *arena, const HttpExpect *expect, const HttpResult *result)
{
    const char *text = result->text[0] ? result->text : http_outcome_to_string(result->outcome);
    switch (result->outcome) {
    case HTTP_OK: return judge_answer(arena, expect, result);
    case HTTP_TIMEOUT:
        return failed(SAMPLE_TIMED_OUT, result,
                      arena_printf(arena, "no answer after %s", usec_to_string(arena, result->timing.total_usec)));
    case HTTP_PARTIAL:
        return failed(SAMPLE_FAILED, result,
                      arena_printf(arena, "HTTP %d, but the answer ended early, after %" PRIu64 " bytes",
                                   result->status, result->body_size));
    case HTTP_REFUSED:
    case HTTP_UNREACHABLE:
    case HTTP_TLS:
    case HTTP_CERTIFICATE:
    case HTTP_EMPTY:
    case HTTP_RESET: return failed(SAMPLE_FAILED, result, arena_strdup(arena, text));
    case HTTP_NAME:
    case HTTP_CA:
    case HTTP_OTHER: break;
    }
    return failed(SAMPLE_UNKNOWN, result, arena_strdup(arena, text));
}
