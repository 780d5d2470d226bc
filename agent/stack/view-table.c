/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/view-table.h"

#include <stdint.h>

static Entry **bucket_of(Table *table, const char *path)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (const char *p = path; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619U;
    return &table->buckets[hash % TABLE_BUCKETS];
}

Entry *table_find(const Table *table, const char *path)
{
    for (Entry *entry = *bucket_of((Table *)table, path); entry; entry = entry->next)
        if (str_equal(entry->path, path))
            return entry;
    return NULL;
}

Entry *table_get(Arena *arena, Table *table, const char *path)
{
    Entry *entry = table_find(table, path);
    if (entry)
        return entry;
    Entry **bucket = bucket_of(table, path);
    entry = arena_new_of(arena, Entry);
    *entry = (Entry){.next = *bucket, .path = arena_strdup(arena, path)};
    return *bucket = entry;
}
