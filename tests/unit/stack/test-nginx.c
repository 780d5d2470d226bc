/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/nginx.h"

#include "tree.h"

#define MAIN                                                                                                           \
    "user www-data;\n"                                                                                                 \
    "error_log /var/log/nginx/error.log;\n"                                                                            \
    "http {\n"                                                                                                         \
    "    access_log /var/log/nginx/access.log;\n"                                                                      \
    "    proxy_read_timeout 90s;\n"                                                                                    \
    "    include /etc/nginx/conf.d/*.conf;\n"                                                                          \
    "    include /etc/nginx/sites-enabled/*;\n"                                                                        \
    "}\n"

#define SITE                                                                                                           \
    "upstream django_app {\n"                                                                                          \
    "    server 127.0.0.1:8000;\n"                                                                                     \
    "}\n"                                                                                                              \
    "server {\n"                                                                                                       \
    "    listen 443 ssl http2;\n"                                                                                      \
    "    server_name example.com www.example.com;\n"                                                                   \
    "    location /static/ {\n"                                                                                        \
    "        alias /srv/myproject/shared/static/;\n"                                                                   \
    "    }\n"                                                                                                          \
    "    location / {\n"                                                                                               \
    "        proxy_pass http://django_app;\n"                                                                          \
    "        proxy_connect_timeout 5s;\n"                                                                              \
    "        proxy_read_timeout 60s;\n"                                                                                \
    "    }\n"                                                                                                          \
    "}\n"

static Tree site_tree(const char *site)
{
    Tree tree = tree_new();
    tree_write(&tree, "/etc/nginx/nginx.conf", MAIN);
    tree_write(&tree, "/etc/nginx/sites-available/shop", site);
    tree_link(&tree, "/etc/nginx/sites-enabled/shop", "/etc/nginx/sites-available/shop");
    return tree;
}

static const NginxFacts *load(Tree *tree)
{
    const NginxFacts *facts = NULL;
    assert_done(tree, nginx_load(tree_view(tree), &facts, &tree->err));
    assert_non_null(facts);
    return facts;
}

static GunicornFacts *bound_to(Tree *tree, const char *bind)
{
    GunicornFacts *gunicorn = arena_new_of(tree->arena, GunicornFacts);
    *vec_push(tree->arena, &gunicorn->binds) = address_of_bind(tree->arena, bind);
    return gunicorn;
}

static void a_proxied_location_is_found_by_its_service(void **state)
{
    CLEANUP(tree_free) Tree tree = site_tree(SITE);
    const NginxFacts *facts = load(&tree);
    NginxLocationVec found;
    assert_int_equal(facts->locations.n, 2);
    nginx_locations_of(facts, bound_to(&tree, "0.0.0.0:8000"), tree.arena, &found);
    assert_int_equal(found.n, 1);
    assert_string_equal(found.items[0]->path, "/");
    assert_string_equal(found.items[0]->upstream, "django_app");
    assert_string_equal(nginx_describe_location(tree.arena, found.items[0]),
                        "server example.com www.example.com, location / (/etc/nginx/sites-enabled/shop:10)");
    nginx_locations_of(facts, bound_to(&tree, "127.0.0.1:8001"), tree.arena, &found);
    assert_int_equal(found.n, 0);
}

static void timeouts_are_inherited_with_their_origin(void **state)
{
    CLEANUP(tree_free) Tree tree = site_tree(SITE);
    const NginxFacts *facts = load(&tree);
    const NginxLocation *files = facts->locations.items[0], *app = facts->locations.items[1];
    assert_int_equal(app->read_timeout.value, 60 * USEC_PER_SEC);
    assert_int_equal(app->read_timeout.node->line, 13);
    assert_int_equal(app->connect_timeout.value, 5 * USEC_PER_SEC);
    assert_int_equal(app->send_timeout.value, 60 * USEC_PER_SEC);
    assert_null(app->send_timeout.node);
    assert_int_equal(files->read_timeout.value, 90 * USEC_PER_SEC);
    assert_string_equal(files->read_timeout.node->file->path, "/etc/nginx/nginx.conf");
}

