/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { DEFAULT_MAX_BODY = 64 << 10, MAX_HEADERS = 64 << 10 };
static const usec DEFAULT_TIMEOUT_USEC = 30 * USEC_PER_SEC;

/* One request in flight, owned by the pool's list. */
typedef struct Transfer {
    struct Transfer *next;
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    StrBuf body, header_lines;
    uint64_t body_size, tag;
    usec started;
    char *unix_socket;
    char error[CURL_ERROR_SIZE];
} Transfer;

struct HttpPool {
    CURLM *multi;
    char *user_agent;
    Transfer *transfers;
    size_t n_transfers;
};

static const char *const outcome_names[] = {
    [HTTP_OK] = "ok",
    [HTTP_REFUSED] = "connection refused",
    [HTTP_UNREACHABLE] = "unreachable",
    [HTTP_TIMEOUT] = "timed out",
    [HTTP_NAME] = "name not resolved",
    [HTTP_TLS] = "TLS failed",
    [HTTP_CERTIFICATE] = "certificate not accepted",
    [HTTP_CA] = "no CA certificates",
    [HTTP_EMPTY] = "empty reply",
    [HTTP_PARTIAL] = "answer cut short",
    [HTTP_RESET] = "connection reset",
    [HTTP_OTHER] = "failed",
};

const char *http_outcome_to_string(HttpOutcome outcome)
{
    return outcome_names[outcome];
}

static const struct {
    CURLcode code;
    HttpOutcome outcome;
} outcomes[] = {
    {CURLE_OK, HTTP_OK},
    {CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT},
    {CURLE_COULDNT_RESOLVE_HOST, HTTP_NAME},
    {CURLE_SSL_CONNECT_ERROR, HTTP_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, HTTP_CERTIFICATE},
    {CURLE_SSL_CACERT_BADFILE, HTTP_CA},
    {CURLE_SSL_ISSUER_ERROR, HTTP_TLS},
    {CURLE_SSL_CERTPROBLEM, HTTP_TLS},
    {CURLE_SSL_CIPHER, HTTP_TLS},
    {CURLE_GOT_NOTHING, HTTP_EMPTY},
    {CURLE_PARTIAL_FILE, HTTP_PARTIAL},
    {CURLE_HTTP2_STREAM, HTTP_PARTIAL},
    {CURLE_RECV_ERROR, HTTP_RESET},
    {CURLE_SEND_ERROR, HTTP_RESET},
};

static HttpOutcome outcome_of(CURL *easy, CURLcode code)
{
    long errnum = 0, status = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &errnum);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_COULDNT_CONNECT)
        return errnum == ECONNREFUSED || errnum == ENOENT ? HTTP_REFUSED : HTTP_UNREACHABLE;
    /* A connection that breaks in the middle of a body: the answer had begun. */
    if (code == CURLE_RECV_ERROR && status > 0)
        return HTTP_PARTIAL;
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        if (outcomes[i].code == code)
            return outcomes[i].outcome;
    }
    return HTTP_OTHER;
}

static char *copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(xmalloc(size), text, size);
}

int http_pool_open(const char *user_agent, HttpPool **ret_pool, Err *err)
{
    static bool initialized;
    if (!initialized && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_FAILED, "cannot set libcurl up");
    initialized = true;
    CURLM *multi = curl_multi_init();
    if (!multi)
        return err_set(err, ERR_FAILED, "cannot set libcurl up");
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L); /* none is ever used again */
    HttpPool *pool = xmalloc(sizeof *pool);
    *pool = (HttpPool){.multi = multi, .user_agent = copy(user_agent)};
    *ret_pool = pool;
    return 0;
}

static void transfer_free(Transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    curl_slist_free_all(transfer->connect_to);
    strbuf_free(&transfer->body);
    strbuf_free(&transfer->header_lines);
    free(transfer->unix_socket);
    free(transfer);
}

static void pool_remove(HttpPool *pool, Transfer *transfer)
{
    Transfer **link = &pool->transfers;
    while (*link != transfer)
        link = &(*link)->next;
    *link = transfer->next;
    pool->n_transfers--;
    curl_multi_remove_handle(pool->multi, transfer->easy);
    transfer_free(transfer);
}

