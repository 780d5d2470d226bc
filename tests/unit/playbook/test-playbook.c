/* SPDX-License-Identifier: Apache-2.0 */
/* data/bad/NAME.yaml gives exactly the messages of data/bad/NAME.expected. */
#include "playbook/playbook.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/yaml.h"
#include "kinds.h"
#include <cmocka.h>

#include "golden.h"

static const Source *read_source(Arena *arena, const char *path)
{
    char full[1024];
    snprintf(full, sizeof full, "%s/%s", TEST_DATA_DIR, path);
    CLEANUP(fd_close) int fd = open(full, O_RDONLY);
    Source *source = arena_new_of(arena, Source);
    source->name = arena_strdup(arena, path);
    Err err;
    assert_int_equal(yaml_read(arena, fd, full, &source->text, &err), 0);
    return source;
}

static BindingVec bindings_of(Arena *arena, const char *const *texts)
{
    BindingVec bindings = {0};
    Err err;
    for (; *texts; texts++)
        assert_int_equal(binding_add(arena, *texts, &bindings, &err), 0);
    return bindings;
}

static const Playbook *load_good(Arena *arena, const char *const *values)
{
    const Playbook *playbook = NULL;
    Diagnostics diags = diagnostics_new(arena);
    Err err;
    BindingVec bindings = {0};
    if (values)
        bindings = bindings_of(arena, values);
    const Source *source = read_source(arena, "good/all.yaml");
    if (playbook_load(arena, source, values ? &bindings : NULL, &diags, &playbook, &err) < 0)
        fail_msg("%s", err_text(&err));
    assert_int_equal(diags.warnings, 0);
    return playbook;
}

static void assert_refused(const char *const *values, const char *expected)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Playbook *playbook = NULL;
    Diagnostics diags = diagnostics_new(arena);
    Err err;
    BindingVec bindings = bindings_of(arena, values);
    const Source *source = read_source(arena, "good/all.yaml");
    assert_int_equal(playbook_load(arena, source, &bindings, &diags, &playbook, &err), -ERR_INVALID);
    assert_null(playbook);
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 16);
    diagnostics_render(&diags, false, &out);
    assert_string_equal(strbuf_str(&out), expected);
}

static const char *const values[] = {"timeout=60s", "endpoint=http://h/slow", NULL};

static void a_playbook_is_checked_without_values(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Playbook *playbook = load_good(arena, NULL);
    assert_string_equal(playbook->name, "all");
    assert_true(playbook->scope.lint);
    assert_false(value_is_set(&scope_find(&playbook->scope, "timeout")->value));
}

static void values_arrive_in_guards_changes_and_checks(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Playbook *playbook = load_good(arena, values);
    assert_int_equal(playbook->guards.n, 2);
    assert_true(playbook->guards.items[0].require);
    assert_int_equal(playbook->guards.items[0].spec.since_usec, 30 * USEC_PER_MIN);
    assert_false(playbook->guards.items[1].require);
    assert_int_equal(playbook->guards.items[1].spec.since_usec, 0);
    const GunicornSpec *gunicorn = playbook->changes.items[0].spec;
    assert_true(gunicorn->unit.is_auto);
    assert_int_equal(gunicorn->at_least->timeout.duration, 60 * USEC_PER_SEC);
    assert_null(gunicorn->exactly);
    assert_string_equal(((const UnitSpec *)playbook->changes.items[1].spec)->path.text, "/srv/web1/fast");
    assert_string_equal(playbook->checks.items[0].name, "slow");
    assert_string_equal(((const HttpSpec *)playbook->checks.items[1].spec)->url.text, "http://web1/health/");
    assert_int_equal(playbook->checks.items[1].pos.line, 30);
}

static void how_it_is_verified_is_in_microseconds(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Playbook *playbook = load_good(arena, values);
    assert_int_equal(playbook->warmup_usec, USEC_PER_SEC);
    assert_int_equal(playbook->window_usec, USEC_PER_MIN);
    assert_int_equal(playbook->interval_usec, 500 * USEC_PER_MSEC);
    assert_int_equal(playbook->settle_usec, 5 * USEC_PER_SEC);
    assert_true(playbook->keeps[VERDICT_PASS]);
    assert_false(playbook->keeps[VERDICT_FAIL]);
    assert_false(playbook->keeps[VERDICT_UNDECIDED]); /* as it says, against the default */
    assert_true(playbook->keeps[VERDICT_BLIND]);
}

