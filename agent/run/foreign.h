/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody else wrote to the files of a run: kept as commits, and how to get it back (promise 5). */
#pragma once

#include "base/files.h"
#include "store/store.h"

struct Run;

typedef struct Foreign {
    const char *path, *commit;
    FileState state;
} Foreign;

typedef VEC(Foreign) ForeignVec;

/* Keeps a foreign state of the edit's path as a commit. */
int foreign_keep(struct Run *run, const char *path, const FileState *state, const char **ret_commit, Err *err);
enum { FOREIGN_STAYS = 1 };

/* Keeps what lies under the name `aside` (as swap_revert and swap_finish give it) and then removes it there; tells how
 * to get it. FOREIGN_STAYS: there is nothing aside, theirs is left in place or was the removal of the file. Where it
 * cannot be kept it stays aside, and that is told. */
int foreign_keep_aside(struct Run *run, const Edit *edit, const char *aside, Err *err);

/* All that a run kept, without those that cannot be read. */
int foreign_list(const Store *store, Arena *arena, const char *run_id, ForeignVec *ret, Err *err);
/* The command that puts kept content under its path again: with git alone, in place. */
char *foreign_command(Arena *arena, const char *state_dir, const Foreign *foreign);
