/* SPDX-License-Identifier: Apache-2.0 */
/* A bare git repository as a store of files that are never changed: the only user of libgit2.
 *
 * Objects and refs are fsynced. No configuration of the system, of a user or of the environment is read. Trees are
 * built in memory; nothing is checked out. The repository is 0700 and ours: another owner or a wider mode is
 * ERR_REFUSED, because libgit2 does not check that for bare repositories. A Repo belongs to one thread. */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "base/vec.h"

typedef struct Repo Repo;

enum { REPO_NONE = 1 };            /* there is no such thing */
enum { REPO_MAX_BLOB = 64 << 20 }; /* a larger object is refused when read */

/* create: makes it where it is missing. Else REPO_NONE. */
int repo_open(const char *path, bool create, Repo **ret, Err *err);
void repo_close(Repo *repo);
DEFINE_CLEANUP(Repo *, repo_close)

typedef struct RepoFile {
    const char *path; /* "manifest", "before/0": [a-z0-9] words, at most one slash */
    Bytes content;
} RepoFile;

typedef VEC(RepoFile) RepoFileVec;

/* A commit without parents on ref `ref` ("refs/runs/..."), which must be new. ret_commit: 40 or 64 hex digits. When
 * this returns 0, all of it is durable. */
int repo_commit(Repo *repo, const char *ref, const char *message, usec when, const RepoFileVec *files,
                char ret_commit[65], Err *err);
/* A lightweight tag; one that is there already and says the same is fine. */
int repo_tag(Repo *repo, const char *name, const char *commit, Err *err);

/* Removes a ref, also one that cannot be read; REPO_NONE: there is none of that name. */
int repo_remove_ref(Repo *repo, const char *ref, Err *err);
/* Removes the objects that no ref and none of the commits `also` (those that are there) reaches any more. Where a ref
 * cannot be read, nothing is removed. Nobody else may write meanwhile. Repeatable. */
int repo_sweep(Repo *repo, const StringVec *also, size_t *ret_removed, Err *err);

/* REPO_NONE: no such commit, or no such file in it. */
int repo_read(Repo *repo, Arena *arena, const char *commit, const char *path, Bytes *ret, Err *err);
int repo_message(Repo *repo, Arena *arena, const char *commit, const char **ret, Err *err);
/* The commit that a ref points to. REPO_NONE. */
int repo_ref(Repo *repo, const char *ref, char ret_commit[65], Err *err);
/* All refs that match a glob ("refs/runs/" followed by a star). */
int repo_refs(Repo *repo, Arena *arena, const char *glob, StringVec *ret, Err *err);
/* Whether the commit and everything it reaches is there and hashes to its name. Reading does this by itself, once, for
 * a commit that was not written through this Repo: in a process of its own with a time limit, because libgit2 may not
 * come back from an object that was cut short. */
int repo_verify(Repo *repo, const char *commit, Err *err);
/* The limit of that, for tests; 30 s by default. */
void repo_set_limit(Repo *repo, unsigned limit_sec);
