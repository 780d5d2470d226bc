/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "gunicorn-unit.h"

#define TEMPLATES "/etc/salve/templates/"
#define SITE      "/etc/nginx/sites-available/shop"
#define APPLY     "template: {name: t, path: " SITE "}"

static void bench_variable(Bench *bench, const char *name, ValueKind kind, const char *text)
{
    Variable *variable = vec_push(bench->tree.arena, &bench->scope.variables);
    *variable = (Variable){.name = name, .type = {.kind = kind}};
    assert_done(&bench->tree,
                value_parse(bench->tree.arena, &variable->type, text, &variable->value, &bench->tree.err));
}

static void bench_template(Bench *bench, const char *text)
{
    tree_write(&bench->tree, TEMPLATES "t", text);
}

static const FileState *bench_state(Bench *bench, const char *path)
{
    const FileState *state = NULL;
    assert_done(&bench->tree, view_get(bench->context.view, path, &state, &bench->tree.err));
    return state;
}

static void a_file_is_made_from_variables_in_the_escaping_of_its_template(void **state)
{
    BENCH(bench);
    bench_variable(&bench, "log", VALUE_TEXT, "a; b");
    bench_variable(&bench, "patience", VALUE_DURATION, "2min");
    bench_template(&bench, "{{! escape: nginx }}\nerror_log {{ log }};\nproxy_read_timeout {{ patience_seconds }}s;\n");
    bench_apply(&bench, APPLY);
    assert_string_equal(bench_text(&bench, SITE), "error_log \"a; b\";\nproxy_read_timeout 120s;\n");
    assert_int_equal(bench_state(&bench, SITE)->mode, 0644);
    bench_assert_settled(&bench, APPLY);
    assert_true(bench_noted(&bench, NOTE_INFO, "stays"));
}

static void facts_are_in_reach(void **state)
{
    BENCH(bench);
    tree_write(&bench.tree, "/etc/hostname", "web1\n");
    tree_write(&bench.tree, "/etc/nginx/nginx.conf", "user www-data;\nhttp { }\n");
    bench_gunicorn(&bench, "/srv/venv/bin/gunicorn -b 0.0.0.0:8000 -t 45 --threads 2 a:b", "");
    bench_template(&bench,
                   "{{! escape: raw }}\n{{ host.name }} {{ gunicorn.unit }} {{ gunicorn.timeout }} "
                   "{{ gunicorn.worker_class }} {{ gunicorn.backend }} {{ gunicorn.application }} "
                   "{{ gunicorn.program }} {{ gunicorn.directory }} {{ gunicorn.user }} {{ nginx.directory }} "
                   "{{#nginx.present}}{{ nginx.user }}{{/nginx.present}} {{#gunicorn.socket}}socket{{/gunicorn.socket}}"
                   "{{#gunicorn.binds}}[{{ . }}]{{/gunicorn.binds}}\n");
    bench_apply(&bench, APPLY);
    assert_string_equal(bench_text(&bench, SITE),
                        "web1 gunicorn.service 45 gthread 127.0.0.1:8000 a:b /srv/venv/bin/gunicorn /srv/site www-data "
                        "/etc/nginx www-data [0.0.0.0:8000]\n");
}

