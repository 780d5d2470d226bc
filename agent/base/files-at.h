/* SPDX-License-Identifier: Apache-2.0 */
/* Files by directory descriptor and name: what files.c, files-write.c and swap.c are made of. Names are single
 * components; `shown` is the path that errors name. Every function that changes something passes a fault point first.
 */
#pragma once

#include "base/files.h"

/* A path taken apart: the directory ("/" or without trailing slash) and the name ("." for the root itself). */
void path_split(Arena *arena, const char *path, const char **ret_dir, const char **ret_name);

typedef enum DirFollow { DIR_FOLLOW, DIR_NO_SYMLINKS } DirFollow;

/* Opens a directory below `root`. Symlinks in `dir` stay below the root; with DIR_NO_SYMLINKS they are ERR_REFUSED.
 * 1: there is no such directory (*ret_fd is -1). */
int dir_open(const char *root, const char *dir, DirFollow follow, int *ret_fd, Err *err);

int file_read_at(Arena *arena, int dir, const char *name, const char *shown, FileState *ret, Err *err);
int file_stat_at(int dir, const char *name, const char *shown, FileState *ret, Err *err);
/* 1: the directory holds something. */
int dir_filled_at(int dir, const char *name, const char *shown, Err *err);

/* Creates the name, which must be new, with exactly this state, durable but for the name itself. */
int file_create_at(int dir, const char *name, const char *shown, const FileState *state, Err *err);

enum { FILES_UNSUPPORTED = 2 }; /* the file system does not know this kind of rename */
enum { FILES_EXISTS = 3 };      /* the new name is taken */
enum { FILES_MISSING = 4 };     /* a name is not there */

/* Exchanges two names. FILES_UNSUPPORTED, FILES_MISSING. */
int file_exchange_at(int dir_a, const char *name_a, int dir_b, const char *name_b, const char *shown, Err *err);
/* Gives a file a name that must be new. FILES_EXISTS, FILES_MISSING. Where the kernel cannot promise newness, the name
 * is looked for first. */
int file_move_at(int from_dir, const char *from, int to_dir, const char *to, const char *shown, Err *err);
/* rename(2). */
int file_replace_at(int from_dir, const char *from, int to_dir, const char *to, const char *shown, Err *err);
/* Unlinks a file or an empty directory. FILES_MISSING. */
int file_remove_at(int dir, const char *name, const char *shown, Err *err);
int dir_sync(int dir, const char *shown, Err *err);
