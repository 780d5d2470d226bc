/* SPDX-License-Identifier: Apache-2.0 */
/* Files by directory descriptor and name: what files*.c and swap*.c are made of. Names are single
 * components; `shown` is the path that errors name. Every function that changes something passes a fault point first.
 */
#pragma once

#include <dirent.h>

#include "base/files.h"

/* A path taken apart: the directory ("/" or without trailing slash) and the name ("." for the root itself). */
void path_split(Arena *arena, const char *path, const char **ret_dir, const char **ret_name);

typedef enum DirFollow { DIR_FOLLOW, DIR_NO_SYMLINKS } DirFollow;

/* Opens a directory below `root`. Symlinks in `dir` stay below the root; with DIR_NO_SYMLINKS they are ERR_REFUSED.
 * 1: there is no such directory (*ret_fd is -1). */
int dir_open(const char *root, const char *dir, DirFollow follow, int *ret_fd, Err *err);

/* By this path the kernel leads to the very object that a descriptor holds, be it a symlink or opened with O_PATH. */
enum { HELD_PATH_SIZE = 32 };
const char *file_held_path(char out[HELD_PATH_SIZE], int fd);

/* Holds what a name leads to, without opening it (O_PATH): no other object can take its place behind the descriptor. 1:
 * there is nothing. */
int file_hold_at(int dir, const char *name, const char *shown, int *ret_fd, Err *err);
/* Whether the name still, or already, leads to the object that is held. */
bool file_is_at(int fd, int dir, const char *name);
/* The whole state of what is held; _look_ as file_look has it. */
int file_read_held(Arena *arena, int fd, const char *shown, FileState *ret, Err *err);
int file_look_held(Arena *arena, int fd, const char *shown, FileState *ret, Err *err);

int file_read_at(Arena *arena, int dir, const char *name, const char *shown, FileState *ret, Err *err);
int file_look_at(Arena *arena, int dir, const char *name, const char *shown, FileState *ret, Err *err);
int file_stat_at(int dir, const char *name, const char *shown, FileState *ret, Err *err);
/* The directory's entries, for closedir; NULL: see *err. */
DIR *dir_list_at(int dir, const char *name, const char *shown, Err *err);
/* 1: the directory holds something. */
int dir_filled_at(int dir, const char *name, const char *shown, Err *err);

/* Making something is two steps, so that nobody can come between a name and what salve does to the file: file_make
 * makes it whole (content, owner, mode, attributes, each set through the descriptor that created it) and synced,
 * file_name gives it its name, which is durable with its directory.
 *
 * Where the file system can, what is made has no name until then. Else it has `fresh`. FILES_EXISTS: that name is
 * taken, or was before what was made could be held. */
int file_make(int dir, const char *fresh, const char *shown, const FileState *state, int *ret_fd, Err *err);
/* As above with the name `fresh` in any case: for who replaces a file by rename(2). */
int file_make_named(int dir, const char *fresh, const char *shown, const FileState *state, int *ret_fd, Err *err);
/* The name must be new: FILES_EXISTS. FILES_MISSING: what was made has lost its name `fresh` to somebody meanwhile;
 * what lies under `name` then is not it. */
int file_name(int fd, int dir, const char *fresh, const char *name, const char *shown, Err *err);

enum { FILES_UNSUPPORTED = 2 }; /* the file system does not know this kind of rename */
enum { FILES_EXISTS = 3 };      /* the new name is taken */
enum { FILES_MISSING = 4 };     /* a name is not there */
enum { FILES_FILLED = 5 };      /* not removed: a directory holds something, or another kind of thing came meanwhile */

/* Exchanges two names. FILES_UNSUPPORTED, FILES_MISSING. */
int file_exchange_at(int dir_a, const char *name_a, int dir_b, const char *name_b, const char *shown, Err *err);
/* Gives a file a name that must be new. FILES_EXISTS, FILES_MISSING. Where the kernel cannot promise newness, the name
 * is looked for first. */
int file_move_at(int from_dir, const char *from, int to_dir, const char *to, const char *shown, Err *err);
/* rename(2). */
int file_replace_at(int from_dir, const char *from, int to_dir, const char *to, const char *shown, Err *err);
/* Unlinks a file or an empty directory. FILES_MISSING, FILES_FILLED. */
int file_remove_at(int dir, const char *name, const char *shown, Err *err);
int dir_sync(int dir, const char *shown, Err *err);