static void all_shapes_of_proxy_pass_are_resolved(void **state)
{
    CLEANUP(tree_free)
    Tree tree = site_tree("server {\n"
                          "  server_name a;\n"
                          "  location /one { proxy_pass http://unix:/run/gunicorn.sock:/x/; }\n"
                          "  location /two { proxy_pass http://localhost:8000/sub; }\n"
                          "  location /three { proxy_pass https://backend; }\n"
                          "  location /four { proxy_pass http://$name; }\n"
                          "  location ~*\\.php$ { if ($x) { proxy_pass http://later; } }\n"
                          "}\n"
                          "upstream later { server unix:/var/run/l.sock fail_timeout=0; }\n");
    const NginxFacts *facts = load(&tree);
    NginxLocation **items = (NginxLocation **)facts->locations.items;
    assert_int_equal(facts->locations.n, 6);
    assert_string_equal(items[0]->targets.items[0].path, "/run/gunicorn.sock");
    assert_string_equal(items[1]->targets.items[0].host, "localhost");
    assert_int_equal(items[1]->targets.items[0].port, 8000);
    assert_int_equal(items[2]->targets.items[0].port, 443);
    assert_int_equal(items[3]->targets.items[0].kind, ADDRESS_UNKNOWN);
    assert_string_equal(items[4]->modifier, "~*");
    assert_string_equal(items[4]->path, "\\.php$");
    assert_null(items[4]->proxy_pass);
    assert_string_equal(items[5]->node->name, "if");
    assert_string_equal(items[5]->targets.items[0].path, "/run/l.sock");
}

static void a_server_named_twice_must_be_told_apart(void **state)
{
    CLEANUP(tree_free)
    Tree tree = site_tree("server { listen 80; server_name shop.example; }\n"
                          "server { listen 443 ssl; server_name Shop.Example; location / { } }\n");
    const NginxFacts *facts = load(&tree);
    const NginxServer *server;
    const NginxLocation *location;
    assert_error(&tree, nginx_find_server(facts, "shop.example", NULL, &server, &tree.err), ERR_REFUSED,
                 "sites-enabled/shop:1 and /etc/nginx/sites-enabled/shop:2; say which with listen");
    assert_done(&tree, nginx_find_server(facts, "shop.example", "443", &server, &tree.err));
    assert_int_equal(server->node->line, 2);
    assert_true(server->listens.items[0].ssl);
    assert_error(&tree, nginx_find_server(facts, "other.example", NULL, &server, &tree.err), ERR_REFUSED,
                 "no server \"other.example\"; there are: shop.example");
    assert_done(&tree, nginx_find_location(facts, server, "/", &location, &tree.err));
    assert_error(&tree, nginx_find_location(facts, server, "= /x", &location, &tree.err), ERR_REFUSED,
                 "no location = /x; there are: /");
}

static void a_location_is_found_by_modifier_and_path(void **state)
{
    CLEANUP(tree_free)
    Tree tree = site_tree("server { server_name s;\n"
                          "  location /app { }\n"
                          "  location = /app { }\n"
                          "  location ^~ /app { location /app { } }\n"
                          "  location @app { }\n"
                          "}\n");
    const NginxFacts *facts = load(&tree);
    const NginxServer *server = facts->servers.items[0];
    const NginxLocation *location;
    assert_done(&tree, nginx_find_location(facts, server, "=/app", &location, &tree.err));
    assert_int_equal(location->node->line, 3);
    assert_done(&tree, nginx_find_location(facts, server, "^~ /app", &location, &tree.err));
    assert_int_equal(location->node->line, 4);
    assert_done(&tree, nginx_find_location(facts, server, "@app", &location, &tree.err));
    assert_error(&tree, nginx_find_location(facts, server, "/app", &location, &tree.err), ERR_REFUSED,
                 "there 2 times: /etc/nginx/sites-enabled/shop:2 and /etc/nginx/sites-enabled/shop:4");
}

static void the_first_of_two_equal_server_names_wins_and_is_told(void **state)
{
    CLEANUP(tree_free) Tree tree = site_tree(SITE);
    tree_write(&tree, "/etc/nginx/conf.d/old.conf", "server { listen *:443; server_name www.example.com; }\n");
    const NginxFacts *facts = load(&tree);
    assert_int_equal(facts->conflicts.n, 1);
    assert_string_equal(facts->conflicts.items[0],
                        "server name www.example.com on *:443 is in /etc/nginx/conf.d/old.conf:1 and "
                        "/etc/nginx/sites-enabled/shop:4: nginx uses the first");
}

