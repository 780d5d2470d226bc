/* SPDX-License-Identifier: Apache-2.0 */
/* Time spans of unit files (systemd.time(7)). */
#pragma once

#include "base/clock.h"
#include "base/err.h"

/* A time span as systemd.time(7) reads it: "90", "1min 30s", "infinity" (USEC_INFINITY), "1.5h". A bare number is
 * seconds. For TimeoutStartSec=, TimeoutStopSec= and RuntimeMaxSec= systemd takes 0 as infinity: the caller's matter.
 */
int unit_parse_time(const char *text, usec *ret, Err *err);
/* "65s", "1500ms", "infinity". */
char *unit_format_time(Arena *arena, usec time);
