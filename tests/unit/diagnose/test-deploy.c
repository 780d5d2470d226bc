/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/deploy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Tree {
    Arena *arena;
    char root[64];
} Tree;

static const usec long_ago = 1000 * USEC_PER_SEC;

static const char *in_tree(Tree *tree, const char *path)
{
    return arena_printf(tree->arena, "%s%s", tree->root, path);
}

static void make_directories(Tree *tree, const char *path)
{
    for (size_t i = 1; i <= strlen(path); i++) {
        if (path[i] == '/' || !path[i])
            mkdir(in_tree(tree, arena_strndup(tree->arena, path, i)), 0755);
    }
}

/* An mtime of long ago; the ctime is now, as the kernel has it. */
static void make_old(const char *path)
{
    const struct timespec times[2] = {{1, 0}, {1, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void make_file(Tree *tree, const char *path)
{
    char *directory = arena_strdup(tree->arena, path);
    *strrchr(directory, '/') = '\0';
    make_directories(tree, directory);
    int fd = open(in_tree(tree, path), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    close(fd);
}

static Tree tree_new(void)
{
    Tree tree = {.arena = arena_new(), .root = "/tmp/salve-test-XXXXXX"};
    assert_non_null(mkdtemp(tree.root));
    return tree;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    return remove(path);
}

static void tree_free(Tree *tree)
{
    nftw(tree->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(tree->arena);
}

static RecentVec scan(Tree *tree, const DeployPlaces *places, usec since)
{
    RecentVec recent;
    bool cut;
    deploy_scan(tree->arena, tree->root, places, since, &recent, &cut);
    assert_false(cut);
    return recent;
}

static bool told(const RecentVec *recent, const char *text)
{
    VEC_EACH (change, recent) {
        if (strstr(change->what, text))
            return true;
    }
    return false;
}

static void a_switched_release_is_seen(void **state)
{
    Tree tree = tree_new();
    make_directories(&tree, "/srv/site/releases/2");
    assert_int_equal(symlink("releases/2", in_tree(&tree, "/srv/site/current")), 0);
    const DeployPlaces places = {.directory = "/srv/site/current"};
    RecentVec recent = scan(&tree, &places, long_ago);
    assert_int_equal(recent.n, 1);
    assert_true(told(&recent, "release link /srv/site/current"));
    make_old(in_tree(&tree, "/srv/site/current"));
    assert_int_equal(scan(&tree, &places, long_ago).n, 0);
    tree_free(&tree);
}

static void changed_code_is_seen_though_its_mtime_is_old(void **state)
{
    Tree tree = tree_new();
    make_file(&tree, "/srv/site/project/views.py");
    make_file(&tree, "/srv/site/project/urls.py");
    make_file(&tree, "/srv/site/__pycache__/x.py");
    make_file(&tree, "/srv/site/media/upload.py");
    make_file(&tree, "/srv/site/project/page.log");
    make_old(in_tree(&tree, "/srv/site/project/views.py")); /* rsync -a */
    make_old(in_tree(&tree, "/srv/site/project/urls.py"));
    const DeployPlaces places = {.directory = "/srv/site"};
    RecentVec recent = scan(&tree, &places, long_ago);
    assert_int_equal(recent.n, 1);
    assert_true(told(&recent, " and 1 more in /srv/site"));
    assert_int_equal(scan(&tree, &places, clock_realtime() + USEC_PER_HOUR).n, 0);
    tree_free(&tree);
}

static void a_checkout_and_a_package_are_seen(void **state)
{
    Tree tree = tree_new();
    make_directories(&tree, "/srv/site/app");
    make_file(&tree, "/srv/site/.git/ORIG_HEAD");
    make_file(&tree, "/srv/venv/pyvenv.cfg");
    make_file(&tree, "/srv/venv/lib/python3.11/site-packages/Django-5.0.dist-info/RECORD");
    const DeployPlaces places = {.directory = "/srv/site/app", .interpreter = "/srv/venv/bin/gunicorn"};
    RecentVec recent = scan(&tree, &places, long_ago);
    assert_int_equal(recent.n, 2);
    assert_true(told(&recent, ".git/ORIG_HEAD"));
    assert_true(told(&recent, "Django-5.0.dist-info in /srv/venv"));
    tree_free(&tree);
}

static void configuration_counts_unless_salve_wrote_it(void **state)
{
    Tree tree = tree_new();
    StringVec files = {0}, own = {0};
    static const char *const paths[] = {"/etc/site/gunicorn.env", "/etc/site/gunicorn.conf.py",
                                        "/etc/systemd/system/gunicorn.service.d/zz-salve.conf",
                                        "/etc/systemd/system/gunicorn.service"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        make_file(&tree, paths[i]);
        *vec_push(tree.arena, &files) = paths[i];
    }
    *vec_push(tree.arena, &own) = "/etc/site/gunicorn.conf.py";
    make_old(
        in_tree(&tree, "/etc/systemd/system/gunicorn.service")); /* put back by a rollback: only its ctime is new */
    const DeployPlaces places = {.files = &files, .own = &own};
    RecentVec recent = scan(&tree, &places, long_ago);
    assert_int_equal(recent.n, 1);
    assert_true(told(&recent, "configuration /etc/site/gunicorn.env"));
    tree_free(&tree);
}

static void what_is_not_there_is_no_change(void **state)
{
    Tree tree = tree_new();
    StringVec files = {0};
    *vec_push(tree.arena, &files) = "/etc/gone.conf";
    const DeployPlaces places = {.directory = "/srv/gone", .interpreter = "/usr/bin/gunicorn", .files = &files};
    assert_int_equal(scan(&tree, &places, long_ago).n, 0);
    tree_free(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_switched_release_is_seen),
        cmocka_unit_test(changed_code_is_seen_though_its_mtime_is_old),
        cmocka_unit_test(a_checkout_and_a_package_are_seen),
        cmocka_unit_test(configuration_counts_unless_salve_wrote_it),
        cmocka_unit_test(what_is_not_there_is_no_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
