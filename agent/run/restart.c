/* SPDX-License-Identifier: Apache-2.0 */
#include "run/restart.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Beyond what systemd itself allows a stop and a start to take. */
#define JOB_MARGIN_USEC (10 * USEC_PER_SEC)

static bool interrupted(void *context)
{
    const Activation *activation = context;
    return activation->cancel && *activation->cancel;
}

static usec job_limit(const UnitStatus *status)
{
    usec stop = status->timeout_stop_usec == USEC_INFINITY ? 10 * USEC_PER_MIN : status->timeout_stop_usec;
    usec start = status->timeout_start_usec == USEC_INFINITY ? 10 * USEC_PER_MIN : status->timeout_start_usec;
    return stop + start + JOB_MARGIN_USEC;
}

int restart_job(Activation *a, JobVerb verb, const char *unit, const UnitStatus *status, Err *err)
{
    JobOptions options = {.timeout_usec = job_limit(status), .interrupted = interrupted, .context = a};
    JobOutcome outcome;
    int r = systemd_job(a->systemd, a->arena, verb, unit, &options, &outcome, err);
    if (r < 0)
        return r;
    if (outcome.result == JOB_DONE)
        return 0;
    UnitStatus now;
    Err ignored;
    const char *result = systemd_unit_status(a->systemd, a->arena, unit, &now, &ignored) == 0 ? now.result : "";
    bool theirs = outcome.result == JOB_DESTRUCTIVE || outcome.result == JOB_CANCELED; /* of somebody else's job */
    return err_set(err, theirs ? ERR_BUSY : ERR_FAILED, "%s: the job ended \"%s\"%s%s%s%s; look at: journalctl -u %s",
                   unit, job_result_to_string(outcome.result), outcome.text && outcome.text[0] ? " - " : "",
                   outcome.text ? outcome.text : "", result[0] && strcmp(result, "success") != 0 ? ", result " : "",
                   strcmp(result, "success") != 0 ? result : "", unit);
}

/* Clears the start limit of the service and of the sockets that start it, which a restart would otherwise run into; a
 * socket that failed is started again, else the service never would be. */
static int clear_failures(Activation *a, const UnitStatus *status, Err *err)
{
    int r = systemd_reset_failed(a->systemd, status->id, err);
    for (size_t i = 0; r >= 0 && i < status->triggered_by.n; i++) {
        const char *socket = status->triggered_by.items[i];
        UnitStatus now;
        r = systemd_reset_failed(a->systemd, socket, err);
        if (r >= 0 && str_ends(socket, ".socket"))
            r = systemd_unit_status(a->systemd, a->arena, socket, &now, err);
        else
            continue;
        if (r >= 0 && strcmp(now.active_state, "failed") == 0)
            r = restart_job(a, JOB_VERB_START, socket, &now, err);
    }
    return r;
}

/* --- Sockets --- */

static bool is_running(const UnitStatus *status)
{
    return !str_equal(status->active_state, "inactive") && !str_equal(status->active_state, "failed");
}

/* systemd removes the directory when the service stops, and the name with it. */
static bool goes_with(const UnitStatus *service, const char *path)
{
    if (!str_equal(service->runtime_directory_preserve, "no") || !str_starts(path, "/run/"))
        return false;
    const char *below = path + strlen("/run/");
    VEC_EACH (directory, &service->runtime_directory) {
        if (str_starts(below, *directory) && below[strlen(*directory)] == '/')
            return true;
    }
    return false;
}

