/* SPDX-License-Identifier: Apache-2.0 */
/* A growing array in an arena:
 *
 *     VEC(const char *) names = {0};
 *     *vec_push(arena, &names) = "x";
 *     VEC_EACH (name, &names) {
 *         puts(*name);
 *     }
 *
 * Growing moves the items: keep indexes, not pointers, across vec_push. A struct member `VEC(T) items;` is fine;
 * give the type a name (typedef VEC(Edit) EditVec) where it crosses a function. */
#pragma once

#include <stddef.h>

#include "base/arena.h"

#define VEC(Type)                                                                                                      \
    struct {                                                                                                           \
        Type *items;                                                                                                   \
        size_t n, capacity;                                                                                            \
    }

/* A pointer to a new zeroed item at the end. */
#define vec_push(arena, vec)                                                                                           \
    ((__typeof__((vec)->items))(vec_grow((arena), (void **)&(vec)->items, &(vec)->capacity, (vec)->n,                  \
                                         sizeof *(vec)->items),                                                        \
                                (void *)&(vec)->items[(vec)->n++]))

#define VEC_EACH(item, vec)                                                                                            \
    for (__typeof__(*(vec)->items) *item = (vec)->items; item && item < (vec)->items + (vec)->n; item++)

/* Room for one more item behind the first n. */
void vec_grow(Arena *arena, void **items, size_t *capacity, size_t n, size_t item_size);

typedef VEC(const char *) StringVec;

/* Whether `text` is in the vector. */
int strings_contain(const StringVec *strings, const char *text);
/* Bytewise, as glob(3) in the C locale. */
void strings_sort(StringVec *strings);
