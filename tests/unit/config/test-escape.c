/* SPDX-License-Identifier: Apache-2.0 */
#include "config/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "config/env-file.h"
#include "config/gunicorn.h"
#include "config/nginx-tree.h"
#include "config/unit-command.h"

static const struct {
    const char *language, *text, *escaped; /* NULL: refused */
} cases[] = {
    {"nginx", "65s", "65s"},
    {"nginx", "", "\"\""},
    {"nginx", "a b", "\"a b\""},
    {"nginx", "a;b", "\"a;b\""},
    {"nginx", "x}", "\"x}\""},
    {"nginx", "say \"hi\"\\", "\"say \\\"hi\\\"\\\\\""},
    {"nginx", "a\nb", "\"a\\nb\""},
    {"nginx", "$host", "$host"},
    {"nginx", "\x01", NULL},
    {"systemd", "60", "60"},
    {"systemd", "", "\"\""},
    {"systemd", "100%", "100%%"},
    {"systemd", "$HOME", "$$HOME"},
    {"systemd", "a b", "\"a b\""},
    {"systemd", "a;", "\"a;\""},
    {"systemd", "it's", "\"it's\""},
    {"systemd", "a\\b\"c", "\"a\\\\b\\\"c\""},
    {"systemd", "a\nb", "\"a\\x0ab\""},
    {"systemd", "\xff", NULL},
    {"systemd-value", "a b%", "a b%%"},
    {"systemd-value", "a\nb", NULL},
    {"systemd-value", " a", NULL},
    {"systemd-value", "a\\", NULL},
    {"python", "60", "\"60\""},
    {"python", "a\"\\\n", "\"a\\\"\\\\\\n\""},
    {"python", "\xc3\xa4", "\"\\u00e4\""},
    {"python", "\xff", NULL},
    {"env", "--timeout=60", "--timeout=60"},
    {"env", "--timeout 60", "\"--timeout 60\""},
    {"env", "", ""},
    {"env", "$a`\"\\", "\"\\$a\\`\\\"\\\\\""},
    {"env", "a\rb", NULL},
    {"env", "a\nb", "\"a\nb\""},
    {"shlex", "it's", "'it'\"'\"'s'"},
    {"shlex", "", "''"},
    {"raw", "any\nthing;", "any\nthing;"},
};

static void a_value_is_written_in_the_language_of_its_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1000);
        Err err;
        int r = escape_by_name(cases[i].language)(&out, cases[i].text, &err);
        if (cases[i].escaped ? r != 0 || !str_equal(strbuf_str(&out), cases[i].escaped)
                             : r != -ERR_INVALID || out.len != 0)
            fail_msg("%s: \"%s\" gives %d, %s", cases[i].language, cases[i].text, r, strbuf_str(&out));
    }
}

static int read_nginx(Arena *arena, const char *escaped, const char **ret, Err *err)
{
    NginxTree *tree;
    int r = nginx_tree_parse(arena, "f", bytes_of(arena_printf(arena, "x %s;", escaped)), &tree, err);
    if (r == 0)
        *ret = nginx_arg(tree->root->children.items[0], 0);
    return r;
}

static const char *no_variable(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return NULL;
}

static int read_systemd(Arena *arena, const char *escaped, const char **ret, Err *err)
{
    UnitCommandVec commands;
    StringVec argv;
    int r = unit_parse_command(arena, arena_printf(arena, "/bin/x %s", escaped), NULL, &commands, err);
    if (r == 0)
        r = unit_expand_argv(arena, &commands.items[0], no_variable, NULL, &argv, err);
    if (r == 0)
        *ret = argv.n == 2 ? argv.items[1] : NULL;
    return r;
}

static int read_env(Arena *arena, const char *escaped, const char **ret, Err *err)
{
    EnvFile file;
    int r = env_file_parse(arena, "f", bytes_of(arena_printf(arena, "X=%s\n", escaped)), &file, err);
    if (r == 0)
        *ret = env_file_get(&file, "X")->value;
    return r;
}

static int read_shlex(Arena *arena, const char *escaped, const char **ret, Err *err)
{
    StringVec words;
    int r = gunicorn_split_args(arena, escaped, &words, err);
    if (r == 0)
        *ret = words.n == 1 ? words.items[0] : NULL;
    return r;
}

static const struct {
    const char *language;
    int (*read)(Arena *arena, const char *escaped, const char **ret, Err *err);
} readers[] = {{"nginx", read_nginx}, {"systemd", read_systemd}, {"env", read_env}, {"shlex", read_shlex}};

static const char *const nasty[] = {
    "",     "60", "a b", "%n %% %", "$HOME ${HOME} $$", "; reboot", "\"", "'",    "\\",  "\\n",
    "a\\",  "#x", "{}",  "\t",      "\xc3\xa4",         "~",        "*",  "`id`", "a=b", "-x",
    "a\nb",
};

static void the_language_reads_back_exactly_the_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        for (size_t k = 0; k < ARRAY_LEN(nasty); k++) {
            CLEANUP(arena_free) Arena *arena = arena_new();
            CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1000);
            const char *back = NULL;
            Err err;
            if (escape_by_name(readers[i].language)(&out, nasty[k], &err) < 0)
                fail_msg("%s refuses \"%s\"", readers[i].language, nasty[k]);
            if (readers[i].read(arena, strbuf_str(&out), &back, &err) < 0 || !str_equal(back, nasty[k]))
                fail_msg("%s: %s is read as %s", readers[i].language, strbuf_str(&out), back ? back : "nothing");
        }
    }
}

static void every_name_has_its_escaper_and_no_name_stands_twice(void **state)
{
    (void)state;
    size_t n = 0;
    for (const char *const *name = escape_names(); *name; name++, n++) {
        assert_non_null(escape_by_name(*name));
        for (const char *const *other = name + 1; *other; other++)
            assert_string_not_equal(*name, *other);
    }
    assert_int_equal(n, 7);
    assert_null(escape_by_name("shell"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_written_in_the_language_of_its_file),
        cmocka_unit_test(the_language_reads_back_exactly_the_value),
        cmocka_unit_test(every_name_has_its_escaper_and_no_name_stands_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
