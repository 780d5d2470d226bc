/* SPDX-License-Identifier: Apache-2.0 */
/* nginx's configuration as a tree of directives, each with its place in its file.
 *
 * Includes are expanded where they stand: the included directives follow the include directive among the children of
 * its block, and keep the file that they are in. Reading files is the caller's: pure as the rest of this layer.
 *
 * Not everything can be edited surely. A file is marked not editable, with the reason and the positions, when a
 * *_by_lua_block is in it, when it is included more than once (an edit would have effect in both contexts), or when it
 * holds a NUL. It is read nevertheless. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "config/nginx-time.h"

/* Where files come from; view_read and view_glob of stack/view.h have this shape. Paths are absolute. */
typedef struct NginxSource {
    void *ctx;
    /* 1: absent. ret_resolved: the path with symlinks resolved; one file has one. */
    int (*read)(void *ctx, const char *path, Bytes *ret, const char **ret_resolved, Err *err);
    /* glob(3), bytewise sorted. No match is 0 and an empty vector. */
    int (*glob)(void *ctx, const char *pattern, StringVec *ret, Err *err);
} NginxSource;

typedef struct NginxNode NginxNode;

typedef struct NginxFile {
    const char *path;     /* as included, for messages: a symlink's own name */
    const char *resolved; /* where an edit goes */
    Bytes text;
    const char *uneditable; /* NULL, or the reason as a sentence, with positions: "included at a:1 and b:2" */
    unsigned uneditable_line, uneditable_column;
    const NginxNode *included_by; /* the first include directive; NULL for the main file */
} NginxFile;

typedef struct NginxArg {
    size_t start, end; /* byte range in node->file->text, quotes included */
    const char *text;  /* as nginx sees it */
    unsigned line, column;
    char quote; /* '"', '\'' or 0 */
} NginxArg;

typedef VEC(NginxNode *) NginxNodeVec;

struct NginxNode {
    const NginxFile *file;
    const char *name; /* the directive's first word */
    unsigned line, column;
    size_t start;    /* first byte of the name */
    size_t end;      /* past the `;` or `}` */
    size_t args_end; /* the `;` or `{` after the last argument */
    NginxArg *args;  /* without the name */
    size_t n_args;
    bool block;        /* has a { } */
    bool data;         /* the body is no directives (map, types, geo, split_clients, Lua, ...): children are its rows */
    NginxNode *parent; /* the block that it is in, through includes; the root for directives of the main context */
    NginxNodeVec children;
};

typedef VEC(NginxFile *) NginxFileVec;

typedef struct NginxTree {
    NginxNode *root;    /* name "", block, no file range: children are the main context */
    NginxFileVec files; /* the main file first, then in order of inclusion; each resolved path once */
} NginxTree;

enum {
    NGINX_MAX_DEPTH = 64,               /* blocks and includes in each other */
    NGINX_MAX_BYTES = 64 * 1024 * 1024, /* of all files, each as often as it is included */
};

/* Reads main_path and what it includes; relative includes are taken from the folder of main_path, as nginx does. Errors
 * are those that nginx would have as well (syntax, missing include), with position. */
int nginx_tree_load(Arena *arena, const NginxSource *source, const char *main_path, NginxTree **ret, Err *err);

/* One text without its includes: for tests, and to judge a single file. */
int nginx_tree_parse(Arena *arena, const char *path, Bytes text, NginxTree **ret, Err *err);

/* Calls visit for each directive in order of the text, parents first, never inside data blocks. Ends and returns what
 * visit returned when that is not 0. */
typedef int (*NginxVisit)(NginxNode *node, void *ctx);
int nginx_walk(NginxNode *from, NginxVisit visit, void *ctx);

/* The first direct child with this name, or the next one behind `after`; NULL when none. */
NginxNode *nginx_child(const NginxNode *block, const char *name, const NginxNode *after);

/* The text of an argument, or NULL when there are fewer. */
const char *nginx_arg(const NginxNode *node, size_t index);

/* The nearest enclosing block with this name ("server", "http"), or the node itself; NULL when none. */
NginxNode *nginx_enclosing(NginxNode *node, const char *name);

/* The directive that sets `name` for a block by inheritance: that of the block itself, else of the next outer one. NULL
 * when none does and the default counts. For directives that are inherited whole and may stand once a level. */
NginxNode *nginx_effective(NginxNode *block, const char *name);

/* "server example.org, location /reports/" for messages; arguments as written. */
char *nginx_describe(Arena *arena, const NginxNode *node);
