/* SPDX-License-Identifier: Apache-2.0 */
/* The managed files as one text, to be compared: a line a path below /etc, with a hash of its type, content, owner,
 * mode and attributes. What salve leaves beside its targets is a line too. */
#pragma once

#include "base/files.h"
#include "base/hash.h"

/* Sorted paths (without the root) of what a directory holds; empty where it is not there. */
StringVec tree_list(Arena *arena, const char *root, const char *dir);

/* dots: also the names that salve gives to what waits (.NAME.salve-*). */
const char *tree_print(Arena *arena, const char *root, bool dots);
/* tree_print without dots, as a hash. */
const char *tree_hash(Arena *arena, const char *root);
/* The hash that a path has in there, 16 hex digits. */
const char *tree_hash_state(Arena *arena, const FileState *state);
