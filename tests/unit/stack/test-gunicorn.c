/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/gunicorn.h"

#include "stack/gunicorn-command.h"
#include "tree.h"

#define UNIT_PATH "/etc/systemd/system/gunicorn.service"

/* The unit of the runbook. */
#define RUNBOOK                                                                                                        \
    "[Unit]\n"                                                                                                         \
    "Description=gunicorn\n"                                                                                           \
    "[Service]\n"                                                                                                      \
    "User=django\n"                                                                                                    \
    "Group=www-data\n"                                                                                                 \
    "EnvironmentFile=/etc/myproject/gunicorn.env\n"                                                                    \
    "WorkingDirectory=/srv/myproject/current\n"                                                                        \
    "ExecStart=/srv/myproject/venv/bin/gunicorn \\\n"                                                                  \
    "    --bind 127.0.0.1:8000 \\\n"                                                                                   \
    "    --workers 3 \\\n"                                                                                             \
    "    --threads 2 \\\n"                                                                                             \
    "    --timeout 30 \\\n"                                                                                            \
    "    --graceful-timeout 30 \\\n"                                                                                   \
    "    myproject.wsgi:application\n"

static Tree unit_tree(const char *unit)
{
    Tree tree = tree_new();
    tree_write(&tree, UNIT_PATH, unit);
    return tree;
}

static const GunicornFacts *load(Tree *tree)
{
    const GunicornFacts *facts = NULL;
    int r = gunicorn_load(tree_view(tree), "gunicorn.service", &facts, &tree->err);
    if (r < 0)
        fail_msg("%s", err_text(&tree->err));
    assert_int_equal(r, 0);
    return facts;
}

static void assert_value(const GunicornFacts *facts, const char *name, const char *value, GunicornOrigin origin,
                         const char *path, unsigned line)
{
    const GunicornValue *found = gunicorn_value(facts, name);
    assert_non_null(found);
    assert_int_equal(found->origin, origin);
    assert_string_equal(found->value, value);
    if (path)
        assert_string_equal(found->path, path);
    assert_int_equal(found->line, line);
}

static void flags_of_the_unit_are_found_with_their_lines(void **state)
{
    CLEANUP(tree_free) Tree tree = unit_tree(RUNBOOK);
    const GunicornFacts *facts = load(&tree);
    assert_value(facts, "timeout", "30", GUNICORN_FROM_COMMAND, UNIT_PATH, 12);
    assert_value(facts, "workers", "3", GUNICORN_FROM_COMMAND, UNIT_PATH, 10);
    assert_value(facts, "keepalive", "2", GUNICORN_FROM_DEFAULT, NULL, 0);
    assert_string_equal(facts->application, "myproject.wsgi:application");
    assert_int_equal(facts->wrapper, GUNICORN_PLAIN);
    const GunicornValue *timeout = gunicorn_value(facts, "timeout");
    assert_string_equal(facts->argv.items[timeout->index], "--timeout");
    assert_int_equal(timeout->words, 2);
    assert_string_equal(gunicorn_describe(tree.arena, timeout), "--timeout 30 on the command line (" UNIT_PATH ":12)");
    assert_int_equal(facts->binds.n, 1);
    assert_int_equal(facts->binds.items[0].port, 8000);
    assert_null(facts->error_log);
    assert_null(facts->conf_path);
    uint64_t n;
    assert_done(&tree, gunicorn_int(facts, "graceful_timeout", &n, &tree.err));
    assert_int_equal(n, 30);
}

static void threads_make_sync_workers_gthread(void **state)
{
    CLEANUP(tree_free) Tree tree = unit_tree(RUNBOOK);
    const GunicornFacts *facts = load(&tree);
    assert_string_equal(facts->worker_class, "gthread");
    assert_false(facts->timeout_limits_requests);
    assert_non_null(strstr(facts->timeout_reason, "threads 2 makes them gthread"));
    tree_write(&tree, UNIT_PATH, "[Service]\nExecStart=/usr/bin/gunicorn app:app\n");
    facts = load(&tree);
    assert_string_equal(facts->worker_class, "sync");
    assert_true(facts->timeout_limits_requests);
    tree_write(&tree, UNIT_PATH, "[Service]\nExecStart=/usr/bin/gunicorn -t 0 app:app\n");
    assert_false(load(&tree)->timeout_limits_requests);
    tree_write(&tree, UNIT_PATH, "[Service]\nExecStart=/usr/bin/gunicorn -k gevent app:app\n");
    assert_string_equal(load(&tree)->worker_class, "gevent");
    assert_false(load(&tree)->timeout_limits_requests);
}

