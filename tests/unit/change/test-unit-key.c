/* SPDX-License-Identifier: Apache-2.0 */
#include "change/unit-key.h"

#include "gunicorn-unit.h"

static void every_setting_has_a_row_a_field_and_help(void **state)
{
    size_t rows = 0, fields = 0;
    for (const Field *field = unit_key_fields; field->name; field++, fields++) {
        unsigned found = 0;
        for (const UnitKey *key = unit_keys; key->name; key++)
            found += str_equal(key->name, field->name) && key->offset == field->offset;
        assert_int_equal(found, 1);
        assert_non_null(field->help);
    }
    for (const UnitKey *key = unit_keys; key->name; key++, rows++)
        assert_non_null(key->property);
    assert_int_equal(rows, fields);
    assert_int_equal(rows * sizeof(Value), sizeof(UnitKeys));
}

/* Without these nobody else decides what runs (promise 9). */
static void nothing_in_the_table_says_what_runs(void **state)
{
    static const char *const parts[] = {"Exec", "User", "Group", "Environment", "Root", "Directory", "Bind", "Image"};
    for (const UnitKey *key = unit_keys; key->name; key++)
        for (size_t i = 0; i < ARRAY_LEN(parts); i++)
            assert_null(strstr(key->name, parts[i]));
}

static const UnitKey *key_named(const char *name)
{
    const UnitKey *key = unit_keys;
    while (key->name && !str_equal(key->name, name))
        key++;
    assert_non_null(key->name);
    return key;
}

static void every_value_that_is_written_means_itself(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    for (const Field *field = unit_key_fields; field->name; field++) {
        ValueType type = field_value_type(field);
        Value value = value_placeholder(arena, &type);
        assert_true(value_is_set(&value));
        assert_true(unit_key_means(arena, key_named(field->name), unit_key_format(arena, &value), &value));
    }
}

static void sizes_have_the_suffix_of_systemd(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const UnitKey *key = key_named("MemoryMax");
    Value value = {.kind = VALUE_SIZE, .size = 3ULL << 29};
    assert_string_equal(unit_key_format(arena, &value), "1536M");
    assert_true(unit_key_means(arena, key, "1610612736", &value));
    assert_false(unit_key_means(arena, key, "1.5G", &value)); /* not read, so set again */
    assert_false(unit_key_means(arena, key, "1536MB", &value));
    assert_false(unit_key_means(arena, key, "", &value));
}

static void zero_is_never_only_where_systemd_says_so(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Value never = {.kind = VALUE_DURATION, .duration = USEC_INFINITY}, none = {.kind = VALUE_DURATION};
    assert_true(unit_key_means(arena, key_named("TimeoutStopSec"), "0", &never));
    assert_true(unit_key_means(arena, key_named("RestartSec"), "0", &none));
    assert_string_equal(unit_key_format(arena, &never), "infinity");
    assert_string_equal(unit_key_property(arena, &never), "infinity");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_has_a_row_a_field_and_help),
        cmocka_unit_test(nothing_in_the_table_says_what_runs),
        cmocka_unit_test(every_value_that_is_written_means_itself),
        cmocka_unit_test(sizes_have_the_suffix_of_systemd),
        cmocka_unit_test(zero_is_never_only_where_systemd_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
