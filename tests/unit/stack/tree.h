/* SPDX-License-Identifier: Apache-2.0 */
/* A small tree of files in a temporary directory, as a test wants to see it: the root of a view. */
#pragma once

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/view.h"

typedef struct Tree {
    Arena *arena;
    char root[64];
    Err err;
} Tree;

static inline Tree tree_new(void)
{
    Tree tree = {.arena = arena_new(), .root = "/tmp/salve-tree-XXXXXX"};
    assert_non_null(mkdtemp(tree.root));
    return tree;
}

static inline int tree_remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static inline void tree_free(Tree tree)
{
    nftw(tree.root, tree_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(tree.arena);
}
DEFINE_CLEANUP(Tree, tree_free)

static inline const char *tree_path(Tree *tree, const char *path)
{
    char *full = arena_printf(tree->arena, "%s%s", tree->root, path);
    for (char *slash = strchr(full + strlen(tree->root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(full, 0755) < 0 && errno != EEXIST)
            fail_msg("mkdir %s: %s", full, strerror(errno));
        *slash = '/';
    }
    return full;
}

static inline void tree_write(Tree *tree, const char *path, const char *text)
{
    FILE *file = fopen(tree_path(tree, path), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static inline void tree_link(Tree *tree, const char *path, const char *target)
{
    assert_int_equal(symlink(target, tree_path(tree, path)), 0);
}

static inline View *tree_view(Tree *tree)
{
    return view_new(tree->arena, tree->root);
}

/* The call must succeed. */
#define assert_done(tree, call)                                                                                        \
    do {                                                                                                               \
        if ((call) < 0)                                                                                                \
            fail_msg("%s: %s", #call, err_text(&(tree)->err));                                                         \
    } while (0)

/* The call must fail with this kind, and say this among other things. */
#define assert_error(tree, call, kind_, text)                                                                          \
    do {                                                                                                               \
        assert_true((call) < 0);                                                                                       \
        assert_int_equal((tree)->err.kind, (kind_));                                                                   \
        if (!strstr(err_text(&(tree)->err), (text)))                                                                   \
            fail_msg("\"%s\" does not say \"%s\"", err_text(&(tree)->err), (text));                                    \
    } while (0)
