/* SPDX-License-Identifier: Apache-2.0 */
/* Edits as a unified diff that patch(1) and people read, secrets masked. What no line can show (owner, mode,
 * attributes, links, directories, binary content) is said in words in front of the hunks. */
#pragma once

#include "base/files.h"

typedef struct DiffOptions {
    bool colour;
    unsigned context;            /* lines around a change; 3 is usual */
    StringVec environment_files; /* paths: all values in these are masked */
} DiffOptions;

void diff_edit(const Edit *edit, const DiffOptions *options, StrBuf *out);
void diff_edits(const EditVec *edits, const DiffOptions *options, StrBuf *out);

/* Lines added and removed over all edits that have lines. */
typedef struct DiffStat {
    size_t files, added, removed;
} DiffStat;

DiffStat diff_stat(const EditVec *edits);
