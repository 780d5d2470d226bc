/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kinds.h"
#include "playbook/playbook.h"
#include <cmocka.h>

typedef struct Fixture {
    Arena *arena;
    char top[64];
    const char *first, *second;
    const char *directories[3];
} Fixture;

static void write_playbook(const Fixture *f, const char *dir, const char *name, const char *summary)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s.yaml", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "salve: 1\nname: %s\nsummary: %s\nchanges: [gunicorn: {}]\n"
            "verify: {checks: [http: {name: a, url: \"http://h/\"}]}\n",
            name, summary);
    fchmod(fileno(file), 0644);
    fclose(file);
}

static int set_up(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    f->arena = arena_new();
    strncpy(f->top, "/tmp/test-find-XXXXXX", sizeof f->top - 1);
    assert_non_null(mkdtemp(f->top));
    f->first = arena_printf(f->arena, "%s/first", f->top);
    f->second = arena_printf(f->arena, "%s/second", f->top);
    assert_int_equal(mkdir(f->first, 0755) | mkdir(f->second, 0755), 0);
    assert_int_equal(chmod(f->first, 0755) | chmod(f->second, 0755), 0);
    f->directories[0] = f->first;
    f->directories[1] = f->second;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    static const char *const names[] = {"one", "two", "link", "bad"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        unlink(arena_printf(f->arena, "%s/%s.yaml", f->first, names[i]));
        unlink(arena_printf(f->arena, "%s/%s.yaml", f->second, names[i]));
    }
    rmdir(f->first);
    rmdir(f->second);
    rmdir(f->top);
    arena_free(f->arena);
    free(f);
    return 0;
}

static int find(Fixture *f, const char *name, const Source **ret, Err *err)
{
    return playbook_find(f->arena, f->directories, name, ret, err);
}

static void the_first_directory_with_the_name_wins(void **state)
{
    Fixture *f = *state;
    const Source *source = NULL;
    Err err;
    write_playbook(f, f->second, "one", "second");
    assert_int_equal(find(f, "one", &source, &err), 0);
    assert_non_null(strstr(source->text.data, "summary: second"));
    write_playbook(f, f->first, "one", "first");
    assert_int_equal(find(f, "one", &source, &err), 0);
    assert_string_equal(source->name, arena_printf(f->arena, "%s/one.yaml", f->first));
}

static void a_path_is_taken_as_it_is(void **state)
{
    Fixture *f = *state;
    const Source *source = NULL;
    Err err;
    write_playbook(f, f->second, "two", "by path");
    assert_int_equal(find(f, arena_printf(f->arena, "%s/two.yaml", f->second), &source, &err), 0);
    assert_int_equal(find(f, "./nonexistent", &source, &err), -ERR_NOT_FOUND);
}

static void a_name_that_is_not_there_is_answered_with_the_nearest(void **state)
{
    Fixture *f = *state;
    const Source *source = NULL;
    Err err;
    write_playbook(f, f->first, "two", "x");
    assert_int_equal(find(f, "tow", &source, &err), -ERR_NOT_FOUND);
    assert_string_equal(err.message, "no playbook \"tow\" (did you mean \"two\"?)");
    assert_int_equal(find(f, "something-else", &source, &err), -ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, f->first));
    assert_int_equal(find(f, "..", &source, &err), -ERR_NOT_FOUND);
}

static void root_runs_only_what_nobody_else_can_write(void **state)
{
    Fixture *f = *state;
    const Source *source = NULL;
    Err err;
    if (geteuid() != 0)
        skip();
    write_playbook(f, f->first, "one", "x");
    const char *path = arena_printf(f->arena, "%s/one.yaml", f->first);
    assert_int_equal(chmod(path, 0664) | chown(path, 0, 50), 0);
    assert_int_equal(find(f, "one", &source, &err), -ERR_REFUSED);
    assert_int_equal(chmod(path, 0644) | chown(path, 1000, 0), 0);
    assert_int_equal(find(f, "one", &source, &err), -ERR_REFUSED);
    assert_int_equal(chown(path, 0, 0) | chmod(f->first, 0777), 0);
    assert_int_equal(find(f, "one", &source, &err), -ERR_REFUSED);
    assert_int_equal(chmod(f->first, 0755) | chown(f->top, 1000, 0), 0);
    assert_int_equal(find(f, "one", &source, &err), -ERR_REFUSED);
    assert_non_null(strstr(err.message, f->top));
    assert_int_equal(chown(f->top, 0, 0), 0);
    assert_int_equal(find(f, "one", &source, &err), 0);
}

static void of_a_link_the_place_of_its_target_counts(void **state)
{
    Fixture *f = *state;
    const Source *source = NULL;
    Err err;
    if (geteuid() != 0)
        skip();
    write_playbook(f, f->second, "one", "x");
    assert_int_equal(
        symlink(arena_printf(f->arena, "%s/one.yaml", f->second), arena_printf(f->arena, "%s/link.yaml", f->first)), 0);
    assert_int_equal(find(f, "link", &source, &err), 0);
    assert_int_equal(chmod(f->second, 0777), 0);
    assert_int_equal(find(f, "link", &source, &err), -ERR_REFUSED);
    assert_int_equal(chmod(f->second, 0755), 0);
    assert_int_equal(lchown(arena_printf(f->arena, "%s/link.yaml", f->first), 1000, 0), 0);
    assert_int_equal(find(f, "link", &source, &err), -ERR_REFUSED);
}

static void the_list_has_each_name_once_and_reports_the_broken(void **state)
{
    Fixture *f = *state;
    write_playbook(f, f->first, "two", "first");
    write_playbook(f, f->second, "two", "second");
    write_playbook(f, f->second, "one", "second");
    write_playbook(f, f->second, "bad", "[");
    PlaybookVec list = {0};
    Diagnostics diags = diagnostics_new(f->arena);
    Err err;
    assert_int_equal(playbook_list(f->arena, f->directories, &diags, &list, &err), 0);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.items[0]->name, "one");
    assert_string_equal(list.items[1]->summary, "first");
    assert_true(diags.errors > 0);
    assert_non_null(strstr(diags.items.items[0].source->name, "bad.yaml"));
}

static void a_directory_that_is_not_there_has_no_playbooks(void **state)
{
    Fixture *f = *state;
    PlaybookVec list = {0};
    Diagnostics diags = diagnostics_new(f->arena);
    Err err;
    const char *const none[] = {"/nonexistent/playbooks", NULL};
    assert_int_equal(playbook_list(f->arena, none, &diags, &list, &err), 0);
    assert_int_equal(list.n + diags.errors, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_directory_with_the_name_wins),
        TEST(a_path_is_taken_as_it_is),
        TEST(a_name_that_is_not_there_is_answered_with_the_nearest),
        TEST(root_runs_only_what_nobody_else_can_write),
        TEST(of_a_link_the_place_of_its_target_counts),
        TEST(the_list_has_each_name_once_and_reports_the_broken),
        TEST(a_directory_that_is_not_there_has_no_playbooks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
