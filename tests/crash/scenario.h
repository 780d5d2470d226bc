/* SPDX-License-Identifier: Apache-2.0 */
/* The runs that faults are tried on: where each starts and how it ends when nothing happens to it. */
#pragma once

#include "act.h"
#include "judge.h"

typedef struct Scenario {
    const char *name;
    const char *world; /* of world_load */
    Act act;
    Knobs knobs;
    RunState end;
} Scenario;

extern const Scenario scenarios[]; /* ends with a NULL name */

/* Makes the worlds; ends the process where even a run without faults goes wrong. */
void scenarios_prepare(void);

/* Puts the host where the scenario starts. */
void scenario_begin(const Scenario *scenario);
/* A judge for it, after scenario_begin. */
Judge scenario_judge(Arena *arena, const Scenario *scenario);
