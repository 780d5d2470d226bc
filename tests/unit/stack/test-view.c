/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/view.h"

#include "tree.h"

static const char *content_of(Tree *tree, View *view, const char *path)
{
    Bytes bytes;
    int r = view_read(view, path, &bytes, NULL, &tree->err);
    if (r < 0)
        fail_msg("%s", err_text(&tree->err));
    return r == 1 ? NULL : bytes.data;
}

static void an_absolute_link_stays_below_the_root(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/nginx/sites-available/shop", "server {}\n");
    tree_link(&tree, "/etc/nginx/sites-enabled/shop", "/etc/nginx/sites-available/shop");
    tree_link(&tree, "/conf", "etc/../etc/./nginx");
    View *view = tree_view(&tree);
    const char *resolved;
    assert_done(&tree, view_resolve(view, "/conf/sites-enabled/shop", &resolved, &tree.err));
    assert_string_equal(resolved, "/etc/nginx/sites-available/shop");
    assert_string_equal(content_of(&tree, view, "/conf/sites-enabled/shop"), "server {}\n");
    assert_done(&tree, view_resolve(view, "/../../etc", &resolved, &tree.err));
    assert_string_equal(resolved, "/etc");
}

static void bad_links_are_told(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_link(&tree, "/a", "b");
    tree_link(&tree, "/b", "/a");
    tree_link(&tree, "/dangling", "nowhere");
    tree_write(&tree, "/file", "x");
    View *view = tree_view(&tree);
    const char *resolved;
    assert_error(&tree, view_resolve(view, "/a", &resolved, &tree.err), ERR_FAILED, "too many levels");
    assert_error(&tree, view_resolve(view, "/dangling/x", &resolved, &tree.err), ERR_NOT_FOUND, "/dangling leads to");
    assert_error(&tree, view_resolve(view, "/file/x", &resolved, &tree.err), ERR_FAILED, "not a directory");
    assert_error(&tree, view_resolve(view, "relative", &resolved, &tree.err), ERR_INVALID, "not an absolute path");
    assert_done(&tree, view_resolve(view, "/dangling", &resolved, &tree.err));
    assert_string_equal(resolved, "/nowhere");
    assert_null(content_of(&tree, view, "/dangling"));
    assert_null(content_of(&tree, view, "/no/such/file"));
}

static void an_edit_through_a_link_edits_the_target(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/app/real.conf", "old\n");
    assert_int_equal(chmod(tree_path(&tree, "/etc/app/real.conf"), 0640), 0);
    tree_link(&tree, "/etc/app/link.conf", "real.conf");
    View *view = tree_view(&tree);
    assert_done(&tree, view_write(view, "/etc/app/link.conf", BYTES("new\n"), &tree.err));
    assert_string_equal(content_of(&tree, view, "/etc/app/link.conf"), "new\n");
    assert_string_equal(content_of(&tree, view_before(view), "/etc/app/link.conf"), "old\n");
    assert_true(view_edited(view, "/etc/app/real.conf"));
    assert_false(view_edited(view, "/etc/app/link.conf"));
    EditVec edits;
    view_edits(view, &edits);
    assert_int_equal(edits.n, 1);
    assert_string_equal(edits.items[0].path, "/etc/app/real.conf");
    assert_int_equal(edits.items[0].before.mode, 0640);
    assert_int_equal(edits.items[0].after.mode, 0640);
    assert_int_equal(edits.items[0].after.uid, edits.items[0].before.uid);
    assert_string_equal(edits.items[0].before.content.data, "old\n");
    assert_string_equal(edits.items[0].after.content.data, "new\n");
}

static void a_new_file_brings_its_directories_as_edits(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/etc/systemd/system/x.service", "");
    View *view = tree_view(&tree);
    assert_done(&tree, view_write(view, "/etc/systemd/system/x.service.d/a/zz.conf", BYTES("[Service]\n"), &tree.err));
    EditVec edits;
    view_edits(view, &edits);
    assert_int_equal(edits.n, 3);
    assert_string_equal(edits.items[0].path, "/etc/systemd/system/x.service.d");
    assert_int_equal(edits.items[0].before.type, FILE_ABSENT);
    assert_int_equal(edits.items[0].after.type, FILE_DIRECTORY);
    assert_int_equal(edits.items[0].after.mode, 0755);
    assert_string_equal(edits.items[1].path, "/etc/systemd/system/x.service.d/a");
    assert_string_equal(edits.items[2].path, "/etc/systemd/system/x.service.d/a/zz.conf");
    assert_int_equal(edits.items[2].after.mode, 0644);
    StringVec names;
    assert_done(&tree, view_list(view, "/etc/systemd/system/x.service.d", &names, &tree.err));
    assert_int_equal(names.n, 1);
    assert_string_equal(names.items[0], "a");
    assert_done(&tree, view_list(view_before(view), "/etc/systemd/system/x.service.d", &names, &tree.err));
    assert_int_equal(names.n, 0);
}

static void an_edit_back_to_what_the_disk_holds_is_none(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/f", "same");
    View *view = tree_view(&tree);
    assert_done(&tree, view_write(view, "/f", BYTES("other"), &tree.err));
    assert_true(view_edited(view, "/f"));
    assert_done(&tree, view_write(view, "/f", BYTES("same"), &tree.err));
    assert_done(&tree, view_write(view, "/new", BYTES("x"), &tree.err));
    assert_done(&tree, view_remove(view, "/new", &tree.err));
    assert_false(view_edited(view, "/f"));
    EditVec edits;
    view_edits(view, &edits);
    assert_int_equal(edits.n, 0);
}

