/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a path, an edit of it, and the one module that writes (promise 2).
 *
 * Reading: file_read takes a path's whole state: content, type, owner, mode, extended attributes. POSIX ACLs and
 * SELinux labels are extended attributes (system.posix_acl_access, security.selinux). Absence is a state, not an error.
 *
 * Writing: files_* below are the only functions of the agent that create, write, rename or remove on durable storage,
 * besides SQLite and libgit2 inside the state directory. Each passes a fault point (base/fault.h) first. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "base/vec.h"

typedef enum FileType {
    FILE_ABSENT,
    FILE_REGULAR,
    FILE_SYMLINK,
    FILE_DIRECTORY,
    FILE_OTHER,  /* a FIFO, socket or device */
    FILE_UNREAD, /* of file_look alone: larger than FILE_MAX_SIZE, or never the same while it is read */
} FileType;

typedef struct Xattr {
    const char *name;
    Bytes value;
} Xattr;

typedef VEC(Xattr) XattrVec;

typedef struct FileState {
    FileType type;
    mode_t mode; /* permission bits (07777); 0 for absent and symlinks */
    uid_t uid;
    gid_t gid;
    Bytes content;   /* regular file: its bytes; symlink: its target; else empty */
    XattrVec xattrs; /* sorted by name */
} FileState;

/* One path, before and after: the unit of change. The path is absolute and its parent holds no symlink. */
typedef struct Edit {
    const char *path;
    FileState before, after;
} Edit;

typedef VEC(Edit) EditVec;

enum { FILE_MAX_SIZE = 16 * 1024 * 1024 }; /* of a managed file; a larger one is ERR_REFUSED */

/* The state of `path` itself (a symlink is not followed) below `root` ("" for the live host). Unreadable is an error.
 */
int file_read(Arena *arena, const char *root, const char *path, FileState *ret, Err *err);
/* The same of a path whose parent holds no symlink; one that was put there meanwhile is ERR_REFUSED. */
int file_read_real(Arena *arena, const char *root, const char *path, FileState *ret, Err *err);
/* As above for who must go on whatever is there: a file that cannot be read for what it is, or for what somebody does
 * to it, is FILE_UNREAD instead of an error, and equals no state that was ever read. */
int file_look(Arena *arena, const char *root, const char *path, FileState *ret, Err *err);
/* As file_read without reading content and xattrs. */
int file_stat(const char *root, const char *path, FileState *ret, Err *err);

bool file_state_equal(const FileState *a, const FileState *b);
/* For people: "content, mode 0644 -> 0640, owner 0:0 -> 0:33"; "" when equal. */
char *file_state_difference(Arena *arena, const FileState *a, const FileState *b);
/* A hash over everything that file_state_equal compares. */
struct Hash;
void file_state_hash(const FileState *state, struct Hash *ret);
const char *file_type_to_string(FileType type);
/* Equal but for what the kernel adds to a file on its own: a security.* attribute of `found` that `wanted` does not
 * name. How an edit's sides are told apart on disk. */
bool file_state_matches(const FileState *wanted, const FileState *found);

/* --- Durable storage of salve's own (the state directory). Paths are taken as they are, relative to the working
 * directory; a symlink in the last component is refused. When these return 0, the fact survives a power cut. --- */

/* A directory of mode 0700 of our own. 1: it was there already (its owner and mode are not looked at). */
int files_mkdir(const char *path, Err *err);
/* Replaces or creates the whole file, or leaves it as it was: dot file, fsync, rename, fsync of the directory. */
int files_write(const char *path, mode_t mode, Bytes content, Err *err);
/* Removes a file, and what a crash in files_write left beside it. 1: it was not there. */
int files_unlink(const char *path, Err *err);
/* Gives a name to what lies there that says so: NAME.damaged-TIME, of which ret_name, where not NULL, gets the last
 * component. Nothing is opened. 1: there is nothing. */
enum { ASIDE_NAME_SIZE = 64 };
int files_set_aside(const char *path, char ret_name[ASIDE_NAME_SIZE], Err *err);
/* The content of a small regular file, at most `max` bytes (more is ERR_INVALID). 1: absent. */
int files_load(Arena *arena, const char *path, size_t max, Bytes *ret, Err *err);
/* fsync of a directory, so that names in it survive. */
int files_sync_dir(const char *path, Err *err);
