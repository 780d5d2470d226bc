/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/unit.h"

#include "stack/unit-path.h"
#include "tree.h"

static const Unit *load(Tree *tree, const char *name)
{
    const Unit *unit = NULL;
    int r = unit_load(tree_view(tree), name, &unit, &tree->err);
    if (r < 0)
        fail_msg("%s", err_text(&tree->err));
    assert_int_equal(r, 0);
    return unit;
}

static void etc_wins_over_run_and_run_over_usr(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/usr/lib/systemd/system/x.service", "[Service]\nExecStart=/usr\n");
    assert_string_equal(load(&tree, "x")->fragment, "/usr/lib/systemd/system/x.service");
    tree_write(&tree, "/run/systemd/system/x.service", "[Service]\nExecStart=/run\n");
    assert_string_equal(load(&tree, "x")->fragment, "/run/systemd/system/x.service");
    tree_write(&tree, "/etc/systemd/system/x.service", "[Service]\nExecStart=/etc\n");
    const Unit *unit = load(&tree, "x.service");
    assert_string_equal(unit->fragment, "/etc/systemd/system/x.service");
    assert_string_equal(unit_value(unit, "Service", "ExecStart"), "/etc");
    assert_int_equal(unit_load(tree_view(&tree), "y.service", &unit, &tree.err), UNIT_NOT_FOUND);
    assert_error(&tree, unit_load(tree_view(&tree), "a/b.service", &unit, &tree.err), ERR_INVALID, "not the name");
}

static void an_alias_leads_to_its_unit_and_brings_its_dropins(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/systemd/system/gunicorn.service", "[Service]\nUser=a\n");
    tree_link(&tree, "/etc/systemd/system/web.service", "/etc/systemd/system/gunicorn.service");
    tree_write(&tree, "/etc/systemd/system/web.service.d/user.conf", "[Service]\nUser=b\n");
    const Unit *unit = load(&tree, "web");
    assert_string_equal(unit->name, "gunicorn.service");
    assert_string_equal(unit_value(unit, "Service", "User"), "b");
    assert_string_equal(unit_value(load(&tree, "gunicorn"), "Service", "User"), "b");
}

static void a_linked_file_elsewhere_is_no_alias(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/srv/app/gunicorn.service", "[Service]\nUser=a\n");
    tree_link(&tree, "/etc/systemd/system/gunicorn.service", "/srv/app/gunicorn.service");
    assert_string_equal(load(&tree, "gunicorn")->name, "gunicorn.service");
}

static void masked_units_are_told(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/usr/lib/systemd/system/x.service", "[Service]\n");
    tree_link(&tree, "/etc/systemd/system/x.service", "/dev/null");
    tree_write(&tree, "/etc/systemd/system/empty.service", "");
    assert_true(load(&tree, "x")->masked);
    assert_true(load(&tree, "empty")->masked);
}

