/* SPDX-License-Identifier: Apache-2.0 */
/* Units' properties between D-Bus values and plain structs: one table row a property, pure. */
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "host/systemd-internal.h"

typedef enum FieldKind {
    FIELD_TEXT,
    FIELD_STRINGS,
    FIELD_BOOL,
    FIELD_U32,
    FIELD_I32,
    FIELD_U64,
    FIELD_ID,    /* ay as hex */
    FIELD_EXEC,  /* a(sasbttttuii) */
    FIELD_FILES, /* a(sb) */
    FIELD_LISTEN /* a(ss) */
} FieldKind;

typedef struct Field {
    const char *name;
    FieldKind kind;
    size_t offset;
} Field;

#define ROW(name, kind, member)                                                                                        \
    {                                                                                                                  \
        name, kind, offsetof(UnitStatus, member)                                                                       \
    }

static const Field fields[] = {
    ROW("Id", FIELD_TEXT, id),
    ROW("Names", FIELD_STRINGS, names),
    ROW("Description", FIELD_TEXT, description),
    ROW("LoadState", FIELD_TEXT, load_state),
    ROW("LoadError", FIELD_TEXT, load_error),
    ROW("ActiveState", FIELD_TEXT, active_state),
    ROW("SubState", FIELD_TEXT, sub_state),
    ROW("UnitFileState", FIELD_TEXT, unit_file_state),
    ROW("FragmentPath", FIELD_TEXT, fragment_path),
    ROW("SourcePath", FIELD_TEXT, source_path),
    ROW("DropInPaths", FIELD_STRINGS, drop_in_paths),
    ROW("NeedDaemonReload", FIELD_BOOL, need_daemon_reload),
    ROW("CanStart", FIELD_BOOL, can_start),
    ROW("CanStop", FIELD_BOOL, can_stop),
    ROW("CanReload", FIELD_BOOL, can_reload),
    ROW("InvocationID", FIELD_ID, invocation_id),
    ROW("StateChangeTimestamp", FIELD_U64, state_change),
    ROW("ActiveEnterTimestamp", FIELD_U64, active_enter),
    ROW("InactiveEnterTimestamp", FIELD_U64, inactive_enter),
    ROW("Triggers", FIELD_STRINGS, triggers),
    ROW("TriggeredBy", FIELD_STRINGS, triggered_by),
    ROW("PartOf", FIELD_STRINGS, part_of),
    ROW("ConsistsOf", FIELD_STRINGS, consists_of),
    ROW("Requires", FIELD_STRINGS, requires),
    ROW("RequiredBy", FIELD_STRINGS, required_by),
    ROW("Requisite", FIELD_STRINGS, requisite),
    ROW("RequisiteOf", FIELD_STRINGS, requisite_of),
    ROW("Wants", FIELD_STRINGS, wants),
    ROW("WantedBy", FIELD_STRINGS, wanted_by),
    ROW("BindsTo", FIELD_STRINGS, binds_to),
    ROW("BoundBy", FIELD_STRINGS, bound_by),
    ROW("PropagatesReloadTo", FIELD_STRINGS, propagates_reload_to),
    ROW("ReloadPropagatedFrom", FIELD_STRINGS, reload_propagated_from),
    ROW("PropagatesStopTo", FIELD_STRINGS, propagates_stop_to),
    ROW("StopPropagatedFrom", FIELD_STRINGS, stop_propagated_from),
    ROW("Conflicts", FIELD_STRINGS, conflicts),
    ROW("ConflictedBy", FIELD_STRINGS, conflicted_by),
    ROW("Before", FIELD_STRINGS, before),
    ROW("After", FIELD_STRINGS, after),
    ROW("Type", FIELD_TEXT, type),
    ROW("Result", FIELD_TEXT, result),
    ROW("ReloadResult", FIELD_TEXT, reload_result),
    ROW("MainPID", FIELD_U32, main_pid),
    ROW("ControlPID", FIELD_U32, control_pid),
    ROW("NRestarts", FIELD_U32, restarts),
    ROW("ExecMainCode", FIELD_I32, exec_main_code),
    ROW("ExecMainStatus", FIELD_I32, exec_main_status),
    ROW("ExecMainStartTimestamp", FIELD_U64, exec_main_start),
    ROW("StatusText", FIELD_TEXT, status_text),
    ROW("TimeoutStartUSec", FIELD_U64, timeout_start_usec),
    ROW("TimeoutStopUSec", FIELD_U64, timeout_stop_usec),
    ROW("RuntimeMaxUSec", FIELD_U64, runtime_max_usec),
    ROW("WatchdogUSec", FIELD_U64, watchdog_usec),
    ROW("RestartUSec", FIELD_U64, restart_usec),
    ROW("KillMode", FIELD_TEXT, kill_mode),
    ROW("Restart", FIELD_TEXT, restart),
    ROW("OOMPolicy", FIELD_TEXT, oom_policy),
    ROW("NotifyAccess", FIELD_TEXT, notify_access),
    ROW("KillSignal", FIELD_I32, kill_signal),
    ROW("StartLimitIntervalUSec", FIELD_U64, start_limit_interval_usec),
    ROW("StartLimitBurst", FIELD_U32, start_limit_burst),
    ROW("ExecStart", FIELD_EXEC, exec_start),
    ROW("ExecStartPre", FIELD_EXEC, exec_start_pre),
    ROW("ExecReload", FIELD_EXEC, exec_reload),
    ROW("ExecStop", FIELD_EXEC, exec_stop),
    ROW("Environment", FIELD_STRINGS, environment),
    ROW("PassEnvironment", FIELD_STRINGS, pass_environment),
    ROW("EnvironmentFiles", FIELD_FILES, environment_files),
    ROW("User", FIELD_TEXT, user),
    ROW("Group", FIELD_TEXT, group),
    ROW("WorkingDirectory", FIELD_TEXT, working_directory),
    ROW("RootDirectory", FIELD_TEXT, root_directory),
    ROW("RuntimeDirectory", FIELD_STRINGS, runtime_directory),
    ROW("RuntimeDirectoryPreserve", FIELD_TEXT, runtime_directory_preserve),
    ROW("PIDFile", FIELD_TEXT, pid_file),
    ROW("StandardOutput", FIELD_TEXT, standard_output),
    ROW("StandardError", FIELD_TEXT, standard_error),
    ROW("PrivateTmp", FIELD_BOOL, private_tmp),
    ROW("PrivateNetwork", FIELD_BOOL, private_network),
    ROW("DynamicUser", FIELD_BOOL, dynamic_user),
    ROW("ProtectHome", FIELD_TEXT, protect_home),
    ROW("ProtectSystem", FIELD_TEXT, protect_system),
    ROW("Slice", FIELD_TEXT, slice),
    ROW("ControlGroup", FIELD_TEXT, control_group),
    ROW("MemoryCurrent", FIELD_U64, memory_current),
    ROW("MemoryPeak", FIELD_U64, memory_peak),
    ROW("MemoryMax", FIELD_U64, memory_max),
    ROW("MemoryHigh", FIELD_U64, memory_high),
    ROW("TasksCurrent", FIELD_U64, tasks_current),
    ROW("TasksMax", FIELD_U64, tasks_max),
    ROW("LimitNOFILE", FIELD_U64, limit_nofile),
    ROW("Listen", FIELD_LISTEN, listen),
};

