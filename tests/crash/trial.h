/* SPDX-License-Identifier: Apache-2.0 */
/* One trial: a run, perhaps its recovery, each with a fault, and then the road to the end without faults. */
#pragma once

#include "scenario.h"

typedef struct Trial {
    const Scenario *scenario;
    Fault run;
    Fault recovery; /* with `recovers` */
    bool recovers;  /* the fault under test is in the recovery: `run` only brings it about */
} Trial;

typedef struct Verdicts {
    bool reached;        /* the fault under test struck; false: the trial says nothing, there is no such point */
    const char *problem; /* NULL: all is well */
    const char *ended;   /* the run's final state, or "no record" */
    const char *first;   /* how the process with the fault under test ended: "killed", "stuck", "rolled-back" ... */
} Verdicts;

void trial_do(Arena *arena, const Trial *trial, Verdicts *ret);

const char *fault_to_string(const Fault *fault); /* "kill before", "ENOSPC lasting" ... */
