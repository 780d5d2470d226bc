/* SPDX-License-Identifier: Apache-2.0 */
/* Memory with one owner and one end.
 *
 * Data that is parsed, planned or judged lives in an Arena that the caller hands in, and dies with it: there are no
 * free functions for plain data, and nothing points from a longer-lived arena into a shorter-lived one.
 *
 * A failed allocation ends the process with a message and exit status 1. salve may be killed at any instant and must
 * come out wholly old or wholly new (promise 12); running out of memory takes that same, tested road instead of adding
 * an error path to every line. Nobody checks an allocation of ours for NULL. The libraries that let us choose their
 * memory (libgit2, SQLite, Jansson) end the same way: what they do after a failure of their own is less tested than a
 * kill. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

typedef struct Arena Arena;

Arena *arena_new(void);
void arena_free(Arena *arena); /* NULL is fine */
DEFINE_CLEANUP(Arena *, arena_free)

/* Zeroed, aligned for any type. size 0 gives a valid pointer. */
void *arena_alloc(Arena *arena, size_t size);
#define arena_new_of(arena, Type)   ((Type *)arena_alloc((arena), sizeof(Type)))
#define arena_array(arena, Type, n) ((Type *)arena_alloc_n((arena), (n), sizeof(Type)))
void *arena_alloc_n(Arena *arena, size_t n, size_t size);

/* Copies; arena_strdup(arena, NULL) is NULL. The copies of arena_memdup and arena_strndup end in a NUL. */
char *arena_strdup(Arena *arena, const char *text);
char *arena_strndup(Arena *arena, const char *text, size_t len);
void *arena_memdup(Arena *arena, const void *data, size_t len);
/* The three texts one after the other: what arena_printf does with "%s%s%s", for paths that are made by the thousand.
 */
char *arena_concat(Arena *arena, const char *a, const char *b, const char *c);
char *arena_printf(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(Arena *arena, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Bytes handed out so far, for benchmarks and tests. */
size_t arena_used(const Arena *arena);

/* malloc and realloc that end the process instead of failing; free with free(). */
void *xmalloc(size_t size);
/* The end that a failed allocation has, for libraries that fail for want of memory where nobody could go on. */
_Noreturn void die_of_memory(size_t size);
void *xrealloc(void *old, size_t size);
