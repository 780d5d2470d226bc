/* SPDX-License-Identifier: Apache-2.0 */
/* What a user could do to a path himself. The kernel is asked, by a child that has become that user: mode, groups,
 * ACLs, read-only mounts and the way to the path all count. */
#pragma once

#include "base/writers.h"

/* Whether each of them could do this (R_OK, W_OK, X_OK) with the path, in which no symlink is followed. 1: somebody
 * could not, *ret_who. A group stands for each of its members, everybody for a user who is in no group. Needs root. */
int rights_of(Arena *arena, const WriterVec *writers, const char *path, int mode, Writer *ret_who, Err *err);

/* "user django", "group www-data", "everybody". */
const char *writer_to_string(Arena *arena, Writer writer);