static void every_definition_is_listed_the_one_that_counts_first(void **state)
{
    CLEANUP(tree_free)
    Tree tree = unit_tree("[Service]\nEnvironmentFile=/etc/g.env\nEnvironment=GUNICORN_CMD_ARGS=--timeout=99\n"
                          "WorkingDirectory=/srv/app\nExecStart=/usr/bin/gunicorn --timeout 30 app:app --timeout 40\n");
    tree_write(&tree, "/etc/g.env", "# x\nGUNICORN_CMD_ARGS=\"--timeout=50 --workers 4\"\nWEB_CONCURRENCY=9\n");
    tree_write(&tree, "/srv/app/gunicorn.conf.py", "workers = 2\ntimeout = 60\n");
    const GunicornFacts *facts = load(&tree);
    GunicornValueVec all;
    gunicorn_definitions(facts, "timeout", &all);
    const char *const values[] = {"40", "30", "50", "60", "30"};
    assert_int_equal(all.n, ARRAY_LEN(values));
    for (size_t i = 0; i < all.n; i++)
        assert_string_equal(all.items[i].value, values[i]);
    assert_string_equal(all.items[2].path, "/etc/g.env");
    assert_int_equal(all.items[2].line, 2);
    assert_string_equal(all.items[3].path, "/srv/app/gunicorn.conf.py");
    assert_int_equal(all.items[3].line, 2);
    gunicorn_definitions(facts, "workers", &all);
    assert_int_equal(all.n, 4);
    assert_int_equal(all.items[0].origin, GUNICORN_FROM_CMD_ARGS);
    assert_int_equal(all.items[1].origin, GUNICORN_FROM_FILE);
    assert_int_equal(all.items[2].origin, GUNICORN_FROM_WEB_CONCURRENCY);
    assert_string_equal(all.items[2].value, "9");
    assert_true(facts->cmd_args_from->from_file);
    assert_int_equal(facts->conf_from, GUNICORN_FROM_DEFAULT);
}

static void web_concurrency_counts_only_as_the_default_of_workers(void **state)
{
    CLEANUP(tree_free)
    Tree tree = unit_tree("[Service]\nEnvironment=WEB_CONCURRENCY=5 PORT=9000\nExecStart=/usr/bin/gunicorn app:app\n");
    const GunicornFacts *facts = load(&tree);
    assert_value(facts, "workers", "5", GUNICORN_FROM_WEB_CONCURRENCY, UNIT_PATH, 2);
    assert_string_equal(facts->binds.items[0].text, "0.0.0.0:9000");
    tree_write(&tree, UNIT_PATH,
               "[Service]\nEnvironment=WEB_CONCURRENCY=5\nExecStart=/usr/bin/gunicorn -w 2 app:app\n");
    assert_value(load(&tree), "workers", "2", GUNICORN_FROM_COMMAND, UNIT_PATH, 3);
}

static void the_configuration_file_is_the_one_gunicorn_reads(void **state)
{
    CLEANUP(tree_free)
    Tree tree = unit_tree("[Service]\nWorkingDirectory=/srv/app\n"
                          "Environment=\"GUNICORN_CMD_ARGS=-c env.py\"\n"
                          "ExecStart=/usr/bin/gunicorn --chdir /srv/other -c conf/cli.py app:app\n");
    tree_write(&tree, "/srv/app/conf/cli.py", "timeout = 61\nerrorlog = \"log/error.log\"\n");
    tree_write(&tree, "/srv/app/env.py", "timeout = 62\n");
    tree_write(&tree, "/srv/app/gunicorn.conf.py", "timeout = 63\n");
    const GunicornFacts *facts = load(&tree);
    assert_string_equal(facts->conf_path, "/srv/app/conf/cli.py");
    assert_value(facts, "timeout", "61", GUNICORN_FROM_FILE, "/srv/app/conf/cli.py", 1);
    assert_string_equal(facts->directory, "/srv/other");
    assert_string_equal(facts->error_log, "/srv/other/log/error.log");
    assert_true(strings_contain(&facts->files, "/srv/app/conf/cli.py"));
    tree_write(&tree, UNIT_PATH,
               "[Service]\nWorkingDirectory=/srv/app\nEnvironment=\"GUNICORN_CMD_ARGS=-c env.py\"\n"
               "ExecStart=/usr/bin/gunicorn app:app\n");
    facts = load(&tree);
    assert_string_equal(facts->conf_path, "/srv/app/env.py");
    assert_int_equal(facts->conf_from, GUNICORN_FROM_CMD_ARGS);
    tree_write(&tree, UNIT_PATH, "[Service]\nExecStart=/usr/bin/gunicorn -c /none.py app:app\n");
    facts = load(&tree);
    assert_null(facts->conf);
    assert_string_equal(facts->conf_path, "/none.py");
}

