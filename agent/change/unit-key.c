/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: systemd.service(5), systemd.exec(5), systemd.kill(5), systemd.resource-control(5), and what
 * `systemctl show` of systemd 252 gives for each. */
#include "change/unit-key.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/unit-time.h"

static const char *const restarts[] = {"no",          "on-success", "on-failure", "on-abnormal",
                                       "on-watchdog", "on-abort",   "always",     NULL};
/* `process` and `none` leave processes behind that would hold the port. */
static const char *const kill_modes[] = {"control-group", "mixed", NULL};
static const char *const oom_policies[] = {"continue", "stop", "kill", NULL};

const Field unit_key_fields[] = {
    FIELD_DURATION(UnitKeys, TimeoutStartSec, .min = "1s", .max = "24h", .allow_never = true,
                   .help = "How long a start may take."),
    FIELD_DURATION(UnitKeys, TimeoutStopSec, .min = "1s", .max = "24h", .allow_never = true,
                   .help = "How long a stop may take before SIGKILL; more than Gunicorn's graceful_timeout."),
    FIELD_DURATION(UnitKeys, RuntimeMaxSec, .min = "1s", .allow_never = true,
                   .help = "After which the service is ended as failed."),
    FIELD_DURATION(UnitKeys, RestartSec, .min = "0s", .max = "1h", .help = "Pause before an automatic restart."),
    FIELD_DURATION(UnitKeys, StartLimitIntervalSec, .min = "1s", .max = "24h",
                   .help = "In which StartLimitBurst starts are allowed."),
    FIELD_INT(UnitKeys, StartLimitBurst, .min = "1", .max = "1000", .help = "Starts allowed in the interval."),
    FIELD_ENUM(UnitKeys, Restart, restarts, .help = "When systemd restarts the service by itself."),
    FIELD_ENUM(UnitKeys, KillMode, kill_modes, .help = "Which processes a stop signals first; Gunicorn wants mixed."),
    FIELD_ENUM(UnitKeys, OOMPolicy, oom_policies, .help = "What follows when the kernel kills one of its processes."),
    FIELD_INT(UnitKeys, OOMScoreAdjust, .min = "-1000", .max = "1000", .help = "How willingly the kernel kills it."),
    FIELD_INT(UnitKeys, Nice, .min = "-20", .max = "19", .help = "Priority of its processes."),
    FIELD_SIZE(UnitKeys, MemoryMax, .min = "16MiB", .help = "Memory at which it is killed."),
    FIELD_SIZE(UnitKeys, MemoryHigh, .min = "16MiB", .help = "Memory from which it is slowed down."),
    FIELD_INT(UnitKeys, TasksMax, .min = "8", .max = "4194304", .help = "Processes and threads at most."),
    FIELD_PERCENT(UnitKeys, CPUQuota, .min = "1%", .help = "Processor time at most; 200% is two processors."),
    FIELD_INT(UnitKeys, CPUWeight, .min = "1", .max = "10000", .help = "Share of processor time; 100 is the default."),
    FIELD_INT(UnitKeys, IOWeight, .min = "1", .max = "10000", .help = "Share of disk time; 100 is the default."),
    FIELD_INT(UnitKeys, LimitNOFILE, .min = "64", .max = "1048576", .help = "Open files at most, soft and hard."),
    FIELD_INT(UnitKeys, LimitNPROC, .min = "8", .max = "4194304", .help = "Processes of its user at most."),
    FIELDS_END,
};

#define KEY(section_, name_, property_, ...)                                                                           \
    {                                                                                                                  \
        .name = #name_, .section = (section_), .property = (property_), .offset = offsetof(UnitKeys, name_),           \
        __VA_ARGS__                                                                                                    \
    }

