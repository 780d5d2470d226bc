/* SPDX-License-Identifier: Apache-2.0 */
#include "config/gunicorn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* "timeout=60@2+1 app=x@0 !unknown": settings in order with index and words, the application, what is unknown. */
static const char *describe(Arena *arena, const char *line)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(10000);
    StringVec argv = {0};
    GunicornArgs args;
    Err err;
    if (gunicorn_split_args(arena, line, &argv, &err) < 0)
        return err.message[0] ? arena_printf(arena, "!!%s", err.message) : "";
    gunicorn_parse_args(arena, &argv, &args);
    VEC_EACH (flag, &args.flags) {
        strbuf_printf(&out, "%s=%s@%zu+%zu ", flag->setting->name, flag->value ? flag->value : "", flag->index,
                      flag->words);
    }
    if (args.app)
        strbuf_printf(&out, "app=%s@%zu ", args.app, args.app_index);
    VEC_EACH (unknown, &args.unknown) {
        strbuf_printf(&out, "!%s ", *unknown);
    }
    return strbuf_dup(arena, &out);
}

static const struct {
    const char *line, *parsed;
} cases[] = {
    {"--timeout 60", "timeout=60@0+2 "},
    {"--timeout=60", "timeout=60@0+1 "},
    {"-t 60", "timeout=60@0+2 "},
    {"-t60", "timeout=60@0+1 "},
    {"-t=60", "timeout=60@0+1 "},
    {"--time 60", "timeout=60@0+2 "},
    {"--ti=60 app:x", "timeout=60@0+1 app=app:x@1 "},
    {"app:x --timeout 60 --timeout 70", "timeout=60@1+2 timeout=70@3+2 app=app:x@0 "},
    {"--graceful 10 --keep 5", "graceful_timeout=10@0+2 keepalive=5@2+2 "},
    {"--work 3", "app=3@1 !ambiguous option: --work "},
    {"--max-requests 5 --max-requests-j 2", "max_requests=5@0+2 max_requests_jitter=2@2+2 "},
    {"--max-r 5", "app=5@1 !ambiguous option: --max-r "},
    {"--paste x.ini", "paste=x.ini@0+2 "},
    {"--preload -DR app", "preload_app=@0+1 daemon=@1+1 enable_stdio_inheritance=@1+1 app=app@2 "},
    {"-Dt 5", "daemon=@0+1 timeout=5@0+2 "},
    {"--preload=yes", "!ignored explicit argument: --preload=yes "},
    {"--no-sendfile --log-level debug", "sendfile=@0+1 loglevel=debug@1+2 "},
    {"--log-file - --log-config x", "errorlog=-@0+2 logconfig=x@2+2 "},
    {"-b unix:/run/x -b :80", "bind=unix:/run/x@0+2 bind=:80@2+2 "},
    {"--bogus 1", "app=1@1 !unrecognized arguments: --bogus "},
    {"--timeout", "!expected one argument: --timeout "},
    {"--timeout --preload", "preload_app=@1+1 !expected one argument: --timeout "},
    {"--timeout -5", "timeout=-5@0+2 "},
    {"--access-logformat '%(h)s x'", "access_log_format=%(h)s x@0+2 "},
    {"'--access-logformat=%(h)s x' -e 'A=b c'", "access_log_format=%(h)s x@0+1 raw_env=A=b c@1+2 "},
    {"-- -t", "app=-t@1 "},
    {"--version", "!unrecognized arguments: --version "},
    {"a b", "app=a@0 !more than one application: b "},
    {"--timeout 'open", "!!a quote or backslash is open at the end of \"--timeout 'open\""},
};

static void arguments_are_read_as_argparse_reads_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        const char *parsed = describe(arena, cases[i].line);
        if (strcmp(parsed, cases[i].parsed) != 0)
            fail_msg("%s\n gives %s\n not   %s", cases[i].line, parsed, cases[i].parsed);
    }
}

static void the_last_use_of_a_flag_counts(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    StringVec argv = {0};
    GunicornArgs args;
    Err err;
    assert_int_equal(gunicorn_split_args(arena, "-t 30 app --timeout=60", &argv, &err), 0);
    gunicorn_parse_args(arena, &argv, &args);
    const GunicornFlag *flag = gunicorn_flag(&args, "timeout");
    assert_string_equal(flag->value, "60");
    assert_string_equal(flag->flag, "--timeout");
    assert_null(gunicorn_flag(&args, "workers"));
}

static void words_are_split_as_shlex_splits_them(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    StringVec words = {0};
    const char *joined = NULL;
    Err err;
    assert_int_equal(gunicorn_split_args(arena, " a  'b c'd \"e\\\"f\\g\" h\\ i '' ", &words, &err), 0);
    static const char *const expected[] = {"a", "b cd", "e\"f\\g", "h i", ""};
    assert_int_equal(words.n, ARRAY_LEN(expected));
    for (size_t i = 0; i < words.n; i++)
        assert_string_equal(words.items[i], expected[i]);
    assert_int_equal(gunicorn_join_args(arena, &words, &joined, &err), 0);
    assert_string_equal(joined, "a 'b cd' 'e\"f\\g' 'h i' ''");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_read_as_argparse_reads_them),
        cmocka_unit_test(the_last_use_of_a_flag_counts),
        cmocka_unit_test(words_are_split_as_shlex_splits_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
