/* SPDX-License-Identifier: Apache-2.0 */
/* The manager's calls. How a unit's properties become a UnitStatus is host/unit-status.c. */
#include "host/systemd.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "host/bus.h"
#include "host/daemon.h"
#include "host/systemd-internal.h"

#define ERROR_PREFIX "org.freedesktop.systemd1."

static const usec RELOAD_TIMEOUT_USEC = 90 * USEC_PER_SEC;
static const usec JOB_TIMEOUT_USEC = 90 * USEC_PER_SEC;
/* How often we look whether a job that is silent is still there. */
static const usec LOOK_USEC = USEC_PER_SEC;

static int manager_call(Systemd *systemd, Arena *arena, const char *member, const BusValue *args, size_t n_args,
                        usec timeout_usec, BusValue *ret_reply, const char **ret_error, Err *err)
{
    const BusCall call = {DESTINATION, MANAGER_PATH, MANAGER, member, args, n_args, timeout_usec};
    return systemd_call(systemd, arena, &call, ret_reply, ret_error, err);
}

/* The interface "" asks for the properties of all of the unit's interfaces. */
static int get_all(Systemd *systemd, Arena *arena, const char *path, BusValue *ret_reply, const char **ret_error,
                   Err *err)
{
    const BusValue interface = bus_string("");
    const BusCall call = {DESTINATION, path, "org.freedesktop.DBus.Properties", "GetAll", &interface, 1, 0};
    return systemd_call(systemd, arena, &call, ret_reply, ret_error, err);
}

/* A unit's object is there for the asking: systemd loads the unit when its path is used, as LoadUnit does, and an
 * alias's path leads to the unit. Only LoadUnit says what is wrong with a name. */
static int all_properties(Systemd *systemd, Arena *arena, const char *unit, BusValue *ret_properties, Err *err)
{
    const BusValue name = bus_string(unit);
    const char *error;
    BusValue reply;
    int r = get_all(systemd, arena, bus_path_encode(arena, MANAGER_PATH "/unit", unit), &reply, &error, err);
    if (r == BUS_ERROR_REPLY) {
        r = manager_call(systemd, arena, "LoadUnit", &name, 1, 0, &reply, NULL, err);
        if (r < 0)
            return err_prefix(err, "cannot look at unit %s", unit);
        r = get_all(systemd, arena, reply.items.items[0].text, &reply, NULL, err);
    }
    if (r < 0)
        return err_prefix(err, "cannot read the properties of unit %s", unit);
    *ret_properties = reply.items.items[0];
    return 0;
}

int systemd_unit_status(Systemd *systemd, Arena *arena, const char *unit, UnitStatus *ret_status, Err *err)
{
    BusValue properties;
    int r = all_properties(systemd, arena, unit, &properties, err);
    if (r == 0)
        unit_status_decode(arena, &properties, ret_status);
    return r;
}

int systemd_get_property_string(Systemd *systemd, Arena *arena, const char *unit, const char *name,
                                const char **ret_value, Err *err)
{
    BusValue properties;
    int r = all_properties(systemd, arena, unit, &properties, err);
    if (r < 0)
        return r;
    const BusValue *value = bus_dict_get(&properties, name);
    if (!value)
        return err_set(err, ERR_NOT_FOUND, "unit %s has no property %s", unit, name);
    *ret_value = bus_value_to_string(arena, value);
    return 0;
}

static int list_call(Systemd *systemd, Arena *arena, const char *member, const char *pattern, BusValueVec *ret_rows,
                     Err *err)
{
    StringVec none = {0}, patterns = {0};
    *vec_push(arena, &patterns) = pattern;
    const BusValue args[] = {bus_strings(arena, &none), bus_strings(arena, &patterns)};
    BusValue reply;
    int r = manager_call(systemd, arena, member, args, ARRAY_LEN(args), 0, &reply, NULL, err);
    if (r == 0)
        *ret_rows = reply.items.items[0].items;
    return r;
}

