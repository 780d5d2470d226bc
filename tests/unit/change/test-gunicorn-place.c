/* SPDX-License-Identifier: Apache-2.0 */
/* Where a setting is changed, by where it comes from. */
#include "gunicorn-unit.h"

#define TIMEOUT_60 "gunicorn: {exactly: {timeout: 60s}}"

/* The command line with the flag at 60, whichever way it is written. */
static void assert_rewritten(const char *exec_start, const char *expected)
{
    BENCH(bench);
    bench_gunicorn(&bench, exec_start, "");
    bench_apply(&bench, TIMEOUT_60);
    assert_has(bench_text(&bench, DROPIN_PATH),
               arena_printf(bench.tree.arena, "\nExecStart=\nExecStart=%s\n", expected));
    assert_string_equal(bench_wish(&bench, WISH_SETTING, "timeout"), "gunicorn.service timeout=60");
    assert_int_equal(bench.context.longest_request_usec, 60 * USEC_PER_SEC);
    bench_assert_settled(&bench, TIMEOUT_60);
}

static void a_flag_keeps_its_place_and_its_neighbours(void **state)
{
    assert_rewritten("/bin/gunicorn --timeout 30 -w 2 a:b", "/bin/gunicorn --timeout 60 -w 2 a:b");
    assert_rewritten("/bin/gunicorn --timeout=30 -w 2 a:b", "/bin/gunicorn --timeout=60 -w 2 a:b");
    assert_rewritten("/bin/gunicorn a:b -t 30", "/bin/gunicorn a:b -t 60");
    assert_rewritten("/bin/gunicorn -w 2 -t30 a:b", "/bin/gunicorn -w 2 --timeout=60 a:b");
    assert_rewritten("/bin/gunicorn --time 30 a:b", "/bin/gunicorn --time 60 a:b");
}

static void of_two_flags_the_last_is_changed(void **state)
{
    assert_rewritten("/bin/gunicorn -t 90 a:b --timeout 30", "/bin/gunicorn -t 90 a:b --timeout 60");
}

static void quotes_around_other_words_stay(void **state)
{
    assert_rewritten("/bin/gunicorn --access-logformat '%%(h)s \"%%(r)s\"' --timeout \"30\" a:b",
                     "/bin/gunicorn --access-logformat '%%(h)s \"%%(r)s\"' --timeout 60 a:b");
}

static void specifiers_and_dollars_are_not_expanded(void **state)
{
    assert_rewritten("/bin/gunicorn --name %n --timeout 30 a:b", "/bin/gunicorn --name %n --timeout 60 a:b");
    assert_rewritten("/bin/gunicorn --name $$x --timeout 30 a:b", "/bin/gunicorn --name $$x --timeout 60 a:b");
}

static void prefixes_of_the_command_stay(void **state)
{
    assert_rewritten("-/bin/gunicorn --timeout 30 a:b", "-/bin/gunicorn --timeout 60 a:b");
    assert_rewritten("/usr/bin/env A=1 /bin/gunicorn --timeout 30 a:b",
                     "/usr/bin/env A=1 /bin/gunicorn --timeout 60 a:b");
    assert_rewritten("/srv/venv/bin/python -m gunicorn --timeout 30 a:b",
                     "/srv/venv/bin/python -m gunicorn --timeout 60 a:b");
}

static void an_argv0_of_its_own_gets_the_flag_at_the_end(void **state)
{
    assert_rewritten("@/bin/gunicorn gunicorn --timeout 30 a:b",
                     "@/bin/gunicorn gunicorn --timeout 30 a:b --timeout 60");
}

static void a_command_over_several_lines_is_one_line_in_the_dropin(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn \\\n    --workers 3 \\\n    # slow reports\n    --timeout 30 \\\n    a:b",
                   "");
    bench_apply(&bench, TIMEOUT_60);
    const char *text = bench_text(&bench, DROPIN_PATH);
    assert_has(text, "--timeout 60");
    assert_null(strstr(text, "--timeout 30"));
    assert_has(text, "--workers 3");
    assert_true(bench_noted(&bench, NOTE_INFO, UNIT_PATH ":10"));
    bench_assert_settled(&bench, TIMEOUT_60);
}

static void escaped_quotes_do_not_end_a_word(void **state)
{
    assert_rewritten("/bin/gunicorn --name \"a \\\"b  c\\\" d\" --timeout 30 a:b",
                     "/bin/gunicorn --name \"a \\\"b  c\\\" d\" --timeout 60 a:b");
}

static void words_that_variables_move_are_not_mistaken(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn $TWO --timeout 30 $NONE a:b", "Environment=\"TWO=-w 2\" NONE=\n");
    bench_apply(&bench, TIMEOUT_60);
    assert_has(bench_text(&bench, DROPIN_PATH), "ExecStart=/bin/gunicorn $TWO --timeout 30 $NONE a:b --timeout 60\n");
    bench_assert_settled(&bench, TIMEOUT_60);
}

