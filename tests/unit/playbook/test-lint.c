/* SPDX-License-Identifier: Apache-2.0 */
#include "playbook/lint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include <cmocka.h>

static const char checks[] = "verify: {checks: [http: {name: a, url: \"http://h/\"}]}\n";

/* What is said about a playbook with these lines, each on a line of its own. */
static void assert_said(const char *file, const char *lines, const char *expected)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Source source = {file, bytes_of(arena_printf(arena, "salve: 1\nname: test\nsummary: x\n%s%s", lines, checks))};
    Diagnostics diags = diagnostics_new(arena);
    const Playbook *playbook = NULL;
    Err err;
    int r = playbook_load(arena, &source, NULL, &diags, &playbook, &err);
    assert_int_equal(r<0, diags.errors> 0);
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 16);
    VEC_EACH (item, &diags.items)
        strbuf_printf(&out, "%s%u: %s\n", item->severity == SEVERITY_WARNING ? "warning " : "", item->pos.line,
                      item->message);
    assert_string_equal(strbuf_str(&out), expected);
}

static void a_variable_that_nothing_refers_to_is_a_warning(void **state)
{
    assert_said("test.yaml", "vars: {x: {type: int}}\nchanges: [gunicorn: {}]\n",
                "warning 4: variable \"x\" is not used\n");
}

static void templates_see_all_variables(void **state)
{
    assert_said("test.yaml", "vars: {x: {type: int}}\nchanges: [template: {name: a}]\n", "");
}

static void guards_look_at_the_unit(void **state)
{
    static const char vars[] = "vars: {unit: {type: unit, default: auto}}\nchanges: [gunicorn: {}]\n";
    CLEANUP(arena_free) Arena *arena = arena_new();
    assert_said("test.yaml", vars, "warning 4: variable \"unit\" is not used\n");
    assert_said("test.yaml", arena_printf(arena, "guards: {refuse: {boot-failure: {}}}\n%s", vars), "");
}

static void a_variable_cannot_hide_behind_facts(void **state)
{
    assert_said("test.yaml", "vars: {nginx: {type: int}}\nchanges: [template: {name: a}]\n",
                "4: a template would see the facts \"nginx\", not this variable\n");
}

static void the_file_is_called_like_the_playbook(void **state)
{
    assert_said("/etc/salve/playbooks/test.yaml", "changes: [gunicorn: {}]\n", "");
    assert_said("other.yaml", "changes: [gunicorn: {}]\n",
                "warning 0: the playbook is called \"test\", its file is not\n");
    assert_said("standard input", "changes: [gunicorn: {}]\n", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variable_that_nothing_refers_to_is_a_warning),
        cmocka_unit_test(templates_see_all_variables),
        cmocka_unit_test(guards_look_at_the_unit),
        cmocka_unit_test(a_variable_cannot_hide_behind_facts),
        cmocka_unit_test(the_file_is_called_like_the_playbook),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
