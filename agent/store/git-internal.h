/* SPDX-License-Identifier: Apache-2.0 */
/* What git.c, the user of libgit2, shares with git-library.c, which sets libgit2 up, and git-sweep.c. */
#pragma once

#include "store/git.h"

/* For the whole process, once, before libgit2 does anything: no configuration but the repository's own, durable writes,
 * and memory that does not run out (base/arena.h). */
void git_library_set_up(void);

const char *repo_path(const Repo *repo);
/* The names of all objects that these commits reach, in hex, sorted. Where one of them cannot be read, that is an
 * error.
 */
int repo_reachable(Repo *repo, Arena *arena, const StringVec *commits, StringVec *ret, Err *err);
/* Whether there is such a commit; REPO_NONE. */
int repo_has(Repo *repo, const char *commit, Err *err);

/* Whether the parts of a repository are of the kind that they should be, or absent: libgit2 would wait for a FIFO.
 * ERR_DAMAGED: what lies there is no repository, however often it is asked. */
int git_check_parts(const char *path, Err *err);