const UnitKey unit_keys[] = {
    KEY("Service", TimeoutStartSec, "TimeoutStartUSec", .rival = "TimeoutSec", .zero_is_never = true),
    KEY("Service", TimeoutStopSec, "TimeoutStopUSec", .rival = "TimeoutSec", .zero_is_never = true),
    KEY("Service", RuntimeMaxSec, "RuntimeMaxUSec", .zero_is_never = true),
    KEY("Service", RestartSec, "RestartUSec"),
    KEY("Unit", StartLimitIntervalSec, "StartLimitIntervalUSec", .rival = "StartLimitInterval"),
    KEY("Unit", StartLimitBurst, "StartLimitBurst"),
    KEY("Service", Restart, "Restart"),
    KEY("Service", KillMode, "KillMode"),
    KEY("Service", OOMPolicy, "OOMPolicy"),
    KEY("Service", OOMScoreAdjust, "OOMScoreAdjust"),
    KEY("Service", Nice, "Nice"),
    KEY("Service", MemoryMax, "MemoryMax"),
    KEY("Service", MemoryHigh, "MemoryHigh"),
    KEY("Service", TasksMax, "TasksMax"),
    KEY("Service", CPUQuota, "CPUQuotaPerSecUSec"),
    KEY("Service", CPUWeight, "CPUWeight"),
    KEY("Service", IOWeight, "IOWeight"),
    KEY("Service", LimitNOFILE, "LimitNOFILE"),
    KEY("Service", LimitNPROC, "LimitNPROC"),
    {.name = NULL},
};

/* systemd's suffixes are powers of 1024 (parse_size with base 1024). */
static const char size_suffixes[] = "KMGT";

static const char *format_size(Arena *arena, uint64_t size)
{
    size_t power = 0;
    while (power < strlen(size_suffixes) && size > 0 && size % 1024 == 0) {
        size /= 1024;
        power++;
    }
    return arena_printf(arena, "%" PRIu64 "%.*s", size, power > 0, &size_suffixes[power > 0 ? power - 1 : 0]);
}

const char *unit_key_format(Arena *arena, const Value *value)
{
    if (value->kind == VALUE_DURATION)
        return unit_format_time(arena, value->duration);
    if (value->kind == VALUE_SIZE)
        return format_size(arena, value->size);
    if (value->kind == VALUE_PERCENT)
        return arena_printf(arena, "%" PRIu64 "%%", value->percent);
    if (value->kind == VALUE_INT)
        return arena_printf(arena, "%" PRId64, value->integer);
    return value->text;
}

static const char *format_usec(Arena *arena, usec time)
{
    return time == USEC_INFINITY ? "infinity" : arena_printf(arena, "%" PRIu64, time);
}

const char *unit_key_property(Arena *arena, const Value *value)
{
    if (value->kind == VALUE_DURATION)
        return format_usec(arena, value->duration);
    if (value->kind == VALUE_SIZE)
        return arena_printf(arena, "%" PRIu64, value->size);
    if (value->kind == VALUE_PERCENT)
        return format_usec(arena, value->percent * (USEC_PER_SEC / 100)); /* of each second */
    if (value->kind == VALUE_INT)
        return arena_printf(arena, "%" PRId64, value->integer);
    return value->text;
}

static bool means_duration(const UnitKey *key, const char *text, usec wished)
{
    usec have;
    Err ignored;
    if (unit_parse_time(text, &have, &ignored) < 0)
        return false;
    return (have == 0 && key->zero_is_never ? USEC_INFINITY : have) == wished;
}

/* Whole numbers with one suffix at most, as they are written in practice. */
static bool means_size(const char *text, uint64_t wished)
{
    char *end;
    uint64_t number = strtoull(text, &end, 10);
    const char *suffix = *end ? strchr(size_suffixes, *end) : NULL;
    if (end == text || (*end && (!suffix || end[1])))
        return false;
    for (ptrdiff_t i = suffix ? suffix - size_suffixes : -1; i >= 0 && number <= UINT64_MAX / 1024; i--)
        number *= 1024;
    return number == wished;
}

bool unit_key_means(Arena *arena, const UnitKey *key, const char *text, const Value *value)
{
    if (value->kind == VALUE_DURATION)
        return means_duration(key, text, value->duration);
    if (value->kind == VALUE_SIZE)
        return means_size(text, value->size);
    return str_equal(text, unit_key_format(arena, value));
}
