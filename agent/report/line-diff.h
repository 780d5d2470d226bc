/* SPDX-License-Identifier: Apache-2.0 */
/* The shortest list of line insertions and deletions that makes one text out of another: E. W. Myers, "An O(ND)
 * Difference Algorithm and Its Variations" (1986), in linear space. Texts that differ almost everywhere are bounded:
 * past LINE_DIFF_MAX_COST the stretch in question is given as replaced, which is still correct. */
#pragma once

#include <stdbool.h>

#include "base/strbuf.h"
#include "base/vec.h"

enum { LINE_DIFF_MAX_COST = 2000 };

/* A line without its newline; the last one of a text may have none. */
typedef struct Line {
    Bytes text;
    bool newline;
} Line;

typedef VEC(Line) LineVec;

void lines_of(Arena *arena, Bytes text, LineVec *ret);

/* Lines before[a, a + a_len) become after[b, b + b_len); what lies between two changes is equal. */
typedef struct LineChange {
    size_t a, a_len, b, b_len;
} LineChange;

typedef VEC(LineChange) LineChangeVec;

/* In order; neither overlapping nor touching. */
void line_diff(Arena *arena, const LineVec *before, const LineVec *after, LineChangeVec *ret);
