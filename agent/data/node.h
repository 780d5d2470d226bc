/* SPDX-License-Identifier: Apache-2.0 */
/* One tree for YAML and JSON, with positions: what is read (playbooks, settings, inventories, alerts) and what is
 * printed (--json, records, the JSON Schema).
 *
 * A scalar is text. Whether `60` is a number or a name is decided by who decodes it (data/decode.h), never by the
 * parser: YAML's guesses (`no` is false, `1e3` is a float) are not ours. What the parser keeps is whether the scalar
 * was quoted, because only a plain `null` is null and only a plain `true` is a boolean.
 *
 * Trees are plain data in an arena. A tree that was parsed is read as const; constructors are for output and tests. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "base/vec.h"

/* 1-based; column counts characters, not bytes. {0, 0} where no position is known (built trees, values inside JSON). */
typedef struct Pos {
    unsigned line, column;
} Pos;

/* What was parsed: `name` is the path, or what people gave ("-e timeout"); `text` the bytes, for quoting the line. */
typedef struct Source {
    const char *name;
    Bytes text;
} Source;

typedef enum NodeKind { NODE_SCALAR, NODE_MAP, NODE_SEQ } NodeKind;

typedef struct Node Node;

typedef struct NodePair {
    const Node *key; /* a scalar; keys are unique in their map */
    Node *value;
} NodePair;

struct Node {
    NodeKind kind;
    bool quoted; /* scalar: 'x', "x", a block scalar, or a JSON string */
    Pos pos;
    const Source *source; /* NULL in built trees */
    const char *text;     /* scalar: UTF-8 without NUL; never NULL */
    VEC(NodePair) pairs;  /* map, in the order of the file */
    VEC(Node *) items;    /* seq */
};

/* Reading. All accept NULL and the wrong kind of node, and then find nothing. */
Node *node_get(const Node *map, const char *key);
const char *node_get_text(const Node *map, const char *key); /* of a scalar that is not null; else NULL */
bool node_is_null(const Node *node);                         /* plain `null`, `~` or empty; NULL is null too */
bool node_to_int(const Node *node, int64_t *ret_value);      /* plain decimal, nothing else */
bool node_to_bool(const Node *node, bool *ret_value);        /* plain `true` or `false`, nothing else */
const char *node_kind_name(const Node *node);                /* "a map", "a list", "a value", for messages */

/* Building. Text is copied. */
Node *node_map(Arena *arena);
Node *node_seq(Arena *arena);
Node *node_text(Arena *arena, const char *text); /* NULL gives null */
Node *node_textf(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
Node *node_int(Arena *arena, int64_t value);
Node *node_double(Arena *arena, double value); /* %.6g, enough for people and graphs; not finite gives null */
Node *node_bool(Arena *arena, bool value);
Node *node_null(Arena *arena);

/* Sets map[key] (in place where the key is already there) and returns value; appends to seq and returns value. */
Node *node_set(Arena *arena, Node *map, const char *key, Node *value);
Node *node_add(Arena *arena, Node *seq, Node *value);
void node_set_text(Arena *arena, Node *map, const char *key, const char *text);
void node_set_int(Arena *arena, Node *map, const char *key, int64_t value);
void node_set_bool(Arena *arena, Node *map, const char *key, bool value);

/* A copy of everything but the sources, which are shared. */
Node *node_dup(Arena *arena, const Node *node);
/* Same shape, texts and quoting; the order of map keys does not matter, positions neither. */
bool node_equal(const Node *a, const Node *b);
