/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of its own for a test, and short words to fill and read it. */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/files.h"

typedef struct TempTree {
    Arena *arena;
    char root[64];
} TempTree;

static inline int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static inline int tree_setup(void **state)
{
    TempTree *tree = calloc(1, sizeof *tree);
    tree->arena = arena_new();
    snprintf(tree->root, sizeof tree->root, "/tmp/salve-test-XXXXXX");
    *state = tree;
    umask(022);
    return mkdtemp(tree->root) ? 0 : -1;
}

static inline int tree_teardown(void **state)
{
    TempTree *tree = *state;
    unsetenv("SALVE_FAULT");
#if SALVE_FAULT_INJECTION
    fault_reset();
#endif
    nftw(tree->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(tree->arena);
    free(tree);
    return 0;
}

/* The path with the root in front. */
static inline const char *in_tree(TempTree *tree, const char *path)
{
    return arena_printf(tree->arena, "%s%s", tree->root, path);
}

static inline void put_file(TempTree *tree, const char *path, const char *text)
{
    FILE *file = fopen(in_tree(tree, path), "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static inline void put_dir(TempTree *tree, const char *path)
{
    assert_int_equal(mkdir(in_tree(tree, path), 0755), 0);
}

/* NULL: absent. */
static inline const char *get_file(TempTree *tree, const char *path)
{
    FileState state;
    Err err;
    assert_int_equal(file_read(tree->arena, tree->root, path, &state, &err), 0);
    return state.type == FILE_ABSENT ? NULL : state.content.data;
}

static inline FileState state_of(TempTree *tree, const char *path)
{
    FileState state;
    Err err;
    assert_int_equal(file_read(tree->arena, tree->root, path, &state, &err), 0);
    return state;
}

/* How many names of the directory start with a dot. */
static inline unsigned dot_files(TempTree *tree, const char *dir)
{
    DIR *list = opendir(in_tree(tree, dir));
    assert_non_null(list);
    unsigned n = 0;
    for (const struct dirent *entry; (entry = readdir(list));)
        n += entry->d_name[0] == '.' && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(list);
    return n;
}
