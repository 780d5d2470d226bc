/* SPDX-License-Identifier: Apache-2.0 */
#include "data/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static Value good(Arena *arena, ValueType type, const char *text)
{
    Value value = {0};
    Err err;
    if (value_parse(arena, &type, text, &value, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return value;
}

static void assert_bad(ValueType type, const char *text, const char *expected)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Value value = {0};
    Err err;
    if (value_parse(arena, &type, text, &value, &err) != -ERR_INVALID)
        fail_msg("\"%s\" was accepted as %s", text, value_kind_name(type.kind));
    assert_int_equal(value.kind, VALUE_ABSENT);
    if (!strstr(err.message, expected))
        fail_msg("expected \"%s\" in \"%s\"", expected, err.message);
}

static void durations_need_a_unit(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    ValueType type = {.kind = VALUE_DURATION};
    assert_int_equal(good(arena, type, "850ms").duration, 850 * USEC_PER_MSEC);
    assert_int_equal(good(arena, type, "060s").duration, 60 * USEC_PER_SEC);
    assert_string_equal(good(arena, type, "060s").text, "60s");
    assert_int_equal(good(arena, type, "5min").duration, 5 * USEC_PER_MIN);
    assert_int_equal(good(arena, type, "2h").duration, 2 * USEC_PER_HOUR);
    assert_bad(type, "60", "has no unit: write 60s");
    static const char *const bad[] = {"",    "s",       "-1s",          "1.5s",        "1m", "1 s",
                                      "1s ", "1min30s", "99999999999s", "9999999999h", "1S"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_bad(type, bad[i], "is not a duration");
}

static void never_and_auto_only_where_the_type_says_so(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_bad((ValueType){.kind = VALUE_DURATION}, "never", "not a duration accepted here");
    assert_true(good(arena, (ValueType){.kind = VALUE_DURATION, .allow_never = true}, "never").duration ==
                USEC_INFINITY);
    assert_bad((ValueType){.kind = VALUE_UNIT}, "auto", "accepted here");
    Value value = good(arena, (ValueType){.kind = VALUE_UNIT, .allow_auto = true}, "auto");
    assert_true(value.is_auto && value_is_set(&value) && !value_is_known(&value));
}

static void bounds_are_inclusive_and_named_in_the_error(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    ValueType type = {.kind = VALUE_DURATION, .min = "1s", .max = "300s"};
    good(arena, type, "1s");
    good(arena, type, "5min");
    assert_bad(type, "301s", "301s is too large: at most 300s");
    assert_bad(type, "999ms", "999ms is too small: at least 1s");
    assert_bad(type, "never", "not a duration accepted here");
    type.allow_never = true; /* beside the bounds */
    assert_true(good(arena, type, "never").duration == USEC_INFINITY);
    assert_bad((ValueType){.kind = VALUE_INT, .min = "-3"}, "-4", "at least -3");
    assert_bad((ValueType){.kind = VALUE_SIZE, .max = "1GiB"}, "1025MiB", "at most 1GiB");
}

static void each_kind_accepts_its_own_and_refuses_the_rest(void **state)
{
    static const struct {
        ValueKind kind;
        const char *good[6], *bad[12];
    } rows[] = {
        {VALUE_INT, {"0", "-7", "9223372036854775807"}, {"", "1.5", "0x10", "1e3", " 1", "+1", "9223372036854775808"}},
        {VALUE_SIZE, {"0B", "10B", "512KiB", "3GiB"}, {"10", "10KB", "10M", "-1B", "1.5GiB"}},
        {VALUE_PERCENT, {"0%", "20%", "10000%"}, {"20", "-1%", "10001%", "1.5%"}},
        {VALUE_BOOL, {"true", "false"}, {"yes", "no", "on", "1", "True", ""}},
        {VALUE_UNIT,
         {"gunicorn", "gunicorn.service", "web@1", "a.socket", "x@.service"},
         {"", "auto", "a b", "../x", "a@b@c.service", "@x", "-x", "a;b", "a/b"}},
        {VALUE_PATH,
         {"/", "/srv/app", "/a b", "/.hidden", "/..a"},
         {"", "a", "./a", "/a/../b", "/a/", "//a", "/a/.", "/a\nb", "/.."}},
        {VALUE_URL,
         {"http://h", "https://web1.example.com:8443/a?b=c#d", "http://127.0.0.1/", "http://[::1]:80/x"},
         {"", "ftp://h/", "http://", "http:///x", "http://user:pw@h/", "http://h:0/", "http://h:65536/", "http://h /",
          "http://h/\"x", "http://h:/", "HTTP://h"}},
        {VALUE_HOST,
         {"web1", "web1.example.com", "10.0.0.1", "::1", "[::1]"},
         {"", "-a", "a-", "a..b", "10.0.0.256", "a_b", "a b", "[::1", "a:80"}},
        {VALUE_WORD,
         {"gthread", "app.wsgi:application", "a=b", "50%"},
         {"", "a b", "a;b", "$x", "a\"b", "\xc3\xa4", "a\nb"}},
        {VALUE_TEXT, {"any words, \xc3\xa4", " "}, {"", "two\nlines", "\x1b[0m", "\xff"}},
    };
    CLEANUP(arena_free) Arena *arena = arena_new();
    for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
        ValueType type = {.kind = rows[row].kind};
        for (size_t i = 0; i < 6 && rows[row].good[i]; i++)
            assert_int_equal(good(arena, type, rows[row].good[i]).kind, type.kind);
        for (size_t i = 0; i < 12 && rows[row].bad[i]; i++)
            assert_bad(type, rows[row].bad[i], rows[row].bad[i]);
    }
}

static void a_unit_without_suffix_is_a_service(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    ValueType type = {.kind = VALUE_UNIT};
    assert_string_equal(good(arena, type, "my.app").text, "my.app.service");
    assert_string_equal(good(arena, type, "web@1").text, "web@1.service");
    assert_string_equal(good(arena, type, "x.timer").text, "x.timer");
}

static void an_enum_is_the_index_of_its_choice(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    ValueType type = {.kind = VALUE_ENUM, .choices = (const char *const[]){"rollback", "keep", NULL}};
    assert_int_equal(good(arena, type, "keep").choice, 1);
    assert_bad(type, "kep", "not one of rollback, keep");
}

static void a_conversion_that_loses_precision_is_an_error(void **state)
{
    int64_t number = -1;
    Err err;
    assert_int_equal(duration_to_seconds(60 * USEC_PER_SEC, &number, &err), 0);
    assert_int_equal(number, 60);
    assert_int_equal(duration_to_seconds(1500 * USEC_PER_MSEC, &number, &err), -ERR_INVALID);
    assert_string_equal(err.message, "1500ms is not a whole number of seconds");
    assert_int_equal(duration_to_seconds(USEC_INFINITY, &number, &err), -ERR_INVALID);
    assert_int_equal(duration_to_msec(1, &number, &err), -ERR_INVALID);
    assert_int_equal(number, 60);
}

static void texts_of_durations_and_sizes_are_exact(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_string_equal(duration_to_text(arena, 0), "0s");
    assert_string_equal(duration_to_text(arena, 60 * USEC_PER_SEC), "60s");
    assert_string_equal(duration_to_text(arena, 90500 * USEC_PER_MSEC), "90500ms");
    assert_string_equal(duration_to_text(arena, 10 * USEC_PER_MIN), "10min");
    assert_string_equal(duration_to_text(arena, 2 * USEC_PER_HOUR), "2h");
    assert_string_equal(duration_to_text(arena, 250), "250us");
    assert_string_equal(duration_to_text(arena, USEC_INFINITY), "never");
    assert_string_equal(size_to_text(arena, 0), "0B");
    assert_string_equal(size_to_text(arena, 3 << 20), "3MiB");
    assert_string_equal(size_to_text(arena, 1025), "1025B");
}

static void a_placeholder_satisfies_its_type(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const ValueType bounded[] = {{.kind = VALUE_DURATION, .min = "10s", .max = "20s"},
                                 {.kind = VALUE_INT, .min = "-9", .max = "-5"},
                                 {.kind = VALUE_SIZE, .max = "1KiB"},
                                 {.kind = VALUE_ENUM, .choices = (const char *const[]){"a", NULL}}};
    for (size_t i = 0; i < ARRAY_LEN(bounded); i++)
        good(arena, bounded[i], value_placeholder(arena, &bounded[i]).text);
    for (size_t i = 0; value_kind_names[i]; i++) {
        ValueType type = {.kind = value_kind_from_name(value_kind_names[i])};
        assert_string_equal(value_kind_name(type.kind), value_kind_names[i]);
        if (type.kind != VALUE_ENUM)
            good(arena, type, value_placeholder(arena, &type).text);
    }
    assert_int_equal(value_kind_from_name("scalar"), VALUE_ABSENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(never_and_auto_only_where_the_type_says_so),
        cmocka_unit_test(bounds_are_inclusive_and_named_in_the_error),
        cmocka_unit_test(each_kind_accepts_its_own_and_refuses_the_rest),
        cmocka_unit_test(a_unit_without_suffix_is_a_service),
        cmocka_unit_test(an_enum_is_the_index_of_its_choice),
        cmocka_unit_test(a_conversion_that_loses_precision_is_an_error),
        cmocka_unit_test(texts_of_durations_and_sizes_are_exact),
        cmocka_unit_test(a_placeholder_satisfies_its_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
