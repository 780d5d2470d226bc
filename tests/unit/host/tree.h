/* SPDX-License-Identifier: Apache-2.0 */
/* Fixture trees: files of any depth, appended to and linked, on top of the test's own directory. Names have no leading
 * slash. */
#pragma once

#include "../base/temp-tree.h"

static inline char *tree_path(TempTree *tree, const char *name)
{
    return arena_printf(tree->arena, "%s/%s", tree->root, name);
}

/* The path, with the directories on the way to it. */
static inline const char *tree_place(TempTree *tree, const char *name)
{
    char *path = tree_path(tree, name);
    for (char *slash = path + strlen(tree->root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    return path;
}

static inline void tree_put(TempTree *tree, const char *name, const char *mode, const void *data, size_t len)
{
    FILE *file = fopen(tree_place(tree, name), mode);
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static inline void tree_write(TempTree *tree, const char *name, const char *text)
{
    tree_put(tree, name, "we", text, strlen(text));
}

static inline void tree_append(TempTree *tree, const char *name, const char *text)
{
    tree_put(tree, name, "ae", text, strlen(text));
}

static inline void tree_link(TempTree *tree, const char *name, const char *target)
{
    assert_int_equal(symlink(target, tree_place(tree, name)), 0);
}
