/* SPDX-License-Identifier: Apache-2.0 */
/* A view: the host's configuration tree plus the edits pending so far.
 *
 * Changes are functions from a view to a view: they read through it, so that the second sees what the first one set,
 * and write into it; nothing on the host changes. There is one edit a path, whoever made it, from the state on disk
 * when the view first looked to the state wished last. Everything read is read once and kept, so that a plan is
 * consistent in itself. A view and all it returns live in the arena given to view_new. */
#pragma once

#include "base/files.h"

typedef struct View View;

/* root: "" for the live host, else a directory that holds a tree (--root). */
View *view_new(Arena *arena, const char *root);
Arena *view_arena(const View *view);
const char *view_root(const View *view);
/* The same host without the edits; shares what was read. */
View *view_before(View *view);

/* The state of exactly this path (absolute, no symlink followed). */
int view_get(View *view, const char *path, const FileState **ret, Err *err);
/* Follows symlinks in all components, the last one too, staying below the root; the final target may be absent.
 * A loop, a dangling directory or a part that is no directory is an error. */
int view_resolve(View *view, const char *path, const char **ret_path, Err *err);
/* Follows symlinks; content of a regular file. 1: it is absent. ret_resolved may be NULL. */
int view_read(View *view, const char *path, Bytes *ret, const char **ret_resolved, Err *err);
/* Names in a directory, bytewise sorted, without . and ..; pending creations and removals are seen. Absent: no names.
 */
int view_list(View *view, const char *dir, StringVec *ret, Err *err);
/* glob(3) with *, ? and [] in any component, bytewise sorted full paths; a leading dot must be matched explicitly. */
int view_glob(View *view, const char *pattern, StringVec *ret, Err *err);

/* Wishes content for a path (symlinks followed: the target is edited, the link stays). Owner, mode and attributes stay;
 * a new file is root:root 0644, its missing parent directories root:root 0755, each an edit of its own. */
int view_write(View *view, const char *path, Bytes content, Err *err);
/* Wishes this state for exactly this path. */
int view_put(View *view, const char *path, const FileState *state, Err *err);
int view_remove(View *view, const char *path, Err *err);

/* The edits that differ from the disk, in an order in which they can be made: bytewise by path, so that a new directory
 * comes before what it holds; directories that go away last, the deeper first. */
void view_edits(View *view, EditVec *ret);
/* Whether the view has a pending edit of the path. */
bool view_edited(const View *view, const char *path);

/* Facts that were derived from the view, kept under a key until the next wish changes what they follow from; NULL:
 * none. They must live in the view's arena. */
const void *view_recall(const View *view, const char *key);
void view_remember(View *view, const char *key, const void *facts);
