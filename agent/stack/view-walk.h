/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of a view: following paths, and judging who steers them.
 *
 * Whoever placed a symlink chose where it leads; of a link of root's, so did whoever could have moved it to its name.
 * Where that is not root, salve acts for him: it reads what he could read, and edits what he could write himself. The
 * same holds for a file with several hard links below a directory of his. Judged on the live host, as root. */
#pragma once

#include "stack/view-table.h"
#include "stack/view.h"

struct View {
    Arena *arena;
    const char *root;
    Table *disk;         /* shared with before */
    Table wishes, memo;  /* memo: paths that were followed since the last wish */
    VEC(Entry *) wished; /* the entries of wishes, in order of creation */
    View *before;
    const char *parent; /* the last directory that was followed, as asked for: the next path is often beside it */
    Entry *parent_entry;
};

/* States by a path whose parent holds no symlink; `whole` as for view_disk_state. */
int view_state(View *view, const char *path, bool whole, const FileState **ret, Err *err);
/* The state on disk of such a path. Without `whole` only what file_stat tells, and the target of a symlink: following a
 * path must not read the program at its end. */
int view_disk_state(View *view, const char *path, bool whole, const FileState **ret, Err *err);

/* Follows the path: the memo's entry, with where it leads and who steers it. */
int view_follow(View *view, const char *path, Entry **ret, Err *err);
/* Follows the symlinks of its parent: the key of its entry, and the parent's entry. */
int view_follow_parent(View *view, const char *path, const char **ret_key, Entry **ret_parent, Err *err);

typedef enum ViewAccess { VIEW_READ = 1, VIEW_WRITE = 2 } ViewAccess;

/* ERR_REFUSED where somebody steered us to `key` who could not do this with it himself. */
int view_may(View *view, Entry *followed, const char *key, ViewAccess access, Err *err);
