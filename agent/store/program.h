/* SPDX-License-Identifier: Apache-2.0 */
/* The program that carries a run, kept in the state directory (bin/salve-VERSION-IDENTITY): what began a run is there
 * to finish it, whatever was installed meanwhile. One copy for each build of the program, told apart by size and time.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/* This program's own path. */
const char *program_self(Arena *arena);
/* A durable copy of this program, made where it is missing. Where it cannot be made or could not be executed (noexec),
 * this program's own path: then an upgrade during the run is what recovers it. */
const char *program_pin(Arena *arena, const char *state_dir);
/* Removes the copies of other builds. Only while the lock is held and no run is hot. */
void program_prune(const char *state_dir);
