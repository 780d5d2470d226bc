/* SPDX-License-Identifier: Apache-2.0 */
/* gunicorn --check-config imports the application and executes the configuration file: so it runs as the service would,
 * in a transient unit with the service's user, directory, environment and sandbox, never as root in our own process.
 *
 * PID 1 opens EnvironmentFile= and bind mounts outside of our namespace, so candidates are given as copies. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/bus.h"
#include "run/stage.h"
#include "stack/gunicorn.h"

#define CHECK_USEC (60 * USEC_PER_SEC)
enum { MAX_OUTPUT = 64 * 1024 };

static UnitProperty *add(Arena *arena, UnitPropertyVec *properties, const char *name, UnitPropertyKind kind)
{
    UnitProperty *property = vec_push(arena, properties);
    property->name = name;
    property->kind = kind;
    return property;
}

static void add_text(Arena *arena, UnitPropertyVec *properties, const char *name, const char *text)
{
    if (text && text[0])
        add(arena, properties, name, PROPERTY_STRING)->text = text;
}

/* The service's command with --check-config right behind the program. */
static void add_command(Arena *arena, UnitPropertyVec *properties, const GunicornFacts *facts)
{
    UnitProperty *exec = add(arena, properties, "ExecStart", PROPERTY_EXEC);
    ExecCommand *command = vec_push(arena, &exec->exec);
    command->path = facts->argv.items[0];
    for (size_t i = 0; i < facts->argv.n; i++) {
        *vec_push(arena, &command->argv) = facts->argv.items[i];
        if (i == facts->program)
            *vec_push(arena, &command->argv) = "--check-config";
    }
}

static void add_environment(Arena *arena, UnitPropertyVec *properties, const GunicornFacts *facts, Staging *staging)
{
    UnitProperty *plain = add(arena, properties, "Environment", PROPERTY_STRINGS);
    VEC_EACH (variable, &facts->environment.vars) {
        if (!variable->from_file)
            *vec_push(arena, &plain->strings) = arena_printf(arena, "%s=%s", variable->name, variable->value);
    }
    *vec_push(arena, &plain->strings) = "PYTHONDONTWRITEBYTECODE=1";
    if (facts->environment.files.n == 0)
        return;
    UnitProperty *files = add(arena, properties, "EnvironmentFiles", PROPERTY_ENVIRONMENT_FILES);
    VEC_EACH (file, &facts->environment.files) {
        const char *copy = staging ? staging_copy(staging, file->path) : NULL;
        *vec_push(arena, &files->environment_files) =
            (EnvironmentFile){.path = copy ? copy : file->path, .optional = file->optional};
    }
}

/* A configuration file that the run edits is seen by the check at its own path, as a bind mount of the copy. */
static void add_candidate_conf(Arena *arena, UnitPropertyVec *properties, const GunicornFacts *facts, Staging *staging)
{
    const char *copy = staging && facts->conf_path ? staging_copy(staging, facts->conf_path) : NULL;
    if (!copy)
        return;
    BusValue members[] = {bus_string(copy), bus_string(facts->conf_path), bus_basic('b', 0), bus_basic('t', 0)};
    BusValueVec mounts = {0};
    *vec_push(arena, &mounts) = bus_struct(arena, members, ARRAY_LEN(members));
    BusValue *value = arena_new_of(arena, BusValue);
    *value = bus_array("a(ssbt)", mounts);
    add(arena, properties, "BindReadOnlyPaths", PROPERTY_COPIED)->value = value;
}

static int add_identity(const StageInput *in, UnitPropertyVec *properties, const GunicornFacts *facts, Err *err)
{
    const char *directory;
    int r = unit_working_directory(in->view, facts->unit, &directory, err);
    if (r < 0)
        return r;
    static const char *const names[] = {"User", "Group"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value;
        r = unit_value_expanded(in->view, facts->unit, "Service", names[i], &value, err);
        if (r < 0)
            return r;
        add_text(in->arena, properties, names[i], value);
    }
    add_text(in->arena, properties, "WorkingDirectory", directory);
    return 0;
}

/* The sandbox as systemd has it loaded now; of a unit that it does not know there is none to copy. */
static int add_sandbox(const StageInput *in, UnitPropertyVec *properties, const char *unit, Err *err)
{
    UnitStatus status;
    StringVec missing = {0};
    int r = systemd_unit_status(in->systemd, in->arena, unit, &status, err);
    if (r < 0 || strcmp(status.load_state, "loaded") != 0)
        return r;
    return systemd_copy_properties(in->systemd, in->arena, unit, systemd_sandbox_properties, properties, &missing, err);
}

/* The last line that says something: of a traceback the exception itself. */
static const char *last_line(Arena *arena, int fd)
{
    char *text = arena_alloc(arena, MAX_OUTPUT + 1);
    ssize_t len = pread(fd, text, MAX_OUTPUT, 0);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' ' || text[len - 1] == '\0'))
        len--; /* the program may have made its output longer without writing any */
    if (len <= 0)
        return "it printed nothing";
    text[len] = '\0';
    char *newline = strrchr(text, '\n');
    return newline ? newline + 1 : text;
}

