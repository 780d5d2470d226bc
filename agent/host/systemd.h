/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's manager, over D-Bus (org.freedesktop.systemd1(5)).
 *
 * What is here asks and tells; it draws no conclusion. Above all a job that ended JOB_DONE proves almost nothing: a
 * service that dies a second later, a false Condition and an nginx that rejected its reload all give it. Proof that a
 * service runs what it should is run/'s matter.
 *
 * Values that systemd reports as UINT64_MAX ("not available", "infinity") stay UINT64_MAX, which is USEC_INFINITY. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/vec.h"

typedef struct Systemd Systemd;
struct BusValue;

/* The system bus; where there is none yet (early boot), PID 1's private socket /run/systemd/private, which only root
 * may use. ERR_NOT_FOUND where PID 1 is not systemd, ERR_DENIED where the socket may not be used. */
int systemd_open(Systemd **ret_systemd, Err *err);
void systemd_close(Systemd *systemd);
DEFINE_CLEANUP(Systemd *, systemd_close)

/* One command of an Exec* setting as systemd expanded it (specifiers gone: never write it back as it is). */
typedef struct ExecCommand {
    const char *path;
    StringVec argv;
    bool ignore_failure; /* the "-" prefix */
} ExecCommand;
typedef VEC(ExecCommand) ExecCommandVec;

typedef struct EnvironmentFile {
    const char *path; /* may be a glob */
    bool optional;    /* the "-" prefix */
} EnvironmentFile;
typedef VEC(EnvironmentFile) EnvironmentFileVec;

typedef struct ListenAddress {
    const char *kind;    /* "Stream", "Datagram", ... */
    const char *address; /* "/run/gunicorn.sock", "127.0.0.1:8000", "[::]:80" */
} ListenAddress;
typedef VEC(ListenAddress) ListenAddressVec;

/* What systemd knows of a unit. Strings are "" and lists empty where a unit of that type has no such property; numbers
 * are then 0, except those that say otherwise. */
typedef struct UnitStatus {
    const char *id; /* the primary name; `names` has the aliases too */
    StringVec names;
    const char *description;
    const char *load_state; /* loaded, not-found, bad-setting, masked, error */
    const char *load_error; /* text, "" if none */
    const char *active_state, *sub_state;
    const char *unit_file_state; /* enabled, disabled, static, ... */
    const char *fragment_path;   /* "" for a unit without a file */
    const char *source_path;
    StringVec drop_in_paths; /* in the order in which they apply */
    bool need_daemon_reload; /* "no" is not to be trusted: the caller reloads anyway */
    bool can_start, can_stop, can_reload;
    const char *invocation_id; /* 32 lower-case hex digits, "" if never started */
    usec state_change, active_enter, inactive_enter;

    StringVec triggers, triggered_by;
    StringVec part_of, consists_of; /* consists_of: units with PartOf= this one */
    StringVec requires, required_by, requisite, requisite_of, wants, wanted_by;
    StringVec binds_to, bound_by;
    StringVec propagates_reload_to, reload_propagated_from;
    StringVec propagates_stop_to, stop_propagated_from;
    StringVec conflicts, conflicted_by;
    StringVec before, after;

    const char *type;   /* service: simple, exec, notify, forking, ... */
    const char *result; /* success, exit-code, signal, timeout, oom-kill, start-limit-hit, ... */
    const char *reload_result;
    uint32_t main_pid, control_pid; /* 0: none */
    uint32_t restarts;              /* NRestarts */
    int32_t exec_main_code;         /* CLD_EXITED, CLD_KILLED, ... */
    int32_t exec_main_status;       /* exit status or signal */
    usec exec_main_start;
    const char *status_text;
    usec timeout_start_usec, timeout_stop_usec, runtime_max_usec, watchdog_usec, restart_usec;
    const char *kill_mode, *restart, *oom_policy, *notify_access;
    int32_t kill_signal;
    usec start_limit_interval_usec;
    uint32_t start_limit_burst;
    ExecCommandVec exec_start, exec_start_pre, exec_reload, exec_stop;
    StringVec environment; /* NAME=value; secrets may be in it */
    StringVec pass_environment;
    EnvironmentFileVec environment_files;
    const char *user, *group; /* "" is root */
    const char *working_directory, *root_directory, *pid_file;
    StringVec runtime_directory;            /* below /run */
    const char *runtime_directory_preserve; /* no, yes, restart */
    const char *standard_output, *standard_error;
    bool private_tmp, private_network, dynamic_user;
    const char *protect_home, *protect_system;
    const char *slice, *control_group;
    uint64_t memory_current, memory_peak, memory_max, memory_high; /* bytes; UINT64_MAX: not available */
    uint64_t tasks_current, tasks_max, limit_nofile;               /* likewise */

    ListenAddressVec listen; /* socket */
} UnitStatus;

