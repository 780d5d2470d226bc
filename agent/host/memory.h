/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and pressure of the host and of control groups. `root` as in host/proc.h.
 *
 * What this kernel does not tell (no PSI, no memory controller) is UINT64_MAX or a documented outcome, never 0. */
#pragma once

#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

/* Bytes, of /proc/meminfo. */
typedef struct MemoryInfo {
    uint64_t total, available, free, swap_total, swap_free;
} MemoryInfo;

int memory_info(const char *root, MemoryInfo *ret_info, Err *err);

/* Shares of time in percent, total in microseconds (Documentation/accounting/psi.rst). */
typedef struct Pressure {
    double some_avg10, some_avg60, some_avg300;
    double full_avg10, full_avg60, full_avg300; /* 0 where there is no "full" line */
    usec some_total, full_total;
} Pressure;

typedef enum PressureKind { PRESSURE_CPU, PRESSURE_MEMORY, PRESSURE_IO } PressureKind;

enum { MEMORY_NOT_AVAILABLE = 1 };

/* Of the host (cgroup NULL) or of a control group ("/system.slice/x.service"). MEMORY_NOT_AVAILABLE: this kernel has no
 * pressure accounting, or not for groups. */
int pressure_read(const char *root, const char *cgroup, PressureKind kind, Pressure *ret_pressure, Err *err);

/* Counters since the group was made; UINT64_MAX: not told. */
typedef struct CgroupMemory {
    uint64_t current, max;  /* bytes; max UINT64_MAX: no limit */
    uint64_t high;          /* v2: memory.high; UINT64_MAX: none */
    uint64_t oom, oom_kill; /* memory.events; v1 has oom_kill in memory.oom_control only */
} CgroupMemory;

/* v2 (unified) or, failing that, v1's memory hierarchy. MEMORY_NOT_AVAILABLE: no memory controller for this group. */
int cgroup_memory(const char *root, const char *cgroup, CgroupMemory *ret_memory, Err *err);
