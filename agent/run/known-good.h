/* SPDX-License-Identifier: Apache-2.0 */
/* The known good: how the files that salve manages should be. Of each path it is what the newest kept run that touched
 * it has left there, rollbacks included; a path that no kept run touched has none. */
#pragma once

#include "store/store.h"

typedef struct GoodFile {
    const char *path;
    const char *run; /* which left it so */
    FileState state;
} GoodFile;

typedef VEC(GoodFile) GoodFileVec;

/* Ordered by path. A path whose snapshot is gone is left out; *ret_missing (may be NULL) then says which run's, else it
 * is NULL. A store that was never used has no files. */
int known_good_load(Arena *arena, const Store *store, GoodFileVec *ret, const char **ret_missing, Err *err);

/* What differs on this host now: before is the known good, after what is there. */
int known_good_drift(Arena *arena, const GoodFileVec *files, EditVec *ret, Err *err);
