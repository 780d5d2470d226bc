/* SPDX-License-Identifier: Apache-2.0 */
#include "run/way.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "host/reach.h"
#include "stack/nginx.h"

#define CONNECT_USEC (1 * USEC_PER_SEC)
#define LOOK_USEC    (50 * USEC_PER_MSEC)

/* The process that connects; 0: nginx does not run. */
static int find_client(const Way *way, pid_t *ret, Err *err)
{
    LiveNginx nginx;
    int r = live_nginx(way->live, way->arena, &nginx, err);
    *ret = 0;
    if (r != 0)
        return r < 0 ? r : 0;
    VEC_EACH (worker, &nginx.unit.workers) {
        if (!worker->shutting_down)
            *ret = worker->pid;
    }
    return 0;
}

static bool is_known(const BlockedVec *blocked, const StringVec *reached, const char *address)
{
    VEC_EACH (item, blocked) {
        if (str_equal(item->address, address))
            return true;
    }
    return strings_contain(reached, address);
}

static const char *explain(const Way *way, const NginxLocation *location, const Address *target, const char *unit,
                           int errnum)
{
    const char *hint = errnum == ENOENT   ? ": the socket's name is gone"
                       : errnum == EACCES ? ": nginx's user may not go there"
                                          : "";
    return arena_printf(way->arena, "nginx does not reach %s: %s goes to %s, where connect ends with %s (%s)%s", unit,
                        nginx_describe_location(way->arena, location), target->text, strerrorname_np(errnum),
                        strerror(errnum), hint);
}

/* A worker that ends while it is looked at is no news of the service. */
static void look_at(const Way *way, pid_t client, const NginxLocation *location, const Address *target,
                    const char *unit, BlockedVec *blocked)
{
    Err ignored;
    const ReachTarget to = {.path = target->kind == ADDRESS_UNIX ? target->path : NULL,
                            .host = target->host && target->host[0] ? target->host : "127.0.0.1",
                            .port = target->port};
    int r = reach_try(&to, client, CONNECT_USEC, &ignored);
    if (r > 0)
        *vec_push(way->arena, blocked) = (Blocked){target->text, explain(way, location, target, unit, r)};
}

static bool leads_to(const Address *target, const GunicornFacts *gunicorn)
{
    VEC_EACH (bind, &gunicorn->binds) {
        if (address_reaches(target, bind))
            return true;
    }
    return false;
}

int way_look(const Way *way, const char *unit, BlockedVec *ret, Err *err)
{
    const GunicornFacts *gunicorn;
    const NginxFacts *nginx;
    NginxLocationVec locations = {0};
    StringVec seen = {0};
    pid_t client;
    *ret = (BlockedVec){0};
    Err ignored; /* what the configuration does not tell cannot be tried */
    if (gunicorn_load(way->view, unit, &gunicorn, &ignored) != 0 || nginx_load(way->view, &nginx, &ignored) != 0)
        return 0;
    int r = find_client(way, &client, err);
    if (r < 0 || client == 0)
        return r;
    nginx_locations_of(nginx, gunicorn, way->arena, &locations);
    VEC_EACH (location, &locations) {
        VEC_EACH (target, &(*location)->targets) {
            if (!leads_to(target, gunicorn) || is_known(ret, &seen, target->text))
                continue;
            *vec_push(way->arena, &seen) = target->text;
            look_at(way, client, *location, target, unit, ret);
        }
    }
    return 0;
}

static const Blocked *first_unexpected(const BlockedVec *blocked, const StringVec *except)
{
    VEC_EACH (item, blocked) {
        if (!strings_contain(except, item->address))
            return item;
    }
    return NULL;
}

int way_prove(const Way *way, const char *unit, const StringVec *except, usec patience_usec, Err *err)
{
    usec end = clock_boottime() + patience_usec;
    for (;;) {
        BlockedVec blocked = {0};
        int r = way_look(way, unit, &blocked, err);
        const Blocked *first = r < 0 ? NULL : first_unexpected(&blocked, except);
        if (!first)
            return r;
        if (clock_boottime() >= end)
            return err_set(err, ERR_FAILED, "%s", first->why);
        poll(NULL, 0, LOOK_USEC / USEC_PER_MSEC);
    }
}
