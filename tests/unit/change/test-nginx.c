/* SPDX-License-Identifier: Apache-2.0 */
/* nginx's timeouts: the right block, only its bytes, or a refusal with the place. */
#include "gunicorn-unit.h"

#define MAIN "user www-data;\nevents { }\nhttp {\n    include /etc/nginx/sites-enabled/*;\n}\n"
#define SHOP "/etc/nginx/sites-available/shop"

static void bench_site(Bench *bench, const char *name, const char *text)
{
    Arena *arena = bench->tree.arena;
    tree_write(&bench->tree, "/etc/nginx/nginx.conf", MAIN);
    tree_write(&bench->tree, arena_printf(arena, "/etc/nginx/sites-available/%s", name), text);
    tree_link(&bench->tree, arena_printf(arena, "/etc/nginx/sites-enabled/%s", name),
              arena_printf(arena, "../sites-available/%s", name));
}

/* A server with a location / and the lines given around its proxy_pass. */
static const char *site(Bench *bench, const char *name, const char *server_lines, const char *location_lines)
{
    return arena_printf(bench->tree.arena,
                        "server {\n    listen 80;\n    server_name %s;\n%s    location / {\n%s    }\n}\n", name,
                        server_lines, location_lines);
}

#define PASS "        proxy_pass http://127.0.0.1:8000;\n"

/* Applies, and compares the whole site. */
static void assert_site(Bench *bench, const char *yaml, const char *expected)
{
    bench_apply(bench, yaml);
    assert_string_equal(bench_text(bench, SHOP), expected);
    assert_int_equal(bench_edits(bench), 1);
    bench_assert_settled(bench, yaml);
}

static void a_directive_of_the_location_is_replaced_and_nothing_else(void **state)
{
    BENCH(bench);
    bench_site(&bench, "shop", site(&bench, "shop.de", "", PASS "\tproxy_read_timeout   30s ; # slow\n"));
    assert_site(&bench, "nginx: {server: shop.de, location: /, set: {proxy_read_timeout: 65s}}",
                site(&bench, "shop.de", "", PASS "\tproxy_read_timeout   65s ; # slow\n"));
}

static void a_missing_directive_follows_proxy_pass_in_its_indentation(void **state)
{
    BENCH(bench);
    bench_site(&bench, "shop", site(&bench, "shop.de", "", PASS "        proxy_redirect off;\n"));
    assert_site(&bench, "nginx: {server: shop.de, set: {proxy_read_timeout: 65s}}",
                site(&bench, "shop.de", "", PASS "        proxy_read_timeout 65s;\n        proxy_redirect off;\n"));
}

static void line_endings_of_dos_stay(void **state)
{
    BENCH(bench);
    bench_site(&bench, "shop",
               "server {\r\n  server_name shop.de;\r\n  location / {\r\n    proxy_pass http://127.0.0.1:8000;\r\n"
               "    proxy_send_timeout 10s;\r\n  }\r\n}\r\n");
    assert_site(&bench, "nginx: {server: shop.de, set: {proxy_read_timeout: 65s, proxy_send_timeout: 20s}}",
                "server {\r\n  server_name shop.de;\r\n  location / {\r\n    proxy_pass http://127.0.0.1:8000;\r\n"
                "    proxy_read_timeout 65s;\r\n    proxy_send_timeout 20s;\r\n  }\r\n}\r\n");
}

static void an_inherited_timeout_is_overruled_in_the_location_alone(void **state)
{
    BENCH(bench);
    const char *server = "    proxy_read_timeout 30s;\n    location /other/ {\n        proxy_pass http://10.0.0.1;\n"
                         "    }\n";
    bench_site(&bench, "shop", site(&bench, "shop.de", server, PASS));
    assert_site(&bench, "nginx: {server: shop.de, location: /, at_least: {proxy_read_timeout: 65s}}",
                site(&bench, "shop.de", server, PASS "        proxy_read_timeout 65s;\n"));
}

static void an_inherited_timeout_that_suffices_stays(void **state)
{
    BENCH(bench);
    bench_site(&bench, "shop", site(&bench, "shop.de", "", PASS));
    tree_write(&bench.tree, "/etc/nginx/nginx.conf",
               "http {\n    proxy_read_timeout 2m;\n    include sites-enabled/*;\n}\n");
    bench_apply(&bench, "nginx: {server: shop.de, at_least: {proxy_read_timeout: 65s}}");
    assert_int_equal(bench_edits(&bench), 0);
    assert_true(bench_noted(&bench, NOTE_INFO, "proxy_read_timeout stays"));
}