static void dropins_apply_by_file_name_wherever_they_lie(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/systemd/system/app-web@blue.service", "");
    tree_write(&tree, "/etc/systemd/system/app-web@.service", "[Service]\n");
    unlink(tree_path(&tree, "/etc/systemd/system/app-web@blue.service"));
    tree_write(&tree, "/usr/lib/systemd/system/service.d/30-type.conf", "");
    tree_write(&tree, "/etc/systemd/system/app-.service.d/60-prefix.conf", "");
    tree_write(&tree, "/run/systemd/system/app-web@.service.d/20-template.conf", "");
    tree_write(&tree, "/usr/lib/systemd/system/app-web@blue.service.d/10-instance.conf", "");
    tree_write(&tree, "/usr/lib/systemd/system/app-web@blue.service.d/50-shadowed.conf", "");
    tree_write(&tree, "/etc/systemd/system/app-web@blue.service.d/50-shadowed.conf", "");
    tree_write(&tree, "/etc/systemd/system/app-web@blue.service.d/70-ignored.bak", "");
    tree_write(&tree, "/etc/systemd/system/app-web@blue.service.d/.hidden.conf", "");
    tree_write(&tree, "/usr/lib/systemd/system/app-web@blue.service.d/80-masked.conf", "[Service]\n");
    tree_link(&tree, "/etc/systemd/system/app-web@blue.service.d/80-masked.conf", "/dev/null");
    const Unit *unit = load(&tree, "app-web@blue");
    const char *const expected[] = {
        "/usr/lib/systemd/system/app-web@blue.service.d/10-instance.conf",
        "/run/systemd/system/app-web@.service.d/20-template.conf",
        "/usr/lib/systemd/system/service.d/30-type.conf",
        "/etc/systemd/system/app-web@blue.service.d/50-shadowed.conf",
    };
    assert_int_equal(unit->dropins.n, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_string_equal(unit->dropins.items[i], expected[i]);
    assert_string_equal(unit->prefix, "app-web");
    assert_string_equal(unit->instance, "blue");
}

static void a_dash_prefix_directory_applies(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/systemd/system/app-web-blue.service", "[Service]\nUser=a\n");
    tree_write(&tree, "/etc/systemd/system/app-.service.d/60.conf", "[Service]\nUser=b\n");
    tree_write(&tree, "/etc/systemd/system/app-web-.service.d/50.conf", "[Service]\nUser=c\n");
    const Unit *unit = load(&tree, "app-web-blue");
    assert_int_equal(unit->dropins.n, 2);
    assert_string_equal(unit_value(unit, "Service", "User"), "b");
}

static void the_environment_file_wins_over_environment(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(
        &tree, "/etc/systemd/system/x.service",
        "[Service]\nEnvironmentFile=/etc/x.env\nEnvironmentFile=-/etc/none.env\nEnvironment=A=unit \"B=b b\" C=c\n");
    tree_write(&tree, "/etc/systemd/system/x.service.d/a.conf",
               "[Service]\nEnvironment=A=dropin\nUnsetEnvironment=C\nEnvironmentFile=/etc/late.d/*.env\n");
    tree_write(&tree, "/etc/x.env", "# comment\nA=file\nS=1\n");
    tree_write(&tree, "/etc/late.d/1.env", "S=2\n");
    View *view = tree_view(&tree);
    const Unit *unit = load(&tree, "x");
    UnitEnvironment environment;
    assert_done(&tree, unit_environment(view, unit, &environment, &tree.err));
    const UnitEnv *a = unit_env(&environment, "A");
    assert_string_equal(a->value, "file");
    assert_string_equal(a->path, "/etc/x.env");
    assert_int_equal(a->line, 2);
    assert_true(a->from_file);
    assert_string_equal(unit_env(&environment, "B")->value, "b b");
    assert_int_equal(unit_env(&environment, "B")->line, 4);
    assert_null(unit_env(&environment, "C"));
    assert_string_equal(unit_env(&environment, "S")->path, "/etc/late.d/1.env");
    assert_int_equal(environment.files.n, 3);
    assert_false(environment.files.items[1].present);
    assert_true(environment.files.items[1].optional);
}

static void the_command_is_expanded_as_systemd_does(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/systemd/system/x@.service",
               "[Service]\nEnvironment=PORT=8001 \"OPTS=--threads 2\"\n"
               "ExecStart=/bin/app --name %i \\\n    --bind 127.0.0.1:${PORT} $OPTS --format %%(h)s\n");
    View *view = tree_view(&tree);
    const Unit *unit = load(&tree, "x@blue.service");
    UnitEnvironment environment;
    UnitExec exec;
    assert_done(&tree, unit_environment(view, unit, &environment, &tree.err));
    assert_int_equal(unit_exec_start(view, unit, &environment, &exec, &tree.err), 0);
    const char *const expected[] = {"/bin/app",  "--name", "blue",     "--bind", "127.0.0.1:8001",
                                    "--threads", "2",      "--format", "%(h)s"};
    assert_int_equal(exec.argv.n, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_string_equal(exec.argv.items[i], expected[i]);
    assert_null(exec.inexact);
    assert_int_equal(exec.setting->line, 3);
}

static void what_only_the_manager_knows_is_inexact(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/systemd/system/a.service", "[Service]\nExecStart=/bin/app --name %H\n");
    tree_write(&tree, "/etc/systemd/system/b.service", "[Service]\nExecStart=/bin/app ${HOME}/x\n");
    tree_write(&tree, "/etc/systemd/system/c.service", "[Service]\nExecStart=/bin/a\nExecStart=/bin/b\n");
    tree_write(&tree, "/etc/systemd/system/d.service", "[Service]\nExecStart=/bin/a\nExecStart=\n");
    View *view = tree_view(&tree);
    UnitEnvironment none = {0};
    UnitExec exec;
    assert_int_equal(unit_exec_start(view, load(&tree, "a"), &none, &exec, &tree.err), 0);
    assert_non_null(exec.inexact);
    assert_int_equal(unit_exec_start(view, load(&tree, "b"), &none, &exec, &tree.err), 0);
    assert_non_null(strstr(exec.inexact, "HOME"));
    assert_error(&tree, unit_exec_start(view, load(&tree, "c"), &none, &exec, &tree.err), ERR_REFUSED,
                 "more than one ExecStart=");
    assert_int_equal(unit_exec_start(view, load(&tree, "d"), &none, &exec, &tree.err), UNIT_NO_COMMAND);
}

static void a_dropin_that_sorts_later_beats_ours(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/systemd/system/x.service", "[Service]\nExecStart=/bin/a\n");
    tree_write(&tree, "/etc/systemd/system/x.service.d/override.conf", "[Service]\nExecStart=\nExecStart=/bin/b\n");
    const Unit *unit = load(&tree, "x");
    assert_string_equal(unit_dropin_path(tree.arena, unit), "/etc/systemd/system/x.service.d/zz-salve.conf");
    assert_null(unit_dropin_beaten_by(unit, "Service", "ExecStart"));
    tree_write(&tree, "/run/systemd/system/x.service.d/zzz.conf", "[Service]\nTimeoutStopSec=5\n");
    unit = load(&tree, "x");
    assert_null(unit_dropin_beaten_by(unit, "Service", "ExecStart"));
    assert_string_equal(unit_dropin_beaten_by(unit, "Service", "TimeoutStopSec")->file,
                        "/run/systemd/system/x.service.d/zzz.conf");
}

static void sockets_are_found_by_name_and_by_service(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/systemd/system/gunicorn.service", "[Service]\nExecStart=/bin/a\n");
    tree_write(&tree, "/etc/systemd/system/gunicorn.socket",
               "[Socket]\nListenStream=1234\nListenStream=\nListenStream=%t/gunicorn.sock\n");
    tree_write(&tree, "/etc/systemd/system/other.socket", "[Socket]\nService=gunicorn.service\nListenStream=8000\n");
    tree_write(&tree, "/etc/systemd/system/foreign.socket", "# gunicorn\n[Socket]\nListenStream=9000\n");
    UnitSocketVec sockets;
    assert_done(&tree, unit_sockets(tree_view(&tree), load(&tree, "gunicorn"), &sockets, &tree.err));
    assert_int_equal(sockets.n, 2);
    assert_string_equal(sockets.items[0].name, "gunicorn.socket");
    assert_int_equal(sockets.items[0].listen.n, 1);
    assert_string_equal(sockets.items[0].listen.items[0].path, "/run/gunicorn.sock");
    assert_int_equal(sockets.items[1].listen.items[0].port, 8000);
}

static void a_restart_pulls_along_what_depends_on_it(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/systemd/system/gunicorn.service", "[Service]\nExecStart=/bin/a\n");
    tree_write(&tree, "/etc/systemd/system/celery.service", "[Unit]\nPartOf=gunicorn.service redis.service\n");
    tree_write(&tree, "/etc/systemd/system/flower.service", "[Unit]\nRequires=celery.service\n");
    tree_write(&tree, "/etc/systemd/system/nginx.service", "[Unit]\nWants=gunicorn.service\nAfter=gunicorn.service\n");
    tree_write(&tree, "/etc/systemd/system/beat.service", "[Unit]\n");
    tree_link(&tree, "/etc/systemd/system/beat.service.requires/gunicorn.service", "../gunicorn.service");
    UnitRelationVec relations;
    assert_done(&tree, unit_pulled_along(tree_view(&tree), "gunicorn.service", &relations, &tree.err));
    assert_int_equal(relations.n, 3);
    assert_string_equal(relations.items[0].unit, "celery.service");
    assert_string_equal(relations.items[0].setting, "PartOf=");
    assert_string_equal(relations.items[1].unit, "beat.service");
    assert_string_equal(relations.items[2].unit, "flower.service");
}

static void names_are_those_that_can_run(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/usr/lib/systemd/system/a.service", "[Service]\n");
    tree_write(&tree, "/usr/lib/systemd/system/b@.service", "[Service]\n");
    tree_write(&tree, "/usr/lib/systemd/system/c.service", "[Service]\n");
    tree_link(&tree, "/etc/systemd/system/c.service", "/dev/null");
    tree_link(&tree, "/etc/systemd/system/alias.service", "/usr/lib/systemd/system/a.service");
    tree_link(&tree, "/etc/systemd/system/multi-user.target.wants/b@1.service", "/usr/lib/systemd/system/b@.service");
    tree_link(&tree, "/etc/systemd/system/multi-user.target.wants/a.service", "/usr/lib/systemd/system/a.service");
    StringVec names;
    assert_done(&tree, unit_names(tree_view(&tree), "service", &names, &tree.err));
    assert_int_equal(names.n, 2);
    assert_string_equal(names.items[0], "a.service");
    assert_string_equal(names.items[1], "b@1.service");
}

static void the_working_directory_may_be_a_home(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/passwd", "root:x:0:0::/root:/bin/sh\ndjango:x:1:1:Django:/srv/home:/bin/sh\n");
    tree_write(&tree, "/etc/systemd/system/a.service", "[Service]\nUser=django\nWorkingDirectory=~\n");
    tree_write(&tree, "/etc/systemd/system/b@.service", "[Service]\nWorkingDirectory=-/srv/%i\n");
    tree_write(&tree, "/etc/systemd/system/c.service", "[Service]\n");
    View *view = tree_view(&tree);
    const char *directory;
    assert_done(&tree, unit_working_directory(view, load(&tree, "a"), &directory, &tree.err));
    assert_string_equal(directory, "/srv/home");
    assert_done(&tree, unit_working_directory(view, load(&tree, "b@x"), &directory, &tree.err));
    assert_string_equal(directory, "/srv/x");
    assert_done(&tree, unit_working_directory(view, load(&tree, "c"), &directory, &tree.err));
    assert_string_equal(directory, "/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(etc_wins_over_run_and_run_over_usr),
        cmocka_unit_test(an_alias_leads_to_its_unit_and_brings_its_dropins),
        cmocka_unit_test(a_linked_file_elsewhere_is_no_alias),
        cmocka_unit_test(masked_units_are_told),
        cmocka_unit_test(dropins_apply_by_file_name_wherever_they_lie),
        cmocka_unit_test(a_dash_prefix_directory_applies),
        cmocka_unit_test(the_environment_file_wins_over_environment),
        cmocka_unit_test(the_command_is_expanded_as_systemd_does),
        cmocka_unit_test(what_only_the_manager_knows_is_inexact),
        cmocka_unit_test(a_dropin_that_sorts_later_beats_ours),
        cmocka_unit_test(sockets_are_found_by_name_and_by_service),
        cmocka_unit_test(a_restart_pulls_along_what_depends_on_it),
        cmocka_unit_test(names_are_those_that_can_run),
        cmocka_unit_test(the_working_directory_may_be_a_home),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
