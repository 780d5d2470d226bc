/* SPDX-License-Identifier: Apache-2.0 */
/* host/http.h without a network: every request is answered at once, by what Gunicorn and nginx have loaded. */
#include "host/http.h"

#include <stdlib.h>

#include "sim.h"

#define ANSWER_USEC (5 * USEC_PER_MSEC)

enum { IN_FLIGHT_MAX = 32 };

struct HttpPool {
    struct {
        uint64_t tag;
        usec started;
    } requests[IN_FLIGHT_MAX];
    size_t n;
};

int http_pool_open(const char *user_agent, HttpPool **ret_pool, Err *err)
{
    (void)user_agent;
    *ret_pool = xmalloc(sizeof **ret_pool);
    **ret_pool = (HttpPool){0};
    return 0;
}

void http_pool_close(HttpPool *pool)
{
    free(pool);
}

int http_start(HttpPool *pool, const HttpRequest *request, Err *err)
{
    if (pool->n == IN_FLIGHT_MAX)
        return err_set(err, ERR_FAILED, "too many requests for the simulation");
    pool->requests[pool->n].tag = request->tag;
    pool->requests[pool->n].started = clock_realtime();
    pool->n++;
    return 0;
}

static int status(void)
{
    for (size_t i = 0; i < ARRAY_LEN(sim->services); i++) {
        const Service *service = &sim->services[i];
        if (!service->active)
            return 502;
        if (service->uses_mark && sim->knobs.new_is_sick)
            return 500;
    }
    return 200;
}

int http_pump(HttpPool *pool, usec duration_usec, Err *err)
{
    (void)pool, (void)err;
    sim->skew += duration_usec;
    return 0;
}

int http_poll(HttpPool *pool, Arena *arena, usec timeout_usec, HttpResult *ret_result, Err *err)
{
    (void)arena;
    if (pool->n == 0) {
        sim->skew += timeout_usec;
        return HTTP_NONE;
    }
    sim->skew += ANSWER_USEC;
    pool->n--;
    *ret_result = (HttpResult){
        .tag = pool->requests[0].tag,
        .outcome = HTTP_OK,
        .text = "",
        .status = status(),
        .version = 11,
        .timing = {.total_usec = ANSWER_USEC},
        .started = pool->requests[0].started,
        .body = BYTES(""),
        .remote = "127.0.0.1",
    };
    for (size_t i = 0; i < pool->n; i++)
        pool->requests[i] = pool->requests[i + 1];
    return 0;
}

size_t http_in_flight(const HttpPool *pool)
{
    return pool->n;
}

const char *http_header(const HttpResult *result, const char *name)
{
    (void)result, (void)name;
    return NULL;
}

const char *http_outcome_to_string(HttpOutcome outcome)
{
    return outcome == HTTP_OK ? "ok" : "failed";
}
