/* SPDX-License-Identifier: Apache-2.0 */
/* Staging: programs judge candidate files in place of the real ones, while the real ones stay as they are.
 *
 * Each staging_run starts its program in a mount namespace of its own. There, over each of the named directories, lies
 * an overlay whose upper layer is a tmpfs, and in it the candidate's files are written, linked and removed. The
 * namespace ends with the program; nothing of it is ever seen outside.
 *
 * The candidate's regular files also exist as copies below /run/salve/stage-<pid>-<n> (0700, root's; each copy with the
 * mode and owner of its candidate), for PID 1, which reads EnvironmentFile= outside of any namespace. They go with
 * staging_close, or, after a crash, with the next staging_open. */
#pragma once

#include "base/err.h"
#include "base/strbuf.h"
#include "host/child.h"

typedef enum StagedType { STAGED_ABSENT, STAGED_FILE, STAGED_SYMLINK, STAGED_DIRECTORY } StagedType;

/* One path of the candidate. `path` is absolute and lies below one of the directories; on the way to it symlinks are
 * followed as on the host, its last component is not. Directories on the way are made where they are missing. */
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

/* `directories` (NULL-terminated) are existing real directories without symlinks in their path. files and directories
 * are borrowed until staging_close. */
int staging_open(const StagedFile *files, size_t n_files, const char *const *directories, Staging **ret_staging,
                 Err *err);
void staging_close(Staging *staging);
DEFINE_CLEANUP(Staging *, staging_close)

enum { STAGING_REFUSED = 1 };

/* child_run inside the staged tree; spec->before_exec must be NULL. STAGING_REFUSED: this kernel or container does not
 * let us make the namespace or the overlay, or a directory has mounts below it that an overlay would hide; err says
 * which and why, and nothing was run. */
int staging_run(Staging *staging, Arena *arena, const ChildSpec *spec, ChildResult *ret_result, Err *err);

/* The copy of a STAGED_FILE outside of the namespace, or NULL if `path` is not one of the candidate's regular files. */
const char *staging_copy(const Staging *staging, const char *path);
