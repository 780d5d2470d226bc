/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of the OOM killer and of memory pressure; pure. Rules: domain facts 1.1 and 3.6.
 *
 * Gunicorn's "Perhaps out of memory?" is no evidence: the arbiter's own SIGKILL after a timeout logs it too. */
#pragma once

#include "diagnose/lines.h"
#include "host/memory.h"

typedef struct KernelLine {
    usec realtime;
    const char *text;
} KernelLine;

typedef VEC(KernelLine) KernelLineVec;

/* The kernel's lines about tasks in the service's control group: "oom-kill:...task_memcg=/system.slice/UNIT...,pid=N"
 * and "Killed process N (...)", joined by the pid. */
void oom_lines_of(Arena *arena, const KernelLineVec *kernel, const char *unit, KernelLineVec *ret);

/* Workers that died of SIGKILL though neither a timeout of theirs nor a stop or reload explains it. What explains one
 * death explains no other; only a stop ends all workers that there are. A death that is logged twice is one. */
void sigkills_of(Arena *arena, const EventLineVec *lines, EventLineVec *ret);

/* Whether that Gunicorn logs a worker's death by a signal at all: 20.1 and later do. NULL: not known, so no. */
bool version_logs_signals(const char *version);

/* Thresholds: less than 5% of the memory available, or less than 10% with 90% of the swap in use; or tasks stalled on
 * memory (PSI "some") for 10% of the last minute, or all of them ("full") for 5%, on the host or in the service. A
 * page cache that fills a control group is no pressure. */
enum { AVAILABLE_LOW_PERCENT = 5, AVAILABLE_SCARCE_PERCENT = 10, SWAP_FULL_PERCENT = 90 };

/* The reason, or NULL where there is no pressure. host and unit may be NULL: not told. */
const char *memory_pressure_of(Arena *arena, const MemoryInfo *info, const Pressure *host, const Pressure *unit);