static void the_default_of_nginx_counts(void **state)
{
    BENCH(bench);
    bench_site(&bench, "shop", site(&bench, "shop.de", "", PASS));
    bench_apply(&bench, "nginx: {server: shop.de, at_least: {proxy_read_timeout: 60s}}");
    assert_int_equal(bench_edits(&bench), 0);
}

static void set_at_least_and_align_give_one_value(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn -b 127.0.0.1:8000 --timeout 90 a:b", "");
    bench_site(&bench, "shop", site(&bench, "shop.de", "", PASS));
    assert_site(&bench,
                "nginx: {upstream_of: auto, set: {proxy_read_timeout: 30s}, at_least: {proxy_read_timeout: 40s}, "
                "align: {margin: 2s}}",
                site(&bench, "shop.de", "", PASS "        proxy_read_timeout 92s;\n"));
}

static void align_uses_the_timeout_that_the_change_before_it_set(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    bench_site(&bench, "shop", site(&bench, "shop.de", "", PASS));
    bench_apply(&bench, "gunicorn: {at_least: {timeout: 120s}}");
    bench_apply(&bench, "nginx: {upstream_of: auto, align: {margin: 5s}}");
    assert_has(bench_text(&bench, SHOP), "proxy_read_timeout 125s;");
}

static void aligning_with_a_timeout_that_limits_nothing_is_told(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn -b 127.0.0.1:8000 --timeout 90 -k gevent a:b", "");
    bench_site(&bench, "shop", site(&bench, "shop.de", "", PASS));
    bench_apply(&bench, "nginx: {upstream_of: auto, align: {}}");
    assert_has(bench_text(&bench, SHOP), "proxy_read_timeout 95s;");
    assert_true(bench_noted(&bench, NOTE_WARNING, "limits no request (gevent"));
}

static void nginx_cannot_be_aligned_with_no_timeout(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn -b 127.0.0.1:8000 --timeout 0 a:b", "");
    bench_site(&bench, "shop", site(&bench, "shop.de", "", PASS));
    assert_error(&bench.tree, bench_try(&bench, "nginx: {upstream_of: auto, align: {}}"), ERR_REFUSED,
                 "has no timeout");
}

static void the_target_of_an_enabled_site_is_edited_and_the_link_stays(void **state)
{
    BENCH(bench);
    bench_site(&bench, "shop", site(&bench, "shop.de", "", PASS));
    bench_apply(&bench, "nginx: {server: shop.de, set: {proxy_read_timeout: 65s}}");
    EditVec edits;
    const FileState *link;
    view_edits(bench.context.view, &edits);
    assert_int_equal(edits.n, 1);
    assert_string_equal(edits.items[0].path, SHOP);
    assert_int_equal(view_get(bench.context.view, "/etc/nginx/sites-enabled/shop", &link, &bench.tree.err), 0);
    assert_int_equal(link->type, FILE_SYMLINK);
}

static void all_sites_that_lead_to_the_service_are_edited_and_no_other(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn -b unix:/run/site.sock --timeout 90 a:b", "");
    const char *other = site(&bench, "other.de", "", "        proxy_pass http://127.0.0.1:9000;\n");
    bench_site(&bench, "other", other);
    bench_site(&bench, "blog", site(&bench, "blog.de", "", "        proxy_pass http://unix:/run/site.sock:/;\n"));
    bench_site(&bench, "shop",
               arena_printf(bench.tree.arena, "upstream app {\n    server unix:/run/site.sock fail_timeout=0;\n}\n%s",
                            site(&bench, "shop.de", "", "        proxy_pass http://app;\n")));
    bench_apply(&bench, "nginx: {upstream_of: gunicorn, align: {}}");
    assert_has(bench_text(&bench, SHOP), "        proxy_pass http://app;\n        proxy_read_timeout 95s;\n");
    assert_has(bench_text(&bench, "/etc/nginx/sites-available/blog"), "proxy_read_timeout 95s;\n");
    assert_string_equal(bench_text(&bench, "/etc/nginx/sites-available/other"), other);
    assert_int_equal(bench_edits(&bench), 2);
}

static void behind_a_socket_unit_its_address_counts(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn --timeout 90 a:b", "");
    tree_write(&bench.tree, "/etc/systemd/system/gunicorn.socket", "[Socket]\nListenStream=/run/g.sock\n");
    bench_site(&bench, "shop", site(&bench, "shop.de", "", "        proxy_pass http://unix:/run/g.sock;\n"));
    bench_apply(&bench, "nginx: {upstream_of: gunicorn, align: {}}");
    assert_has(bench_text(&bench, SHOP), "proxy_read_timeout 95s;\n");
}

static void a_service_behind_no_location_is_refused(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    bench_site(&bench, "shop", site(&bench, "shop.de", "", "        proxy_pass http://127.0.0.1:9000;\n"));
    assert_error(&bench.tree, bench_try(&bench, "nginx: {upstream_of: gunicorn, align: {}}"), ERR_REFUSED,
                 "which listens on 127.0.0.1:8000");
}

