/* SPDX-License-Identifier: Apache-2.0 */
#include "config/env-file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static EnvFile parse(Arena *arena, const char *text)
{
    EnvFile file = {0};
    Err err;
    if (env_file_parse(arena, "app.env", bytes_of(text), &file, &err) < 0)
        fail_msg("%s", err_text(&err));
    return file;
}

static const struct {
    const char *text, *value; /* of X; NULL: not set */
} values[] = {
    {"X=1", "1"},
    {"  X = a b  \n", "a b"},
    {"X='a b' \n", "a b"},
    {"X=\"a \\\"b\\\" \\$c \\d\"\n", "a \"b\" $c \\d"},
    {"X='a'\"b\" c\n", "abc"},
    {"X=a 'b'\n", "a 'b'"},
    {"X=a\\\nb\n", "ab"},
    {"X=\"a\\\nb\nc\"\n", "ab\nc"},
    {"X=a\\ \n", "a "},
    {"X=a\\q\n", "aq"},
    {"X=\n", ""},
    {"X=1\nX=2\n", "2"},
    {"#X=1\n;X=2\n", NULL},
    {"X=a#b # c\n", "a#b # c"},
    {"export X=1\n", NULL},
    {"X\nY=1\n", NULL},
    {"X=1\r\nY=2\r\n", "1"},
    {"X=\"open", "open"},
};

static void values_are_read_as_systemd_reads_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        EnvFile file = parse(arena, values[i].text);
        const EnvVar *var = env_file_get(&file, "X");
        if (!str_equal(var ? var->value : NULL, values[i].value))
            fail_msg("%s gives %s", values[i].text, var ? var->value : "nothing");
    }
}

static const struct {
    const char *before, *after;
} edits[] = {
    {"# c\nA=1\nX = 'old' \nX2=3\n", "# c\nA=1\nX = \"a b\" \nX2=3\n"},
    {"X=1\nX=2 # not a comment\n", "X=1\nX=\"a b\"\n"},
    {"X=\r\nB=1\r\n", "X=\"a b\"\r\nB=1\r\n"},
    {"A=1\r\n", "A=1\r\nX=\"a b\"\r\n"},
    {"A=1", "A=1\nX=\"a b\"\n"},
    {"", "X=\"a b\"\n"},
    {"X=o\\\nld\nB=1\n", "X=\"a b\"\nB=1\n"},
    {"X=\"open\n", "X=\"a b\""},
    {"X=a\\ b\n", "X=\"a b\"\n"},
    {"X='a b'\n", "X='a b'\n"},
};

static void only_the_bytes_of_the_value_change(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        EnvFile file = parse(arena, edits[i].before);
        Bytes text;
        Err err;
        assert_int_equal(env_file_set(arena, &file, "X", "a b", &text, &err), 0);
        bool same = str_equal(env_file_get(&file, "X") ? env_file_get(&file, "X")->value : NULL, "a b");
        assert_string_equal(text.data, same ? edits[i].before : edits[i].after);
        file = parse(arena, text.data);
        assert_string_equal(env_file_get(&file, "X")->value, "a b");
    }
}

static void positions_are_those_of_the_assignment_that_counts(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *text = "X=1\n\n# c\nX= \"2\"  \n";
    EnvFile file = parse(arena, text);
    const EnvVar *var = env_file_get(&file, "X");
    assert_int_equal(var->line, 4);
    assert_int_equal(strncmp(text + var->value_start, "\"2\"", var->value_end - var->value_start), 0);
}

static void what_would_mean_different_things_is_refused(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes text;
    Err err;
    EnvFile file = parse(arena, "A=1\n# c \\\nX=1\n");
    assert_int_equal(file.doubtful_line, 2);
    assert_null(env_file_get(&file, "X"));
    assert_int_equal(env_file_set(arena, &file, "X", "2", &text, &err), -ERR_REFUSED);
    assert_int_equal(err.line, 2);
    file = parse(arena, "A='open\n");
    assert_int_equal(env_file_set(arena, &file, "X", "2", &text, &err), -ERR_REFUSED);
    file = parse(arena, "A=1\\\n");
    assert_int_equal(env_file_set(arena, &file, "X", "2", &text, &err), -ERR_REFUSED);
    file = parse(arena, "A=1\n# c \\");
    assert_int_equal(env_file_set(arena, &file, "X", "2", &text, &err), -ERR_REFUSED);
    file = parse(arena, "A=1\n");
    assert_int_equal(env_file_set(arena, &file, "a-b", "2", &text, &err), -ERR_INVALID);
    assert_int_equal(env_file_set(arena, &file, "X", "\x01", &text, &err), -ERR_INVALID);
    assert_int_equal(env_file_parse(arena, "f", BYTES("A=\xff\n"), &file, &err), -ERR_INVALID);
    assert_int_equal(env_file_parse(arena, "f", BYTES("A=\0\n"), &file, &err), -ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_as_systemd_reads_them),
        cmocka_unit_test(only_the_bytes_of_the_value_change),
        cmocka_unit_test(positions_are_those_of_the_assignment_that_counts),
        cmocka_unit_test(what_would_mean_different_things_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
