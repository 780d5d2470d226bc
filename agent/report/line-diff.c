/* SPDX-License-Identifier: Apache-2.0 */
#include "report/line-diff.h"

#include <stdint.h>
#include <string.h>

void lines_of(Arena *arena, Bytes text, LineVec *ret)
{
    *ret = (LineVec){0};
    const char *end = text.data + text.len;
    for (const char *p = text.data; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((newline ? newline : end) - p);
        *vec_push(arena, ret) = (Line){{p, len}, newline != NULL};
        p += len + (newline ? 1 : 0);
    }
}

/* Equal lines get equal numbers, so that comparing two lines is comparing two integers. */
typedef struct Numbering {
    size_t n_slots; /* a power of two, twice the lines at least */
    struct {
        const Line *line;
        uint32_t number;
    } * slots;
    uint32_t next;
} Numbering;

static uint32_t line_number(Numbering *numbering, const Line *line)
{
    uint64_t hash = 14695981039346656037u ^ line->newline; /* FNV-1a */
    for (size_t i = 0; i < line->text.len; i++)
        hash = (hash ^ (unsigned char)line->text.data[i]) * 1099511628211u;
    size_t at = hash & (numbering->n_slots - 1);
    while (numbering->slots[at].line) {
        const Line *other = numbering->slots[at].line;
        if (other->newline == line->newline && bytes_equal(other->text, line->text))
            return numbering->slots[at].number;
        at = (at + 1) & (numbering->n_slots - 1);
    }
    numbering->slots[at].line = line;
    return numbering->slots[at].number = numbering->next++;
}

/* Both texts as numbers, what was found, and the furthest points of both searches, indexed by diagonal. */
typedef struct Search {
    const uint32_t *a, *b;
    bool *a_gone, *b_new;
    ptrdiff_t *forward, *backward; /* pointers to diagonal 0 of arrays with 2 * (LINE_DIFF_MAX_COST + 2) items */
} Search;

/* The stretch that is compared; ends are exclusive. */
typedef struct Box {
    ptrdiff_t a, a_end, b, b_end;
} Box;

/* Extends all paths of one direction by one edit. Diagonal k holds the points with x - y = k, counted from the top left
 * for the forward search and from the bottom right for the backward one; diagonals that leave the box are left out.
 * True where a path meets one of the other direction: then *ret_x and *ret_y lie on a shortest path. */
static bool extend(const Search *s, Box box, bool is_forward, ptrdiff_t cost, ptrdiff_t *ret_x, ptrdiff_t *ret_y)
{
    ptrdiff_t n = box.a_end - box.a, m = box.b_end - box.b, delta = n - m;
    ptrdiff_t *mine = is_forward ? s->forward : s->backward, *other = is_forward ? s->backward : s->forward;
    ptrdiff_t other_cost = is_forward ? cost - 1 : cost;
    bool may_meet = (delta % 2 != 0) == is_forward;
    ptrdiff_t low = -(cost - 2 * (cost > m ? cost - m : 0)), high = cost - 2 * (cost > n ? cost - n : 0);
    for (ptrdiff_t k = low; k <= high; k += 2) {
        bool down = k == -cost || (k != cost && mine[k - 1] < mine[k + 1]);
        ptrdiff_t x = down ? mine[k + 1] : mine[k - 1] + 1, y = x - k;
        while (x < n && y < m &&
               (is_forward ? s->a[box.a + x] == s->b[box.b + y] : s->a[box.a_end - 1 - x] == s->b[box.b_end - 1 - y]))
            x++, y++;
        mine[k] = x;
        ptrdiff_t k_other = delta - k;
        if (may_meet && k_other >= -other_cost && k_other <= other_cost && x + other[k_other] >= n) {
            *ret_x = is_forward ? box.a + x : box.a_end - x;
            *ret_y = is_forward ? box.b + y : box.b_end - y;
            return true;
        }
    }
    return false;
}

/* A point in the middle of a shortest path through the box; false where the path is too long to look for. */
static bool middle_point(const Search *s, Box box, ptrdiff_t *ret_x, ptrdiff_t *ret_y)
{
    s->forward[1] = s->backward[1] = 0;
    for (ptrdiff_t cost = 0; cost <= LINE_DIFF_MAX_COST; cost++) {
        if (extend(s, box, true, cost, ret_x, ret_y) || extend(s, box, false, cost, ret_x, ret_y))
            return true;
    }
    return false;
}

/* Once equal ends are cut off, a box that is not empty on either side costs two edits at least, so that each half costs
 * less than the whole and this ends. */
static void compare(const Search *s, Box box)
{
    while (box.a < box.a_end && box.b < box.b_end && s->a[box.a] == s->b[box.b])
        box.a++, box.b++;
    while (box.a < box.a_end && box.b < box.b_end && s->a[box.a_end - 1] == s->b[box.b_end - 1])
        box.a_end--, box.b_end--;
    ptrdiff_t x, y;
    if (box.a < box.a_end && box.b < box.b_end && middle_point(s, box, &x, &y)) {
        compare(s, (Box){box.a, x, box.b, y});
        compare(s, (Box){x, box.a_end, y, box.b_end});
        return;
    }
    memset(s->a_gone + box.a, true, (size_t)(box.a_end - box.a));
    memset(s->b_new + box.b, true, (size_t)(box.b_end - box.b));
}

static const uint32_t *numbers_of(Arena *arena, Numbering *numbering, const LineVec *lines)
{
    uint32_t *numbers = arena_array(arena, uint32_t, lines->n);
    for (size_t i = 0; i < lines->n; i++)
        numbers[i] = line_number(numbering, &lines->items[i]);
    return numbers;
}

static void collect(Arena *arena, const Search *s, size_t n, size_t m, LineChangeVec *ret)
{
    for (size_t a = 0, b = 0; a < n || b < m;) {
        if (a < n && b < m && !s->a_gone[a] && !s->b_new[b]) {
            a++, b++;
            continue;
        }
        LineChange change = {.a = a, .b = b};
        while (a < n && s->a_gone[a])
            a++;
        while (b < m && s->b_new[b])
            b++;
        change.a_len = a - change.a;
        change.b_len = b - change.b;
        *vec_push(arena, ret) = change;
    }
}

void line_diff(Arena *arena, const LineVec *before, const LineVec *after, LineChangeVec *ret)
{
    enum { DIAGONALS = 2 * (LINE_DIFF_MAX_COST + 2) };
    *ret = (LineChangeVec){0};
    CLEANUP(arena_free) Arena *scratch = arena_new();
    Numbering numbering = {.n_slots = 16};
    while (numbering.n_slots < 2 * (before->n + after->n))
        numbering.n_slots *= 2;
    numbering.slots = arena_alloc_n(scratch, numbering.n_slots, sizeof *numbering.slots);
    Search search = {
        .a = numbers_of(scratch, &numbering, before),
        .b = numbers_of(scratch, &numbering, after),
        .a_gone = arena_array(scratch, bool, before->n),
        .b_new = arena_array(scratch, bool, after->n),
        .forward = arena_array(scratch, ptrdiff_t, DIAGONALS) + DIAGONALS / 2,
        .backward = arena_array(scratch, ptrdiff_t, DIAGONALS) + DIAGONALS / 2,
    };
    compare(&search, (Box){0, (ptrdiff_t)before->n, 0, (ptrdiff_t)after->n});
    collect(arena, &search, before->n, after->n, ret);
}
