/* SPDX-License-Identifier: Apache-2.0 */
/* What a row of looks at a service says. Pure.
 *
 * It fails when the service is not active and running, when systemd restarted it more often than allowed, or when a
 * worker went away that should not. It is blind when somebody else interfered: another InvocationID without a
 * restart of systemd's own, all workers replaced at once (a reload), or other nginx workers; what was seen in the
 * window is then not the change's doing. */
#pragma once

#include "check/check.h"
#include "stack/live.h"

typedef struct UnitRules {
    const char *unit;
    uint64_t restarts_allowed;
    bool workers_all;         /* as many as `workers`, and none replaced */
    bool recycles;            /* max_requests replaces workers as a matter of course */
    uint64_t workers;         /* as its settings say; 0: not known */
    const char *workers_from; /* why they are not known; NULL: they are */
} UnitRules;

/* One look at the service. Strings and workers are the caller's. */
typedef struct UnitLook {
    LiveUnit unit;
    uint64_t nginx_generation; /* LiveNginx.generation_ticks; 0: no nginx here */
} UnitLook;

typedef struct UnitWatch {
    UnitRules rules;
    Arena *arena; /* of the reasons */
    bool looked;
    UnitLook first, last;
    size_t baseline_workers; /* 0: not known */
    uint64_t replaced;
    const char *fails, *foreign, *problem;
} UnitWatch;

/* Forgets the looks; the workers of the last one become the baseline's for `verify`. */
void unit_watch_begin(UnitWatch *watch, CheckPhase phase);
/* The first look must stay valid until the next begin, any other until the one after it. */
void unit_watch_see(UnitWatch *watch, const UnitLook *now);
/* Nothing could be seen. */
void unit_watch_miss(UnitWatch *watch, const Err *err);
/* Fills all but the name. The measures are restarts, workers and replaced. */
void unit_watch_judge(const UnitWatch *watch, Arena *arena, bool closing, CheckResult *ret);
