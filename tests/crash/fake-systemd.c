/* SPDX-License-Identifier: Apache-2.0 */
/* host/systemd.h over the services of sim.h. Jobs end at once. Each is a point at which salve may be killed, before and
 * after: what PID 1 began it also ends, whether salve lives or not. */
#include "host/systemd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/bus.h"
#include "inject.h"
#include "tree.h"

struct Systemd {
    int unused;
};

const char *const systemd_sandbox_properties[] = {NULL};

int systemd_open(Systemd **ret_systemd, Err *err)
{
    *ret_systemd = xmalloc(sizeof **ret_systemd);
    return 0;
}

void systemd_close(Systemd *systemd)
{
    free(systemd);
}

int systemd_unit_status(Systemd *systemd, Arena *arena, const char *unit, UnitStatus *ret_status, Err *err)
{
    const Service *service = services_find(unit);
    UnitStatus status = {.id = arena_strdup(arena, unit),
                         .load_state = service ? "loaded" : "not-found",
                         .load_error = "",
                         .active_state = !service || !(service->active || service->failed) ? "inactive"
                                         : service->active                                 ? "active"
                                                                                           : "failed",
                         .sub_state = service && service->active ? "running" : "dead",
                         .result = service && service->failed ? "exit-code" : "success",
                         .invocation_id = "",
                         .description = "",
                         .unit_file_state = "enabled",
                         .type = "notify",
                         .memory_current = UINT64_MAX,
                         .memory_max = UINT64_MAX};
    if (service) {
        status.main_pid = service->active ? service->main_pid : 0;
        status.invocation_id = arena_strdup(arena, service->invocation);
        if (sim->knobs.others_restart && sim->jobs > 0 && str_equal(unit, SIM_GUNICORN))
            status.invocation_id = arena_printf(arena, "%032x", ++sim->last_pid);
        for (size_t i = 0; i < sim->dropin_count && str_equal(unit, SIM_GUNICORN); i++)
            *vec_push(arena, &status.drop_in_paths) = arena_strdup(arena, sim->dropins[i]);
    }
    *ret_status = status;
    return 0;
}

/* What systemd made of a setting: the last assignment in what it has loaded. */
int systemd_get_property_string(Systemd *systemd, Arena *arena, const char *unit, const char *name,
                                const char **ret_value, Err *err)
{
    const char *last = NULL, *assignment = arena_printf(arena, "\n%s=", name);
    for (const char *at = sim->loaded; (at = strstr(at, assignment)); at++)
        last = at + strlen(assignment);
    if (!last)
        return err_set(err, ERR_NOT_FOUND, "%s has no property %s", unit, name);
    *ret_value = arena_strndup(arena, last, strcspn(last, "\n"));
    return 0;
}

static bool is_deaf(void)
{
    return sim->knobs.systemd_is_deaf && sim->jobs >= sim->knobs.deaf_after;
}

/* A point, and the question whether what is about to be loaded is one configuration (promise 12). */
static void begin_job(const char *what)
{
    (void)inject_before("job", what, false);
    sim->jobs++;
    if (!sim->sides[0][0] || sim->mixed[0])
        return;
    CLEANUP(arena_free) Arena *arena = arena_new();
    inject_suspend();
    const char *hash = tree_hash(arena, "");
    inject_resume();
    if (!str_equal(hash, sim->sides[0]) && !str_equal(hash, sim->sides[1]))
        snprintf(sim->mixed, sizeof sim->mixed, "%s", what);
}

int systemd_daemon_reload(Systemd *systemd, Err *err)
{
    if (is_deaf())
        return err_set(err, ERR_UNREACHABLE, "systemd is not reached");
    begin_job("daemon-reload");
    inject_suspend();
    services_load_units();
    inject_resume();
    inject_after();
    return 0;
}

int systemd_is_stopping(Systemd *systemd, bool *ret, Err *err)
{
    *ret = sim->knobs.host_shuts_down;
    return 0;
}

int systemd_reset_failed(Systemd *systemd, const char *unit, Err *err)
{
    return 0;
}

static bool carry_out(JobVerb verb, Service *service)
{
    switch (verb) {
    case JOB_VERB_START:
    case JOB_VERB_RESTART: return services_start(service);
    case JOB_VERB_RELOAD: (void)services_reload(service); return true; /* nginx's reload is always "done" */
    case JOB_VERB_STOP: service->active = service->failed = false; return true;
    }
    return false;
}

int systemd_job(Systemd *systemd, Arena *arena, JobVerb verb, const char *unit, const JobOptions *options,
                JobOutcome *ret_outcome, Err *err)
{
    static const char *const verbs[] = {"start", "stop", "restart", "reload"};
    Service *service = services_find(unit);
    char what[64];
    if (is_deaf())
        return err_set(err, ERR_UNREACHABLE, "systemd is not reached");
    snprintf(what, sizeof what, "%s %s", verbs[verb], unit);
    *ret_outcome = (JobOutcome){.result = service ? JOB_DONE : JOB_NO_SUCH_UNIT, .text = ""};
    if (!service)
        return 0;
    begin_job(what);
    inject_suspend();
    if (!carry_out(verb, service))
        ret_outcome->result = JOB_FAILED;
    inject_resume();
    inject_after();
    return 0;
}

const char *job_result_to_string(JobResult result)
{
    return result == JOB_DONE ? "done" : "failed";
}

/* gunicorn --check-config, which passes */
int systemd_begin_transient(Systemd *systemd, Arena *arena, const char *unit, const UnitPropertyVec *properties,
                            TransientRun *ret_run, Err *err)
{
    *ret_run = (TransientRun){.systemd = systemd, .unit = unit, .job = "1"};
    return 0;
}

int systemd_end_transient(TransientRun *run, Arena *arena, const JobOptions *options, TransientResult *ret_result,
                          Err *err)
{
    *ret_result = (TransientResult){.job = {.result = JOB_DONE, .text = ""}, .result = "success", .invocation_id = ""};
    return 0;
}

/* Nobody else runs units here. */
int systemd_list_units(Systemd *systemd, Arena *arena, const char *pattern, UnitRowVec *ret_units, Err *err)
{
    return 0;
}

int systemd_forget_transient(Systemd *systemd, Arena *arena, const char *unit, Err *err)
{
    return 0;
}

int systemd_cancel_transient(TransientRun *run, Arena *arena, Err *err)
{
    return 0;
}

int systemd_copy_properties(Systemd *systemd, Arena *arena, const char *unit, const char *const *names,
                            UnitPropertyVec *properties, StringVec *missing, Err *err)
{
    return 0;
}

/* The engine is carried by the process that the test kills. */
int systemd_start_transient(Systemd *systemd, Arena *arena, const char *unit, const UnitPropertyVec *properties,
                            const JobOptions *options, JobOutcome *ret_outcome, Err *err)
{
    return err_set(err, ERR_FAILED, "there is no unit %s on this host", unit);
}

int systemd_kill_main(Systemd *systemd, const char *unit, int number, Err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no unit %s on this host", unit);
}