void http_pool_close(HttpPool *pool)
{
    if (!pool)
        return;
    while (pool->transfers)
        pool_remove(pool, pool->transfers);
    curl_multi_cleanup(pool->multi);
    free(pool->user_agent);
    free(pool);
}

size_t http_in_flight(const HttpPool *pool)
{
    return pool->n_transfers;
}

static size_t keep_body(char *data, size_t size, size_t n, void *context)
{
    Transfer *transfer = context;
    transfer->body_size += size * n;
    strbuf_add(&transfer->body, data, size * n);
    return size * n;
}

/* Each answer begins anew (100 Continue, then the real one): the last one's headers are kept. */
static size_t keep_header(char *data, size_t size, size_t n, void *context)
{
    Transfer *transfer = context;
    if (size * n >= 5 && strncmp(data, "HTTP/", 5) == 0)
        strbuf_clear(&transfer->header_lines);
    else
        strbuf_add(&transfer->header_lines, data, size * n);
    return size * n;
}

static long to_msec(usec duration)
{
    usec msec = (duration + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
    return msec > INT32_MAX ? INT32_MAX : (long)msec;
}

static void set_method(CURL *easy, const HttpRequest *request)
{
    if (request->body.data) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body.data);
    }
    if (request->method && str_equal(request->method, "HEAD"))
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (request->method)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_way(Transfer *transfer, const HttpRequest *request)
{
    CURL *easy = transfer->easy;
    if (request->connect_to) { /* "::" + address: whatever host and port the URL has */
        CLEANUP(strbuf_free) StrBuf entry = STRBUF_INIT(1024);
        strbuf_printf(&entry, "::%s", request->connect_to);
        transfer->connect_to = curl_slist_append(NULL, strbuf_str(&entry));
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, transfer->connect_to);
    }
    if (request->unix_socket) {
        transfer->unix_socket = copy(request->unix_socket);
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, transfer->unix_socket);
    }
    if (request->ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, request->insecure ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, request->insecure ? 0L : 2L);
}

static void set_limits(CURL *easy, const HttpRequest *request)
{
    usec limit = request->timeout_usec ? request->timeout_usec : DEFAULT_TIMEOUT_USEC;
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, to_msec(limit));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     to_msec(request->connect_timeout_usec ? request->connect_timeout_usec : limit));
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* also ignores the environment */
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
}

int http_start(HttpPool *pool, const HttpRequest *request, Err *err)
{
    if (strncasecmp(request->url, "http://", 7) != 0 && strncasecmp(request->url, "https://", 8) != 0)
        return err_set(err, ERR_INVALID, "not an http or https URL: %s", request->url);
    CURL *easy = curl_easy_init();
    if (!easy)
        return err_set(err, ERR_FAILED, "cannot set libcurl up");
    Transfer *transfer = xmalloc(sizeof *transfer);
    *transfer = (Transfer){.easy = easy,
                           .body = STRBUF_INIT(request->max_body ? request->max_body : DEFAULT_MAX_BODY),
                           .header_lines = STRBUF_INIT(MAX_HEADERS),
                           .tag = request->tag,
                           .started = clock_realtime()};
    VEC_EACH (header, &request->headers) {
        transfer->headers = curl_slist_append(transfer->headers, *header);
    }
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, pool->user_agent);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, keep_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    set_method(easy, request);
    set_way(transfer, request);
    set_limits(easy, request);
    CURLMcode code = curl_multi_add_handle(pool->multi, easy);
    if (code != CURLM_OK) {
        transfer_free(transfer);
        return err_set(err, ERR_FAILED, "cannot start the request to %s: %s", request->url, curl_multi_strerror(code));
    }
    transfer->next = pool->transfers;
    pool->transfers = transfer;
    pool->n_transfers++;
    return 0;
}

static usec time_of(CURL *easy, CURLINFO which)
{
    curl_off_t value = 0;
    curl_easy_getinfo(easy, which, &value);
    return (usec)value;
}

static int version_of(CURL *easy)
{
    long version = 0;
    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    switch (version) {
    case CURL_HTTP_VERSION_1_0: return 10;
    case CURL_HTTP_VERSION_1_1: return 11;
    case CURL_HTTP_VERSION_2_0: return 20;
    case CURL_HTTP_VERSION_3: return 30;
    default: return 0;
    }
}

