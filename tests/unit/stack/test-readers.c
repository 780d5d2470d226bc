/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/readers.h"

#include "tree.h"

static Tree host_tree(void)
{
    Tree tree = tree_new();
    tree_write(&tree, "/etc/systemd/system/gunicorn.service",
               "[Service]\nEnvironmentFile=/etc/myproject/app.env\nExecStart=/usr/bin/gunicorn -c /srv/g.py app:app\n");
    tree_write(&tree, "/etc/systemd/system/celery.service",
               "[Service]\nEnvironmentFile=/etc/myproject/*.env\nExecStart=/usr/bin/celery --config=/srv/celery.py\n");
    tree_write(&tree, "/etc/systemd/system/other.service", "[Service]\nExecStart=/usr/bin/other\n");
    tree_write(&tree, "/etc/myproject/app.env", "A=1\n");
    tree_write(&tree, "/srv/g.py", "timeout = 30\n");
    tree_write(&tree, "/etc/nginx/nginx.conf", "http { include sites-enabled/*; }\n");
    tree_write(&tree, "/etc/nginx/sites-available/shop", "server { }\n");
    tree_link(&tree, "/etc/nginx/sites-enabled/shop", "../sites-available/shop");
    return tree;
}

static ReaderVec readers(Tree *tree, const char *path)
{
    ReaderVec found = {0};
    assert_done(tree, readers_of(tree_view(tree), path, &found, &tree->err));
    return found;
}

static void everybody_who_reads_an_environment_file_is_named(void **state)
{
    CLEANUP(tree_free) Tree tree = host_tree();
    ReaderVec found = readers(&tree, "/etc/myproject/app.env");
    assert_int_equal(found.n, 2);
    assert_string_equal(found.items[0].unit, "celery.service");
    assert_int_equal(found.items[0].how, READER_ENVIRONMENT);
    assert_false(found.items[0].gunicorn);
    assert_string_equal(found.items[1].unit, "gunicorn.service");
    assert_true(found.items[1].gunicorn);
}

static void files_named_on_a_command_line_are_read(void **state)
{
    CLEANUP(tree_free) Tree tree = host_tree();
    ReaderVec found = readers(&tree, "/srv/g.py");
    assert_int_equal(found.n, 1);
    assert_int_equal(found.items[0].how, READER_GUNICORN);
    found = readers(&tree, "/srv/celery.py");
    assert_int_equal(found.n, 1);
    assert_int_equal(found.items[0].how, READER_COMMAND);
    assert_string_equal(found.items[0].unit, "celery.service");
}

static void a_site_is_nginx_s_by_either_name(void **state)
{
    CLEANUP(tree_free) Tree tree = host_tree();
    assert_string_equal(readers(&tree, "/etc/nginx/sites-available/shop").items[0].unit, "nginx.service");
    assert_int_equal(readers(&tree, "/etc/nginx/sites-enabled/shop").items[0].how, READER_NGINX);
    assert_int_equal(readers(&tree, "/etc/nginx/unused").n, 0);
}

static void a_pending_dropin_belongs_to_its_unit(void **state)
{
    CLEANUP(tree_free) Tree tree = host_tree();
    View *view = tree_view(&tree);
    const char *path = "/etc/systemd/system/gunicorn.service.d/zz-salve.conf";
    ReaderVec found;
    assert_done(&tree, view_write(view, path, BYTES("[Service]\nTimeoutStopSec=40\n"), &tree.err));
    assert_done(&tree, readers_of(view, path, &found, &tree.err));
    assert_int_equal(found.n, 1);
    assert_string_equal(found.items[0].unit, "gunicorn.service");
    assert_int_equal(found.items[0].how, READER_DROPIN);
    assert_done(&tree, readers_of(view_before(view), path, &found, &tree.err));
    assert_int_equal(found.n, 0);
    found = readers(&tree, "/etc/systemd/system/other.service");
    assert_int_equal(found.n, 1);
    assert_int_equal(found.items[0].how, READER_FRAGMENT);
}

static void every_way_has_a_name(void **state)
{
    for (int how = READER_FRAGMENT; how <= READER_NGINX; how++)
        assert_non_null(reader_how_to_string((ReaderHow)how));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_who_reads_an_environment_file_is_named),
        cmocka_unit_test(files_named_on_a_command_line_are_read),
        cmocka_unit_test(a_site_is_nginx_s_by_either_name),
        cmocka_unit_test(a_pending_dropin_belongs_to_its_unit),
        cmocka_unit_test(every_way_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
