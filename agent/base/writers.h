/* SPDX-License-Identifier: Apache-2.0 */
/* Who but root decides what is at a path: read off states, without asking the host.
 *
 * Whoever may write to a directory may put any entry into it, take any away and set another in its place; in a sticky
 * directory only the owner of the entry and the directory's own may. The owner of a directory or file may give himself
 * every right to it. A group counts through the mode or an ACL; root's group counts as root. */
#pragma once

#include <stdint.h>

#include "base/files.h"

typedef enum WriterKind { WRITER_USER, WRITER_GROUP, WRITER_ANYONE } WriterKind;

typedef struct Writer {
    WriterKind kind;
    uint32_t id; /* uid or gid; 0 for WRITER_ANYONE */
} Writer;

typedef VEC(Writer) WriterVec;

/* Adds one that is not there yet. */
void writers_add(Arena *arena, WriterVec *writers, Writer writer);

/* Adds who can write to a file, or put an entry into a directory. The state must be whole where its mode lets a group
 * write (an ACL is an attribute). */
void writers_of(Arena *arena, const FileState *state, WriterVec *writers);

/* Adds who can put something else in the place of an entry that is there. */
void writers_of_entry(Arena *arena, const FileState *directory, const FileState *entry, WriterVec *writers);
