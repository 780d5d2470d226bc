/* SPDX-License-Identifier: Apache-2.0 */
/* Time. All times and durations are microseconds in `usec` (uint64); points in time are realtime since the epoch unless
 * the name says monotonic or boottime. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

typedef uint64_t usec;

#define USEC_PER_MSEC ((usec)1000)
#define USEC_PER_SEC  ((usec)1000000)
#define USEC_PER_MIN  (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MIN)
#define USEC_INFINITY UINT64_MAX

usec clock_realtime(void);
usec clock_monotonic(void); /* stands still while the machine sleeps */
usec clock_boottime(void);  /* runs on while the machine sleeps; what deadlines are counted on */

/* "850ms", "1.4s", "2min 5s", "never" for USEC_INFINITY: for people. */
char *usec_to_string(Arena *arena, usec duration);
/* "2026-03-01 03:12:45" in local time; "2026-03-01T03:12:45.123456Z" in UTC for machines. */
char *usec_to_local(Arena *arena, usec realtime);
char *usec_to_rfc3339(Arena *arena, usec realtime);
/* What usec_to_rfc3339 made, and nothing else. */
bool usec_from_rfc3339(const char *text, usec *ret_realtime);
