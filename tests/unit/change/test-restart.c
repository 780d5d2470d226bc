/* SPDX-License-Identifier: Apache-2.0 */
#include "gunicorn-unit.h"

static void a_restart_is_a_wish_without_edits(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    bench_apply(&bench, "restart: {unit: gunicorn, also_affects: [celery]}");
    assert_string_equal(bench_wish(&bench, WISH_RESTART, NULL), "gunicorn.service");
    assert_string_equal(bench_wish(&bench, WISH_MAY_AFFECT, NULL), "celery.service");
    assert_int_equal(bench_edits(&bench), 0);
}

static void auto_is_the_only_gunicorn(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, "/etc/systemd/system/celery.service", "[Service]\nExecStart=/bin/celery\n");
    bench_apply(&bench, "restart: {unit: auto}");
    assert_string_equal(bench_wish(&bench, WISH_RESTART, NULL), "gunicorn.service");
}

static void an_instance_and_an_alias_can_be_restarted(void **state)
{
    BENCH(bench);
    tree_write(&bench.tree, "/etc/systemd/system/web@.service", "[Service]\nExecStart=/bin/gunicorn a:b\n");
    bench_apply(&bench, "restart: {unit: web@shop}");
    assert_string_equal(bench_wish(&bench, WISH_RESTART, NULL), "web@shop.service");
    bench_look(&bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_link(&bench.tree, "/etc/systemd/system/site.service", UNIT_PATH);
    bench_apply(&bench, "restart: {unit: site}");
    assert_string_equal(bench_wish(&bench, WISH_RESTART, NULL), "gunicorn.service");
}

static void what_cannot_or_must_not_be_restarted_is_refused(void **state)
{
    static const struct {
        const char *unit, *says;
    } rows[] = {
        {"gunicron", "did you mean gunicorn.service?"}, {"shop", "there is no unit shop.service"},
        {"web@.service", "name an instance: web@NAME"}, {"nginx", "salve reloads nginx only"},
        {"old", "systemctl unmask old.service"},        {"gunicorn.socket", "is a socket"},
    };
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, "/etc/systemd/system/web@.service", "[Service]\nExecStart=/bin/gunicorn a:b\n");
    tree_write(&bench.tree, "/etc/systemd/system/gunicorn.socket", "[Socket]\nListenStream=/run/g.sock\n");
    tree_write(&bench.tree, "/usr/lib/systemd/system/nginx.service", "[Service]\nExecStart=/usr/sbin/nginx\n");
    tree_link(&bench.tree, "/etc/systemd/system/old.service", "/dev/null");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_error(&bench.tree,
                     bench_try(&bench, arena_printf(bench.tree.arena, "restart: {unit: %s}", rows[i].unit)),
                     ERR_REFUSED, rows[i].says);
    assert_string_equal(bench_wish(&bench, WISH_RESTART, NULL), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_is_a_wish_without_edits),
        cmocka_unit_test(auto_is_the_only_gunicorn),
        cmocka_unit_test(an_instance_and_an_alias_can_be_restarted),
        cmocka_unit_test(what_cannot_or_must_not_be_restarted_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