static void a_later_value_replaces_an_earlier_one(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Playbook *playbook =
        load_good(arena, (const char *const[]){"timeout=60s", "endpoint=http://h/", "timeout=90s", NULL});
    assert_string_equal(scope_find(&playbook->scope, "timeout")->value.text, "90s");
}

static void a_bad_value_is_reported_where_it_was_given(void **state)
{
    assert_refused((const char *const[]){"timeout=60", "endpoint=http://h/", NULL},
                   "-e timeout: \"60\" has no unit: write 60s or 60ms\n");
    assert_refused((const char *const[]){"timeout=500s", "endpoint=http://h/", NULL},
                   "-e timeout: 500s is too large: at most 300s\n");
    assert_refused((const char *const[]){"timeout=60s", "endpoint=http://h/", "mode=fsat", NULL},
                   "-e mode: \"fsat\" is not one of fast, slow (did you mean \"fast\"?)\n");
    assert_refused((const char *const[]){"timeout=60s", "endpoint=http://h/", "timeuot=1s", NULL},
                   "-e timeuot: the playbook has no variable \"timeuot\" (did you mean \"timeout\"?)\n");
}

static void a_missing_value_is_reported_once_at_its_declaration(void **state)
{
    assert_refused((const char *const[]){"timeout=60s", NULL},
                   "good/all.yaml:8:3: variable \"endpoint\" has no value (give it with -e endpoint=...)\n"
                   "    8 |   endpoint: {type: url}\n"
                   "      |   ^\n");
}

static void recorded_values_bind_to_the_same_playbook(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const Playbook *playbook = load_good(arena, values), *again = NULL;
    Node *recorded = playbook_values(arena, playbook);
    BindingVec bindings = {0};
    Diagnostics diags = diagnostics_new(arena);
    Err err;
    assert_int_equal(bindings_from_values(arena, recorded, &bindings, &err), 0);
    assert_int_equal(playbook_load(arena, playbook->source, &bindings, &diags, &again, &err), 0);
    assert_true(node_equal(recorded, playbook_values(arena, again)));
    assert_string_equal(recorded->pairs.items[0].key->text, "unit");
    assert_string_equal(node_get_text(recorded, "timeout"), "60s");
}

static void every_mistake_has_its_message(void **state)
{
    DIR *dir = opendir(TEST_DATA_DIR "/bad");
    assert_non_null(dir);
    unsigned count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!str_ends(entry->d_name, ".yaml"))
            continue;
        CLEANUP(arena_free) Arena *arena = arena_new();
        const Playbook *playbook = NULL;
        Diagnostics diags = diagnostics_new(arena);
        Err err;
        const Source *source = read_source(arena, arena_printf(arena, "bad/%s", entry->d_name));
        int r = playbook_load(arena, source, NULL, &diags, &playbook, &err);
        assert_int_equal(r<0, diags.errors> 0);
        CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 16);
        diagnostics_render(&diags, false, &out);
        size_t stem = strlen(entry->d_name) - strlen(".yaml");
        golden_compare(arena_printf(arena, "%s/bad/%.*s.expected", TEST_DATA_DIR, (int)stem, entry->d_name), &out);
        count++;
    }
    closedir(dir);
    assert_true(count > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_playbook_is_checked_without_values),
        cmocka_unit_test(values_arrive_in_guards_changes_and_checks),
        cmocka_unit_test(how_it_is_verified_is_in_microseconds),
        cmocka_unit_test(a_later_value_replaces_an_earlier_one),
        cmocka_unit_test(a_bad_value_is_reported_where_it_was_given),
        cmocka_unit_test(a_missing_value_is_reported_once_at_its_declaration),
        cmocka_unit_test(recorded_values_bind_to_the_same_playbook),
        cmocka_unit_test(every_mistake_has_its_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