int systemd_list_units(Systemd *systemd, Arena *arena, const char *pattern, UnitRowVec *ret_units, Err *err)
{
    BusValueVec rows;
    UnitRowVec units = {0};
    int r = list_call(systemd, arena, "ListUnitsByPatterns", pattern, &rows, err);
    if (r < 0)
        return r;
    VEC_EACH (row, &rows) { /* ssssssouso: name, description, load, active, sub, ... */
        const BusValue *field = row->items.items;
        *vec_push(arena, &units) = (UnitRow){field[0].text, field[2].text, field[3].text, field[4].text};
    }
    *ret_units = units;
    return 0;
}

int systemd_list_unit_files(Systemd *systemd, Arena *arena, const char *pattern, UnitFileRowVec *ret_files, Err *err)
{
    BusValueVec rows;
    UnitFileRowVec files = {0};
    int r = list_call(systemd, arena, "ListUnitFilesByPatterns", pattern, &rows, err);
    if (r < 0)
        return r;
    VEC_EACH (row, &rows) {
        *vec_push(arena, &files) = (UnitFileRow){row->items.items[0].text, row->items.items[1].text};
    }
    *ret_files = files;
    return 0;
}

int systemd_unit_of_pid(Systemd *systemd, Arena *arena, uint32_t pid, const char **ret_unit, Err *err)
{
    const BusValue arg = bus_basic('u', pid), id[] = {bus_string(DESTINATION ".Unit"), bus_string("Id")};
    BusValue reply;
    const char *error = NULL;
    int r = manager_call(systemd, arena, "GetUnitByPID", &arg, 1, 0, &reply, &error, err);
    if (r == BUS_ERROR_REPLY)
        return err_set(err, ERR_NOT_FOUND, "process %u belongs to no unit", pid);
    if (r < 0)
        return r;
    const BusCall call = {
        DESTINATION, reply.items.items[0].text, "org.freedesktop.DBus.Properties", "Get", id, ARRAY_LEN(id), 0};
    r = systemd_call(systemd, arena, &call, &reply, NULL, err);
    if (r == 0)
        *ret_unit = bus_value_to_string(arena, &reply.items.items[0]);
    return r;
}

int systemd_daemon_reload(Systemd *systemd, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    int r = manager_call(systemd, arena, "Reload", NULL, 0, RELOAD_TIMEOUT_USEC, NULL, NULL, err);
    return r < 0 ? err_prefix(err, "cannot reload systemd's unit files") : r;
}

int systemd_is_stopping(Systemd *systemd, bool *ret, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const BusValue state[] = {bus_string(MANAGER), bus_string("SystemState")};
    const BusCall call = {
        DESTINATION, MANAGER_PATH, "org.freedesktop.DBus.Properties", "Get", state, ARRAY_LEN(state), 0};
    BusValue reply;
    int r = systemd_call(systemd, arena, &call, &reply, NULL, err);
    if (r < 0)
        return err_prefix(err, "cannot ask systemd for its state");
    *ret = str_equal(bus_value_to_string(arena, &reply.items.items[0]), "stopping");
    return 0;
}

int systemd_reset_failed(Systemd *systemd, const char *unit, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const BusValue arg = bus_string(unit);
    const char *error = NULL;
    int r = manager_call(systemd, arena, "ResetFailedUnit", &arg, 1, 0, NULL, &error, err);
    if (r == BUS_ERROR_REPLY && str_equal(error, ERROR_PREFIX "NoSuchUnit"))
        return 0;
    return r ? err_prefix(err, "cannot reset the start counter of %s", unit) : 0;
}

static const char *const job_results[] = {
    [JOB_DONE] = "done",
    [JOB_CANCELED] = "canceled",
    [JOB_TIMEOUT] = "timeout",
    [JOB_FAILED] = "failed",
    [JOB_DEPENDENCY] = "dependency",
    [JOB_SKIPPED] = "skipped",
    [JOB_INVALID] = "invalid",
    [JOB_OTHER] = "unknown result",
    [JOB_NO_SUCH_UNIT] = "no such unit",
    [JOB_UNIT_MASKED] = "unit is masked",
    [JOB_BAD_UNIT] = "unit file is broken",
    [JOB_DESTRUCTIVE] = "another job is in the way",
    [JOB_NOT_APPLICABLE] = "unit cannot do that",
    [JOB_REFUSED] = "refused by systemd",
    [JOB_NOT_FINISHED] = "not finished in time",
    [JOB_INTERRUPTED] = "interrupted",
};

