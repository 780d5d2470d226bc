/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files of one edit live: shared by swap-check.c (which looks) and swap.c (which acts). */
#pragma once

#include <limits.h>

#include "base/cleanup.h"
#include "base/swap.h"

typedef struct Site {
    const char *shown;           /* root and path, for errors */
    const char *dot_shown;       /* the directory of the dot names, without the root */
    int dir, dot_dir;            /* dir is -1 while the parent does not exist */
    char name[NAME_MAX + 1];     /* the live name, in dir */
    char dot[NAME_MAX + 1];      /* the other side */
    char fresh[NAME_MAX + 1];    /* being written; worthless after a crash */
    char probe[NAME_MAX + 1];    /* likewise: what EXCHANGE is tried with */
    char original[NAME_MAX + 1]; /* without EXCHANGE: a copy of `before` */
    char aside[NAME_MAX + 1];    /* foreign bytes; then aside-2, aside-3 */
} Site;

/* ERR_REFUSED where a parent is a symlink, ERR_NOT_FOUND where the directory that stays is missing. */
int site_open(Arena *arena, const SwapSet *set, const Edit *edit, Site *ret, Err *err);
void site_close(Site *site);
static inline void site_close_cleanup(Site *site)
{
    site_close(site);
}

/* The nearest directory above the path that the run neither makes nor removes. */
const char *site_staying_dir(Arena *arena, const SwapSet *set, const char *path);

/* The live file (absent while its directory is), and a file under one of the dot names. */
int site_read_live(Arena *arena, const Site *site, FileState *ret, Err *err);
int site_read_dot(Arena *arena, const Site *site, const char *name, FileState *ret, Err *err);
/* A path in the dot directory, without the root. */
char *site_dot_path(Arena *arena, const Site *site, const char *name);
int site_sync(const Site *site, Err *err);
/* 1: it is a directory and holds something, which is not ours to take away. */
int site_filled(const Site *site, int dir, const char *name, const FileState *state, Err *err);