static void a_flag_in_a_variable_is_overruled_at_the_end(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn $OPTIONS \\\n    a:b", "EnvironmentFile=" ENV_PATH "\n");
    tree_write(&bench.tree, ENV_PATH, "OPTIONS=\"--timeout 30 -w 2\"\n");
    bench_apply(&bench, TIMEOUT_60);
    assert_has(bench_text(&bench, DROPIN_PATH), "ExecStart=/bin/gunicorn $OPTIONS a:b --timeout 60\n");
    assert_int_equal(bench_edits(&bench), 2);
}

static void a_configuration_that_is_a_python_module_is_overruled_by_a_flag(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn -c python:site.gunicorn a:b", "");
    bench_apply(&bench, TIMEOUT_60);
    assert_has(bench_text(&bench, DROPIN_PATH), "a:b --timeout 60\n");
    bench_look(&bench);
    assert_error(&bench.tree, bench_try(&bench, "gunicorn: {at_least: {timeout: 60s}}"), ERR_REFUSED, "Python module");
}

static void variables_that_env_sets_beat_the_unit_and_are_refused(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/usr/bin/env GUNICORN_CMD_ARGS=--timeout=30 /bin/gunicorn a:b", "");
    assert_error(&bench.tree, bench_try(&bench, TIMEOUT_60), ERR_REFUSED, "would have no effect");
}

static void a_setting_that_is_nowhere_goes_to_the_command_line(void **state)
{
    assert_rewritten(PLAIN, PLAIN " --timeout 60");
}

static void a_setting_that_is_nowhere_goes_to_the_configuration_file_where_there_is_one(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, CONF_PATH, "workers = 3\n");
    bench_apply(&bench, TIMEOUT_60);
    assert_string_equal(bench_text(&bench, CONF_PATH), "workers = 3\ntimeout = 60\n");
    bench_assert_settled(&bench, TIMEOUT_60);
}

static void the_dropin_says_what_it_overrides(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    bench_apply(&bench, TIMEOUT_60);
    assert_has(bench_text(&bench, DROPIN_PATH), "[Service]\n# overrides ExecStart= of " UNIT_PATH ", sha256 ");
}

static void our_own_dropin_is_edited_in_place(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    bench_apply(&bench, TIMEOUT_60);
    const char *first = bench_text(&bench, DROPIN_PATH);
    bench_commit(&bench);
    bench_apply(&bench, "gunicorn: {exactly: {timeout: 90s, workers: 5}}");
    const char *second = bench_text(&bench, DROPIN_PATH);
    assert_has(second, PLAIN " --timeout 90 --workers 5\n");
    size_t same = (size_t)(strstr(first, "--timeout 60") - first);
    assert_memory_equal(first, second, same);
}

static void a_literal_in_the_configuration_file_is_replaced(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, CONF_PATH, "# tuned\r\ntimeout = 30  # s\r\nworkers = 3\r\n");
    bench_apply(&bench, TIMEOUT_60);
    assert_string_equal(bench_text(&bench, CONF_PATH), "# tuned\r\ntimeout = 60  # s\r\nworkers = 3\r\n");
    assert_int_equal(bench_edits(&bench), 1);
    bench_assert_settled(&bench, TIMEOUT_60);
}

static void a_word_in_the_configuration_file_is_a_python_string(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, CONF_PATH, "worker_class = \"gthread\"\n");
    bench_apply(&bench, "gunicorn: {exactly: {worker_class: sync}}");
    assert_has(bench_text(&bench, CONF_PATH), "worker_class = ");
    bench_assert_settled(&bench, "gunicorn: {exactly: {worker_class: sync}}");
}

static void what_the_file_computes_is_overruled_at_its_end(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, CONF_PATH, "import os\ntimeout = int(os.environ['T'])\n");
    bench_apply(&bench, TIMEOUT_60);
    assert_string_equal(bench_text(&bench, CONF_PATH), "import os\ntimeout = int(os.environ['T'])\ntimeout = 60\n");
    assert_true(bench_noted(&bench, NOTE_WARNING, "is computed"));
    bench_assert_settled(&bench, TIMEOUT_60);
}

static void what_the_file_computes_cannot_be_compared(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "");
    tree_write(&bench.tree, CONF_PATH, "import os\ntimeout = int(os.environ['T'])\n");
    assert_error(&bench.tree, bench_try(&bench, "gunicorn: {at_least: {timeout: 60s}}"), ERR_REFUSED, CONF_PATH ":2:1");
    assert_int_equal(bench_edits(&bench), 0);
}

static void the_file_named_by_a_flag_is_the_one_that_counts(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn -c /etc/site/g.py a:b", "");
    tree_write(&bench.tree, CONF_PATH, "timeout = 10\n");
    tree_write(&bench.tree, "/etc/site/g.py", "timeout = 30\n");
    bench_apply(&bench, TIMEOUT_60);
    assert_string_equal(bench_text(&bench, "/etc/site/g.py"), "timeout = 60\n");
    assert_string_equal(bench_text(&bench, CONF_PATH), "timeout = 10\n");
}

