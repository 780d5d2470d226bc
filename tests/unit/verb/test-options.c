/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/strbuf.h"

typedef struct Sample {
    bool yes, quick;
    const char *reason, *verify;
    StringVec set;
    usec duration_usec;
} Sample;

static const char *const modes[] = {"window", "once", NULL};

static const Option sample_options[] = {
    OPTION_FLAG(Sample, yes, "yes", 'y', "Do not ask."),
    OPTION_FLAG(Sample, quick, "quick", 'q', "Hurry."),
    OPTION_TEXT(Sample, reason, "reason", 'r', "TEXT", "Why."),
    OPTION_CHOICE(Sample, verify, "verify", 0, modes, "HOW", "How."),
    OPTION_LIST(Sample, set, "set", 'e', "K=V", "A value."),
    OPTION_DURATION(Sample, duration_usec, "for", 0, "How long."),
    OPTIONS_END,
};

typedef struct Parsed {
    Arena *arena;
    Sample sample;
    StringVec operands;
    Err err;
    int r;
} Parsed;

/* Parses blank-separated words. */
static Parsed parse(OperandRule rule, const char *line)
{
    Parsed parsed = {.arena = arena_new()};
    VEC(char *) words = {0};
    for (const char *p = line; *p;) {
        size_t len = strcspn(p, " ");
        *vec_push(parsed.arena, &words) = arena_strndup(parsed.arena, p, len);
        p += len + strspn(p + len, " ");
    }
    OptionSet set = {sample_options, &parsed.sample};
    parsed.r = options_parse(parsed.arena, &set, 1, rule, words.items, words.n, &parsed.operands, &parsed.err);
    return parsed;
}

static void names_letters_and_values_are_read_in_every_spelling(void **state)
{
    Parsed p = parse(OPERANDS_MIXED, "one -e a=1 --set=b=2 -ec=3 --reason because -yq two --verify once --for 90s");
    assert_int_equal(p.r, 13);
    assert_int_equal(p.sample.set.n, 3);
    assert_string_equal(p.sample.set.items[0], "a=1");
    assert_string_equal(p.sample.set.items[1], "b=2");
    assert_string_equal(p.sample.set.items[2], "c=3");
    assert_string_equal(p.sample.reason, "because");
    assert_string_equal(p.sample.verify, "once");
    assert_true(p.sample.yes && p.sample.quick);
    assert_int_equal(p.sample.duration_usec, 90 * USEC_PER_SEC);
    assert_int_equal(p.operands.n, 2);
    assert_string_equal(p.operands.items[1], "two");
    arena_free(p.arena);
}

static void a_double_dash_ends_the_options(void **state)
{
    Parsed p = parse(OPERANDS_MIXED, "-y -- -q --reason");
    assert_true(p.sample.yes);
    assert_false(p.sample.quick);
    assert_int_equal(p.operands.n, 2);
    assert_string_equal(p.operands.items[1], "--reason");
    arena_free(p.arena);
}

static void the_options_of_another_command_are_left_alone(void **state)
{
    Parsed p = parse(OPERANDS_REST, "-y rsync -q --delete x");
    assert_true(p.sample.yes);
    assert_false(p.sample.quick);
    assert_int_equal(p.operands.n, 4);
    arena_free(p.arena);
    p = parse(OPERANDS_REST, "-- deploy -- now");
    assert_int_equal(p.operands.n, 3);
    assert_string_equal(p.operands.items[1], "--");
    arena_free(p.arena);
}

static void reading_can_stop_before_the_first_operand(void **state)
{
    Parsed p = parse(OPERANDS_STOP, "-y -q run -r x");
    assert_int_equal(p.r, 2);
    assert_int_equal(p.operands.n, 0);
    assert_null(p.sample.reason);
    arena_free(p.arena);
}

static const struct {
    const char *line, *message;
} wrong_lines[] = {
    {"--yess", "unknown option --yess (did you mean --yes?)"},
    {"--xylophone", "unknown option --xylophone"},
    {"-z", "unknown option -z"},
    {"--yes=1", "--yes takes no value"},
    {"--reason", "--reason needs a value: --reason TEXT"},
    {"-r", "--reason needs a value: --reason TEXT"},
    {"--verify twice", "--verify twice: must be one of window, once"},
};

static void a_wrong_word_is_one_clear_line(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(wrong_lines); i++) {
        Parsed p = parse(OPERANDS_MIXED, wrong_lines[i].line);
        assert_int_equal(p.r, -ERR_INVALID);
        assert_string_equal(err_text(&p.err), wrong_lines[i].message);
        arena_free(p.arena);
    }
}

static void a_duration_without_unit_is_refused(void **state)
{
    Parsed p = parse(OPERANDS_MIXED, "--for 90");
    assert_int_equal(p.r, -ERR_INVALID);
    assert_non_null(strstr(err_text(&p.err), "--for: "));
    arena_free(p.arena);
}

static void minutes_may_be_written_short(void **state)
{
    Parsed p = parse(OPERANDS_MIXED, "--for 30m");
    assert_int_equal(p.sample.duration_usec, 30 * USEC_PER_MIN);
    arena_free(p.arena);
    p = parse(OPERANDS_MIXED, "--for 30min");
    assert_int_equal(p.sample.duration_usec, 30 * USEC_PER_MIN);
    arena_free(p.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_letters_and_values_are_read_in_every_spelling),
        cmocka_unit_test(a_double_dash_ends_the_options),
        cmocka_unit_test(the_options_of_another_command_are_left_alone),
        cmocka_unit_test(reading_can_stop_before_the_first_operand),
        cmocka_unit_test(a_wrong_word_is_one_clear_line),
        cmocka_unit_test(a_duration_without_unit_is_refused),
        cmocka_unit_test(minutes_may_be_written_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
