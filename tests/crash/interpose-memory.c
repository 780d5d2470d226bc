/* SPDX-License-Identifier: Apache-2.0 */
/* malloc and its kin in front of libc's, so that the n-th call can fail: the agent's own, and those of the libraries.
 * Most end the process (base/arena.h); those of the other libraries are errors that the agent gets. */
#include <errno.h>
#include <stdlib.h>

#include "inject.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t size)
{
    return inject_allocation_fails(size) ? no_memory() : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return inject_allocation_fails(n * size) ? no_memory() : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    return inject_allocation_fails(size) ? no_memory() : __libc_realloc(old, size);
}