static void an_if_takes_the_timeout_of_its_location(void **state)
{
    BENCH(bench);
    const char *lines = "        if ($request_method = POST) {\n            proxy_pass http://127.0.0.1:8000;\n"
                        "        }\n" PASS;
    bench_gunicorn(&bench, "/bin/gunicorn -b 127.0.0.1:8000 --timeout 90 a:b", "");
    bench_site(&bench, "shop", site(&bench, "shop.de", "", lines));
    bench_apply(&bench, "nginx: {upstream_of: gunicorn, align: {}}");
    const char *first = strstr(bench_text(&bench, SHOP), "proxy_read_timeout 95s;");
    assert_non_null(first);
    assert_null(strstr(first + 1, "proxy_read_timeout"));
    assert_null(strstr(first, "if ("));
}

static void a_location_that_proxies_nowhere_is_refused(void **state)
{
    BENCH(bench);
    bench_site(&bench, "shop", site(&bench, "shop.de", "", "        root /srv;\n"));
    assert_error(&bench.tree, bench_try(&bench, "nginx: {server: shop.de, set: {proxy_read_timeout: 65s}}"),
                 ERR_REFUSED, "proxies to nothing");
}

static void of_two_servers_with_one_name_one_must_be_meant(void **state)
{
    BENCH(bench);
    const char *tls = "server {\n    listen 443;\n    server_name shop.de;\n    location / {\n" PASS "    }\n}\n";
    bench_site(&bench, "shop", arena_printf(bench.tree.arena, "%s%s", site(&bench, "shop.de", "", PASS), tls));
    assert_error(&bench.tree, bench_try(&bench, "nginx: {server: shop.de, set: {proxy_read_timeout: 65s}}"),
                 ERR_REFUSED, "sites-enabled/shop:1 and /etc/nginx/sites-enabled/shop:8");
    bench_apply(&bench, "nginx: {server: shop.de, listen: 443, set: {proxy_read_timeout: 65s}}");
    const char *text = bench_text(&bench, SHOP);
    assert_true(strstr(text, "proxy_read_timeout") > strstr(text, "listen 443"));
}

static void an_unknown_server_or_location_is_refused_with_those_there_are(void **state)
{
    BENCH(bench);
    bench_site(&bench, "shop", site(&bench, "shop.de", "", PASS));
    assert_error(&bench.tree, bench_try(&bench, "nginx: {server: shop.com, set: {proxy_read_timeout: 65s}}"),
                 ERR_REFUSED, "there are: shop.de");
    assert_error(&bench.tree,
                 bench_try(&bench, "nginx: {server: shop.de, location: /x, set: {proxy_read_timeout: 65s}}"),
                 ERR_REFUSED, "there are: /");
}

static void a_file_included_twice_is_refused_with_both_places(void **state)
{
    BENCH(bench);
    const char *lines = "        include /etc/nginx/proxy.conf;\n";
    tree_write(&bench.tree, "/etc/nginx/proxy.conf", "proxy_pass http://127.0.0.1:8000;\nproxy_read_timeout 30s;\n");
    bench_site(&bench, "shop", site(&bench, "shop.de", "", lines));
    bench_site(&bench, "blog", site(&bench, "blog.de", "", lines));
    assert_error(&bench.tree, bench_try(&bench, "nginx: {server: shop.de, set: {proxy_read_timeout: 65s}}"),
                 ERR_REFUSED, "/etc/nginx/proxy.conf:");
    assert_has(err_text(&bench.tree.err), "sites-enabled/shop:5");
    assert_has(err_text(&bench.tree.err), "sites-enabled/blog:5");
    assert_int_equal(bench_edits(&bench), 0);
}

static void a_snippet_that_is_included_twice_does_not_hinder_an_edit_beside_it(void **state)
{
    BENCH(bench);
    const char *lines = PASS "        include proxy_params;\n";
    tree_write(&bench.tree, "/etc/nginx/proxy_params", "proxy_set_header Host $http_host;\n");
    bench_site(&bench, "blog", site(&bench, "blog.de", "", lines));
    bench_site(&bench, "shop", site(&bench, "shop.de", "", lines));
    assert_site(&bench, "nginx: {server: shop.de, set: {proxy_read_timeout: 65s}}",
                site(&bench, "shop.de", "", PASS "        proxy_read_timeout 65s;\n        include proxy_params;\n"));
}

