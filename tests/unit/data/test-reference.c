/* SPDX-License-Identifier: Apache-2.0 */
#include "data/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "data/json.h"
#include <cmocka.h>

static const char *const two[] = {"a", "b", NULL}, *const three[] = {"a", "b", "c", NULL};
static const Source source = {"x.yaml", {"", 0}};
static const Node declaration = {.source = &source, .pos = {4, 3}};

/* A variable of each kind that the tests need; text NULL leaves it without value. */
static void declare(Arena *arena, Scope *scope, const char *name, ValueType type, const char *text)
{
    Variable *variable = vec_push(arena, &scope->variables);
    *variable = (Variable){.name = name, .type = type, .declared = &declaration};
    Err err;
    type.allow_auto = type.allow_never = true;
    if (text)
        assert_int_equal(value_parse(arena, &type, text, &variable->value, &err), 0);
}

static Scope scope_new(Arena *arena, bool lint)
{
    Scope scope = {.lint = lint};
    declare(arena, &scope, "timeout", (ValueType){.kind = VALUE_DURATION}, lint ? NULL : "60s");
    declare(arena, &scope, "unit", (ValueType){.kind = VALUE_UNIT}, "auto");
    declare(arena, &scope, "host", (ValueType){.kind = VALUE_HOST}, lint ? NULL : "web1");
    declare(arena, &scope, "port", (ValueType){.kind = VALUE_INT}, lint ? NULL : "8000");
    declare(arena, &scope, "note", (ValueType){.kind = VALUE_TEXT}, "some text");
    declare(arena, &scope, "two", (ValueType){.kind = VALUE_ENUM, .choices = two}, "b");
    declare(arena, &scope, "three", (ValueType){.kind = VALUE_ENUM, .choices = three}, "a");
    return scope;
}

static bool decode(Arena *arena, bool lint, ValueType type, const char *text, Value *ret, Diagnostics *diags)
{
    Scope scope = scope_new(arena, lint);
    Node *node = node_text(arena, text);
    node->source = &source;
    node->pos = (Pos){9, 5};
    Decoder decoder = {.arena = arena, .diags = diags, .scope = &scope};
    return decode_value(&decoder, &type, "key", node, ret);
}

static const char *good(Arena *arena, bool lint, ValueType type, const char *text)
{
    Diagnostics diags = diagnostics_new(arena);
    Value value = {0};
    if (!decode(arena, lint, type, text, &value, &diags))
        fail_msg("%s: %s", text, diags.items.items[0].message);
    return value.text;
}

static void assert_bad(bool lint, ValueType type, const char *text, const char *expected)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Diagnostics diags = diagnostics_new(arena);
    Value value = {0};
    assert_false(decode(arena, lint, type, text, &value, &diags));
    assert_int_equal(diags.errors, 1);
    Err err;
    diagnostics_to_err(&diags, &err);
    if (!strstr(err_text(&err), expected))
        fail_msg("expected \"%s\" in \"%s\"", expected, err_text(&err));
}

static void a_reference_becomes_the_typed_value(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Diagnostics diags = diagnostics_new(arena);
    Value value = {0};
    assert_true(decode(arena, false, (ValueType){.kind = VALUE_DURATION}, "{{ timeout }}", &value, &diags));
    assert_int_equal(value.duration, 60 * USEC_PER_SEC);
    assert_int_equal(value.node->pos.line, 9);
    good(arena, false, (ValueType){.kind = VALUE_DURATION}, "{{timeout}}");
}

static void a_type_that_does_not_fit_names_both_places(void **state)
{
    assert_bad(
        true, (ValueType){.kind = VALUE_INT}, "{{ timeout }}",
        "x.yaml:9:5: key must be of type int, but variable \"timeout\" is of type duration (\"timeout\" is declared "
        "on line 4)");
    assert_bad(true, (ValueType){.kind = VALUE_URL}, "{{ host }}", "must be of type url");
    assert_bad(true, (ValueType){.kind = VALUE_WORD}, "{{ note }}", "must be of type word");
}

static void words_and_texts_take_what_fits_into_them(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_string_equal(good(arena, false, (ValueType){.kind = VALUE_WORD}, "{{ port }}"), "8000");
    assert_string_equal(good(arena, false, (ValueType){.kind = VALUE_WORD}, "{{ two }}"), "b");
    assert_string_equal(good(arena, false, (ValueType){.kind = VALUE_TEXT}, "{{ timeout }}"), "60s");
}

static void an_enum_needs_a_variable_whose_choices_are_all_allowed(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_string_equal(good(arena, false, (ValueType){.kind = VALUE_ENUM, .choices = three}, "{{ two }}"), "b");
    assert_bad(false, (ValueType){.kind = VALUE_ENUM, .choices = two}, "{{ three }}", "allows other choices");
}

static void the_bounds_of_the_field_hold_for_the_value(void **state)
{
    assert_bad(false, (ValueType){.kind = VALUE_DURATION, .max = "30s"}, "{{ timeout }}",
               "60s is too large: at most 30s");
    assert_bad(false, (ValueType){.kind = VALUE_UNIT}, "{{ unit }}",
               "\"auto\" is not a systemd unit name accepted here");
}

