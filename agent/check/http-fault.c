/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that tell more of the question than of the service: another host, scheme, path, login or CA file has to be
 * asked with, and no change of a setting makes such a check pass (domain facts 9). */
#include <string.h>

#include "check/http-answer.h"

static bool is_https(const HttpRequest *request)
{
    return str_starts(request->url, "https:");
}

/* The name that is asked for: the Host header's, else the URL's. */
static const char *host_of(Arena *arena, const HttpRequest *request)
{
    VEC_EACH (header, &request->headers) {
        if (str_starts(*header, "Host: "))
            return *header + strlen("Host: ");
    }
    const char *host = strstr(request->url, "://") + strlen("://");
    return arena_strndup(arena, host, strcspn(host, "/?#"));
}

/* Where it redirects to, without a query, which may hold a secret. */
static const char *target_of(Arena *arena, const HttpResult *result)
{
    const char *location = http_header(result, "Location");
    return location ? arena_strndup(arena, location, strcspn(location, "?")) : NULL;
}

static const char *redirect(Arena *arena, const HttpRequest *request, const HttpResult *result)
{
    const char *target = target_of(arena, result);
    if (!target)
        return "ask for what it redirects to, or expect it with status";
    bool proxied = str_starts(target, "https:") && !is_https(request);
    return arena_printf(arena, "it redirects to %s: ask for that%s, or expect it with status: %d", target,
                        proxied ? ", or send the header X-Forwarded-Proto: https where a proxy would" : "",
                        result->status);
}

static const char *bad_request(Arena *arena, const HttpRequest *request, const HttpResult *result)
{
    static const char plain[] = "plain HTTP request was sent to HTTPS port";
    if (memmem(result->body.data, result->body.len, plain, strlen(plain)))
        return "this port speaks https: ask for the https URL";
    return arena_printf(arena,
                        "the application does not take the request; most often the host name \"%s\" is none that it "
                        "allows (ALLOWED_HOSTS): write host with the name of the site",
                        host_of(arena, request));
}

static const char *login(Arena *arena, const HttpRequest *request, const HttpResult *result)
{
    return "it asks who is there: write header_from with a file that holds the Authorization header, or ask for a URL "
           "that needs no login";
}

static const char *method(Arena *arena, const HttpRequest *request, const HttpResult *result)
{
    return arena_printf(arena, "it does not accept %s: write another method", request->method);
}

static const char *other_host(Arena *arena, const HttpRequest *request, const HttpResult *result)
{
    return arena_printf(arena, "the host name \"%s\" is not served here: write the name of the site in the URL",
                        host_of(arena, request));
}

static const struct {
    int first, last;
    const char *(*advise)(Arena *arena, const HttpRequest *request, const HttpResult *result);
} statuses[] = {
    {300, 303, redirect}, {307, 308, redirect}, {400, 400, bad_request}, {401, 401, login},
    {403, 403, login},    {405, 405, method},   {407, 407, login},       {421, 421, other_host},
};

static const char *of_status(Arena *arena, const HttpExpect *expect, const HttpRequest *request,
                             const HttpResult *result)
{
    VEC_EACH (range, &expect->statuses) {
        if (result->status >= range->first && result->status <= range->last)
            return NULL; /* it is the body that was not expected */
    }
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (result->status >= statuses[i].first && result->status <= statuses[i].last)
            return arena_printf(arena, "HTTP %d: %s", result->status, statuses[i].advise(arena, request, result));
    }
    return NULL;
}

/* One that has expired is the host's own trouble. */
static const char *of_certificate(Arena *arena, const HttpResult *result)
{
    if (strstr(result->text, "expired") || strstr(result->text, "not yet valid"))
        return NULL;
    bool name = strstr(result->text, "subject name") || strstr(result->text, "hostname");
    return arena_printf(arena, "%s: %s", result->text,
                        name ? "ask for the https URL with a name that the certificate has, and write in connect_to "
                               "where to connect"
                             : "write ca with the file of the CA that signed the certificate");
}

static const char *of_name(Arena *arena, const HttpRequest *request, const HttpResult *result)
{
    if (request->connect_to)
        return arena_printf(arena, "%s: write an address in connect_to", result->text);
    return arena_printf(arena, "%s: write connect_to: 127.0.0.1:%d to ask this host by that name", result->text,
                        is_https(request) ? 443 : 80);
}

const char *http_answer_fault(Arena *arena, const HttpExpect *expect, const HttpRequest *request,
                              const HttpResult *result)
{
    switch (result->outcome) {
    case HTTP_OK: return of_status(arena, expect, request, result);
    case HTTP_NAME: return of_name(arena, request, result);
    case HTTP_CERTIFICATE: return of_certificate(arena, result);
    case HTTP_CA: return arena_printf(arena, "%s: write ca with a file of CA certificates that is there", result->text);
    case HTTP_REFUSED:
    case HTTP_UNREACHABLE:
    case HTTP_TIMEOUT:
    case HTTP_TLS:
    case HTTP_EMPTY:
    case HTTP_PARTIAL:
    case HTTP_RESET:
    case HTTP_OTHER: break;
    }
    return NULL;
}