static const char *text_of(Arena *arena, const BusValue *value)
{
    return value->text ? value->text : bus_value_to_string(arena, value);
}

static StringVec decode_strings(Arena *arena, const BusValue *value)
{
    StringVec strings = {0};
    VEC_EACH (item, &value->items) {
        *vec_push(arena, &strings) = text_of(arena, item);
    }
    return strings;
}

static const char *decode_id(Arena *arena, const BusValue *value)
{
    CLEANUP(strbuf_free) StrBuf hex = STRBUF_INIT(64);
    VEC_EACH (byte, &value->items) {
        strbuf_printf(&hex, "%02x", (unsigned)byte->number);
    }
    return strbuf_dup(arena, &hex);
}

static ExecCommandVec decode_exec(Arena *arena, const BusValue *value)
{
    ExecCommandVec commands = {0};
    VEC_EACH (item, &value->items) {
        if (item->items.n < 3)
            continue;
        const BusValue *field = item->items.items;
        *vec_push(arena, &commands) =
            (ExecCommand){text_of(arena, &field[0]), decode_strings(arena, &field[1]), field[2].number != 0};
    }
    return commands;
}

static EnvironmentFileVec decode_files(Arena *arena, const BusValue *value)
{
    EnvironmentFileVec files = {0};
    VEC_EACH (item, &value->items) {
        if (item->items.n == 2)
            *vec_push(arena, &files) =
                (EnvironmentFile){text_of(arena, &item->items.items[0]), item->items.items[1].number != 0};
    }
    return files;
}

static ListenAddressVec decode_listen(Arena *arena, const BusValue *value)
{
    ListenAddressVec addresses = {0};
    VEC_EACH (item, &value->items) {
        if (item->items.n == 2)
            *vec_push(arena, &addresses) =
                (ListenAddress){text_of(arena, &item->items.items[0]), text_of(arena, &item->items.items[1])};
    }
    return addresses;
}

