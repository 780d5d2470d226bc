/* SPDX-License-Identifier: Apache-2.0 */
/* What the files were right after a run, from its snapshot and those of the runs after it. */
#include "run/undo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static FileState file(const char *text)
{
    return text ? (FileState){.type = FILE_REGULAR, .mode = 0644, .content = bytes_of(text)}
                : (FileState){.type = FILE_ABSENT, .content = BYTES("")};
}

static void add(Arena *arena, EditVec *edits, const char *path, const char *before, const char *after)
{
    *vec_push(arena, edits) = (Edit){path, file(before), file(after)};
}

static void assert_edit(const Edit *edit, const char *path, const char *wished, const char *expected)
{
    FileState before = file(wished), after = file(expected);
    assert_string_equal(edit->path, path);
    assert_true(file_state_equal(&edit->before, &before));
    assert_true(file_state_equal(&edit->after, &after));
}

static void what_the_run_left_comes_back_whatever_came_later(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    EditVec own = {0}, ret = {0};
    EditVecVec later = {0};
    add(arena, &own, "/a", "1", "2");
    add(arena, vec_push(arena, &later), "/a", "3", "4"); /* the newest */
    add(arena, vec_push(arena, &later), "/a", "2", "3");
    undo_compose(arena, &own, &later, &ret);
    assert_int_equal(ret.n, 1);
    assert_edit(&ret.items[0], "/a", "2", "4");
}

static void other_files_go_back_to_before_the_earliest_later_run(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    EditVec own = {0}, ret = {0};
    EditVecVec later = {0};
    add(arena, &own, "/b", "1", "2");
    EditVec newest = {0}, earliest = {0};
    add(arena, &newest, "/d/new", "x", NULL);
    add(arena, &newest, "/c", "z", "y");
    add(arena, &earliest, "/d", NULL, "");
    add(arena, &earliest, "/d/new", NULL, "x");
    *vec_push(arena, &later) = newest;
    *vec_push(arena, &later) = earliest;
    undo_compose(arena, &own, &later, &ret);
    assert_int_equal(ret.n, 4); /* by path, so that a directory comes before what it holds */
    assert_edit(&ret.items[0], "/b", "2", "2");
    assert_edit(&ret.items[1], "/c", "z", "y");
    assert_edit(&ret.items[2], "/d", NULL, "");
    assert_edit(&ret.items[3], "/d/new", NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_run_left_comes_back_whatever_came_later),
        cmocka_unit_test(other_files_go_back_to_before_the_earliest_later_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
