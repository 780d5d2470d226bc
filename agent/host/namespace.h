/* SPDX-License-Identifier: Apache-2.0 */
/* Staging: programs judge candidate files in place of the real ones, while the real ones stay as they are.
 *
 * Each staging_run starts its program in a private copy of the host (host/sandbox.h), in which the candidate's files
 * are written, linked and removed. It reads all that is there, and has no capability but to bind low ports and to use
 * files of others; what it writes is gone with it, and nothing of it is ever seen outside. A staging without files is
 * the host as it is.
 *
 * The candidate's regular files also exist as copies below /run/salve/stage-<pid>-<n> (0700, root's; each copy with the
 * mode and owner of its candidate), for PID 1, which reads EnvironmentFile= outside of any namespace. They go with
 * staging_close, or, after a crash, with the next staging_open. */
#pragma once

#include "base/err.h"
#include "base/strbuf.h"
#include "host/child.h"

typedef enum StagedType { STAGED_ABSENT, STAGED_FILE, STAGED_SYMLINK, STAGED_DIRECTORY } StagedType;

/* One path of the candidate. `path` is absolute; on the way to it symlinks are followed as on the host, its last
 * component is not. Directories on the way are made where they are missing. */
typedef struct StagedFile {
    const char *path;
    StagedType type;
    Bytes content;      /* STAGED_FILE */
    const char *target; /* STAGED_SYMLINK */
    mode_t mode;        /* permission bits; STAGED_FILE, STAGED_DIRECTORY */
    uid_t uid;
    gid_t gid;
} StagedFile;

typedef struct Staging Staging;

/* files are borrowed until staging_close. */
int staging_open(const StagedFile *files, size_t n_files, Staging **ret_staging, Err *err);
void staging_close(Staging *staging);
DEFINE_CLEANUP(Staging *, staging_close)
/* Removes what processes left that did not live to close their staging. */
void staging_remove_stale(void);

enum { STAGING_REFUSED = 1 };

/* child_run inside the staged tree; spec->before_exec must be NULL. STAGING_REFUSED: this kernel or container does not
 * let us make the copy, or the file system of a candidate takes no overlay; err says why, and nothing was run. */
int staging_run(Staging *staging, Arena *arena, const ChildSpec *spec, ChildResult *ret_result, Err *err);

/* The copy of a STAGED_FILE outside of the namespace, or NULL if `path` is not one of the candidate's regular files. */
const char *staging_copy(const Staging *staging, const char *path);