static void decode_field(Arena *arena, const Field *field, const BusValue *value, void *member)
{
    switch (field->kind) {
    case FIELD_TEXT: *(const char **)member = text_of(arena, value); break;
    case FIELD_STRINGS: *(StringVec *)member = decode_strings(arena, value); break;
    case FIELD_BOOL: *(bool *)member = value->number != 0; break;
    case FIELD_U32: *(uint32_t *)member = (uint32_t)value->number; break;
    case FIELD_I32: *(int32_t *)member = (int32_t)value->number; break;
    case FIELD_U64: *(uint64_t *)member = value->number; break;
    case FIELD_ID: *(const char **)member = decode_id(arena, value); break;
    case FIELD_EXEC: *(ExecCommandVec *)member = decode_exec(arena, value); break;
    case FIELD_FILES: *(EnvironmentFileVec *)member = decode_files(arena, value); break;
    case FIELD_LISTEN: *(ListenAddressVec *)member = decode_listen(arena, value); break;
    }
}

/* What systemd did not tell must not read as "0 bytes". */
static void set_unknown(UnitStatus *status)
{
    status->memory_current = status->memory_peak = status->memory_max = status->memory_high = UINT64_MAX;
    status->tasks_current = status->tasks_max = status->limit_nofile = UINT64_MAX;
}

void unit_status_decode(Arena *arena, const BusValue *properties, UnitStatus *ret_status)
{
    UnitStatus status = {0};
    set_unknown(&status);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        void *member = (char *)&status + fields[i].offset;
        const BusValue *value = bus_dict_get(properties, fields[i].name);
        if (value)
            decode_field(arena, &fields[i], value, member);
        else if (fields[i].kind == FIELD_TEXT || fields[i].kind == FIELD_ID)
            *(const char **)member = "";
    }
    /* LoadError is a struct (name, text). */
    const BusValue *error = bus_dict_get(properties, "LoadError");
    if (error && error->type == 'r' && error->items.n == 2)
        status.load_error = text_of(arena, &error->items.items[1]);
    *ret_status = status;
}

static BusValue encode_exec(Arena *arena, const ExecCommandVec *commands)
{
    BusValueVec items = {0};
    VEC_EACH (command, commands) {
        const BusValue members[] = {bus_string(command->path), bus_strings(arena, &command->argv),
                                    bus_basic('b', command->ignore_failure)};
        *vec_push(arena, &items) = bus_struct(arena, members, ARRAY_LEN(members));
    }
    return bus_array("a(sasb)", items);
}

static BusValue encode_files(Arena *arena, const EnvironmentFileVec *files)
{
    BusValueVec items = {0};
    VEC_EACH (file, files) {
        const BusValue members[] = {bus_string(file->path), bus_basic('b', file->optional)};
        *vec_push(arena, &items) = bus_struct(arena, members, ARRAY_LEN(members));
    }
    return bus_array("a(sb)", items);
}

static BusValue encode_property(Arena *arena, const UnitProperty *property)
{
    switch (property->kind) {
    case PROPERTY_STRING: return bus_string(property->text);
    case PROPERTY_BOOL: return bus_basic('b', property->number);
    case PROPERTY_U64: return bus_basic('t', property->number);
    case PROPERTY_U32: return bus_basic('u', property->number);
    case PROPERTY_I32: return bus_basic('i', property->number);
    case PROPERTY_STRINGS: return bus_strings(arena, &property->strings);
    case PROPERTY_EXEC: return encode_exec(arena, &property->exec);
    case PROPERTY_ENVIRONMENT_FILES: return encode_files(arena, &property->environment_files);
    case PROPERTY_FD: return bus_basic('h', property->number);
    case PROPERTY_COPIED: break;
    }
    return *property->value;
}

BusValue unit_properties_encode(Arena *arena, const UnitPropertyVec *properties)
{
    BusValueVec items = {0};
    VEC_EACH (property, properties) {
        const BusValue members[] = {bus_string(property->name), bus_variant(arena, encode_property(arena, property))};
        *vec_push(arena, &items) = bus_struct(arena, members, ARRAY_LEN(members));
    }
    return bus_array("a(sv)", items);
}

const char *const systemd_sandbox_properties[] = {
    "AmbientCapabilities",
    "BindPaths",
    "BindReadOnlyPaths",
    "CapabilityBoundingSet",
    "DynamicUser",
    "InaccessiblePaths",
    "LimitAS",
    "LimitNOFILE",
    "LimitNPROC",
    "LoadCredential",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "NoExecPaths",
    "NoNewPrivileges",
    "PassEnvironment",
    "PrivateDevices",
    "PrivateIPC",
    "PrivateNetwork",
    "PrivateTmp",
    "PrivateUsers",
    "ProcSubset",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "ReadOnlyPaths",
    "ReadWritePaths",
    "RemoveIPC",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "RootDirectory",
    "SupplementaryGroups",
    "SystemCallArchitectures",
    "SystemCallFilter",
    "TemporaryFileSystem",
    "UMask",
    "UnsetEnvironment",
    NULL,
};
