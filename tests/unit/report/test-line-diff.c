/* SPDX-License-Identifier: Apache-2.0 */
#include "report/line-diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* Changes are in order, do not touch, and lead from one text to the other. Returns lines removed plus added. */
static size_t check_changes(const LineVec *before, const LineVec *after, const LineChangeVec *changes)
{
    size_t a = 0, b = 0, cost = 0;
    for (size_t i = 0; i <= changes->n; i++) {
        LineChange end = {before->n, 0, after->n, 0};
        LineChange change = i < changes->n ? changes->items[i] : end;
        assert_true(change.a >= a && change.b >= b);
        assert_int_equal(change.a - a, change.b - b);
        assert_true(i == 0 || i == changes->n || change.a > a);
        for (; a < change.a; a++, b++) {
            assert_true(bytes_equal(before->items[a].text, after->items[b].text));
            assert_int_equal(before->items[a].newline, after->items[b].newline);
        }
        a += change.a_len;
        b += change.b_len;
        cost += change.a_len + change.b_len;
    }
    return cost;
}

/* The length of the shortest list of changes, by the textbook's table. */
static size_t least_cost(Arena *arena, const LineVec *before, const LineVec *after)
{
    size_t width = after->n + 1;
    size_t *common = arena_array(arena, size_t, (before->n + 1) * width);
    for (size_t i = 1; i <= before->n; i++) {
        for (size_t k = 1; k <= after->n; k++) {
            bool same = bytes_equal(before->items[i - 1].text, after->items[k - 1].text) &&
                        before->items[i - 1].newline == after->items[k - 1].newline;
            size_t up = common[(i - 1) * width + k], left = common[i * width + k - 1];
            common[i * width + k] = same ? common[(i - 1) * width + k - 1] + 1 : up > left ? up : left;
        }
    }
    return before->n + after->n - 2 * common[before->n * width + after->n];
}

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static Bytes random_text(Arena *arena, uint32_t *seed)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(4096);
    size_t lines = random_next(seed) % 30;
    for (size_t i = 0; i < lines; i++)
        strbuf_printf(&text, "%c%s", (char)('a' + random_next(seed) % 4),
                      i + 1 == lines && random_next(seed) % 4 == 0 ? "" : "\n");
    return strbuf_bytes(arena, &text);
}

static void changes_are_correct_and_as_few_as_possible(void **state)
{
    uint32_t seed = 20;
    for (unsigned round = 0; round < 3000; round++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        LineVec before, after;
        LineChangeVec changes;
        lines_of(arena, random_text(arena, &seed), &before);
        lines_of(arena, random_text(arena, &seed), &after);
        line_diff(arena, &before, &after, &changes);
        assert_int_equal(check_changes(&before, &after, &changes), least_cost(arena, &before, &after));
    }
}

static void texts_that_share_nothing_are_replaced(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(strbuf_free) StrBuf a = STRBUF_INIT(1 << 20), b = STRBUF_INIT(1 << 20);
    for (unsigned i = 0; i < 6000; i++) {
        strbuf_printf(&a, "a%u\n", i);
        strbuf_printf(&b, "b%u\n", i);
    }
    LineVec before, after;
    LineChangeVec changes;
    lines_of(arena, strbuf_bytes(arena, &a), &before);
    lines_of(arena, strbuf_bytes(arena, &b), &after);
    line_diff(arena, &before, &after, &changes);
    assert_int_equal(check_changes(&before, &after, &changes), 12000);
}

static void lines_keep_what_is_between_newlines(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    LineVec lines;
    lines_of(arena, BYTES("one\n\nthree"), &lines);
    assert_int_equal(lines.n, 3);
    assert_true(bytes_equal(lines.items[1].text, BYTES("")));
    assert_true(lines.items[1].newline);
    assert_false(lines.items[2].newline);
    lines_of(arena, BYTES(""), &lines);
    assert_int_equal(lines.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_correct_and_as_few_as_possible),
        cmocka_unit_test(texts_that_share_nothing_are_replaced),
        cmocka_unit_test(lines_keep_what_is_between_newlines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
