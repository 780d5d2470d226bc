/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/view-table.h"

#include <string.h>

static uint32_t hash_path(const char *path)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (const char *p = path; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619U;
    return hash;
}

static Entry *find(const Table *table, const char *path, uint32_t hash)
{
    for (Entry *entry = table->buckets[hash % TABLE_BUCKETS]; entry; entry = entry->next)
        if (entry->hash == hash && strcmp(entry->path, path) == 0)
            return entry;
    return NULL;
}

Entry *table_find(const Table *table, const char *path)
{
    return find(table, path, hash_path(path));
}

Entry *table_get(Arena *arena, Table *table, const char *path)
{
    uint32_t hash = hash_path(path);
    Entry *entry = find(table, path, hash);
    if (entry)
        return entry;
    Entry **bucket = &table->buckets[hash % TABLE_BUCKETS];
    entry = arena_new_of(arena, Entry);
    *entry = (Entry){.next = *bucket, .hash = hash, .path = arena_strdup(arena, path)};
    return *bucket = entry;
}
