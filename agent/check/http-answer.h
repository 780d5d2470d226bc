/* SPDX-License-Identifier: Apache-2.0 */
/* What an http check sends and what it expects: pure, from the spec and one answer.
 *
 * A request that got no whole, expected answer has failed, with one exception: what says nothing about the service (its
 * name could not be resolved, the CA file could not be read) is no evidence (promise 10). */
#pragma once

#include "check/criteria.h"
#include "host/http.h"
#include "host/regex.h"

typedef struct HeaderFrom {
    Value name, file;
} HeaderFrom;

typedef struct HttpSpec {
    CheckCommon common;
    Value name, url, method;
    ValueVec headers;
    VEC(HeaderFrom) header_from;
    ValueVec status;
    Value body, body_matches, body_absent;
    Value ca, insecure, host, connect_to, timeout, every;
    CriteriaSpec criteria;
} HttpSpec;

extern const Field http_fields[];

/* An inclusive range of status codes: 200 is 200-200, 2xx is 200-299. */
typedef struct StatusRange {
    int first, last;
} StatusRange;

typedef VEC(StatusRange) StatusRangeVec;

typedef struct HttpExpect {
    StatusRangeVec statuses;
    const char *status_text;        /* "200 or 204" */
    const char *body, *body_absent; /* NULL: no matter */
    const char *pattern;            /* of `regex` */
    Regex *regex;                   /* NULL: no matter; freed by http_expect_close */
} HttpExpect;

/* ERR_INVALID for a status, pattern or combination that makes no sense. */
int http_expect_open(Arena *arena, const HttpSpec *spec, HttpExpect *ret, Err *err);
void http_expect_close(HttpExpect *expect);
static inline void http_expect_close_cleanup(HttpExpect *expect)
{
    http_expect_close(expect);
}

/* The request without headers from files: it holds no secret. */
int http_request_from_spec(Arena *arena, const HttpSpec *spec, HttpRequest *ret, Err *err);
/* "Authorization: ..." from the first line of the file's content. The error never quotes it (promise 13). */
int http_header_from(Arena *arena, const HeaderFrom *from, Bytes content, const char **ret, Err *err);

/* How long a request may take: as the spec says, or somewhat longer than its largest limit. */
usec http_timeout_of(const HttpSpec *spec, const Rules *rules);

/* Of an answer that shows the check to be wrong for this host, and says nothing of the service: what to write instead.
 * NULL for every other answer. */
const char *http_answer_fault(Arena *arena, const HttpExpect *expect, const HttpRequest *request,
                              const HttpResult *result);

/* What the answer says. The text is for people and names no header. */
Sample http_answer_judge(Arena *arena, const HttpExpect *expect, const HttpResult *result);
