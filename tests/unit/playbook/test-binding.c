/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kinds.h"
#include "playbook/playbook.h"
#include <cmocka.h>

static void a_value_is_all_behind_the_first_equals_sign(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    BindingVec bindings = {0};
    Err err;
    assert_int_equal(binding_add(arena, "url=http://h/?a=b", &bindings, &err), 0);
    assert_string_equal(bindings.items[0].name, "url");
    assert_string_equal(bindings.items[0].value->text, "http://h/?a=b");
    assert_string_equal(bindings.items[0].value->source->name, "-e url");
}

static void what_is_no_assignment_is_explained(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    static const char *const bad[] = {"timeout", "=5", ""};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        BindingVec bindings = {0};
        Err err;
        assert_int_equal(binding_add(arena, bad[i], &bindings, &err), -ERR_INVALID);
        assert_non_null(strstr(err.message, "write -e NAME=VALUE or -e @FILE"));
        assert_int_equal(bindings.n, 0);
    }
}

static void a_file_gives_its_values_with_their_places(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    char path[] = "/tmp/test-binding-XXXXXX";
    CLEANUP(fd_close) int fd = mkstemp(path);
    assert_int_equal(write(fd, "timeout: 60s\nunit: web\n", 23), 23);
    BindingVec bindings = {0};
    Err err;
    assert_int_equal(binding_add(arena, arena_printf(arena, "@%s", path), &bindings, &err), 0);
    assert_int_equal(bindings.n, 2);
    assert_string_equal(bindings.items[1].name, "unit");
    assert_int_equal(bindings.items[1].value->pos.line, 2);
    assert_string_equal(bindings.items[1].value->source->name, path);
    assert_int_equal(ftruncate(fd, 0) | (int)lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(write(fd, "- list\n", 7), 7);
    assert_int_equal(binding_add(arena, arena_printf(arena, "@%s", path), &bindings, &err), -ERR_INVALID);
    assert_non_null(strstr(err.message, "must be a map of variables to their values"));
    unlink(path);
    assert_int_equal(binding_add(arena, "@/nonexistent.yaml", &bindings, &err), -ERR_NOT_FOUND);
}

static void recorded_values_must_be_a_map(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    BindingVec bindings = {0};
    Err err;
    assert_int_equal(bindings_from_values(arena, NULL, &bindings, &err), -ERR_INVALID);
    assert_int_equal(bindings_from_values(arena, node_seq(arena), &bindings, &err), -ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_all_behind_the_first_equals_sign),
        cmocka_unit_test(what_is_no_assignment_is_explained),
        cmocka_unit_test(a_file_gives_its_values_with_their_places),
        cmocka_unit_test(recorded_values_must_be_a_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
