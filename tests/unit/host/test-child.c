/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <poll.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <signal.h>

#include "host/child.h"

static Err err;

static ChildResult run(TempTree *tree, const ChildSpec *spec)
{
    ChildResult result;
    if (child_run(tree->arena, spec, &result, &err) < 0)
        fail_msg("%s", err.message);
    return result;
}

static ChildResult run_script(TempTree *tree, const char *script, ChildSpec spec)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    spec.argv = argv;
    return run(tree, &spec);
}

static void both_streams_and_the_exit_status_come_back(void **state)
{
    ChildResult result = run_script(*state, "echo out; echo err >&2; exit 3", (ChildSpec){0});
    assert_int_equal(result.end, CHILD_EXITED);
    assert_int_equal(result.status, 3);
    assert_string_equal(result.output.data, "out\n");
    assert_string_equal(result.error.data, "err\n");
    assert_false(child_succeeded(&result));
    assert_false(result.output_cut || result.error_cut);
}

static void arguments_are_not_seen_by_a_shell(void **state)
{
    const char *const argv[] = {"/bin/echo", "$HOME; rm *", "a  b", NULL};
    ChildResult result = run(*state, &(ChildSpec){.argv = argv});
    assert_string_equal(result.output.data, "$HOME; rm * a  b\n");
}

static void output_beyond_the_bound_is_dropped_and_told(void **state)
{
    ChildResult result =
        run_script(*state, "head -c 1000000 /dev/zero | tr '\\0' x; echo done >&2", (ChildSpec){.max_output = 1000});
    assert_true(child_succeeded(&result));
    assert_int_equal(result.output.len, 1000);
    assert_true(result.output_cut);
    assert_string_equal(result.error.data, "done\n");
}

static void input_is_given_and_need_not_be_read(void **state)
{
    TempTree *tree = *state;
    size_t len = 1 << 20;
    char *text = arena_alloc(tree->arena, len + 1);
    memset(text, 'y', len);
    ChildResult result = run_script(tree, "wc -c", (ChildSpec){.input = {text, len}});
    assert_int_equal(strtol(result.output.data, NULL, 10), len);
    result = run_script(tree, "true", (ChildSpec){.input = {text, len}});
    assert_true(child_succeeded(&result));
}

static void without_input_standard_input_is_empty(void **state)
{
    ChildResult result = run_script(*state, "wc -c", (ChildSpec){0});
    assert_int_equal(strtol(result.output.data, NULL, 10), 0);
}

static void a_missing_program_is_an_error(void **state)
{
    TempTree *tree = *state;
    const char *const argv[] = {"/nonexistent/program", NULL};
    ChildResult result;
    assert_int_equal(child_run(tree->arena, &(ChildSpec){.argv = argv}, &result, &err), -ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nonexistent/program"));
}

static void a_signal_is_told_apart_from_an_exit_status(void **state)
{
    TempTree *tree = *state;
    ChildResult result = run_script(tree, "kill -TERM $$", (ChildSpec){0});
    assert_int_equal(result.end, CHILD_KILLED);
    assert_int_equal(result.status, SIGTERM);
    assert_string_equal(child_end_to_string(tree->arena, &result), "killed by SIGTERM");
}

static void the_time_limit_kills_the_whole_group(void **state)
{
    TempTree *tree = *state;
    usec start = clock_monotonic();
    /* The grandchild ignores TERM and holds the pipe open. */
    ChildResult result = run_script(tree, "sh -c 'trap \"\" TERM; echo $$; sleep 60; echo survived' & wait",
                                    (ChildSpec){.timeout_usec = 200 * USEC_PER_MSEC});
    assert_int_equal(result.end, CHILD_TIMED_OUT);
    assert_true(clock_monotonic() - start < 10 * USEC_PER_SEC);
    pid_t grandchild = (pid_t)strtol(result.output.data, NULL, 10);
    assert_true(grandchild > 0);
    /* SIGKILL was sent; the kernel may still be at it. */
    int process = (int)syscall(SYS_pidfd_open, grandchild, 0);
    struct pollfd ended = {.fd = process, .events = POLLIN};
    assert_true(process >= 0 ? poll(&ended, 1, 10000) == 1 : errno == ESRCH);
    if (process >= 0)
        close(process);
}

static void what_stays_in_the_background_does_not_hold_us_up(void **state)
{
    usec start = clock_monotonic();
    ChildResult result = run_script(*state, "sleep 60 & echo started", (ChildSpec){0});
    assert_true(child_succeeded(&result));
    assert_string_equal(result.output.data, "started\n");
    assert_true(clock_monotonic() - start < 10 * USEC_PER_SEC);
}

static void only_the_given_environment_is_seen(void **state)
{
    setenv("SALVE_TEST_SECRET", "x", 1);
    ChildResult result = run_script(*state, "echo \"$SALVE_TEST_SECRET|$LC_ALL\"", (ChildSpec){0});
    assert_string_equal(result.output.data, "|C.UTF-8\n");
    const char *const env[] = {"PATH=/usr/bin:/bin", "A=b", NULL};
    result = run_script(*state, "echo \"$A|$LC_ALL\"", (ChildSpec){.env = env});
    assert_string_equal(result.output.data, "b|\n");
}

static void no_descriptor_of_ours_is_inherited(void **state)
{
    int fd = dup2(open("/dev/null", O_RDONLY), 77); /* without CLOEXEC */
    assert_int_equal(fd, 77);
    ChildResult result =
        run_script(*state, "test -e /proc/self/fd/77 && echo leaked; pwd", (ChildSpec){.directory = "/usr"});
    close(77);
    assert_string_equal(result.output.data, "/usr\n");
}

static int fail_before(void *context, Err *ret_err)
{
    return err_set(ret_err, ERR_REFUSED, "not today: %s", (const char *)context);
}

static void a_failure_before_exec_is_the_callers_error(void **state)
{
    TempTree *tree = *state;
    const char *const argv[] = {"true", NULL};
    ChildSpec spec = {.argv = argv, .before_exec = fail_before, .context = (void *)(uintptr_t) "x"};
    ChildResult result;
    assert_int_equal(child_run(tree->arena, &spec, &result, &err), -ERR_REFUSED);
    assert_string_equal(err.message, "not today: x");
}

static bool always(void *context)
{
    return true;
}

static void it_can_be_interrupted(void **state)
{
    ChildResult result = run_script(*state, "sleep 60", (ChildSpec){.interrupted = always});
    assert_int_equal(result.end, CHILD_INTERRUPTED);
}

static void it_runs_as_another_user(void **state)
{
    if (geteuid() != 0)
        skip();
    ChildResult result =
        run_script(*state, "id -u; id -g; id -G", (ChildSpec){.set_user = true, .uid = 65534, .gid = 65534});
    assert_string_equal(result.output.data, "65534\n65534\n65534\n");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        T(both_streams_and_the_exit_status_come_back),
        T(arguments_are_not_seen_by_a_shell),
        T(output_beyond_the_bound_is_dropped_and_told),
        T(input_is_given_and_need_not_be_read),
        T(without_input_standard_input_is_empty),
        T(a_missing_program_is_an_error),
        T(a_signal_is_told_apart_from_an_exit_status),
        T(the_time_limit_kills_the_whole_group),
        T(what_stays_in_the_background_does_not_hold_us_up),
        T(only_the_given_environment_is_seen),
        T(no_descriptor_of_ours_is_inherited),
        T(a_failure_before_exec_is_the_callers_error),
        T(it_can_be_interrupted),
        T(it_runs_as_another_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
