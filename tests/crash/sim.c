/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

Sim *sim;

void sim_create(void)
{
    sim = mmap(NULL, sizeof *sim, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sim == MAP_FAILED) {
        perror("crash-sim: mmap");
        exit(2);
    }
}

void sim_forget(void)
{
    sim->injector = (Injector){0};
    sim->outcome = (Outcome){0};
    sim->jobs = 0;
    sim->edit_count = sim->deed_count = 0;
    sim->stranger.at[0] = sim->stranger.at[1] = 0;
    sim->mixed[0] = '\0';
}
