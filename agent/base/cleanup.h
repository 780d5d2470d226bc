/* SPDX-License-Identifier: Apache-2.0 */
/* The project's few macros. CLEANUP(f) runs f on a variable when it leaves its scope:
 *
 *     CLEANUP(arena_free) Arena *arena = arena_new();
 *     CLEANUP(fd_close) int fd = open(...);
 *
 * DEFINE_CLEANUP(Type, f) makes f usable so; f must accept the type's empty value (NULL, -1). STEAL hands a pointer on.
 */
#pragma once

#include <stddef.h>

#define CLEANUP(function) __attribute__((cleanup(function##_cleanup)))

#define DEFINE_CLEANUP(Type, function)                                                                                 \
    static inline void function##_cleanup(Type *value)                                                                 \
    {                                                                                                                  \
        function(*value);                                                                                              \
    }

#define STEAL(pointer)                                                                                                 \
    __extension__({                                                                                                    \
        __auto_type stolen_ = (pointer);                                                                               \
        (pointer) = NULL;                                                                                              \
        stolen_;                                                                                                       \
    })

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* close() that keeps errno and accepts -1. */
void fd_close(int fd);
DEFINE_CLEANUP(int, fd_close)

/* free() for CLEANUP(mem_free) char *p. */
void mem_free(void *memory);
static inline void mem_free_cleanup(void *pointer_to_pointer)
{
    mem_free(*(void **)pointer_to_pointer);
}
