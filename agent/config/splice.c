/* SPDX-License-Identifier: Apache-2.0 */
#include "config/splice.h"

#include <stdlib.h>
#include <string.h>

/* By position; an insertion before a replacement that starts there. Ties keep their order, as the sort is stable. */
static int compare(const Splice *a, const Splice *b)
{
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (a->end > a->start) - (b->end > b->start);
}

/* Insertion sort: stable, and there are a handful. */
static void sort(SpliceVec *splices)
{
    for (size_t i = 1; i < splices->n; i++) {
        Splice moved = splices->items[i];
        size_t at = i;
        for (; at > 0 && compare(&splices->items[at - 1], &moved) > 0; at--)
            splices->items[at] = splices->items[at - 1];
        splices->items[at] = moved;
    }
}

int splice_apply(Arena *arena, Bytes text, SpliceVec *splices, Bytes *ret, Err *err)
{
    sort(splices);
    size_t len = text.len, at = 0;
    VEC_EACH (splice, splices) {
        if (splice->start < at || splice->end < splice->start || splice->end > text.len)
            return err_set(err, ERR_REFUSED, "two edits want the same bytes (at byte %zu)", splice->start);
        len += splice->with.len - (splice->end - splice->start);
        at = splice->end;
    }
    char *data = arena_alloc(arena, len + 1), *out = data;
    at = 0;
    VEC_EACH (splice, splices) {
        out = mempcpy(out, text.data + at, splice->start - at);
        out = mempcpy(out, splice->with.data, splice->with.len);
        at = splice->end;
    }
    memcpy(out, text.data + at, text.len - at);
    *ret = (Bytes){data, len};
    return 0;
}
