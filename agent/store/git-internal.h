/* SPDX-License-Identifier: Apache-2.0 */
/* What git.c (the only user of libgit2) tells git-sweep.c. */
#pragma once

#include "store/git.h"

const char *repo_path(const Repo *repo);
/* The names of all objects that these commits reach, in hex, sorted. Where one of them cannot be read, that is an
 * error.
 */
int repo_reachable(Repo *repo, Arena *arena, const StringVec *commits, StringVec *ret, Err *err);
/* Whether there is such a commit; REPO_NONE. */
int repo_has(Repo *repo, const char *commit, Err *err);