static bool is_gone(const char *path)
{
    struct stat st;
    return lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* Whether the socket unit must be restarted with its service. */
static bool must_go_along(const Activation *a, const UnitStatus *service, const UnitStatus *socket)
{
    if (!is_running(socket))
        return strings_contain(&a->before->was_up, socket->id);
    VEC_EACH (listen, &socket->listen) {
        bool has_name = listen->address[0] == '/';
        if (has_name && (goes_with(service, listen->address) || is_gone(listen->address)))
            return true;
    }
    return false;
}

static int sockets_to_restart(Activation *a, const UnitStatus *service, StringVec *ret, Err *err)
{
    VEC_EACH (name, &service->triggered_by) {
        UnitStatus socket;
        if (!str_ends(*name, ".socket"))
            continue;
        int r = systemd_unit_status(a->systemd, a->arena, *name, &socket, err);
        if (r < 0)
            return r;
        if (must_go_along(a, service, &socket))
            *vec_push(a->arena, ret) = *name;
    }
    return 0;
}

static int job_of(Activation *a, JobVerb verb, const char *unit, Err *err)
{
    UnitStatus status;
    int r = systemd_unit_status(a->systemd, a->arena, unit, &status, err);
    return r < 0 ? r : restart_job(a, verb, unit, &status, err);
}

static int jobs_of(Activation *a, JobVerb verb, const StringVec *units, Err *err)
{
    int r = 0;
    for (size_t i = 0; r >= 0 && i < units->n; i++)
        r = job_of(a, verb, units->items[i], err);
    return r;
}

static int restart_with(Activation *a, const UnitStatus *service, const StringVec *sockets, Err *err)
{
    bool is_one_transaction = sockets->n == 1 && strings_contain(&service->requires, sockets->items[0]);
    int r;
    if (is_one_transaction) {
        r = job_of(a, JOB_VERB_RESTART, sockets->items[0], err);
    } else {
        r = jobs_of(a, JOB_VERB_STOP, sockets, err);
        if (r >= 0)
            r = job_of(a, JOB_VERB_STOP, service->id, err);
        if (r >= 0)
            r = jobs_of(a, JOB_VERB_START, sockets, err);
    }
    /* Also where it was started already: by its socket, or along with it. */
    return r < 0 ? r : job_of(a, JOB_VERB_START, service->id, err);
}

int restart_unit(Activation *a, const UnitStatus *service, Err *err)
{
    StringVec sockets = {0};
    int r = clear_failures(a, service, err);
    if (r >= 0)
        r = sockets_to_restart(a, service, &sockets, err);
    if (r < 0)
        return r;
    return sockets.n > 0 ? restart_with(a, service, &sockets, err)
                         : restart_job(a, JOB_VERB_RESTART, service->id, service, err);
}

/* --- What stops with it --- */

static const StringVec *stopped_with(const UnitStatus *status, size_t i)
{
    const StringVec *const lists[] = {&status->consists_of, &status->required_by, &status->bound_by,
                                      &status->requisite_of, &status->propagates_stop_to};
    return i < ARRAY_LEN(lists) ? lists[i] : NULL;
}

static int add_if_running(Systemd *systemd, Arena *arena, const char *unit, StringVec *ret, Err *err)
{
    UnitStatus status;
    int r = strings_contain(ret, unit) ? 0 : systemd_unit_status(systemd, arena, unit, &status, err);
    if (r >= 0 && !strings_contain(ret, unit) && is_running(&status) &&
        !effect_is_job(status.active_state, status.type ? status.type : ""))
        *vec_push(arena, ret) = unit;
    return r;
}

int restart_add_along(Systemd *systemd, Arena *arena, const UnitStatus *service, StringVec *ret, Err *err)
{
    size_t next = ret->n;
    UnitStatus status = *service;
    int r = 0;
    VEC_EACH (socket, &service->triggered_by)
        r = r < 0 || !str_ends(*socket, ".socket") ? r : add_if_running(systemd, arena, *socket, ret, err);
    next = ret->n; /* what stops with a socket is no matter here: it goes on listening */
    for (;; next++) {
        const StringVec *list;
        for (size_t i = 0; (list = stopped_with(&status, i)) != NULL; i++) {
            for (size_t k = 0; r >= 0 && k < list->n; k++)
                r = add_if_running(systemd, arena, list->items[k], ret, err);
        }
        if (r < 0 || next >= ret->n)
            return r < 0 ? r : 0;
        r = systemd_unit_status(systemd, arena, ret->items[next], &status, err);
        if (r < 0)
            return r;
    }
}

/* Sockets are started before their service, or not at all. */
int restart_bring_back(Activation *a, Err *err)
{
    for (size_t i = 0; i < a->before->was_up.n; i++) {
        const char *unit = a->before->was_up.items[i];
        UnitStatus status;
        int r = systemd_unit_status(a->systemd, a->arena, unit, &status, err);
        if (r >= 0 && !is_running(&status) && !str_ends(unit, ".socket")) {
            progress_warning(a->progress, "%s ended with the restart: it is started again", unit);
            r = restart_job(a, JOB_VERB_START, unit, &status, err);
        }
        if (r < 0)
            return r;
    }
    return 0;
}