static HttpHeaderVec split_headers(Arena *arena, const StrBuf *lines)
{
    HttpHeaderVec headers = {0};
    char *rest = strbuf_dup(arena, lines), *line;
    while ((line = strsep(&rest, "\n"))) {
        char *colon = strchr(line, ':');
        if (!colon)
            continue;
        *colon = '\0';
        char *value = colon + 1 + strspn(colon + 1, " \t");
        value[strcspn(value, "\r")] = '\0';
        *vec_push(arena, &headers) = (HttpHeader){line, value};
    }
    return headers;
}

static const char *remote_of(Arena *arena, const Transfer *transfer)
{
    char *address = NULL;
    long port = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &address);
    curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_PORT, &port);
    if (transfer->unix_socket)
        return arena_strdup(arena, transfer->unix_socket);
    if (!address || !*address)
        return "";
    return arena_printf(arena, strchr(address, ':') ? "[%s]:%ld" : "%s:%ld", address, port);
}

static HttpResult make_result(Arena *arena, const Transfer *transfer, CURLcode code)
{
    CURL *easy = transfer->easy;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    const char *text = transfer->error[0] ? transfer->error : curl_easy_strerror(code);
    return (HttpResult){
        .tag = transfer->tag,
        .outcome = outcome_of(easy, code),
        .text = arena_strdup(arena, code == CURLE_OK ? "" : text),
        .status = (int)status,
        .version = status ? version_of(easy) : 0,
        .timing = {.name_usec = time_of(easy, CURLINFO_NAMELOOKUP_TIME_T),
                   .connect_usec = time_of(easy, CURLINFO_CONNECT_TIME_T),
                   .tls_usec = time_of(easy, CURLINFO_APPCONNECT_TIME_T),
                   .first_byte_usec = time_of(easy, CURLINFO_STARTTRANSFER_TIME_T),
                   .total_usec = time_of(easy, CURLINFO_TOTAL_TIME_T)},
        .started = transfer->started,
        .body = strbuf_bytes(arena, &transfer->body),
        .body_size = transfer->body_size,
        .headers = split_headers(arena, &transfer->header_lines),
        .remote = remote_of(arena, transfer),
    };
}

/* A transfer that has ended, out of the pool. */
static bool take_result(HttpPool *pool, Arena *arena, HttpResult *ret_result)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(pool->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        Transfer *transfer = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        *ret_result = make_result(arena, transfer, code);
        pool_remove(pool, transfer);
        return true;
    }
    return false;
}

int http_pump(HttpPool *pool, usec duration_usec, Err *err)
{
    usec start = clock_monotonic(), elapsed = 0;
    CURLMcode code;
    int running;
    while ((code = curl_multi_perform(pool->multi, &running)) == CURLM_OK && elapsed < duration_usec) {
        code = curl_multi_poll(pool->multi, NULL, 0, (int)to_msec(duration_usec - elapsed), NULL);
        if (code != CURLM_OK)
            break;
        elapsed = clock_monotonic() - start;
    }
    return code == CURLM_OK ? 0 : err_set(err, ERR_FAILED, "libcurl: %s", curl_multi_strerror(code));
}

int http_poll(HttpPool *pool, Arena *arena, usec timeout_usec, HttpResult *ret_result, Err *err)
{
    usec start = clock_monotonic();
    for (;;) {
        int running;
        CURLMcode code = curl_multi_perform(pool->multi, &running);
        if (code == CURLM_OK && take_result(pool, arena, ret_result))
            return 0;
        usec elapsed = clock_monotonic() - start;
        if (code == CURLM_OK && (pool->n_transfers == 0 || elapsed >= timeout_usec))
            return HTTP_NONE;
        if (code == CURLM_OK)
            code = curl_multi_poll(pool->multi, NULL, 0, (int)to_msec(timeout_usec - elapsed), NULL);
        if (code != CURLM_OK)
            return err_set(err, ERR_FAILED, "libcurl: %s", curl_multi_strerror(code));
    }
}

const char *http_header(const HttpResult *result, const char *name)
{
    VEC_EACH (header, &result->headers) {
        if (strcasecmp(header->name, name) == 0)
            return header->value;
    }
    return NULL;
}
