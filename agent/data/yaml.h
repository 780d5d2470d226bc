/* SPDX-License-Identifier: Apache-2.0 */
/* YAML 1.1 as people write it, read into a tree with positions; the only user of libyaml.
 *
 * Refused with a position, because they make a file mean something else than what it looks like: anchors and aliases,
 * tags, directives, duplicate keys, keys that are not scalars, second documents, nesting deeper than 64, more than
 * 1 MiB or 100,000 nodes, bytes that are not UTF-8, NUL. */
#pragma once

#include "data/diagnostic.h"

enum { YAML_MAX_DEPTH = 64, YAML_MAX_BYTES = 1 << 20, YAML_MAX_NODES = 100000 };

/* Parses `text` (borrowed: must live as long as the tree) named `name`. On failure adds to diags and returns
 * -ERR_INVALID; an empty document is an error. */
int yaml_parse(Arena *arena, const char *name, Bytes text, Diagnostics *diags, Node **ret_root);

/* All of a file, or one byte more than the parser accepts; `path` is for errors. */
int yaml_read(Arena *arena, int fd, const char *path, Bytes *ret, Err *err);

/* Reads the file, at most YAML_MAX_BYTES of it. A file that cannot be read is an Err; what is wrong inside goes to
 * diags and returns -ERR_INVALID with *err set from them. */
int yaml_load(Arena *arena, const char *path, Diagnostics *diags, Node **ret_root, Err *err);
