/* SPDX-License-Identifier: Apache-2.0 */
/* Replacements of byte ranges in one text: the way every editor of this layer changes a file. Positions are those of
 * the original text; every byte outside the ranges is kept. */
#pragma once

#include "base/err.h"
#include "base/strbuf.h"
#include "base/vec.h"

typedef struct Splice {
    size_t start, end; /* start == end inserts */
    Bytes with;
} Splice;

typedef VEC(Splice) SpliceVec;

/* Insertions at one place come out in the order they were pushed. Ranges that overlap or lie outside of the text are
 * ERR_REFUSED. No splices: the same bytes. `splices` is sorted in place; `ret` lives in the arena. */
int splice_apply(Arena *arena, Bytes text, SpliceVec *splices, Bytes *ret, Err *err);
