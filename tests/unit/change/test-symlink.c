/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#define LINK "/etc/nginx/sites-enabled/shop"

static void bench_sites(Bench *bench)
{
    tree_write(&bench->tree, "/etc/nginx/sites-available/shop", "server { }\n");
    tree_write(&bench->tree, "/etc/nginx/sites-available/blog", "server { }\n");
    tree_write(&bench->tree, "/etc/nginx/sites-enabled/default", "server { }\n");
}

static void assert_link(Bench *bench, const char *target)
{
    const FileState *link = NULL;
    assert_done(&bench->tree, view_get(bench->context.view, LINK, &link, &bench->tree.err));
    assert_int_equal(link->type, FILE_SYMLINK);
    assert_string_equal(link->content.data, target);
}

static void a_site_is_enabled_with_the_target_as_given(void **state)
{
    BENCH(bench);
    bench_sites(&bench);
    bench_apply(&bench, "symlink: {path: " LINK ", target: ../sites-available/shop}");
    assert_link(&bench, "../sites-available/shop");
    assert_int_equal(bench_edits(&bench), 1);
    bench_assert_settled(&bench, "symlink: {path: " LINK ", target: ../sites-available/shop}");
    assert_true(bench_noted(&bench, NOTE_INFO, "stays"));
}

static void a_link_is_led_elsewhere(void **state)
{
    BENCH(bench);
    bench_sites(&bench);
    tree_link(&bench.tree, LINK, "/etc/nginx/sites-available/shop");
    bench_apply(&bench, "symlink: {path: " LINK ", target: /etc/nginx/sites-available/blog}");
    assert_link(&bench, "/etc/nginx/sites-available/blog");
    assert_true(bench_noted(&bench, NOTE_INFO, "it led to /etc/nginx/sites-available/shop"));
}

static void what_an_earlier_change_made_can_be_linked_to(void **state)
{
    BENCH(bench);
    bench_sites(&bench);
    assert_done(&bench.tree,
                view_write(bench.context.view, "/etc/nginx/sites-available/new", BYTES("#\n"), &bench.tree.err));
    bench_apply(&bench, "symlink: {path: " LINK ", target: ../sites-available/new}");
    assert_int_equal(bench_edits(&bench), 2);
}

static void what_is_no_link_is_not_replaced(void **state)
{
    BENCH(bench);
    bench_sites(&bench);
    assert_error(
        &bench.tree,
        bench_try(&bench, "symlink: {path: /etc/nginx/sites-enabled/default, target: ../sites-available/shop}"),
        ERR_REFUSED, "only a symbolic link is replaced");
    assert_int_equal(bench_edits(&bench), 0);
}

static void a_link_that_leads_nowhere_is_refused(void **state)
{
    BENCH(bench);
    bench_sites(&bench);
    assert_error(&bench.tree, bench_try(&bench, "symlink: {path: " LINK ", target: ../sites-available/none}"),
                 ERR_REFUSED, "/etc/nginx/sites-available/none does not exist");
    assert_error(&bench.tree, bench_try(&bench, "symlink: {path: " LINK ", target: shop}"), ERR_REFUSED,
                 "would lead nowhere");
}

static void links_are_made_below_managed_roots_only(void **state)
{
    BENCH(bench);
    bench_sites(&bench);
    tree_write(&bench.tree, "/root/x", "");
    tree_link(&bench.tree, "/etc/nginx/away", "/root");
    assert_error(&bench.tree, bench_try(&bench, "symlink: {path: /etc/cron.d/x, target: /root/x}"), ERR_REFUSED,
                 "below no managed root (/etc/nginx, /etc/systemd/system)");
    assert_error(&bench.tree, bench_try(&bench, "symlink: {path: /etc/nginxx/x, target: /root/x}"), ERR_REFUSED,
                 "below no managed root");
    assert_error(&bench.tree, bench_try(&bench, "symlink: {path: /etc/nginx/away/y, target: /root/x}"), ERR_REFUSED,
                 "leads to /root/y through a symbolic link");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_site_is_enabled_with_the_target_as_given),
        cmocka_unit_test(a_link_is_led_elsewhere),
        cmocka_unit_test(what_an_earlier_change_made_can_be_linked_to),
        cmocka_unit_test(what_is_no_link_is_not_replaced),
        cmocka_unit_test(a_link_that_leads_nowhere_is_refused),
        cmocka_unit_test(links_are_made_below_managed_roots_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
