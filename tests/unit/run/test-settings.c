/* SPDX-License-Identifier: Apache-2.0 */
#include "run/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* Loads the text as a settings file. */
static int load(Arena *arena, const char *text, Settings *ret, Err *err)
{
    char path[] = "/tmp/salve-settings-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    Diagnostics diags = diagnostics_new(arena);
    int r = settings_load(arena, path, &diags, ret, err);
    unlink(path);
    return r;
}

static void what_is_not_given_is_the_default(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Settings settings, defaults;
    Err err;
    settings_defaults(arena, &defaults);
    assert_int_equal(load(arena, "state: /srv/salve\n", &settings, &err), 0);
    assert_string_equal(settings.state_dir, "/srv/salve");
    assert_string_equal(settings.color, "auto");
    assert_string_equal(settings.root, "");
    assert_string_equal(settings.playbook_dirs[0], "/etc/salve/playbooks");
    assert_int_equal(settings.managed_roots.n, defaults.managed_roots.n);
    assert_true(defaults.template_dirs.n > 0);
}

static void lists_replace_the_built_in_ones(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Settings settings;
    Err err;
    const char *text = "playbooks: [/a, /b]\ntemplates: [/t]\nmanaged_roots: [/etc/app]\ncolor: never\n";
    assert_int_equal(load(arena, text, &settings, &err), 0);
    assert_string_equal(settings.playbook_dirs[1], "/b");
    assert_null(settings.playbook_dirs[2]);
    assert_int_equal(settings.template_dirs.n, 1);
    assert_string_equal(settings.managed_roots.items[0], "/etc/app");
    assert_string_equal(settings.color, "never");
}

static void what_history_keeps_is_a_number_or_never(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Settings settings;
    Err err;
    settings_defaults(arena, &settings);
    assert_int_equal(settings.keep.runs, 500);
    assert_int_equal(settings.keep.age_usec, 365 * 24 * USEC_PER_HOUR);
    assert_int_equal(load(arena, "keep: {runs: 20}\n", &settings, &err), 0);
    assert_int_equal(settings.keep.runs, 20);
    assert_int_equal(settings.keep.age_usec, 365 * 24 * USEC_PER_HOUR);
    assert_int_equal(load(arena, "keep: {runs: never, days: never}\n", &settings, &err), 0);
    assert_true(settings.keep.runs == INT64_MAX && settings.keep.age_usec == USEC_INFINITY);
    assert_int_equal(load(arena, "keep: {runs: 0}\n", &settings, &err), -ERR_INVALID);
    assert_int_equal(load(arena, "keep: {days: soon}\n", &settings, &err), -ERR_INVALID);
}

static void a_mistake_is_told_with_its_place(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Settings settings;
    Err err;
    assert_int_equal(load(arena, "state: /srv/salve\nplaybook: [/a]\n", &settings, &err), -ERR_INVALID);
    assert_int_equal(err.line, 2);
    assert_non_null(strstr(err.message, "playbook"));
    assert_int_equal(load(arena, "state: relative\n", &settings, &err), -ERR_INVALID);
}

static void roots_settings_are_of_roots_alone(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Settings settings;
    Err err;
    char top[] = "/tmp/salve-settings-XXXXXX";
    if (geteuid() != 0)
        skip();
    assert_non_null(mkdtemp(top));
    const char *path = arena_concat(arena, top, "/", "salve.yaml");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("state: /srv/salve\n", file) > 0 && fclose(file) == 0);
    Diagnostics diags = diagnostics_new(arena);
    assert_int_equal(settings_load(arena, path, &diags, &settings, &err), 0);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(settings_load(arena, path, &diags, &settings, &err), -ERR_REFUSED);
    assert_int_equal(chmod(path, 0644) | chown(top, 1000, 1000), 0);
    assert_int_equal(settings_load(arena, path, &diags, &settings, &err), -ERR_REFUSED);
    assert_non_null(strstr(err.message, top));
    unlink(path);
    rmdir(top);
}

static void a_file_that_was_named_must_be_there(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Settings settings;
    Err err;
    Diagnostics diags = diagnostics_new(arena);
    assert_int_equal(settings_load(arena, "/nonexistent/salve.yaml", &diags, &settings, &err), -ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_is_the_default),
        cmocka_unit_test(lists_replace_the_built_in_ones),
        cmocka_unit_test(what_history_keeps_is_a_number_or_never),
        cmocka_unit_test(a_mistake_is_told_with_its_place),
        cmocka_unit_test(roots_settings_are_of_roots_alone),
        cmocka_unit_test(a_file_that_was_named_must_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
