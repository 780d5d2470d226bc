/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of a unit that a playbook may set: an allow-list (promise 9). Nothing in it says what runs, as whom or
 * with which environment. Each comes with the D-Bus property in which systemd shows what it made of it, because systemd
 * ignores a value that it does not like (trap 8). */
#pragma once

#include "data/decode.h"

/* One member a setting, named as systemd names it. */
typedef struct UnitKeys {
    Value TimeoutStartSec, TimeoutStopSec, RuntimeMaxSec, RestartSec, StartLimitIntervalSec, StartLimitBurst;
    Value Restart, KillMode, OOMPolicy, OOMScoreAdjust, Nice;
    Value MemoryMax, MemoryHigh, TasksMax, CPUQuota, CPUWeight, IOWeight, LimitNOFILE, LimitNPROC;
} UnitKeys;

typedef struct UnitKey {
    const char *name;
    const char *section;
    const char *property;
    const char *rival; /* another setting that gives the same property a value; NULL: none */
    bool zero_is_never;
    size_t offset; /* of the Value in UnitKeys */
} UnitKey;

extern const Field unit_key_fields[];
extern const UnitKey unit_keys[]; /* ends with a NULL name; one row for each field */

static inline const Value *unit_key_value(const UnitKeys *keys, const UnitKey *key)
{
    return (const Value *)((const char *)keys + key->offset);
}

/* The value as it stands in the unit file. */
const char *unit_key_format(Arena *arena, const Value *value);
/* As systemd_get_property_string reads it back: "65000000", "infinity", "on-failure". */
const char *unit_key_property(Arena *arena, const Value *value);
/* Whether what stands in a unit file means the same; false too where that is not to be told. */
bool unit_key_means(Arena *arena, const UnitKey *key, const char *text, const Value *value);
