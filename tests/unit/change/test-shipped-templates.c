/* SPDX-License-Identifier: Apache-2.0 */
/* What the shipped templates make is read as it is meant: by the readers of stack/ over the same view. */
#include "gunicorn-unit.h"
#include "stack/nginx.h"

static const struct {
    const char *name;
    ValueKind kind;
    const char *text;
} variables[] = {
    {"application", VALUE_WORD, "site.wsgi:application"},
    {"program", VALUE_PATH, "/srv/venv/bin/gunicorn"},
    {"directory", VALUE_PATH, "/srv/site"},
    {"environment_file", VALUE_PATH, ENV_PATH},
    {"user", VALUE_WORD, "site"},
    {"group", VALUE_WORD, "www-data"},
    {"bind", VALUE_WORD, "127.0.0.1:8000"},
    {"workers", VALUE_INT, "3"},
    {"threads", VALUE_INT, "1"},
    {"worker_class", VALUE_WORD, "sync"},
    {"timeout", VALUE_DURATION, "90s"},
    {"graceful_timeout", VALUE_DURATION, "30s"},
    {"stop_timeout", VALUE_DURATION, "35s"},
    {"socket_path", VALUE_PATH, "/run/gunicorn.sock"},
    {"web_user", VALUE_WORD, "www-data"},
    {"server_name", VALUE_HOST, "shop.de"},
    {"upstream", VALUE_WORD, "app"},
    {"backend", VALUE_WORD, "127.0.0.1:8000"},
    {"http2", VALUE_BOOL, "false"},
    {"certificate", VALUE_PATH, "/etc/ssl/shop.pem"},
    {"certificate_key", VALUE_PATH, "/etc/ssl/shop.key"},
    {"static_root", VALUE_PATH, "/srv/static"},
    {"media_root", VALUE_PATH, "/srv/media"},
    {"max_body", VALUE_SIZE, "10MiB"},
    {"connect_timeout", VALUE_DURATION, "5s"},
    {"read_timeout", VALUE_DURATION, "95s"},
    {"send_timeout", VALUE_DURATION, "60s"},
};

static void bench_set(Bench *bench, const char *name, ValueKind kind, const char *text)
{
    Variable *variable = vec_push(bench->tree.arena, &bench->scope.variables);
    *variable = (Variable){.name = name, .type = {.kind = kind}};
    assert_done(&bench->tree,
                value_parse(bench->tree.arena, &variable->type, text, &variable->value, &bench->tree.err));
}

/* Puts a shipped template where salve finds it, and gives all variables values. */
static void bench_ship(Bench *bench, const char *const *names, bool socket, bool tls)
{
    Arena *arena = bench->tree.arena;
    for (; *names; names++) {
        Bytes text = BYTES("");
        const char *path = arena_printf(arena, "%s/templates/%s", getenv("SALVE_SOURCE"), *names);
        FileState shipped;
        assert_done(&bench->tree, file_read(arena, "", path, &shipped, &bench->tree.err));
        text = shipped.content;
        tree_write(&bench->tree, arena_printf(arena, "/usr/share/salve/templates/%s", *names), text.data);
    }
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        bench_set(bench, variables[i].name, variables[i].kind, variables[i].text);
    bench_set(bench, "socket", VALUE_BOOL, socket ? "true" : "false");
    bench_set(bench, "tls", VALUE_BOOL, tls ? "true" : "false");
}

static const GunicornFacts *load_gunicorn(Bench *bench)
{
    const GunicornFacts *facts = NULL;
    assert_done(&bench->tree, gunicorn_load(bench->context.view, "gunicorn", &facts, &bench->tree.err));
    assert_non_null(facts);
    VEC_EACH (file, &facts->unit->files)
        assert_int_equal((*file)->issues.n, 0);
    assert_int_equal(facts->args.unknown.n, 0);
    return facts;
}

