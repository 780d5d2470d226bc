/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: both sides of every edit of a run, and what the run was going to do, as one commit (promise 1).
 *
 *     manifest      JSON: run, intent, and per edit path, type, owner (ids and names), mode, xattrs (base64), sha256,
 *                   symlink target or absence, for both sides
 *     before/0      the bytes of edit 0 as found       (numbered, because a path like .git cannot be a name in git)
 *     after/0       the bytes of edit 0 as wished
 *
 * A person reads it with git alone:
 *     git -C /var/lib/salve/snapshots.git show runs/<run>:manifest
 *     git -C /var/lib/salve/snapshots.git cat-file blob runs/<run>:before/0 > FILE */
#pragma once

#include "base/files.h"
#include "store/git.h"

enum { SNAPSHOT_DIFFERS = 1 };

/* intent: a JSON text of the engine's (playbook, values, effects), kept word for word and never NULL. */
int snapshot_write(Repo *repo, const char *run_id, const char *intent, const EditVec *edits, char ret_commit[65],
                   Err *err);

typedef struct Snapshot {
    const char *run_id, *intent;
    EditVec edits;
} Snapshot;

/* Every blob is checked against the manifest's sha256. REPO_NONE: no such commit. */
int snapshot_read(Repo *repo, Arena *arena, const char *commit, Snapshot *ret, Err *err);
/* The commit of a run, without the ledger. REPO_NONE. */
int snapshot_find(Repo *repo, const char *run_id, char ret_commit[65], Err *err);

/* The rehearsal: reads the snapshot back and compares it with the edits, then the before sides with the files as they
 * are now below `root` (bytes, type, owner, mode, xattrs). SNAPSHOT_DIFFERS: ret_path and ret_what ("content, mode 0644
 * -> 0640") say where first: somebody changed the file since the plan was made. A snapshot that is not what was written
 * is an error. */
int snapshot_rehearse(Repo *repo, Arena *arena, const char *commit, const char *root, const EditVec *edits,
                      const char **ret_path, const char **ret_what, Err *err);

/* Keeps a foreign file that was found in the way, without the names of its owner, because a rollback needs no network:
 * on ref refs/foreign/<run>/<hash of path and state>; before swap_discard_aside. */
int snapshot_keep_foreign(Repo *repo, const char *run_id, const char *path, const FileState *state, char ret_commit[65],
                          Err *err);

/* The run was kept: tag kept/<run>. Repeatable. */
int snapshot_tag_kept(Repo *repo, const char *run_id, const char *commit, Err *err);