/* Loads the unit if need be. A unit that does not exist is no failure: load_state is "not-found". */
int systemd_unit_status(Systemd *systemd, Arena *arena, const char *unit, UnitStatus *ret_status, Err *err);
/* The pure half of it: an a{sv} of org.freedesktop.DBus.Properties.GetAll. */
void unit_status_decode(Arena *arena, const struct BusValue *properties, UnitStatus *ret_status);

/* One property as text, to read back what systemd made of a setting: bus_value_to_string's form ("yes"/"no" for
 * booleans; times are numbers of microseconds). ERR_NOT_FOUND for an unknown name. */
int systemd_get_property_string(Systemd *systemd, Arena *arena, const char *unit, const char *name,
                                const char **ret_value, Err *err);

typedef struct UnitRow {
    const char *name, *load_state, *active_state, *sub_state;
} UnitRow;
typedef VEC(UnitRow) UnitRowVec;

/* Units in memory whose name fits the glob ("*.service"). */
int systemd_list_units(Systemd *systemd, Arena *arena, const char *pattern, UnitRowVec *ret_units, Err *err);

typedef struct UnitFileRow {
    const char *path, *state;
} UnitFileRow;
typedef VEC(UnitFileRow) UnitFileRowVec;

int systemd_list_unit_files(Systemd *systemd, Arena *arena, const char *pattern, UnitFileRowVec *ret_files, Err *err);
/* The unit that a process belongs to. ERR_NOT_FOUND if none. */
int systemd_unit_of_pid(Systemd *systemd, Arena *arena, uint32_t pid, const char **ret_unit, Err *err);

/* Reads all unit files again; returns when it is done (time limit 90 s). */
int systemd_daemon_reload(Systemd *systemd, Err *err);
/* Whether the machine is going down: jobs are refused then. */
int systemd_is_stopping(Systemd *systemd, bool *ret, Err *err);
/* Also clears the counter of the start limit, of running units too: call it before every start or restart. A unit that
 * is not loaded is fine. */
int systemd_reset_failed(Systemd *systemd, const char *unit, Err *err);

typedef enum JobResult {
    JOB_DONE, /* proves almost nothing */
    JOB_CANCELED,
    JOB_TIMEOUT,
    JOB_FAILED,
    JOB_DEPENDENCY,
    JOB_SKIPPED,
    JOB_INVALID, /* a reload of an inactive unit */
    JOB_OTHER,   /* any result that is not documented: a failure */
    /* The call was refused, there was no job: */
    JOB_NO_SUCH_UNIT,
    JOB_UNIT_MASKED,
    JOB_BAD_UNIT,       /* BadUnitSetting: a running service is left as it is */
    JOB_DESTRUCTIVE,    /* another job is queued, or the machine is shutting down */
    JOB_NOT_APPLICABLE, /* JobTypeNotApplicable: no ExecReload= */
    JOB_REFUSED,        /* another error of D-Bus; the text says which */
    /* We did not wait for its end: */
    JOB_NOT_FINISHED, /* the caller's time limit passed, the job goes on */
    JOB_INTERRUPTED,  /* the callback asked us to stop waiting, the job goes on */
} JobResult;

const char *job_result_to_string(JobResult result); /* "done", "no such unit", ... */

typedef enum JobVerb { JOB_VERB_START, JOB_VERB_STOP, JOB_VERB_RESTART, JOB_VERB_RELOAD } JobVerb;

typedef struct JobOptions {
    const char *mode;  /* NULL: "replace" */
    usec timeout_usec; /* how long to wait for the job; 0: 90 s. Give at least TimeoutStop + TimeoutStart + 10 s */
    bool (*interrupted)(void *context); /* asked about ten times a second; true stops the waiting. May be NULL */
    void *context;
    bool no_wait; /* the job is only queued: JOB_NOT_FINISHED */
} JobOptions;