const char *job_result_to_string(JobResult result)
{
    return job_results[result];
}

static const struct {
    const char *error;
    JobResult result;
} job_errors[] = {
    {ERROR_PREFIX "NoSuchUnit", JOB_NO_SUCH_UNIT},
    {ERROR_PREFIX "LoadFailed", JOB_NO_SUCH_UNIT},
    {ERROR_PREFIX "UnitMasked", JOB_UNIT_MASKED},
    {ERROR_PREFIX "BadUnitSetting", JOB_BAD_UNIT},
    {ERROR_PREFIX "TransactionIsDestructive", JOB_DESTRUCTIVE},
    {ERROR_PREFIX "ShuttingDown", JOB_DESTRUCTIVE},
    {ERROR_PREFIX "JobTypeNotApplicable", JOB_NOT_APPLICABLE},
};

static JobResult job_result_of_error(const char *error)
{
    for (size_t i = 0; i < ARRAY_LEN(job_errors); i++) {
        if (str_equal(job_errors[i].error, error))
            return job_errors[i].result;
    }
    return JOB_REFUSED;
}

static JobResult job_result_of_signal(const char *word)
{
    for (JobResult result = JOB_DONE; result < JOB_OTHER; result++) {
        if (str_equal(job_results[result], word))
            return result;
    }
    return JOB_OTHER;
}

/* Whether the job has left systemd's list; its JobRemoved, if it reached us, has then been kept. */
static int job_is_gone(Systemd *systemd, Arena *arena, const char *job, bool *ret, Err *err)
{
    BusValue reply;
    const char *error;
    int r = get_all(systemd, arena, job, &reply, &error, err);
    *ret = r == BUS_ERROR_REPLY;
    return r < 0 ? r : 0;
}

static bool is_end_of(const BusValue *signal, const char *job)
{
    return signal->items.n == 4 && str_equal(signal->items.items[1].text, job); /* uoss */
}

static bool give_up(const JobOptions *options, usec start, JobResult *ret_result)
{
    usec limit = options->timeout_usec ? options->timeout_usec : JOB_TIMEOUT_USEC;
    bool interrupted = options->interrupted && options->interrupted(options->context);
    *ret_result = interrupted ? JOB_INTERRUPTED : JOB_NOT_FINISHED;
    return interrupted || clock_boottime() - start >= limit;
}

/* systemd's own word, and the job is gone: a signal alone is not believed. */
static int has_ended(Systemd *systemd, Arena *arena, const BusValue *signal, const char *job, bool *ret, Err *err)
{
    *ret = false;
    return is_end_of(signal, job) ? job_is_gone(systemd, arena, job, ret, err) : 0;
}

/* A job may end while the connection is being made anew, and its signal is lost: so we look now and then. An end that
 * nobody saw proves as little as "done" (host/systemd.h). */
static int wait_job(Systemd *systemd, Arena *arena, const char *job, const JobOptions *options, JobOutcome *outcome,
                    Err *err)
{
    usec start = clock_boottime(), looked = start;
    bool gone = false;
    JobResult result;
    do {
        BusValue signal;
        Err ignored; /* looking again tells */
        daemon_alive();
        int r = bus_next_signal(systemd->bus, arena, gone ? 0 : USEC_PER_SEC / 10, &signal, err);
        bool ended = false;
        if (r == 0 && has_ended(systemd, arena, &signal, job, &ended, err) < 0)
            return -(int)err->kind;
        if (ended) {
            outcome->text = signal.items.items[3].text;
            outcome->result = job_result_of_signal(outcome->text);
            return 0;
        }
        if (r != 0 && gone) {
            result = JOB_DONE;
            break;
        }
        if (r < 0)
            systemd_reconnect(systemd, &ignored);
        if (r < 0 || clock_boottime() - looked >= LOOK_USEC) {
            r = job_is_gone(systemd, arena, job, &gone, err);
            if (r < 0)
                return r;
            looked = clock_boottime();
        }
    } while (!give_up(options, start, &result));
    outcome->result = result;
    outcome->text = job_results[result];
    return 0;
}

