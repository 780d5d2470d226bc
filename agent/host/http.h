/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP probes and notifications, several at once, without blocking, through libcurl's multi interface.
 *
 * Every request opens a connection of its own (an old connection could be served by an old worker), follows no
 * redirect, ignores proxies of the environment, speaks HTTP and HTTPS only, and carries a User-Agent that lets salve
 * find its own requests in logs. What became of it is an outcome, never an error: refused, timed out, cut short. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "base/vec.h"

typedef struct HttpPool HttpPool;

/* `user_agent` marks the requests, "salve-probe/<run id>"; copied. */
int http_pool_open(const char *user_agent, HttpPool **ret_pool, Err *err);
void http_pool_close(HttpPool *pool); /* cancels what is in flight */
DEFINE_CLEANUP(HttpPool *, http_pool_close)

/* All strings are copied by http_start. */
typedef struct HttpRequest {
    const char *url;    /* http:// or https:// */
    const char *method; /* NULL: GET, or POST when there is a body. HEAD expects no body */
    StringVec headers;  /* "Name: value"; a Host header replaces the URL's */
    Bytes body;         /* sent as it is; data NULL: none */
    const char
        *connect_to; /* "127.0.0.1:8443" or "[::1]:80": connect there, keep Host and SNI; NULL: as the URL says */
    const char *unix_socket;   /* connect to this path instead; NULL: no */
    const char *ca_file;       /* PEM; NULL: the system's */
    bool insecure;             /* do not check the server's certificate */
    usec timeout_usec;         /* of the whole request; 0: 30 s */
    usec connect_timeout_usec; /* 0: as timeout_usec */
    size_t max_body;           /* bytes kept of the answer; 0: 64 KiB. The rest is counted and thrown away */
    uint64_t tag;              /* handed back in the result */
} HttpRequest;

typedef enum HttpOutcome {
    HTTP_OK,          /* a whole answer came, with whatever status */
    HTTP_REFUSED,     /* connection refused, or no such socket */
    HTTP_UNREACHABLE, /* no route, permission, ... */
    HTTP_TIMEOUT,
    HTTP_NAME,        /* the name could not be resolved */
    HTTP_TLS,         /* the handshake failed */
    HTTP_CERTIFICATE, /* the certificate is not accepted: unknown issuer, another name, expired */
    HTTP_CA,          /* there are no CA certificates to judge by: no such file, or an empty one */
    HTTP_EMPTY,       /* the connection was closed without an answer */
    HTTP_PARTIAL,     /* the answer ended early: status and part of the body are there */
    HTTP_RESET,       /* the connection broke while receiving or sending */
    HTTP_OTHER,       /* see text */
} HttpOutcome;

const char *http_outcome_to_string(HttpOutcome outcome); /* "ok", "connection refused", ... */

typedef struct HttpHeader {
    const char *name, *value;
} HttpHeader;
typedef VEC(HttpHeader) HttpHeaderVec;

/* Times are from the start of the request to the end of that step; 0 where it was not reached. */
typedef struct HttpTiming {
    usec name_usec, connect_usec, tls_usec, first_byte_usec, total_usec;
} HttpTiming;

typedef struct HttpResult {
    uint64_t tag;
    HttpOutcome outcome;
    const char *text; /* what went wrong, for people; "" for HTTP_OK */
    int status;       /* 0 if no answer began */
    int version;      /* 10, 11, 20; 0 if no answer began */
    HttpTiming timing;
    usec started; /* realtime */
    Bytes body;   /* the first max_body bytes */
    uint64_t body_size;
    HttpHeaderVec headers; /* in their order, names as sent */
    const char *remote;    /* address that answered, or the socket's path; "" if none */
} HttpResult;

/* ERR_INVALID for a URL that is not http or https. */
int http_start(HttpPool *pool, const HttpRequest *request, Err *err);

enum { HTTP_NONE = 1 };

/* A request that has ended; waits up to timeout_usec for one. HTTP_NONE: none ended in that time, or none is in
 * flight. */
int http_poll(HttpPool *pool, Arena *arena, usec timeout_usec, HttpResult *ret_result, Err *err);
size_t http_in_flight(const HttpPool *pool);
/* Lets what is in flight go on for that long; what ends is for http_poll to tell later. */
int http_pump(HttpPool *pool, usec duration_usec, Err *err);

/* The value of a header, names compared without case, or NULL. */
const char *http_header(const HttpResult *result, const char *name);
