/* SPDX-License-Identifier: Apache-2.0 */
#include "playbook/variables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/yaml.h"
#include "kinds.h"
#include <cmocka.h>

static Scope declare(Arena *arena, const char *text, const BindingVec *bindings, Diagnostics *diags)
{
    Node *vars = NULL;
    Scope scope;
    assert_int_equal(yaml_parse(arena, "x", bytes_of(text), diags, &vars), 0);
    variables_declare(arena, vars, bindings, diags, &scope);
    return scope;
}

static void a_declaration_becomes_a_type_with_its_default(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Diagnostics diags = diagnostics_new(arena);
    Scope scope = declare(arena, "t: {type: duration, min: 1s, max: 5min, default: 30s, help: Wait.}\n", NULL, &diags);
    const Variable *variable = scope_find(&scope, "t");
    assert_int_equal(diags.errors, 0);
    assert_int_equal(variable->value.duration, 30 * USEC_PER_SEC);
    assert_string_equal(variable->type.max, "5min");
    assert_string_equal(variable->help, "Wait.");
    assert_true(scope.lint);
}

static void auto_and_never_are_accepted_where_they_make_sense(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Diagnostics diags = diagnostics_new(arena);
    Scope scope = declare(arena,
                          "u: {type: unit}\ni: {type: int}\na: {type: int, default: auto}\nd: {type: duration}\n"
                          "m: {type: duration, max: 5s}\n",
                          NULL, &diags);
    assert_true(scope_find(&scope, "u")->type.allow_auto);
    assert_false(scope_find(&scope, "i")->type.allow_auto);
    assert_true(scope_find(&scope, "a")->type.allow_auto);
    assert_true(scope_find(&scope, "d")->type.allow_never);
    assert_false(scope_find(&scope, "m")->type.allow_never);
}

static void a_broken_declaration_is_reported_once_and_still_known(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Diagnostics diags = diagnostics_new(arena);
    BindingVec bindings = {0};
    Err err;
    assert_int_equal(binding_add(arena, "t=5", &bindings, &err), 0);
    Scope scope = declare(arena, "t: {type: durtion}\n", &bindings, &diags);
    assert_int_equal(diags.errors, 1);
    assert_int_equal(scope_find(&scope, "t")->type.kind, VALUE_ABSENT);
}

static void a_playbook_without_variables_takes_none(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Diagnostics diags = diagnostics_new(arena);
    BindingVec bindings = {0};
    Scope scope;
    Err err;
    variables_declare(arena, NULL, &bindings, &diags, &scope);
    assert_int_equal(diags.errors + scope.variables.n, 0);
    assert_int_equal(binding_add(arena, "t=5", &bindings, &err), 0);
    variables_declare(arena, NULL, &bindings, &diags, &scope);
    assert_string_equal(diags.items.items[0].message, "the playbook has no variable \"t\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_declaration_becomes_a_type_with_its_default),
        cmocka_unit_test(auto_and_never_are_accepted_where_they_make_sense),
        cmocka_unit_test(a_broken_declaration_is_reported_once_and_still_known),
        cmocka_unit_test(a_playbook_without_variables_takes_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