/* Makes a call that answers with a job's path. *ret_job NULL: the call was refused, and *outcome says why. */
static int queue_job(Systemd *systemd, Arena *arena, const char *member, const BusValue *args, size_t n_args,
                     const char **ret_job, JobOutcome *outcome, Err *err)
{
    BusValue reply;
    const char *error = NULL;
    bus_drop_signals(systemd->bus);
    systemd_subscribe(systemd);
    int r = manager_call(systemd, arena, member, args, n_args, 0, &reply, &error, err);
    if (r < 0)
        return r;
    *ret_job = r == BUS_ERROR_REPLY ? NULL : reply.items.items[0].text;
    if (r == BUS_ERROR_REPLY)
        *outcome = (JobOutcome){.result = job_result_of_error(error), .text = arena_strdup(arena, err->message)};
    return 0;
}

/* The same, and waits for that job. */
static int run_job(Systemd *systemd, Arena *arena, const char *member, const BusValue *args, size_t n_args,
                   const JobOptions *options, JobOutcome *ret_outcome, Err *err)
{
    usec start = clock_boottime();
    JobOutcome outcome = {0};
    const char *job;
    int r = queue_job(systemd, arena, member, args, n_args, &job, &outcome, err);
    if (r >= 0 && job && options->no_wait)
        outcome = (JobOutcome){.result = JOB_NOT_FINISHED, .text = job_results[JOB_NOT_FINISHED]};
    else if (r >= 0 && job)
        r = wait_job(systemd, arena, job, options, &outcome, err);
    if (r < 0)
        return r;
    outcome.elapsed_usec = clock_boottime() - start;
    *ret_outcome = outcome;
    return 0;
}

int systemd_job(Systemd *systemd, Arena *arena, JobVerb verb, const char *unit, const JobOptions *options,
                JobOutcome *ret_outcome, Err *err)
{
    static const char *const members[] = {
        [JOB_VERB_START] = "StartUnit",
        [JOB_VERB_STOP] = "StopUnit",
        [JOB_VERB_RESTART] = "RestartUnit",
        [JOB_VERB_RELOAD] = "ReloadUnit",
    };
    const BusValue args[] = {bus_string(unit), bus_string(options->mode ? options->mode : "replace")};
    int r = run_job(systemd, arena, members[verb], args, ARRAY_LEN(args), options, ret_outcome, err);
    return r < 0 ? err_prefix(err, "%s %s", members[verb], unit) : 0;
}

int systemd_kill_main(Systemd *systemd, const char *unit, int number, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const BusValue args[] = {bus_string(unit), bus_string("main"), bus_basic('i', (uint64_t)(int64_t)number)};
    const char *error = NULL;
    int r = manager_call(systemd, arena, "KillUnit", args, ARRAY_LEN(args), 0, NULL, &error, err);
    return r == BUS_ERROR_REPLY ? err_set(err, ERR_NOT_FOUND, "%s does not run any more", unit) : r;
}

/* The arguments of StartTransientUnit. */
enum { TRANSIENT_ARGS = 4 };

static const BusValue *transient_args(Arena *arena, const char *unit, const UnitPropertyVec *properties,
                                      const char *mode)
{
    BusValueVec none = {0};
    BusValue *args = arena_array(arena, BusValue, TRANSIENT_ARGS);
    args[0] = bus_string(unit);
    args[1] = bus_string(mode ? mode : "fail");
    args[2] = unit_properties_encode(arena, properties);
    args[3] = bus_array("a(sa(sv))", none);
    return args;
}