static void logs_follow_the_levels(void **state)
{
    CLEANUP(tree_free)
    Tree tree = site_tree("server { server_name a; error_log /srv/a.log warn;\n"
                          "  access_log off;\n"
                          "  location / { access_log logs/inner.log; } }\n"
                          "server { server_name b; error_log syslog:server=unix:/dev/log; }\n"
                          "server { server_name c; }\n");
    const NginxFacts *facts = load(&tree);
    NginxServer **servers = facts->servers.items;
    assert_int_equal(facts->error_logs.n, 2);
    assert_string_equal(facts->error_logs.items[0], "/var/log/nginx/error.log");
    assert_string_equal(facts->error_logs.items[1], "/srv/a.log");
    assert_int_equal(facts->access_logs.n, 2);
    assert_int_equal(servers[0]->error_logs.n, 1);
    assert_string_equal(servers[0]->error_logs.items[0], "/srv/a.log");
    assert_int_equal(servers[0]->access_logs.n, 1);
    assert_string_equal(servers[0]->access_logs.items[0], "/usr/share/nginx/logs/inner.log");
    assert_int_equal(servers[1]->error_logs.n, 0);
    assert_string_equal(servers[2]->error_logs.items[0], "/var/log/nginx/error.log");
    assert_int_equal(facts->log_notes.n, 2);
    assert_string_equal(facts->log_notes.items[0],
                        "error_log syslog:server=unix:/dev/log (/etc/nginx/sites-enabled/shop:4)");
}

static void nginx_defaults_count_where_nothing_is_set(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/nginx/nginx.conf", "events {}\nhttp { server { location / { } } }\n");
    const NginxFacts *facts = load(&tree);
    assert_string_equal(facts->error_logs.items[0], "/var/log/nginx/error.log");
    assert_string_equal(facts->access_logs.items[0], "/var/log/nginx/access.log");
    assert_int_equal(facts->servers.items[0]->listens.items[0].address.port, 80);
    assert_int_equal(facts->locations.items[0]->read_timeout.value, 60 * USEC_PER_SEC);
}

static void files_are_named_as_included_and_as_resolved(void **state)
{
    CLEANUP(tree_free) Tree tree = site_tree(SITE);
    const NginxFacts *facts = load(&tree);
    assert_int_equal(facts->files.n, 3);
    assert_string_equal(facts->files.items[0], "/etc/nginx/nginx.conf");
    assert_string_equal(facts->files.items[1], "/etc/nginx/sites-enabled/shop");
    assert_string_equal(facts->files.items[2], "/etc/nginx/sites-available/shop");
}

static void a_host_without_nginx_is_no_error(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    const NginxFacts *facts;
    assert_int_equal(nginx_load(tree_view(&tree), &facts, &tree.err), NGINX_ABSENT);
    tree_write(&tree, "/etc/nginx/nginx.conf", "http { server { location / { proxy_read_timeout soon; } } }\n");
    assert_error(&tree, nginx_load(tree_view(&tree), &facts, &tree.err), ERR_INVALID, "nginx.conf:1:");
}

static void pending_edits_are_seen(void **state)
{
    CLEANUP(tree_free) Tree tree = site_tree(SITE);
    View *view = tree_view(&tree);
    const NginxFacts *facts;
    assert_done(&tree, view_write(view, "/etc/nginx/sites-enabled/shop",
                                  BYTES("server { location / { proxy_read_timeout 3m; } }\n"), &tree.err));
    assert_done(&tree, nginx_load(view, &facts, &tree.err));
    assert_int_equal(facts->locations.items[0]->read_timeout.value, 3 * USEC_PER_MIN);
    assert_done(&tree, nginx_load(view_before(view), &facts, &tree.err));
    assert_int_equal(facts->locations.items[1]->read_timeout.value, 60 * USEC_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proxied_location_is_found_by_its_service),
        cmocka_unit_test(timeouts_are_inherited_with_their_origin),
        cmocka_unit_test(all_shapes_of_proxy_pass_are_resolved),
        cmocka_unit_test(a_server_named_twice_must_be_told_apart),
        cmocka_unit_test(a_location_is_found_by_modifier_and_path),
        cmocka_unit_test(the_first_of_two_equal_server_names_wins_and_is_told),
        cmocka_unit_test(logs_follow_the_levels),
        cmocka_unit_test(nginx_defaults_count_where_nothing_is_set),
        cmocka_unit_test(files_are_named_as_included_and_as_resolved),
        cmocka_unit_test(a_host_without_nginx_is_no_error),
        cmocka_unit_test(pending_edits_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