static void proxy_pass_in_a_snippet_leads_to_the_location_that_includes_it(void **state)
{
    BENCH(bench);
    tree_write(&bench.tree, "/etc/nginx/proxy.conf", "proxy_pass http://127.0.0.1:8000;\n");
    bench_site(&bench, "shop", site(&bench, "shop.de", "", "        include proxy.conf;\n"));
    assert_site(&bench, "nginx: {server: shop.de, set: {proxy_read_timeout: 65s}}",
                site(&bench, "shop.de", "", "        include proxy.conf;\n        proxy_read_timeout 65s;\n"));
}

static void a_file_with_lua_is_refused(void **state)
{
    BENCH(bench);
    bench_site(&bench, "shop",
               site(&bench, "shop.de", "    rewrite_by_lua_block { if x then return \"}\" end }\n", PASS));
    assert_error(&bench.tree, bench_try(&bench, "nginx: {server: shop.de, set: {proxy_read_timeout: 65s}}"),
                 ERR_REFUSED, "sites-enabled/shop:4:5");
}

static void without_nginx_it_is_refused_or_skipped(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    assert_error(&bench.tree, bench_try(&bench, "nginx: {upstream_of: auto, align: {}}"), ERR_REFUSED,
                 "there is no nginx");
    bench_apply(&bench, "nginx: {upstream_of: auto, when_absent: skip, align: {}}");
    assert_int_equal(bench_edits(&bench), 0);
    assert_true(bench_noted(&bench, NOTE_WARNING, "no nginx here"));
}

static void a_configuration_that_is_broken_already_is_refused(void **state)
{
    BENCH(bench);
    bench_site(&bench, "shop", "server {\n    server_name shop.de;\n");
    assert_error(&bench.tree, bench_try(&bench, "nginx: {server: shop.de, set: {proxy_read_timeout: 65s}}"),
                 ERR_REFUSED, "sites-enabled/shop:");
}

static void a_time_of_zero_is_no_value(void **state)
{
    BENCH(bench);
    bench_site(&bench, "shop", site(&bench, "shop.de", "", PASS));
    assert_error(&bench.tree, bench_try(&bench, "nginx: {server: shop.de, set: {proxy_read_timeout: 0s}}"), ERR_INVALID,
                 "too small");
}

static void contradictions_in_the_wish_are_told(void **state)
{
    BENCH(bench);
    assert_error(&bench.tree, bench_try(&bench, "nginx: {set: {proxy_read_timeout: 65s}}"), ERR_INVALID,
                 "either upstream_of");
    assert_error(&bench.tree, bench_try(&bench, "nginx: {server: x, align: {}}"), ERR_INVALID, "upstream_of");
    assert_error(&bench.tree, bench_try(&bench, "nginx: {server: x}"), ERR_INVALID, "nothing to do");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_directive_of_the_location_is_replaced_and_nothing_else),
        cmocka_unit_test(a_missing_directive_follows_proxy_pass_in_its_indentation),
        cmocka_unit_test(line_endings_of_dos_stay),
        cmocka_unit_test(an_inherited_timeout_is_overruled_in_the_location_alone),
        cmocka_unit_test(an_inherited_timeout_that_suffices_stays),
        cmocka_unit_test(the_default_of_nginx_counts),
        cmocka_unit_test(set_at_least_and_align_give_one_value),
        cmocka_unit_test(align_uses_the_timeout_that_the_change_before_it_set),
        cmocka_unit_test(aligning_with_a_timeout_that_limits_nothing_is_told),
        cmocka_unit_test(nginx_cannot_be_aligned_with_no_timeout),
        cmocka_unit_test(the_target_of_an_enabled_site_is_edited_and_the_link_stays),
        cmocka_unit_test(all_sites_that_lead_to_the_service_are_edited_and_no_other),
        cmocka_unit_test(behind_a_socket_unit_its_address_counts),
        cmocka_unit_test(a_service_behind_no_location_is_refused),
        cmocka_unit_test(an_if_takes_the_timeout_of_its_location),
        cmocka_unit_test(a_location_that_proxies_nowhere_is_refused),
        cmocka_unit_test(of_two_servers_with_one_name_one_must_be_meant),
        cmocka_unit_test(an_unknown_server_or_location_is_refused_with_those_there_are),
        cmocka_unit_test(a_file_included_twice_is_refused_with_both_places),
        cmocka_unit_test(a_snippet_that_is_included_twice_does_not_hinder_an_edit_beside_it),
        cmocka_unit_test(proxy_pass_in_a_snippet_leads_to_the_location_that_includes_it),
        cmocka_unit_test(a_file_with_lua_is_refused),
        cmocka_unit_test(without_nginx_it_is_refused_or_skipped),
        cmocka_unit_test(a_configuration_that_is_broken_already_is_refused),
        cmocka_unit_test(a_time_of_zero_is_no_value),
        cmocka_unit_test(contradictions_in_the_wish_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
