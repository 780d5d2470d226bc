/* SPDX-License-Identifier: Apache-2.0 */
/* An arena is a list of chunks, the newest first; an allocation that does not fit starts a new chunk, a large one gets
 * a chunk of its own behind the newest, whose rest stays usable. */
#include "base/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_SIZE = 32 * 1024 };

typedef struct Chunk {
    struct Chunk *next;
    size_t used, size;
    alignas(max_align_t) char data[];
} Chunk;

struct Arena {
    Chunk *chunks;
    size_t used;
};

void die_of_memory(size_t size)
{
    fprintf(stderr, "salve: out of memory (%zu bytes)\n", size);
    _exit(1);
}

void *xmalloc(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);
    if (!memory)
        die_of_memory(size);
    return memory;
}

void *xrealloc(void *old, size_t size)
{
    void *memory = realloc(old, size > 0 ? size : 1);
    if (!memory)
        die_of_memory(size);
    return memory;
}

void mem_free(void *memory)
{
    free(memory);
}

void fd_close(int fd)
{
    int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
}

Arena *arena_new(void)
{
    Arena *arena = xmalloc(sizeof *arena);
    *arena = (Arena){0};
    return arena;
}

void arena_free(Arena *arena)
{
    if (!arena)
        return;
    while (arena->chunks) {
        Chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        free(chunk);
    }
    free(arena);
}

static Chunk *chunk_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(Chunk))
        die_of_memory(size);
    Chunk *chunk = xmalloc(sizeof(Chunk) + size);
    *chunk = (Chunk){.size = size};
    return chunk;
}

/* The chunk that has room for `size`; made where none has. */
static Chunk *chunk_for(Arena *arena, size_t size)
{
    Chunk *first = arena->chunks;
    if (first && first->size - first->used >= size)
        return first;
    if (size > CHUNK_SIZE / 4 && first) {
        Chunk *own = chunk_new(size);
        own->next = first->next;
        first->next = own;
        return own;
    }
    Chunk *chunk = chunk_new(size > CHUNK_SIZE ? size : CHUNK_SIZE);
    chunk->next = first;
    arena->chunks = chunk;
    return chunk;
}

void *arena_alloc(Arena *arena, size_t size)
{
    size_t align = alignof(max_align_t);
    if (size > SIZE_MAX - align)
        die_of_memory(size);
    size = (size + align - 1) / align * align;
    Chunk *chunk = chunk_for(arena, size);
    void *memory = chunk->data + chunk->used;
    chunk->used += size;
    arena->used += size;
    return memset(memory, 0, size);
}

void *arena_alloc_n(Arena *arena, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total))
        die_of_memory(SIZE_MAX);
    return arena_alloc(arena, total);
}

char *arena_strndup(Arena *arena, const char *text, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);
    if (len > 0)
        memcpy(copy, text, len);
    return copy;
}

void *arena_memdup(Arena *arena, const void *data, size_t len)
{
    return arena_strndup(arena, data, len);
}

char *arena_strdup(Arena *arena, const char *text)
{
    return text ? arena_strndup(arena, text, strlen(text)) : NULL;
}

char *arena_concat(Arena *arena, const char *a, const char *b, const char *c)
{
    size_t a_len = strlen(a), b_len = strlen(b), c_len = strlen(c);
    char *text = arena_alloc(arena, a_len + b_len + c_len + 1);
    memcpy(text, a, a_len);
    memcpy(text + a_len, b, b_len);
    memcpy(text + a_len + b_len, c, c_len);
    return text;
}

char *arena_vprintf(Arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}

char *arena_printf(Arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

size_t arena_used(const Arena *arena)
{
    return arena->used;
}
