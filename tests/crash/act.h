/* SPDX-License-Identifier: Apache-2.0 */
/* What is done on the simulated host, each in a process of its own that may be killed. */
#pragma once

#include <stdio.h>

#include "sim.h"

typedef enum Act {
    ACT_RUN,        /* the playbook of world.h */
    ACT_UNDO,       /* the last kept run is taken back, as a run of its own */
    ACT_RECOVER,    /* what every command that writes does first */
    ACT_RESTORE,    /* only its first half, as at boot */
    ACT_AGAIN,      /* as a person does with a stuck run */
    ACT_UNATTENDED, /* the command of salve-recover.service; its exit status is the outcome */
    ACT_COUNT
} Act;

const char *act_to_string(Act act);

/* Does it, chrooted, with sim's faults and knobs, and says in sim->outcome how it ended. What it prints goes to
 * act_output. */
void act_do(Act act);
typedef enum ActEnd {
    ACT_ENDED,   /* sim->outcome says how */
    ACT_KILLED,  /* by a fault */
    ACT_GAVE_UP, /* exit status 1: no memory (base/arena.h) */
    ACT_CRASHED, /* any other end: a bug */
} ActEnd;

/* As act_do, in a child process. */
ActEnd act_in_child(Act act);

/* A process that does many, one after the other: what it leaks shows (sim->resident). */
typedef struct Resident {
    pid_t pid;
    int in, out;
} Resident;

void act_reside(Resident *ret);
ActEnd act_in_resident(Resident *resident, Act act);
void act_dismiss(Resident *resident);

/* What the last children printed, for whoever has to find out why something went wrong. */
int act_output(void);
void act_print_output(FILE *to);
void act_forget_output(void);