static void a_computed_value_is_dynamic(void **state)
{
    CLEANUP(tree_free) Tree tree = unit_tree("[Service]\nExecStart=/usr/bin/gunicorn -c /srv/g.py app:app\n");
    tree_write(&tree, "/srv/g.py", "import os\nworkers = os.cpu_count() * 2 + 1\ntimeout = 30\n");
    const GunicornFacts *facts = load(&tree);
    const GunicornValue *workers = gunicorn_value(facts, "workers");
    uint64_t n;
    assert_true(workers->dynamic);
    assert_int_equal(workers->line, 2);
    assert_error(&tree, gunicorn_int(facts, "workers", &n, &tree.err), ERR_REFUSED, "/srv/g.py:2:");
    assert_done(&tree, gunicorn_int(facts, "timeout", &n, &tree.err));
    assert_int_equal(n, 30);
}

static void a_dropin_that_resets_execstart_is_the_origin(void **state)
{
    CLEANUP(tree_free) Tree tree = unit_tree(RUNBOOK);
    tree_write(&tree, "/etc/systemd/system/gunicorn.service.d/override.conf",
               "[Service]\nExecStart=\nExecStart=/usr/bin/python3 -u -m gunicorn --timeout=75 app:app\n");
    const GunicornFacts *facts = load(&tree);
    assert_value(facts, "timeout", "75", GUNICORN_FROM_COMMAND, "/etc/systemd/system/gunicorn.service.d/override.conf",
                 3);
    assert_string_equal(facts->argv.items[facts->program], "gunicorn");
    assert_int_equal(facts->wrapper, GUNICORN_PLAIN);
    assert_int_equal(gunicorn_value(facts, "timeout")->words, 1);
    assert_string_equal(facts->worker_class, "sync");
}

static void a_socket_unit_says_where_it_listens(void **state)
{
    CLEANUP(tree_free)
    Tree tree = unit_tree("[Unit]\nRequires=gunicorn.socket\n[Service]\n"
                          "ExecStart=/usr/bin/gunicorn --bind 127.0.0.1:9999 app:app\n");
    tree_write(&tree, "/etc/systemd/system/gunicorn.socket", "[Socket]\nListenStream=/run/gunicorn.sock\n");
    const GunicornFacts *facts = load(&tree);
    assert_int_equal(facts->sockets.n, 1);
    assert_int_equal(facts->binds.n, 1);
    assert_string_equal(facts->binds.items[0].path, "/run/gunicorn.sock");
}

static void several_binds_of_one_source_add_up(void **state)
{
    CLEANUP(tree_free)
    Tree tree = unit_tree("[Service]\nEnvironment=GUNICORN_CMD_ARGS=--bind=127.0.0.1:1\n"
                          "ExecStart=/usr/bin/gunicorn -b 127.0.0.1:8000 -b unix:/run/g.sock app:app\n");
    const GunicornFacts *facts = load(&tree);
    assert_int_equal(facts->binds.n, 2);
    assert_int_equal(facts->binds.items[0].port, 8000);
    assert_string_equal(facts->binds.items[1].path, "/run/g.sock");
}

