/* SPDX-License-Identifier: Apache-2.0 */
/* What git.c (the only user of libgit2) tells git-sweep.c. */
#pragma once

#include "store/git.h"

const char *repo_path(const Repo *repo);
/* The names of all objects that a ref reaches, in hex, sorted. Where one of them cannot be read, that is an error. */
int repo_reachable(Repo *repo, Arena *arena, StringVec *ret, Err *err);