static void assert_settings(Bench *bench)
{
    const GunicornFacts *facts = load_gunicorn(bench);
    static const char *const settings[][2] = {
        {"timeout", "90"}, {"graceful_timeout", "30"}, {"workers", "3"}, {"threads", "1"}, {"worker_class", "sync"}};
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        assert_string_equal(gunicorn_value(facts, settings[i][0])->value, settings[i][1]);
    assert_string_equal(facts->application, "site.wsgi:application");
    assert_string_equal(unit_value(facts->unit, "Service", "TimeoutStopSec"), "35");
    assert_null(facts->exec.inexact);
}

#define SERVICE "template: {name: gunicorn.service, path: " UNIT_PATH "}"

static void the_service_runs_gunicorn_with_its_settings(void **state)
{
    BENCH(bench);
    tree_write(&bench.tree, ENV_PATH, "A=1\n");
    bench_ship(&bench, (const char *const[]){"gunicorn.service", NULL}, false, false);
    bench_apply(&bench, SERVICE);
    assert_settings(&bench);
    assert_string_equal(load_gunicorn(&bench)->binds.items[0].text, "127.0.0.1:8000");
    bench_assert_settled(&bench, SERVICE);
}

static void service_and_socket_belong_together(void **state)
{
    BENCH(bench);
    tree_write(&bench.tree, ENV_PATH, "A=1\n");
    bench_ship(&bench, (const char *const[]){"gunicorn.service", "gunicorn.socket", NULL}, true, false);
    bench_apply(&bench, SERVICE);
    bench_apply(&bench, "template: {name: gunicorn.socket, path: /etc/systemd/system/gunicorn.socket}");
    assert_settings(&bench);
    const GunicornFacts *facts = load_gunicorn(&bench);
    assert_int_equal(facts->sockets.n, 1);
    assert_string_equal(facts->binds.items[0].path, "/run/gunicorn.sock");
}

static void the_dropin_replaces_the_command(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn --timeout 10 c:d", "");
    bench_ship(&bench, (const char *const[]){"gunicorn-dropin.conf", NULL}, false, false);
    bench_apply(&bench, "template: {name: gunicorn-dropin.conf, path: "
                        "/etc/systemd/system/gunicorn.service.d/50-command.conf}");
    assert_settings(&bench);
}

static void assert_site_proxies(bool tls)
{
    BENCH(bench);
    const NginxFacts *facts = NULL;
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, "/etc/nginx/nginx.conf", "events { }\nhttp {\n    include sites-enabled/*;\n}\n");
    bench_ship(&bench, (const char *const[]){"nginx-site.conf", NULL}, false, tls);
    bench_apply(&bench, "template: {name: nginx-site.conf, path: /etc/nginx/sites-available/shop}");
    bench_apply(&bench, "symlink: {path: /etc/nginx/sites-enabled/shop, target: ../sites-available/shop}");
    assert_done(&bench.tree, nginx_load(bench.context.view, &facts, &bench.tree.err));
    assert_int_equal(facts->servers.n, tls ? 2 : 1);
    NginxLocationVec found;
    nginx_locations_of(facts, load_gunicorn(&bench), bench.tree.arena, &found);
    assert_int_equal(found.n, 1);
    assert_int_equal(found.items[0]->read_timeout.value, 95 * USEC_PER_SEC);
    bench_apply(&bench, "nginx: {upstream_of: gunicorn, at_least: {proxy_read_timeout: 120s}}");
    assert_has(bench_text(&bench, "/etc/nginx/sites-available/shop"), "proxy_read_timeout 120s;");
}

static void the_site_proxies_to_the_service_and_can_be_edited_afterwards(void **state)
{
    assert_site_proxies(false);
    assert_site_proxies(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_service_runs_gunicorn_with_its_settings),
        cmocka_unit_test(service_and_socket_belong_together),
        cmocka_unit_test(the_dropin_replaces_the_command),
        cmocka_unit_test(the_site_proxies_to_the_service_and_can_be_edited_afterwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