static void a_flag_beats_the_file(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, "/bin/gunicorn --timeout 30 a:b", "");
    tree_write(&bench.tree, CONF_PATH, "timeout = 10\n");
    bench_apply(&bench, TIMEOUT_60);
    assert_string_equal(bench_text(&bench, CONF_PATH), "timeout = 10\n");
    assert_has(bench_text(&bench, DROPIN_PATH), "ExecStart=/bin/gunicorn --timeout 60 a:b\n");
}

static void gunicorn_cmd_args_are_changed_in_their_environment_file(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "EnvironmentFile=" ENV_PATH "\n");
    tree_write(&bench.tree, ENV_PATH, "# settings\nSECRET_KEY=abc\nGUNICORN_CMD_ARGS=\"--timeout 30 -w 2\"\n");
    bench_apply(&bench, TIMEOUT_60);
    assert_has(bench_text(&bench, ENV_PATH), "# settings\nSECRET_KEY=abc\nGUNICORN_CMD_ARGS=");
    assert_has(bench_text(&bench, ENV_PATH), "--timeout 60 -w 2");
    assert_int_equal(bench_edits(&bench), 1);
    bench_assert_settled(&bench, TIMEOUT_60);
}

static void the_environment_file_beats_environment(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "EnvironmentFile=" ENV_PATH "\nEnvironment=\"GUNICORN_CMD_ARGS=--timeout 99\"\n");
    tree_write(&bench.tree, ENV_PATH, "GUNICORN_CMD_ARGS=--timeout=30\n");
    bench_apply(&bench, TIMEOUT_60);
    assert_has(bench_text(&bench, ENV_PATH), "--timeout=60");
    assert_int_equal(bench_edits(&bench), 1);
}

static void gunicorn_cmd_args_of_the_unit_are_overruled_in_the_dropin(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "Environment=\"GUNICORN_CMD_ARGS=--timeout 30 -w 2\"\n");
    bench_apply(&bench, TIMEOUT_60);
    assert_has(bench_text(&bench, DROPIN_PATH), "[Service]\nEnvironment=\"GUNICORN_CMD_ARGS=--timeout 60 -w 2\"\n");
    bench_assert_settled(&bench, TIMEOUT_60);
    bench_apply(&bench, "gunicorn: {exactly: {timeout: 90s}}");
    assert_has(bench_text(&bench, DROPIN_PATH), "=--timeout 90 -w 2\"\n");
    assert_null(strstr(bench_text(&bench, DROPIN_PATH), "60"));
}

static void web_concurrency_is_changed_where_it_stands(void **state)
{
    BENCH(bench);
    bench_gunicorn(&bench, PLAIN, "EnvironmentFile=" ENV_PATH "\n");
    tree_write(&bench.tree, ENV_PATH, "WEB_CONCURRENCY=2\nA=1\n");
    bench_apply(&bench, "gunicorn: {at_least: {workers: 4}}");
    assert_string_equal(bench_text(&bench, ENV_PATH), "WEB_CONCURRENCY=4\nA=1\n");
    assert_true(bench_noted(&bench, NOTE_WARNING, "fit the memory"));
    bench_assert_settled(&bench, "gunicorn: {at_least: {workers: 4}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flag_keeps_its_place_and_its_neighbours),
        cmocka_unit_test(of_two_flags_the_last_is_changed),
        cmocka_unit_test(quotes_around_other_words_stay),
        cmocka_unit_test(specifiers_and_dollars_are_not_expanded),
        cmocka_unit_test(prefixes_of_the_command_stay),
        cmocka_unit_test(an_argv0_of_its_own_gets_the_flag_at_the_end),
        cmocka_unit_test(a_command_over_several_lines_is_one_line_in_the_dropin),
        cmocka_unit_test(escaped_quotes_do_not_end_a_word),
        cmocka_unit_test(words_that_variables_move_are_not_mistaken),
        cmocka_unit_test(a_flag_in_a_variable_is_overruled_at_the_end),
        cmocka_unit_test(a_configuration_that_is_a_python_module_is_overruled_by_a_flag),
        cmocka_unit_test(variables_that_env_sets_beat_the_unit_and_are_refused),
        cmocka_unit_test(a_setting_that_is_nowhere_goes_to_the_command_line),
        cmocka_unit_test(a_setting_that_is_nowhere_goes_to_the_configuration_file_where_there_is_one),
        cmocka_unit_test(the_dropin_says_what_it_overrides),
        cmocka_unit_test(our_own_dropin_is_edited_in_place),
        cmocka_unit_test(a_literal_in_the_configuration_file_is_replaced),
        cmocka_unit_test(a_word_in_the_configuration_file_is_a_python_string),
        cmocka_unit_test(what_the_file_computes_is_overruled_at_its_end),
        cmocka_unit_test(what_the_file_computes_cannot_be_compared),
        cmocka_unit_test(the_file_named_by_a_flag_is_the_one_that_counts),
        cmocka_unit_test(a_flag_beats_the_file),
        cmocka_unit_test(gunicorn_cmd_args_are_changed_in_their_environment_file),
        cmocka_unit_test(the_environment_file_beats_environment),
        cmocka_unit_test(gunicorn_cmd_args_of_the_unit_are_overruled_in_the_dropin),
        cmocka_unit_test(web_concurrency_is_changed_where_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
