/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped playbooks against the real kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/yaml.h"
#include "playbook/playbook.h"
#include <cmocka.h>

static const char *const shipped[] = {"gunicorn-timeout", "gunicorn-workers", "nginx-align", "restart-stuck", NULL};

static const Source *find(Arena *arena, const char *name)
{
    Diagnostics diags = diagnostics_new(arena);
    Node *root = NULL;
    Err err;
    /* Not playbook_find, which would look at the owner of this checkout. */
    const char *path = arena_printf(arena, "%s/playbooks/%s.yaml", getenv("SALVE_SOURCE"), name);
    assert_int_equal(yaml_load(arena, path, &diags, &root, &err), 0);
    return root->source;
}

static const Playbook *load(Arena *arena, const char *name, const char *const *values)
{
    const Playbook *playbook = NULL;
    BindingVec bindings = {0};
    Diagnostics diags = diagnostics_new(arena);
    Err err;
    for (; values && *values; values++)
        assert_int_equal(binding_add(arena, *values, &bindings, &err), 0);
    if (playbook_load(arena, find(arena, name), values ? &bindings : NULL, &diags, &playbook, &err) < 0)
        fail_msg("%s", err_text(&err));
    assert_int_equal(diags.warnings, 0);
    return playbook;
}

static void all_are_free_of_errors_and_warnings(void **state)
{
    for (size_t i = 0; shipped[i]; i++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        const Playbook *playbook = load(arena, shipped[i], NULL);
        assert_string_equal(playbook->name, shipped[i]);
        VEC_EACH (variable, &playbook->scope.variables)
            assert_non_null(variable->help);
    }
}

static void raising_the_timeout_asks_for_a_timeout_and_the_slow_request_only(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Playbook *playbook = load(arena, "gunicorn-timeout",
                                    (const char *const[]){"timeout=60s", "endpoint=http://127.0.0.1/reports/", NULL});
    assert_int_equal(playbook->changes.n, 2);
    assert_string_equal(playbook->changes.items[0].kind->name, "gunicorn");
    assert_string_equal(playbook->changes.items[1].kind->name, "nginx");
    assert_int_equal(playbook->checks.n, 5);
    assert_int_equal(playbook->guards.n, 6);
    assert_int_equal(playbook->window_usec, 0);
    assert_true(playbook->keeps[VERDICT_UNDECIDED]);
    assert_false(playbook->keeps[VERDICT_BLIND]);
}

static void workers_can_be_set_without_touching_threads_or_class(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    load(arena, "gunicorn-workers", (const char *const[]){"workers=5", NULL});
    load(arena, "gunicorn-workers", (const char *const[]){"threads=4", "worker_class=gthread", NULL});
}

static void the_others_need_no_values(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    static const char *const nothing[] = {NULL};
    assert_string_equal(load(arena, "nginx-align", nothing)->changes.items[0].kind->name, "nginx");
    assert_string_equal(load(arena, "restart-stuck", nothing)->changes.items[0].kind->name, "restart");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_free_of_errors_and_warnings),
        cmocka_unit_test(raising_the_timeout_asks_for_a_timeout_and_the_slow_request_only),
        cmocka_unit_test(workers_can_be_set_without_touching_threads_or_class),
        cmocka_unit_test(the_others_need_no_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
