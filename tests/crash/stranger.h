/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody else at work on the managed files while salve is: an editor that replaces a file, one that writes in place,
 * a person who removes one, a file put into a directory that the run has made. What they write holds a number, so that
 * it can be found again. */
#pragma once

#include "base/arena.h"
#include "sim.h"

/* At the operations of sim->stranger, of the next process. */
void stranger_send(void);
/* Right before the next process exchanges one of its files; from that operation on it has this fault. */
void stranger_race(Fault then);
/* What was touched during this run; below a directory counts for the directory. */
int stranger_touched(const char *path);
/* "# foreign 17" */
const char *stranger_mark(Arena *arena, unsigned tag);
