/* SPDX-License-Identifier: Apache-2.0 */
/* What a view knows of paths: a hash table from path to entry, in an arena. A zeroed Table is empty. */
#pragma once

#include <stdint.h>

#include "base/writers.h"

enum { TABLE_BUCKETS = 2048 };

typedef struct Entry {
    struct Entry *next;
    uint32_t hash; /* of the path */
    const char *path;
    bool known, whole;    /* state is known; with content and attributes */
    FileState state;      /* disk: as read; wishes: as wished */
    bool listed;          /* names is filled */
    StringVec names;      /* disk: of a directory */
    const char *resolved; /* memo: what the path leads to */
    WriterVec steerers;   /* memo: who besides root chose where it leads */
    const char *link;     /* memo: by this link first; NULL: nobody did */
    unsigned granted;     /* memo: what they may do with it themselves (ViewAccess) */
    const void *facts;    /* memo: what view_remember was given */
} Entry;

typedef struct Table {
    Entry *buckets[TABLE_BUCKETS];
} Table;

/* NULL: there is none. */
Entry *table_find(const Table *table, const char *path);
/* Made empty where there is none; the path is copied. */
Entry *table_get(Arena *arena, Table *table, const char *path);