static void lint_needs_no_values(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    good(arena, true, (ValueType){.kind = VALUE_DURATION, .min = "10min", .max = "1h"}, "{{ timeout }}");
    good(arena, true, (ValueType){.kind = VALUE_URL}, "http://{{ host }}:{{ port }}/");
    assert_bad(true, (ValueType){.kind = VALUE_URL}, "ftp://{{ host }}/", "is not a URL");
}

static void longer_text_may_hold_variables_only_in_url_path_and_word(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_string_equal(good(arena, false, (ValueType){.kind = VALUE_URL}, "http://{{ host }}:{{ port }}/x"),
                        "http://web1:8000/x");
    assert_string_equal(good(arena, false, (ValueType){.kind = VALUE_PATH}, "/srv/{{ host }}"), "/srv/web1");
    assert_bad(false, (ValueType){.kind = VALUE_DURATION}, "{{ port }}s", "inside longer text");
    assert_bad(false, (ValueType){.kind = VALUE_TEXT}, "a {{ port }}", "inside longer text");
    assert_bad(false, (ValueType){.kind = VALUE_PATH}, "/a/{{ note }}", "a variable of type text cannot");
}

static void what_comes_out_of_longer_text_is_checked_as_a_whole(void **state)
{
    assert_bad(false, (ValueType){.kind = VALUE_PATH}, "/srv/{{ host }}/../x", "is not a path");
    assert_bad(false, (ValueType){.kind = VALUE_URL}, "http://{{ host }}:{{ port }}0/", "is not a URL");
}

static void unknown_and_malformed_names_are_explained(void **state)
{
    assert_bad(true, (ValueType){.kind = VALUE_DURATION}, "{{ timeuot }}",
               "unknown variable \"timeuot\" (did you mean \"timeout\"?)");
    assert_bad(true, (ValueType){.kind = VALUE_DURATION}, "{{ Time-Out }}", "is not the name of a variable");
    assert_bad(true, (ValueType){.kind = VALUE_URL}, "http://{{ host", "\"{{\" without \"}}\"");
    assert_bad(false, (ValueType){.kind = VALUE_URL}, "{{}}", "\"\" is not the name");
}

static void a_missing_value_says_how_to_give_it(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Scope scope = {0};
    declare(arena, &scope, "endpoint", (ValueType){.kind = VALUE_URL}, NULL);
    Diagnostics diags = diagnostics_new(arena);
    Decoder decoder = {.arena = arena, .diags = &diags, .scope = &scope};
    Value value = {0};
    assert_false(
        decode_value(&decoder, &(ValueType){.kind = VALUE_URL}, "url", node_text(arena, "{{ endpoint }}"), &value));
    assert_string_equal(diags.items.items[0].message, "variable \"endpoint\" has no value");
    assert_string_equal(diags.items.items[0].hint, "give it with -e endpoint=...");
    assert_int_equal(scope.variables.items[0].used, 1);
}

static void templates_get_values_in_the_forms_that_other_languages_write(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Scope scope = {0};
    declare(arena, &scope, "timeout", (ValueType){.kind = VALUE_DURATION}, "5min");
    declare(arena, &scope, "short", (ValueType){.kind = VALUE_DURATION}, "1500ms");
    declare(arena, &scope, "limit", (ValueType){.kind = VALUE_SIZE}, "2KiB");
    declare(arena, &scope, "tls", (ValueType){.kind = VALUE_BOOL}, "false");
    declare(arena, &scope, "unit", (ValueType){.kind = VALUE_UNIT}, "auto");
    declare(arena, &scope, "unset", (ValueType){.kind = VALUE_INT}, NULL);
    assert_string_equal(json_to_string(arena, scope_to_node(arena, &scope), JSON_COMPACT),
                        "{\"timeout\":\"5min\",\"timeout_seconds\":300,\"short\":\"1500ms\",\"limit\":\"2KiB\","
                        "\"limit_bytes\":2048,\"tls\":false,\"unit\":\"auto\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reference_becomes_the_typed_value),
        cmocka_unit_test(a_type_that_does_not_fit_names_both_places),
        cmocka_unit_test(words_and_texts_take_what_fits_into_them),
        cmocka_unit_test(an_enum_needs_a_variable_whose_choices_are_all_allowed),
        cmocka_unit_test(the_bounds_of_the_field_hold_for_the_value),
        cmocka_unit_test(lint_needs_no_values),
        cmocka_unit_test(longer_text_may_hold_variables_only_in_url_path_and_word),
        cmocka_unit_test(what_comes_out_of_longer_text_is_checked_as_a_whole),
        cmocka_unit_test(unknown_and_malformed_names_are_explained),
        cmocka_unit_test(templates_get_values_in_the_forms_that_other_languages_write),
        cmocka_unit_test(a_missing_value_says_how_to_give_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
