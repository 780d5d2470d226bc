/* SPDX-License-Identifier: Apache-2.0 */
/* Edits of nginx's configuration that change the bytes they are about and no other.
 *
 * Edits are collected against one tree, over any number of its files, and applied in one pass a file; positions are
 * those of the tree. Values are escaped here (config/escape.h). What cannot be done surely is ERR_REFUSED with file,
 * line and column: a file that is marked not editable, a block whose body is data, a directive whose file is not the
 * one that was asked about. */
#pragma once

#include "config/nginx-tree.h"
#include "config/splice.h"

typedef struct NginxFileEdits {
    const NginxFile *file;
    SpliceVec splices;
} NginxFileEdits;

/* Zero-initialise; the vectors live in `arena`, which must be set. */
typedef struct NginxEdits {
    Arena *arena;
    VEC(NginxFileEdits) files;
} NginxEdits;

/* Replaces argument `index` (0 is the first behind the name). The same text as before is no edit. */
int nginx_edit_arg(NginxEdits *edits, const NginxNode *node, size_t index, const char *value, Err *err);

/* Adds `name args...;` to a block: behind `after` (a child that is in the block's own file), or behind its last
 * directive when NULL. Indentation and line ending are those of the block; a block on one line stays on one line.
 * Several insertions into one place keep their order. block may be the root: the main file's end. The caller knows that
 * the directive is not there yet or may be repeated. */
int nginx_edit_insert(NginxEdits *edits, const NginxNode *block, const NginxNode *after, const char *name,
                      const char *const *args, size_t n_args, Err *err);

/* Takes a directive out, with its line when nothing else is on it. */
int nginx_edit_remove(NginxEdits *edits, const NginxNode *node, Err *err);

/* Sets a directive with one argument in exactly this block: replaces it where the block has it (in whatever file),
 * else inserts it behind `after`. The way to change a setting. */
int nginx_edit_set(NginxEdits *edits, const NginxNode *block, const NginxNode *after, const char *name,
                   const char *value, Err *err);

/* The new text of a file. A file without edits gives the same bytes. The result is read again before it is handed
 * out: a text that nginx's lexer would not accept is ERR_REFUSED. */
int nginx_edits_apply(NginxEdits *edits, const NginxFile *file, Bytes *ret, Err *err);