static void what_was_read_once_stays(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/f", "first");
    View *view = tree_view(&tree);
    assert_string_equal(content_of(&tree, view, "/f"), "first");
    tree_write(&tree, "/f", "second");
    assert_string_equal(content_of(&tree, view, "/f"), "first");
    assert_string_equal(content_of(&tree, view_before(view), "/f"), "first");
}

static void removed_names_are_gone_from_lists_and_globs(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/d/b.conf", "");
    tree_write(&tree, "/d/a.conf", "");
    tree_write(&tree, "/d/.hidden.conf", "");
    tree_write(&tree, "/d/note.txt", "");
    View *view = tree_view(&tree);
    StringVec found;
    assert_done(&tree, view_remove(view, "/d/b.conf", &tree.err));
    assert_done(&tree, view_write(view, "/d/C.conf", BYTES(""), &tree.err));
    assert_done(&tree, view_glob(view, "/d/*.conf", &found, &tree.err));
    assert_int_equal(found.n, 2);
    assert_string_equal(found.items[0], "/d/C.conf"); /* bytewise */
    assert_string_equal(found.items[1], "/d/a.conf");
    assert_done(&tree, view_list(view, "/d", &found, &tree.err));
    assert_int_equal(found.n, 4);
    assert_error(&tree, view_remove(view, "/d", &tree.err), ERR_REFUSED, "not empty");
}

static void a_glob_may_have_magic_anywhere(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/srv/one/nginx.conf", "");
    tree_write(&tree, "/srv/two/nginx.conf", "");
    tree_write(&tree, "/srv/three/other.conf", "");
    tree_write(&tree, "/srv/plain", "");
    tree_link(&tree, "/srv/four", "two");
    tree_link(&tree, "/srv/broken.conf", "nothing");
    View *view = tree_view(&tree);
    StringVec found;
    assert_done(&tree, view_glob(view, "/s?v/*/nginx.conf", &found, &tree.err));
    assert_int_equal(found.n, 3);
    assert_string_equal(found.items[0], "/srv/four/nginx.conf");
    assert_done(&tree, view_glob(view, "/srv/[ot]*/nginx.conf", &found, &tree.err));
    assert_int_equal(found.n, 2);
    /* A broken link is a match, as for glob(3): nginx then fails to open it. */
    assert_done(&tree, view_glob(view, "/srv/*.conf", &found, &tree.err));
    assert_int_equal(found.n, 1);
    assert_done(&tree, view_glob(view, "/none/*.conf", &found, &tree.err));
    assert_int_equal(found.n, 0);
    assert_done(&tree, view_glob(view, "/srv/plain", &found, &tree.err));
    assert_int_equal(found.n, 1);
}

static void only_files_can_be_written(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/d/f", "");
    assert_int_equal(mkfifo(tree_path(&tree, "/pipe"), 0600), 0);
    View *view = tree_view(&tree);
    Bytes bytes;
    assert_error(&tree, view_write(view, "/d", BYTES("x"), &tree.err), ERR_REFUSED, "/d is a directory");
    assert_error(&tree, view_write(view, "/pipe", BYTES("x"), &tree.err), ERR_REFUSED, "/pipe");
    assert_error(&tree, view_write(view, "/d/f/x", BYTES("x"), &tree.err), ERR_FAILED, "not a directory");
    assert_error(&tree, view_read(view, "/d", &bytes, NULL, &tree.err), ERR_FAILED, "not a regular file");
}

static void a_link_itself_can_be_put_and_removed(void **state)
{
    CLEANUP(tree_free) Tree tree = tree_new();
    tree_write(&tree, "/srv/releases/1/app", "one");
    tree_write(&tree, "/srv/releases/2/app", "two");
    tree_link(&tree, "/srv/current", "releases/1");
    View *view = tree_view(&tree);
    assert_string_equal(content_of(&tree, view, "/srv/current/app"), "one");
    FileState link = {.type = FILE_SYMLINK, .content = BYTES("releases/2")};
    assert_done(&tree, view_put(view, "/srv/current", &link, &tree.err));
    assert_string_equal(content_of(&tree, view, "/srv/current/app"), "two");
    EditVec edits;
    view_edits(view, &edits);
    assert_int_equal(edits.n, 1);
    assert_string_equal(edits.items[0].path, "/srv/current");
    assert_string_equal(edits.items[0].before.content.data, "releases/1");
    assert_done(&tree, view_remove(view, "/srv/current", &tree.err));
    assert_null(content_of(&tree, view, "/srv/current/app"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_absolute_link_stays_below_the_root),
        cmocka_unit_test(bad_links_are_told),
        cmocka_unit_test(an_edit_through_a_link_edits_the_target),
        cmocka_unit_test(a_new_file_brings_its_directories_as_edits),
        cmocka_unit_test(an_edit_back_to_what_the_disk_holds_is_none),
        cmocka_unit_test(what_was_read_once_stays),
        cmocka_unit_test(removed_names_are_gone_from_lists_and_globs),
        cmocka_unit_test(a_glob_may_have_magic_anywhere),
        cmocka_unit_test(only_files_can_be_written),
        cmocka_unit_test(a_link_itself_can_be_put_and_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
