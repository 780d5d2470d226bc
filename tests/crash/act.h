/* SPDX-License-Identifier: Apache-2.0 */
/* What is done on the simulated host, each in a process of its own that may be killed. */
#pragma once

#include "sim.h"

typedef enum Act {
    ACT_RUN,     /* the playbook of world.h */
    ACT_UNDO,    /* the last kept run is taken back, as a run of its own */
    ACT_RECOVER, /* what every command that writes does first */
    ACT_AGAIN,   /* as a person does with a stuck run */
    ACT_COUNT
} Act;

const char *act_to_string(Act act);

/* Does it, chrooted, with sim's faults and knobs, and says in sim->outcome how it ended. What it prints goes to
 * act_output. */
void act_do(Act act);
/* As act_do in a child process; true: it was killed by a fault. */
bool act_in_child(Act act);

/* What the last children printed, for whoever has to find out why something went wrong. */
int act_output(void);
void act_forget_output(void);