static int describe(const StageInput *in, Staging *staging, const GunicornFacts *facts, int output,
                    UnitPropertyVec *properties, Err *err)
{
    add_command(in->arena, properties, facts);
    add_environment(in->arena, properties, facts, staging);
    int r = add_identity(in, properties, facts, err);
    if (r >= 0)
        r = add_sandbox(in, properties, facts->unit->name, err);
    if (r < 0)
        return r;
    add_candidate_conf(in->arena, properties, facts, staging);
    add_text(in->arena, properties, "Description", "salve: gunicorn --check-config");
    add(in->arena, properties, "TimeoutStartUSec", PROPERTY_U64)->number = CHECK_USEC;
    add(in->arena, properties, "KillSignal", PROPERTY_I32)->number = SIGKILL; /* a check has nothing to save */
    add(in->arena, properties, "StandardOutputFileDescriptor", PROPERTY_FD)->number = (uint64_t)output;
    add(in->arena, properties, "StandardErrorFileDescriptor", PROPERTY_FD)->number = (uint64_t)output;
    return 0;
}

/* A check that runs. It has a connection of its own: others run jobs meanwhile. */
struct GunicornCheck {
    const char *unit;
    const GunicornFacts *facts;
    Systemd *systemd;
    int output;
    TransientRun run;
    bool begun, wrapped;
    int failed; /* to begin; `err` says why */
    Err err;
};

static int begin(const StageInput *in, Staging *staging, const GunicornFacts *facts, GunicornCheck *check, Err *err)
{
    UnitPropertyVec properties = {0};
    check->output = memfd_create("check-config", MFD_CLOEXEC);
    if (check->output < 0)
        return err_errno(err, errno, "cannot make a buffer for gunicorn's messages");
    int r = systemd_open(&check->systemd, err);
    if (r >= 0)
        r = describe(in, staging, facts, check->output, &properties, err);
    if (r < 0)
        return r;
    const char *name = arena_printf(in->arena, UNIT_CHECK_PREFIX "%s-%d.service", in->run_id, staging ? 1 : 0);
    r = systemd_begin_transient(check->systemd, in->arena, name, &properties, &check->run, err);
    check->begun = r >= 0;
    return r;
}

/* 0: it passed; 1: it failed, ret_why says why. */
static int end(const StageInput *in, GunicornCheck *check, const char **ret_why, Err *err)
{
    JobOptions options = {.timeout_usec = CHECK_USEC + 10 * USEC_PER_SEC};
    TransientResult result;
    check->begun = false;
    int r = systemd_end_transient(&check->run, in->arena, &options, &result, err);
    if (r < 0)
        return r;
    if (result.job.result == JOB_DONE && strcmp(result.result, "success") == 0)
        return 0;
    const char *said =
        strcmp(result.result, "timeout") == 0 ? "it did not end in 60s" : last_line(in->arena, check->output);
    *ret_why = result.job.result == JOB_REFUSED ? result.job.text : said;
    return 1;
}

GunicornCheck *stage_gunicorn_begin(const StageInput *in, Staging *staging, const char *unit)
{
    GunicornCheck *check = arena_new_of(in->arena, GunicornCheck);
    *check = (GunicornCheck){.unit = unit, .output = -1};
    int r = gunicorn_load(in->view, unit, &check->facts, &check->err);
    if (r > 0)
        check->facts = NULL;
    check->wrapped = r == 0 && check->facts->wrapper == GUNICORN_WRAPPED;
    if (r == 0 && !check->wrapped)
        r = begin(in, staging, check->facts, check, &check->err);
    check->failed = r < 0 ? r : 0;
    return check;
}

void stage_gunicorn_close(const StageInput *in, GunicornCheck *check)
{
    Err err;
    if (check->begun && systemd_cancel_transient(&check->run, in->arena, &err) < 0)
        progress_warning(in->progress, "%s", err_text(&err));
    check->begun = false;
    systemd_close(check->systemd);
    check->systemd = NULL;
    fd_close(check->output);
    check->output = -1;
}

/* Whether the configuration as it is fails as well. */
static bool untouched_fails(const StageInput *in, const char *unit, const char **ret_why)
{
    GunicornCheck check = {.unit = unit, .output = -1};
    Err ignored;
    bool fails = gunicorn_load(view_before(in->view), unit, &check.facts, &ignored) == 0 &&
                 begin(in, NULL, check.facts, &check, &ignored) >= 0 && end(in, &check, ret_why, &ignored) > 0;
    stage_gunicorn_close(in, &check);
    return fails;
}

int stage_gunicorn_end(const StageInput *in, Staging *staging, GunicornCheck *check, Err *err)
{
    const char *why, *why_before;
    if (check->failed) {
        *err = check->err;
        return check->failed;
    }
    if (check->wrapped)
        progress_warning(in->progress,
                         "not staged: %s runs Gunicorn through a wrapper (%s), so its configuration is "
                         "judged only when it starts",
                         check->unit, check->facts->wrapper_reason);
    if (check->wrapped || !check->facts)
        return 0;
    int r = end(in, check, &why, err);
    if (r <= 0)
        return r;
    if (staging && untouched_fails(in, check->unit, &why_before))
        return err_set(err, ERR_REFUSED,
                       "gunicorn --check-config fails on the configuration of %s as it is, before any change: %s; "
                       "repair that first",
                       check->unit, why_before);
    return err_set(err, ERR_REFUSED, "gunicorn --check-config refuses the candidate for %s: %s", check->unit, why);
}
