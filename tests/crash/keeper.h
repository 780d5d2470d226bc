/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps an eye on a host on which others are at work as well: what a run did is wholly there or not at all, but for
 * what they touched; and what they wrote is on disk or in git. */
#pragma once

#include "judge.h"

typedef struct Keeper {
    Arena *arena;
    VEC(unsigned) live; /* numbers of what strangers wrote that lies on disk */
    VEC(unsigned) next;
} Keeper;

Keeper keeper_new(void);
void keeper_free(Keeper *keeper);

/* before: tree_print with dots before the run, whose plan and strangers are in sim. NULL, or what is wrong. */
const char *keeper_judge_sides(Arena *arena, const char *before, const Row *row);
/* After stranger_race: what they wrote is not only kept, it is where they wrote it. */
const char *keeper_judge_race(Arena *arena);
/* Looks for everything that was on disk before or was written by strangers since. */
const char *keeper_judge_bytes(Keeper *keeper, Arena *arena);
