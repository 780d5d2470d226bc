/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include "data/value.h"
#include <cmocka.h>

static char *repeated(Arena *arena, char c, size_t n)
{
    char *text = arena_alloc(arena, n + 1);
    memset(text, c, n);
    return text;
}

static void lengths_are_bounded(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_true(is_word(repeated(arena, 'a', 256)));
    assert_false(is_word(repeated(arena, 'a', 257)));
    assert_true(is_name(repeated(arena, 'a', 64), false));
    assert_false(is_name(repeated(arena, 'a', 65), false));
    assert_true(is_unit_name(arena_printf(arena, "%s.service", repeated(arena, 'a', 247))));
    assert_false(is_unit_name(arena_printf(arena, "%s.service", repeated(arena, 'a', 248))));
    assert_true(is_host_name(repeated(arena, 'a', 63)));
    assert_false(is_host_name(repeated(arena, 'a', 64)));
}

static void names_of_playbooks_have_dashes_and_of_variables_underscores(void **state)
{
    assert_true(is_name("gunicorn-timeout", false));
    assert_false(is_name("gunicorn-timeout", true));
    assert_true(is_name("min_samples", true));
    assert_false(is_name("min_samples", false));
    assert_false(is_name("1st", true));
    assert_false(is_name("Timeout", true));
    assert_false(is_name("", true));
}

static void a_unit_name_alone_must_have_its_suffix(void **state)
{
    assert_true(is_unit_name("gunicorn.service"));
    assert_false(is_unit_name("gunicorn"));
    assert_false(is_unit_name(".service"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(names_of_playbooks_have_dashes_and_of_variables_underscores),
        cmocka_unit_test(a_unit_name_alone_must_have_its_suffix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
