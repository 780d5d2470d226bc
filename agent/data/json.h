/* SPDX-License-Identifier: Apache-2.0 */
/* JSON (RFC 8259) to and from a Node tree; the only user of Jansson.
 *
 * Strings become quoted scalars; numbers, true, false and null plain ones. Jansson tells positions only for errors, so
 * nodes of a JSON tree have none. Duplicate keys, NUL in strings and trees deeper than 64 are errors. */
#pragma once

#include "base/err.h"
#include "data/node.h"

enum { JSON_MAX_DEPTH = 64, JSON_MAX_BYTES = 64 << 20 };

/* `name` is used in errors ("standard input", a path). */
int json_parse(Arena *arena, const char *name, Bytes text, Node **ret_root, Err *err);

typedef enum JsonStyle {
    JSON_COMPACT = 0,       /* one line, no blanks */
    JSON_PRETTY = 1 << 0,   /* two blanks a level */
    JSON_SORT_KEYS = 1 << 1 /* else as inserted */
} JsonStyle;

/* A plain scalar that is a JSON number, true, false or null is printed as it is; every other scalar as a string. Ends
 * without newline. */
void json_print(const Node *node, JsonStyle style, StrBuf *out);
char *json_to_string(Arena *arena, const Node *node, JsonStyle style);
/* A JSON string literal with its quotes; a byte that is no UTF-8 becomes U+FFFD. */
void json_print_string(const char *text, StrBuf *out);
