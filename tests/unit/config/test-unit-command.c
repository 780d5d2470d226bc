/* SPDX-License-Identifier: Apache-2.0 */
#include "config/unit-command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const char *lookup(void *ctx, const char *name)
{
    (void)ctx;
    return str_equal(name, "OPTS") ? "--a '--b c'" : str_equal(name, "N") ? "3" : str_equal(name, "EMPTY") ? "" : NULL;
}

static const UnitSpecifier specifier_items[] = {{'i', "blue"}, {'n', "g@blue.service"}};
static const UnitSpecifiers specifiers = {specifier_items, 2};

/* "[word][word]" of all commands of a value, | between commands; "!" and the message for a refusal. */
static const char *argv_of(Arena *arena, const char *value)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(10000);
    UnitCommandVec commands = {0};
    Err err;
    int r = unit_parse_command(arena, value, &specifiers, &commands, &err);
    VEC_EACH (command, &commands) {
        StringVec argv = {0};
        r = unit_expand_argv(arena, command, lookup, NULL, &argv, &err);
        if (command != commands.items)
            strbuf_add_char(&out, '|');
        VEC_EACH (word, &argv) {
            strbuf_printf(&out, "[%s]", *word);
        }
    }
    return r < 0 ? arena_printf(arena, "!%s", err.message) : strbuf_dup(arena, &out);
}

static const struct {
    const char *value, *argv;
} cases[] = {
    {"/bin/x", "[/bin/x]"},
    {"  /bin/x  a\tb ", "[/bin/x][a][b]"},
    {"/bin/x 'a b' \"c d\" e\"f g\"h", "[/bin/x][a b][c d][ef gh]"},
    {"/bin/x \"a\\\"b\" \\x41\\101\\u00e4 a\\sb", "[/bin/x][a\"b][AA\xc3\xa4][a b]"},
    {"/bin/x %i %% a%%b %(h)s", "[/bin/x][blue][%][a%b][%(h)s]"},
    {"/bin/x $OPTS", "[/bin/x][--a][--b c]"},
    {"/bin/x ${OPTS} a${N}b", "[/bin/x][--a '--b c'][a3b]"},
    {"/bin/x $UNSET $EMPTY ${UNSET}", "[/bin/x][]"},
    {"/bin/x a$N $$N $$ ${N", "[/bin/x][a$N][$N][$][${N]"},
    {":/bin/x $N ${N}", "[/bin/x][$N][${N}]"},
    {"@/bin/x other a", "[other][a]"},
    {"-/bin/x a ; /bin/y b", "[/bin/x][a]|[/bin/y][b]"},
    {"/bin/x \\; \";\" a;b", "[/bin/x][;][;][a;b]"},
    {"gunicorn a", "[gunicorn][a]"},
    {"/bin/x %j", "!the specifier %j is not known here"},
    {"/bin/x 'a", "!the quote ' is never closed"},
    {"/bin/x a\\q", "!an escape that systemd does not know: \"\\q\""},
    {"/bin/x a\\x00", "!an escape that systemd does not know: \"\\x00\""},
    {"", "!the command line is empty"},
    {"bin/x", "!neither a program's name nor an absolute path: \"bin/x\""},
    {"@/bin/x", "!the command line has no argv[0], which @ asks for"},
};

static void command_lines_are_split_and_expanded_as_systemd_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        const char *argv = argv_of(arena, cases[i].value);
        if (strcmp(argv, cases[i].argv) != 0)
            fail_msg("%s\n gives %s\n not   %s", cases[i].value, argv, cases[i].argv);
    }
}

static void prefixes_are_flags_and_not_part_of_the_path(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    UnitCommandVec commands = {0};
    Err err;
    assert_int_equal(unit_parse_command(arena, "-@:!!/bin/x y z", NULL, &commands, &err), 0);
    const UnitCommand *command = commands.items;
    assert_true(command->ignore_failure && command->argv0_given && command->no_variables && command->ambient);
    assert_false(command->full_privileges);
    assert_string_equal(command->path, "/bin/x");
}

static void environments_hold_several_assignments_to_a_line(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    UnitVariableVec vec = {0};
    Err err;
    assert_int_equal(
        unit_parse_environment(arena, "A=1 \"B=two words\" 'C=x y'z no-name=1 D=%i E= F", &specifiers, &vec, &err), 0);
    static const char *const expected[][2] = {{"A", "1"}, {"B", "two words"}, {"C", "x yz"}, {"D", "blue"}, {"E", ""}};
    assert_int_equal(vec.n, ARRAY_LEN(expected));
    for (size_t i = 0; i < vec.n; i++) {
        assert_string_equal(vec.items[i].name, expected[i][0]);
        assert_string_equal(vec.items[i].value, expected[i][1]);
    }
}

static void a_formatted_command_line_reads_back(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    StringVec argv = {0};
    static const char *const words[] = {"/usr/bin/gunicorn", "--access-logformat", "%(h)s $x \"q\"", "", ";"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        *vec_push(arena, &argv) = words[i];
    const char *line = NULL;
    Err err;
    assert_int_equal(unit_format_command(arena, &argv, &line, &err), 0);
    assert_string_equal(argv_of(arena, line), "[/usr/bin/gunicorn][--access-logformat][%(h)s $x \"q\"][][;]");
    argv.items[0] = "gunicorn";
    assert_int_equal(unit_format_command(arena, &argv, &line, &err), -ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_lines_are_split_and_expanded_as_systemd_does),
        cmocka_unit_test(prefixes_are_flags_and_not_part_of_the_path),
        cmocka_unit_test(environments_hold_several_assignments_to_a_line),
        cmocka_unit_test(a_formatted_command_line_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
