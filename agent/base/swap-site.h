/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files of one edit live: shared by swap-check.c (which looks) and swap.c (which acts). */
#pragma once

#include <limits.h>

#include "base/cleanup.h"
#include "base/swap.h"

typedef struct Site {
    const SwapSet *set;
    const Edit *edit;
    const char *shown;           /* root and path, for errors */
    const char *dot_shown;       /* the directory of the dot names, without the root */
    int dir, dot_dir;            /* dir is -1 while the parent does not exist */
    char name[NAME_MAX + 1];     /* the live name, in dir */
    char dot[NAME_MAX + 1];      /* the other side */
    char fresh[NAME_MAX + 1];    /* being written, where that needs a name; worthless after a crash */
    char probe[NAME_MAX + 1];    /* likewise: what EXCHANGE is tried with */
    char original[NAME_MAX + 1]; /* without EXCHANGE: a copy of `before` */
    char aside[NAME_MAX + 1];    /* a foreign version of the file; then aside-2, ... */
    char taken[NAME_MAX + 1];    /* what somebody put under a name of ours; then taken-2, ... */
} Site;

/* Attempts against somebody who takes names all the time. */
enum { SWAP_TRIES = 50 };

/* ERR_REFUSED where a parent is a symlink, ERR_NOT_FOUND where the directory that stays is missing. */
int site_open(Arena *arena, const SwapSet *set, const Edit *edit, Site *ret, Err *err);
void site_close(Site *site);
static inline void site_close_cleanup(Site *site)
{
    site_close(site);
}

/* The nearest directory above the path that the run neither makes nor removes. */
const char *site_staying_dir(Arena *arena, const SwapSet *set, const char *path);

/* The live file (absent while its directory is), and what lies under one of the dot names; as file_look has it. */
int site_read_live(Arena *arena, const Site *site, FileState *ret, Err *err);
int site_read_dot(Arena *arena, const Site *site, const char *name, FileState *ret, Err *err);
/* A path in the dot directory, without the root. */
char *site_dot_path(Arena *arena, const Site *site, const char *name);
int site_sync(const Site *site, Err *err);
/* 1: it is a directory and holds something, which is not ours to take away. */
int site_filled(const Site *site, int dir, const char *name, const FileState *state, Err *err);
/* Whether what was found is one of the edit's sides. */
bool site_knows(const Site *site, const FileState *found);
/* Whether it can be a foreign version of the file, which is kept as a commit. Else it is something that somebody put
 * there, which stays as it is and goes out of the way. */
bool site_may_be_version(const Site *site, const FileState *found);

/* Moves what the name leads to out of the way, to the first of the names `base`, `base`-2, ... that is free; *ret_path
 * is where it lies now. FILES_MISSING: it is gone. Nothing is opened. */
int site_move_aside(Arena *arena, const Site *site, int dir, const char *name, const char *base, const char **ret_path,
                    Err *err);
/* The same for what is no version of the file: it goes to a name `taken`, and that is told (SwapSet.told). */
int site_evict(Arena *arena, const Site *site, int dir, const char *name, Err *err);
/* What EXCHANGE is tried with, but for its owner. */
extern const FileState site_probe;
/* Makes `fresh` or `probe` free: removes what a crash left there, moves out of the way what somebody put there. */
int site_clear(Arena *arena, const Site *site, const char *name, Err *err);

/* Makes a file of this state under a dot name, whole and synced, and holds it. What takes the name meanwhile is moved
 * out of the way; ERR_FOREIGN: somebody does so all the time. With `exact`, ERR_REFUSED where the file system does not
 * keep the state. */
int site_make(Arena *arena, const Site *site, const char *name, const FileState *state, bool exact, int *ret_fd,
              Err *err);
