/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

static void every_kind_is_whole_and_there_once(void **state)
{
    static const char *const names[] = {"gunicorn", "nginx", "unit", "template", "symlink", "restart"};
    size_t n = 0;
    for (; change_kinds[n]; n++) {
        const ChangeKind *kind = change_kinds[n];
        assert_non_null(kind->help);
        assert_non_null(kind->apply);
        assert_true(kind->spec_size > 0);
        assert_ptr_equal(change_kind_find(kind->name), kind);
        for (const Field *field = kind->fields; field->name; field++)
            assert_non_null(field->help);
    }
    assert_int_equal(n, ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_non_null(change_kind_find(names[i]));
    assert_null(change_kind_find("command"));
}

static void every_kind_can_name_other_units(void **state)
{
    for (size_t i = 0; change_kinds[i]; i++) {
        const Field *field = change_kinds[i]->fields;
        while (field->name && !str_equal(field->name, "also_affects"))
            field++;
        assert_non_null(field->name);
    }
}

static void a_note_is_formatted_and_keeps_its_order(void **state)
{
    BENCH(bench);
    change_note(&bench.context, NOTE_INFO, "a.service", "%s is %d", "x", 1);
    change_note(&bench.context, NOTE_WARNING, "b.service", "y");
    assert_int_equal(bench.context.notes.n, 2);
    assert_string_equal(bench.context.notes.items[0].text, "x is 1");
    assert_string_equal(bench.context.notes.items[1].subject, "b.service");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_whole_and_there_once),
        cmocka_unit_test(every_kind_can_name_other_units),
        cmocka_unit_test(a_note_is_formatted_and_keeps_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