static void the_backend_is_as_nginx_names_it(void **state)
{
    static const char *const rows[][2] = {{"unix:/run/g.sock", "unix:/run/g.sock"},
                                          {"[::1]:8000", "[::1]:8000"},
                                          {":80", "127.0.0.1:80"},
                                          {"[::]:8000", "[::1]:8000"},
                                          {"10.0.0.5:80", "10.0.0.5:80"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        BENCH(bench);
        bench_gunicorn(&bench, arena_printf(bench.tree.arena, "/bin/gunicorn -b %s a:b", rows[i][0]), "");
        bench_template(&bench, "{{! escape: raw }}\n{{ gunicorn.backend }}");
        bench_apply(&bench, APPLY);
        assert_string_equal(bench_text(&bench, SITE), rows[i][1]);
    }
}

static void facts_of_an_edited_view_are_those_of_the_change_before(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    bench_template(&bench, "{{! escape: raw }}\n{{ gunicorn.timeout }}");
    bench_apply(&bench, "gunicorn: {exactly: {timeout: 75s}}");
    bench_apply(&bench, APPLY);
    assert_string_equal(bench_text(&bench, SITE), "75");
}

static void facts_that_nobody_asks_for_are_not_needed(void **state)
{
    BENCH(bench);
    bench_template(&bench, "{{! escape: raw }}\nhello\n");
    bench_apply(&bench, APPLY);
    bench_template(&bench, "{{! escape: raw }}\n{{ gunicorn.timeout }}\n");
    bench_look(&bench);
    assert_error(&bench.tree, bench_try(&bench, APPLY), ERR_REFUSED, "template t asks for gunicorn.*");
}

static void an_unknown_name_is_told_with_its_place_in_the_template(void **state)
{
    BENCH(bench);
    bench_template(&bench, "{{! escape: nginx }}\nlisten 80;\n  name {{ nmae }};\n");
    assert_error(&bench.tree, bench_try(&bench, APPLY), ERR_INVALID, TEMPLATES "t:3:8");
    bench_template(&bench, "{{! escape: nginx }}\n{{ host.shoe_size }}\n");
    bench_look(&bench);
    assert_error(&bench.tree, bench_try(&bench, APPLY), ERR_INVALID, TEMPLATES "t:2:1");
    assert_int_equal(bench_edits(&bench), 0);
}

static void a_template_that_does_not_say_its_escaping_is_refused(void **state)
{
    BENCH(bench);
    bench_template(&bench, "hello\n");
    assert_error(&bench.tree, bench_try(&bench, APPLY), ERR_INVALID, "{{! escape: nginx }}");
}

static void only_raw_templates_may_write_raw(void **state)
{
    BENCH(bench);
    bench_variable(&bench, "x", VALUE_TEXT, "a;b");
    bench_template(&bench, "{{! escape: nginx }}\n{{{ x }}}\n");
    assert_true(bench_try(&bench, APPLY) < 0);
    bench_template(&bench, "{{! escape: raw }}\n{{{ x }}}\n");
    bench_look(&bench);
    bench_apply(&bench, APPLY);
    assert_string_equal(bench_text(&bench, SITE), "a;b\n");
}

static void partials_are_found_like_templates_and_may_ask_for_facts(void **state)
{
    BENCH(bench);
    tree_write(&bench.tree, "/etc/hostname", "web1\n");
    tree_write(&bench.tree, "/usr/share/salve/templates/head", "{{! escape: raw }}\n# {{ host.name }}\n");
    bench_template(&bench, "{{! escape: raw }}\n{{> head }}\nend\n");
    bench_apply(&bench, APPLY);
    assert_string_equal(bench_text(&bench, SITE), "# web1\nend\n");
    bench_template(&bench, "{{! escape: raw }}\n{{> ../head }}\n");
    bench_look(&bench);
    assert_error(&bench.tree, bench_try(&bench, APPLY), ERR_INVALID, TEMPLATES "t:2:1");
}

static void the_first_directory_wins_and_an_unknown_template_names_them(void **state)
{
    BENCH(bench);
    tree_write(&bench.tree, "/usr/share/salve/templates/t", "{{! escape: raw }}\nshipped\n");
    bench_apply(&bench, APPLY);
    assert_string_equal(bench_text(&bench, SITE), "shipped\n");
    bench_template(&bench, "{{! escape: raw }}\nown\n");
    bench_look(&bench);
    bench_apply(&bench, APPLY);
    assert_string_equal(bench_text(&bench, SITE), "own\n");
    assert_error(&bench.tree, bench_try(&bench, "template: {name: u, path: " SITE "}"), ERR_REFUSED,
                 "/etc/salve/templates, /usr/share/salve/templates");
    assert_error(&bench.tree, bench_try(&bench, "template: {name: ../../shadow, path: " SITE "}"), ERR_INVALID,
                 "file name without directories");
}

static void a_template_that_others_may_write_is_refused(void **state)
{
    BENCH(bench);
    if (geteuid() != 0)
        skip();
    bench_template(&bench, "{{! escape: raw }}\nx\n");
    assert_int_equal(chmod(tree_path(&bench.tree, TEMPLATES "t"), 0666), 0);
    assert_error(&bench.tree, bench_try(&bench, APPLY), ERR_REFUSED, "everybody can write to");
    assert_int_equal(chmod(tree_path(&bench.tree, TEMPLATES "t"), 0644), 0);
    assert_int_equal(chmod(tree_path(&bench.tree, "/etc/salve/templates"), 0777), 0);
    bench_look(&bench);
    assert_error(&bench.tree, bench_try(&bench, APPLY), ERR_REFUSED, "/etc/salve/templates on its way");
}

static void files_are_made_below_managed_roots_only(void **state)
{
    BENCH(bench);
    bench_template(&bench, "{{! escape: raw }}\nx\n");
    tree_write(&bench.tree, "/root/.profile", "");
    tree_link(&bench.tree, "/etc/nginx/away", "/root");
    tree_link(&bench.tree, "/etc/nginx/profile", "/root/.profile");
    static const char *const rows[][2] = {
        {"/etc/cron.d/x", "below no managed root"},    {"/etc/nginx", "below no managed root"},
        {"/etc/nginx/away/x", "leads to /root/x"},     {"/etc/nginx/profile", "leads to /root/.profile"},
        {"/etc/nginx/conf.d/.x", "starts with a dot"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_error(&bench.tree,
                     bench_try(&bench, arena_printf(bench.tree.arena, "template: {name: t, path: %s}", rows[i][0])),
                     ERR_REFUSED, rows[i][1]);
    assert_int_equal(bench_edits(&bench), 0);
}

static void behind_a_link_the_target_is_written_and_keeps_owner_and_mode(void **state)
{
    BENCH(bench);
    bench_template(&bench, "{{! escape: raw }}\nx\n");
    tree_write(&bench.tree, SITE, "old\n");
    assert_int_equal(chmod(tree_path(&bench.tree, SITE), 0640), 0);
    tree_link(&bench.tree, "/etc/nginx/sites-enabled/shop", "../sites-available/shop");
    bench_apply(&bench, "template: {name: t, path: /etc/nginx/sites-enabled/shop}");
    assert_string_equal(bench_text(&bench, SITE), "x\n");
    assert_int_equal(bench_state(&bench, SITE)->mode, 0640);
    assert_int_equal(bench_state(&bench, "/etc/nginx/sites-enabled/shop")->type, FILE_SYMLINK);
}

static void mode_and_owner_are_set_where_given(void **state)
{
    BENCH(bench);
    bench_template(&bench, "{{! escape: raw }}\nx\n");
    tree_write(&bench.tree, "/etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:33:33::/var/www:/bin/false\n");
    tree_write(&bench.tree, "/etc/group", "root:x:0:\nwebby:x:44:\nweb:x:33:\n");
    bench_apply(&bench, "template: {name: t, path: " SITE ", mode: \"0640\", owner: \"root:web\"}");
    assert_int_equal(bench_state(&bench, SITE)->mode, 0640);
    assert_int_equal(bench_state(&bench, SITE)->uid, 0);
    assert_int_equal(bench_state(&bench, SITE)->gid, 33);
    assert_error(&bench.tree, bench_try(&bench, "template: {name: t, path: " SITE ", owner: nobody}"), ERR_REFUSED,
                 "there is no nobody in /etc/passwd");
    assert_error(&bench.tree, bench_try(&bench, "template: {name: t, path: " SITE ", mode: \"4755\"}"), ERR_INVALID,
                 "not a file mode");
    assert_error(&bench.tree, bench_try(&bench, "template: {name: t, path: " SITE ", mode: \"0666\"}"), ERR_INVALID,
                 "everybody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_made_from_variables_in_the_escaping_of_its_template),
        cmocka_unit_test(facts_are_in_reach),
        cmocka_unit_test(the_backend_is_as_nginx_names_it),
        cmocka_unit_test(facts_of_an_edited_view_are_those_of_the_change_before),
        cmocka_unit_test(facts_that_nobody_asks_for_are_not_needed),
        cmocka_unit_test(an_unknown_name_is_told_with_its_place_in_the_template),
        cmocka_unit_test(a_template_that_does_not_say_its_escaping_is_refused),
        cmocka_unit_test(only_raw_templates_may_write_raw),
        cmocka_unit_test(partials_are_found_like_templates_and_may_ask_for_facts),
        cmocka_unit_test(the_first_directory_wins_and_an_unknown_template_names_them),
        cmocka_unit_test(a_template_that_others_may_write_is_refused),
        cmocka_unit_test(files_are_made_below_managed_roots_only),
        cmocka_unit_test(behind_a_link_the_target_is_written_and_keeps_owner_and_mode),
        cmocka_unit_test(mode_and_owner_are_set_where_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
