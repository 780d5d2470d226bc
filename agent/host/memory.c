/* SPDX-License-Identifier: Apache-2.0 */
#include "host/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/kernel-file.h"

/* A file with lines "name[:] number"; the number, or UINT64_MAX. */
static uint64_t line_value(Bytes content, const char *name)
{
    size_t len = strlen(name);
    for (const char *line = content.data; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, len) == 0 && (line[len] == ':' || line[len] == ' '))
            return strtoull(line + len + 1, NULL, 10);
    }
    return UINT64_MAX;
}

static const struct {
    const char *name;
    size_t offset;
} meminfo_lines[] = {
    {"MemTotal", offsetof(MemoryInfo, total)},     {"MemAvailable", offsetof(MemoryInfo, available)},
    {"MemFree", offsetof(MemoryInfo, free)},       {"SwapTotal", offsetof(MemoryInfo, swap_total)},
    {"SwapFree", offsetof(MemoryInfo, swap_free)},
};

int memory_info(const char *root, MemoryInfo *ret_info, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes content;
    int r = kernel_file_read(arena, &content, err, "%s/proc/meminfo", root);
    if (r < 0)
        return r;
    MemoryInfo info = {0};
    for (size_t i = 0; i < ARRAY_LEN(meminfo_lines); i++) {
        uint64_t value = line_value(content, meminfo_lines[i].name);
        if (value == UINT64_MAX)
            return err_set(err, ERR_FAILED, "no %s in /proc/meminfo", meminfo_lines[i].name);
        *(uint64_t *)((char *)&info + meminfo_lines[i].offset) = value * 1024;
    }
    *ret_info = info;
    return 0;
}

static bool parse_pressure(const char *text, Pressure *pressure)
{
    const char *some = strstr(text, "some "), *full = strstr(text, "full ");
    if (!some || sscanf(some, "some avg10=%lf avg60=%lf avg300=%lf total=%" SCNu64, &pressure->some_avg10,
                        &pressure->some_avg60, &pressure->some_avg300, &pressure->some_total) != 4)
        return false;
    return !full || sscanf(full, "full avg10=%lf avg60=%lf avg300=%lf total=%" SCNu64, &pressure->full_avg10,
                           &pressure->full_avg60, &pressure->full_avg300, &pressure->full_total) == 4;
}

/* The unified hierarchy is the root of /sys/fs/cgroup, or beside v1's ones in the hybrid layout. */
static const char *const unified_roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

int pressure_read(const char *root, const char *cgroup, PressureKind kind, Pressure *ret_pressure, Err *err)
{
    static const char *const names[] = {"cpu", "memory", "io"};
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes content;
    int r;
    if (cgroup) {
        for (size_t i = 0; i < ARRAY_LEN(unified_roots); i++) {
            r = kernel_file_read(arena, &content, err, "%s%s%s/%s.pressure", root, unified_roots[i], cgroup,
                                 names[kind]);
            if (r != -ERR_NOT_FOUND)
                break;
        }
    } else {
        r = kernel_file_read(arena, &content, err, "%s/proc/pressure/%s", root, names[kind]);
    }
    /* With psi=0 the file is there and cannot be read (EOPNOTSUPP). */
    if (r == -ERR_NOT_FOUND || (r < 0 && err->errnum == EOPNOTSUPP))
        return MEMORY_NOT_AVAILABLE;
    if (r < 0)
        return r;
    Pressure pressure = {0};
    if (!parse_pressure(content.data, &pressure))
        return err_set(err, ERR_FAILED, "cannot read the %s pressure", names[kind]);
    *ret_pressure = pressure;
    return 0;
}

/* A file with one number or "max"; `missing` when there is no such file. */
static int read_number(const char *root, const char *directory, const char *name, uint64_t missing, uint64_t *ret,
                       Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes content;
    int r = kernel_file_read(arena, &content, err, "%s%s/%s", root, directory, name);
    if (r < 0 && r != -ERR_NOT_FOUND)
        return r;
    if (r < 0)
        *ret = missing;
    else
        *ret = str_starts(content.data, "max") ? UINT64_MAX : strtoull(content.data, NULL, 10);
    return 0;
}

typedef struct CgroupFile {
    const char *name;
    size_t offset;
} CgroupFile;

static const CgroupFile v2_files[] = {
    {"memory.current", offsetof(CgroupMemory, current)},
    {"memory.max", offsetof(CgroupMemory, max)},
    {"memory.high", offsetof(CgroupMemory, high)},
};
static const CgroupFile v1_files[] = {
    {"memory.usage_in_bytes", offsetof(CgroupMemory, current)},
    {"memory.limit_in_bytes", offsetof(CgroupMemory, max)},
};
/* v1's "no limit" is the largest multiple of a page in an int64. */
static const uint64_t V1_UNLIMITED = UINT64_C(0x7ffffffffffff000) - (1 << 16);

static int read_files(const char *root, const char *directory, const CgroupFile *files, size_t n, CgroupMemory *memory,
                      Err *err)
{
    for (size_t i = 0; i < n; i++) {
        int r = read_number(root, directory, files[i].name, UINT64_MAX, (uint64_t *)((char *)memory + files[i].offset),
                            err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* MEMORY_NOT_AVAILABLE when the group has no such file. */
static int read_group(const char *root, const char *directory, bool unified, CgroupMemory *memory, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes events;
    int r = kernel_file_read(arena, &events, err, "%s%s/%s", root, directory,
                             unified ? "memory.events" : "memory.oom_control");
    if (r == -ERR_NOT_FOUND)
        return MEMORY_NOT_AVAILABLE;
    if (r < 0)
        return r;
    memory->oom = unified ? line_value(events, "oom") : UINT64_MAX;
    memory->oom_kill = line_value(events, "oom_kill");
    r = unified ? read_files(root, directory, v2_files, ARRAY_LEN(v2_files), memory, err)
                : read_files(root, directory, v1_files, ARRAY_LEN(v1_files), memory, err);
    if (!unified && memory->max >= V1_UNLIMITED)
        memory->max = UINT64_MAX;
    return r;
}

int cgroup_memory(const char *root, const char *cgroup, CgroupMemory *ret_memory, Err *err)
{
    static const struct {
        const char *hierarchy;
        bool unified;
    } places[] = {{"/sys/fs/cgroup", true}, {"/sys/fs/cgroup/unified", true}, {"/sys/fs/cgroup/memory", false}};
    CLEANUP(arena_free) Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        CgroupMemory memory = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
        const char *directory = arena_printf(arena, "%s%s", places[i].hierarchy, cgroup);
        int r = read_group(root, directory, places[i].unified, &memory, err);
        if (r == 0)
            *ret_memory = memory;
        if (r <= 0)
            return r;
    }
    return MEMORY_NOT_AVAILABLE;
}
