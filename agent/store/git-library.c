/* SPDX-License-Identifier: Apache-2.0 */
/* libgit2 as a whole. Its memory is ours (git2/sys/alloc.h): version 1.5 frees some things twice after an allocation of
 * its own failed, and would go on with a broken heap. */
#include <git2.h>
#include <git2/sys/alloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/git-internal.h"

static void *git_malloc(size_t size, const char *file, int line)
{
    return xmalloc(size);
}

static void *git_realloc(void *old, size_t size, const char *file, int line)
{
    return xrealloc(old, size);
}

/* libgit2 1.7 makes the others of these by itself. */
#define HAS_ALL_ALLOCATORS (LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR < 7)

#if HAS_ALL_ALLOCATORS

static size_t size_of(size_t n, size_t size)
{
    size_t all;
    if (__builtin_mul_overflow(n, size, &all))
        die_of_memory(SIZE_MAX);
    return all;
}

static void *git_mallocarray(size_t n, size_t size, const char *file, int line)
{
    return xmalloc(size_of(n, size));
}

static void *git_calloc(size_t n, size_t size, const char *file, int line)
{
    size_t all = size_of(n, size);
    return memset(xmalloc(all), 0, all);
}

static void *git_reallocarray(void *old, size_t n, size_t size, const char *file, int line)
{
    return xrealloc(old, size_of(n, size));
}

static char *git_substrdup(const char *text, size_t len, const char *file, int line)
{
    char *copy = memcpy(xmalloc(len + 1), text, len);
    copy[len] = '\0';
    return copy;
}

static char *git_strndup(const char *text, size_t max, const char *file, int line)
{
    return git_substrdup(text, strnlen(text, max), file, line);
}

static char *git_strdup(const char *text, const char *file, int line)
{
    return git_substrdup(text, strlen(text), file, line);
}

#endif

static git_allocator allocator = {
    .gmalloc = git_malloc,
    .grealloc = git_realloc,
    .gfree = free,
#if HAS_ALL_ALLOCATORS
    .gcalloc = git_calloc,
    .gstrdup = git_strdup,
    .gstrndup = git_strndup,
    .gsubstrdup = git_substrdup,
    .greallocarray = git_reallocarray,
    .gmallocarray = git_mallocarray,
#endif
};

void git_library_set_up(void)
{
    static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                                 GIT_CONFIG_LEVEL_GLOBAL};
    git_libgit2_opts(GIT_OPT_SET_ALLOCATOR, &allocator);
    git_libgit2_init();
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
    git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, "");
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
}