typedef struct JobOutcome {
    JobResult result;
    const char *text;  /* systemd's own word or error text */
    usec elapsed_usec; /* from the call to the result */
} JobOutcome;

/* Queues the job and waits for its end. Every answer of systemd is an outcome (0); negative is a lost connection. */
int systemd_job(Systemd *systemd, Arena *arena, JobVerb verb, const char *unit, const JobOptions *options,
                JobOutcome *ret_outcome, Err *err);

/* Sends a signal to the unit's main process alone. ERR_NOT_FOUND: there is none. */
int systemd_kill_main(Systemd *systemd, const char *unit, int number, Err *err);

/* A property of a transient unit. The kind says which member counts. */
typedef enum UnitPropertyKind {
    PROPERTY_STRING,            /* text */
    PROPERTY_BOOL,              /* number */
    PROPERTY_U64,               /* number: sizes, times in usec, limits */
    PROPERTY_U32,               /* number: UMask */
    PROPERTY_I32,               /* number, as int32: KillSignal, OOMScoreAdjust */
    PROPERTY_STRINGS,           /* strings: Environment, ReadWritePaths, OnFailure, After */
    PROPERTY_EXEC,              /* exec: ExecStart, ExecStopPost, ... */
    PROPERTY_ENVIRONMENT_FILES, /* environment_files: EnvironmentFiles */
    PROPERTY_FD,                /* number: StandardOutputFileDescriptor */
    PROPERTY_COPIED,            /* value: what systemd_copy_properties read */
} UnitPropertyKind;

typedef struct UnitProperty {
    const char *name; /* as on D-Bus: "RuntimeMaxUSec", "StandardOutputFile" */
    UnitPropertyKind kind;
    const char *text;
    uint64_t number;
    StringVec strings;
    ExecCommandVec exec;
    EnvironmentFileVec environment_files;
    const struct BusValue *value;
} UnitProperty;
typedef VEC(UnitProperty) UnitPropertyVec;

/* Creates and starts a transient unit and waits for its start job. With Type=oneshot that is its whole life. */
int systemd_start_transient(Systemd *systemd, Arena *arena, const char *unit, const UnitPropertyVec *properties,
                            const JobOptions *options, JobOutcome *ret_outcome, Err *err);

typedef struct TransientResult {
    JobOutcome job;
    const char *result;   /* the unit's Result: success, exit-code, signal, timeout, ... */
    int32_t code, status; /* ExecMainCode, ExecMainStatus */
    const char *invocation_id;
} TransientResult;

/* Runs a Type=oneshot transient unit to its end, reads how it ended, and removes it from systemd's memory. Adds
 * Type=oneshot and RemainAfterExit=yes itself; its time limit is TimeoutStartUSec (RuntimeMaxUSec has no effect on it).
 * When the waiting ends early the unit is stopped. */
int systemd_run_transient(Systemd *systemd, Arena *arena, const char *unit, const UnitPropertyVec *properties,
                          const JobOptions *options, TransientResult *ret_result, Err *err);

/* The same in two halves, with other work in between; but no other job on the same connection, whose waiting would take
 * the news of this one. What was begun is ended or cancelled (stopped and removed). */
typedef struct TransientRun {
    Systemd *systemd;
    const char *unit, *job; /* job NULL: refused */
    JobOutcome refused;
    usec started;
} TransientRun;

int systemd_begin_transient(Systemd *systemd, Arena *arena, const char *unit, const UnitPropertyVec *properties,
                            TransientRun *ret_run, Err *err);
int systemd_end_transient(TransientRun *run, Arena *arena, const JobOptions *options, TransientResult *ret_result,
                          Err *err);
/* Ends a transient unit that still runs, and lets systemd forget it. */
int systemd_forget_transient(Systemd *systemd, Arena *arena, const char *unit, Err *err);
int systemd_cancel_transient(TransientRun *run, Arena *arena, Err *err);

/* The settings that make a service's sandbox and that a transient unit accepts in the form in which they are read;
 * NULL-terminated. User, Group, WorkingDirectory, Environment and EnvironmentFiles are not among them. */
extern const char *const systemd_sandbox_properties[];

/* Reads `names` (NULL-terminated) of `unit` and adds them to *properties as PROPERTY_COPIED; names that this systemd
 * does not have go to *missing. */
int systemd_copy_properties(Systemd *systemd, Arena *arena, const char *unit, const char *const *names,
                            UnitPropertyVec *properties, StringVec *missing, Err *err);
