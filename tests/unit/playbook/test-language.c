/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the real kinds, whoever brings them: complete, without duplicates, with sound defaults and bounds. */
#include "playbook/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "change/change.h"
#include "check/check.h"
#include "diagnose/finding.h"
#include <cmocka.h>

static void check_text(Arena *arena, const char *where, const Field *field, const char *text)
{
    ValueType type = {.kind = field->kind,
                      .choices = field->choices,
                      .allow_auto = field->allow_auto,
                      .allow_never = field->allow_never};
    Value value;
    Err err;
    if (text && value_parse(arena, &type, text, &value, &err) < 0)
        fail_msg("%s.%s: %s", where, field->name, err.message);
}

static void check_table(Arena *arena, const StructType *type, unsigned depth)
{
    assert_true(depth < 8);
    assert_true(type->size > 0);
    for (const Field *field = type->fields; field->name; field++) {
        if (!field->help || !*field->help)
            fail_msg("%s.%s has no help", type->name, field->name);
        if (field->help[strlen(field->help) - 1] != '.')
            fail_msg("%s.%s: the help is a sentence", type->name, field->name);
        for (const Field *other = type->fields; other < field; other++) {
            if (strcmp(other->name, field->name) == 0)
                fail_msg("%s has two keys %s", type->name, field->name);
        }
        if (field->required && field->default_text)
            fail_msg("%s.%s is required and has a default", type->name, field->name);
        check_text(arena, type->name, field, field->default_text);
        check_text(arena, type->name, field, field->min);
        check_text(arena, type->name, field, field->max);
        if (field->type)
            check_table(arena, field->type, depth + 1);
    }
}

static void check_kinds_of(KindAt kind_at)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    StructType type, other;
    size_t i = 0;
    for (; kind_at(i, &type); i++) {
        if (!is_name(type.name, false))
            fail_msg("%s is not a name", type.name);
        if (!type.help || !*type.help)
            fail_msg("%s has no help", type.name);
        for (size_t before = 0; before < i; before++) {
            assert_true(kind_at(before, &other));
            assert_string_not_equal(other.name, type.name);
        }
        check_table(arena, &type, 0);
    }
    assert_true(i > 0);
}

static void the_tables_of_the_language_are_sound(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    check_table(arena, &playbook_type, 0);
    check_table(arena, &vars_type, 0);
}

static void the_tables_of_all_kinds_are_sound(void **state)
{
    check_kinds_of(language_change_at);
    check_kinds_of(language_check_at);
    check_kinds_of(language_finding_at);
}

static void every_kind_that_the_design_names_is_there(void **state)
{
    static const char *const changes[] = {"gunicorn", "nginx", "unit", "template", "symlink", "restart"};
    static const char *const checks[] = {"http", "journal", "log", "unit"};
    static const char *const findings[] = {"worker-timeout",  "oom-kill",      "boot-failure",
                                           "memory-pressure", "recent-deploy", "timeout-not-enforced",
                                           "pending-edit"};
    for (size_t i = 0; i < ARRAY_LEN(changes); i++)
        assert_non_null(change_kind_find(changes[i]));
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        assert_non_null(check_kind_find(checks[i]));
    for (size_t i = 0; i < ARRAY_LEN(findings); i++)
        assert_non_null(finding_kind_find(findings[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_of_the_language_are_sound),
        cmocka_unit_test(the_tables_of_all_kinds_are_sound),
        cmocka_unit_test(every_kind_that_the_design_names_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