static void commands_are_told_apart(void **state)
{
    static const struct {
        const char *command;
        int found;
        GunicornWrapper wrapper;
        const char *program, *reason;
    } rows[] = {
        {"/usr/bin/gunicorn app", 0, GUNICORN_PLAIN, "/usr/bin/gunicorn", NULL},
        {"/usr/bin/gunicorn3 app", 0, GUNICORN_PLAIN, "/usr/bin/gunicorn3", NULL},
        {"/v/bin/python3.11 -X dev -m gunicorn app", 0, GUNICORN_PLAIN, "gunicorn", NULL},
        {"/v/bin/python /v/bin/gunicorn app", 0, GUNICORN_PLAIN, "/v/bin/gunicorn", NULL},
        {"/usr/bin/env A=1 /v/bin/gunicorn app", 0, GUNICORN_PLAIN, "/v/bin/gunicorn", NULL},
        {"/bin/sh -c 'exec gunicorn --timeout 5 app'", 0, GUNICORN_WRAPPED, "gunicorn", "runs a script"},
        {"/usr/bin/pipenv run gunicorn app", 0, GUNICORN_WRAPPED, "gunicorn", "/usr/bin/pipenv starts Gunicorn"},
        {"/usr/bin/uv run gunicorn app", 0, GUNICORN_WRAPPED, "gunicorn", "/usr/bin/uv starts Gunicorn"},
        {"/srv/gunicorn_start", 0, GUNICORN_WRAPPED, "/srv/gunicorn_start", "is a script"},
        {"/usr/bin/python3 manage.py gunicorn", GUNICORN_NOT, GUNICORN_PLAIN, NULL, NULL},
        {"/usr/bin/celery -A app worker", GUNICORN_NOT, GUNICORN_PLAIN, NULL, NULL},
        {"/usr/bin/env", GUNICORN_NOT, GUNICORN_PLAIN, NULL, NULL},
    };
    CLEANUP(arena_free) Arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        StringVec argv = {0};
        GunicornCommand command = {0};
        Err err;
        assert_int_equal(gunicorn_split_args(arena, rows[i].command, &argv, &err), 0);
        if (gunicorn_command_find(arena, &argv, &command) != rows[i].found)
            fail_msg("%s", rows[i].command);
        if (rows[i].found != 0)
            continue;
        assert_int_equal(command.wrapper, rows[i].wrapper);
        assert_string_equal(command.argv.items[command.program], rows[i].program);
        if (rows[i].reason && !strstr(command.wrapper_reason, rows[i].reason))
            fail_msg("%s: %s", rows[i].command, command.wrapper_reason);
    }
}

static void auto_is_the_only_gunicorn_service(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    const char *unit;
    tree_write(&tree, "/etc/systemd/system/celery.service", "# not gunicorn\n[Service]\nExecStart=/usr/bin/celery\n");
    assert_error(&tree, gunicorn_resolve_unit(tree_view(&tree), "auto", &unit, &tree.err), ERR_REFUSED,
                 "no service here runs Gunicorn");
    tree_write(&tree, "/etc/systemd/system/shop.service", "[Service]\nExecStart=/usr/bin/gunicorn shop:app\n");
    assert_done(&tree, gunicorn_resolve_unit(tree_view(&tree), "auto", &unit, &tree.err));
    assert_string_equal(unit, "shop.service");
    tree_write(&tree, "/etc/systemd/system/web@.service", "[Service]\nExecStart=/usr/bin/gunicorn %i:app\n");
    tree_link(&tree, "/etc/systemd/system/multi-user.target.wants/web@a.service", "../web@.service");
    assert_error(&tree, gunicorn_resolve_unit(tree_view(&tree), "auto", &unit, &tree.err), ERR_REFUSED,
                 "2 services run Gunicorn: shop.service, web@a.service; name one");
}

static void a_unit_that_cannot_be_meant_is_refused(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    const char *unit;
    tree_write(&tree, "/etc/systemd/system/celery.service", "[Service]\nExecStart=/usr/bin/celery\n");
    tree_write(&tree, "/etc/systemd/system/web@.service", "[Service]\nExecStart=/usr/bin/gunicorn %i:app\n");
    tree_link(&tree, "/etc/systemd/system/masked.service", "/dev/null");
    View *view = tree_view(&tree);
    assert_error(&tree, gunicorn_resolve_unit(view, "celery", &unit, &tree.err), ERR_REFUSED,
                 "celery.service does not run Gunicorn");
    assert_error(&tree, gunicorn_resolve_unit(view, "none", &unit, &tree.err), ERR_REFUSED, "there is no unit none");
    assert_error(&tree, gunicorn_resolve_unit(view, "web@.service", &unit, &tree.err), ERR_REFUSED, "name an instance");
    assert_error(&tree, gunicorn_resolve_unit(view, "masked", &unit, &tree.err), ERR_REFUSED, "masked");
    assert_done(&tree, gunicorn_resolve_unit(view, "web@x", &unit, &tree.err));
    assert_string_equal(unit, "web@x.service");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_of_the_unit_are_found_with_their_lines),
        cmocka_unit_test(threads_make_sync_workers_gthread),
        cmocka_unit_test(every_definition_is_listed_the_one_that_counts_first),
        cmocka_unit_test(web_concurrency_counts_only_as_the_default_of_workers),
        cmocka_unit_test(the_configuration_file_is_the_one_gunicorn_reads),
        cmocka_unit_test(a_computed_value_is_dynamic),
        cmocka_unit_test(a_dropin_that_resets_execstart_is_the_origin),
        cmocka_unit_test(a_socket_unit_says_where_it_listens),
        cmocka_unit_test(several_binds_of_one_source_add_up),
        cmocka_unit_test(commands_are_told_apart),
        cmocka_unit_test(auto_is_the_only_gunicorn_service),
        cmocka_unit_test(a_unit_that_cannot_be_meant_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