int systemd_start_transient(Systemd *systemd, Arena *arena, const char *unit, const UnitPropertyVec *properties,
                            const JobOptions *options, JobOutcome *ret_outcome, Err *err)
{
    const BusValue *args = transient_args(arena, unit, properties, options->mode);
    int r = run_job(systemd, arena, "StartTransientUnit", args, TRANSIENT_ARGS, options, ret_outcome, err);
    return r < 0 ? err_prefix(err, "cannot start transient unit %s", unit) : 0;
}

/* A failed unit would stay until it is reset, an exited one until it is stopped. */
int systemd_forget_transient(Systemd *systemd, Arena *arena, const char *unit, Err *err)
{
    JobOutcome outcome;
    int r = systemd_job(systemd, arena, JOB_VERB_STOP, unit, &(JobOptions){0}, &outcome, err);
    return r < 0 ? r : systemd_reset_failed(systemd, unit, err);
}

int systemd_begin_transient(Systemd *systemd, Arena *arena, const char *unit, const UnitPropertyVec *properties,
                            TransientRun *ret_run, Err *err)
{
    UnitPropertyVec all = {0};
    VEC_EACH (property, properties) {
        *vec_push(arena, &all) = *property;
    }
    *vec_push(arena, &all) = (UnitProperty){.name = "Type", .kind = PROPERTY_STRING, .text = "oneshot"};
    *vec_push(arena, &all) = (UnitProperty){.name = "RemainAfterExit", .kind = PROPERTY_BOOL, .number = 1};
    TransientRun run = {.systemd = systemd, .unit = arena_strdup(arena, unit), .started = clock_boottime()};
    const BusValue *args = transient_args(arena, unit, &all, NULL);
    int r = queue_job(systemd, arena, "StartTransientUnit", args, TRANSIENT_ARGS, &run.job, &run.refused, err);
    if (r < 0)
        return err_prefix(err, "cannot start transient unit %s", unit);
    *ret_run = run;
    return 0;
}

int systemd_end_transient(TransientRun *run, Arena *arena, const JobOptions *options, TransientResult *ret_result,
                          Err *err)
{
    TransientResult result = {.job = run->refused, .result = "", .invocation_id = ""};
    UnitStatus status;
    int r = run->job ? wait_job(run->systemd, arena, run->job, options, &result.job, err) : 0;
    result.job.elapsed_usec = clock_boottime() - run->started;
    if (r >= 0 && run->job && (r = systemd_unit_status(run->systemd, arena, run->unit, &status, err)) == 0) {
        result.result = status.result;
        result.code = status.exec_main_code;
        result.status = status.exec_main_status;
        result.invocation_id = status.invocation_id;
        r = systemd_forget_transient(run->systemd, arena, run->unit, err);
    }
    if (r == 0)
        *ret_result = result;
    return r;
}

int systemd_cancel_transient(TransientRun *run, Arena *arena, Err *err)
{
    return run->job ? systemd_forget_transient(run->systemd, arena, run->unit, err) : 0;
}

int systemd_run_transient(Systemd *systemd, Arena *arena, const char *unit, const UnitPropertyVec *properties,
                          const JobOptions *options, TransientResult *ret_result, Err *err)
{
    TransientRun run;
    int r = systemd_begin_transient(systemd, arena, unit, properties, &run, err);
    return r < 0 ? r : systemd_end_transient(&run, arena, options, ret_result, err);
}

int systemd_copy_properties(Systemd *systemd, Arena *arena, const char *unit, const char *const *names,
                            UnitPropertyVec *properties, StringVec *missing, Err *err)
{
    BusValue all;
    int r = all_properties(systemd, arena, unit, &all, err);
    if (r < 0)
        return r;
    for (; *names; names++) {
        const BusValue *value = bus_dict_get(&all, *names);
        if (!value) {
            *vec_push(arena, missing) = *names;
            continue;
        }
        BusValue *kept = arena_new_of(arena, BusValue);
        *kept = *value;
        *vec_push(arena, properties) = (UnitProperty){.name = *names, .kind = PROPERTY_COPIED, .value = kept};
    }
    return 0;
}
