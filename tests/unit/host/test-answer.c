/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "host/answer.h"

#define LIMIT (10 * USEC_PER_SEC)

static const char *socket_of(const TempTree *tree)
{
    return arena_printf(tree->arena, "%s/run/answer.sock", tree->root);
}

/* Asks in a process of its own; its exit status is what answer_ask returned, 0 only with the reply that was wanted. */
static pid_t ask(const TempTree *tree, const char *line, const char *wanted)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    const char *reply = "";
    Err err;
    int r = answer_ask(tree->arena, socket_of(tree), line, LIMIT, &reply, &err);
    _exit(r != 0 ? (r < 0 ? -r : 100) : strcmp(reply, wanted) != 0 ? 101 : 0);
}

static int status_of(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void who_asks_gets_the_reply(void **state)
{
    TempTree *tree = *state;
    CLEANUP(answers_close) Answers *answers = NULL;
    const char *line;
    Err err;
    assert_int_equal(answers_open(socket_of(tree), &answers, &err), 0);
    for (int i = 0; i < 2; i++) {
        pid_t pid = ask(tree, "confirm", "kept");
        assert_int_equal(answers_next(answers, tree->arena, LIMIT, &line, &err), 0);
        assert_string_equal(line, "confirm");
        answers_reply(answers, "kept");
        assert_int_equal(status_of(pid), 0);
    }
}

static void nobody_asks_in_time(void **state)
{
    TempTree *tree = *state;
    CLEANUP(answers_close) Answers *answers = NULL;
    const char *line;
    Err err;
    assert_int_equal(answers_open(socket_of(tree), &answers, &err), 0);
    assert_int_equal(answers_next(answers, tree->arena, USEC_PER_MSEC, &line, &err), ANSWER_NONE);
}

static void nobody_listens(void **state)
{
    TempTree *tree = *state;
    Answers *answers = NULL;
    const char *reply;
    Err err;
    assert_int_equal(answer_ask(tree->arena, socket_of(tree), "x", LIMIT, &reply, &err), ANSWER_NONE);
    assert_int_equal(answers_open(socket_of(tree), &answers, &err), 0);
    answers_close(answers);
    assert_int_equal(answer_ask(tree->arena, socket_of(tree), "x", LIMIT, &reply, &err), ANSWER_NONE);
}

/* A socket file whose process was killed. */
static void a_dead_listener_is_none_and_can_be_replaced(void **state)
{
    TempTree *tree = *state;
    pid_t pid = fork();
    if (pid == 0) {
        Answers *answers;
        Err err;
        _exit(answers_open(socket_of(tree), &answers, &err) < 0);
    }
    assert_int_equal(status_of(pid), 0);
    const char *reply;
    Err err;
    assert_int_equal(access(socket_of(tree), F_OK), 0);
    assert_int_equal(answer_ask(tree->arena, socket_of(tree), "x", LIMIT, &reply, &err), ANSWER_NONE);
    CLEANUP(answers_close) Answers *answers = NULL;
    assert_int_equal(answers_open(socket_of(tree), &answers, &err), 0);
}

static void a_listener_that_ends_without_a_reply_is_a_failure(void **state)
{
    TempTree *tree = *state;
    Answers *answers;
    const char *line;
    Err err;
    assert_int_equal(answers_open(socket_of(tree), &answers, &err), 0);
    pid_t pid = ask(tree, "confirm", "kept");
    assert_int_equal(answers_next(answers, tree->arena, LIMIT, &line, &err), 0);
    answers_close(answers);
    assert_int_equal(status_of(pid), ERR_FAILED);
}

static void send_raw(const TempTree *tree, const char *bytes, size_t len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_of(tree));
    CLEANUP(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    (void)send(fd, bytes, len, MSG_NOSIGNAL);
}

/* It must not keep the listener from its deadline, nor from the next one who asks. */
static void a_line_that_is_cut_or_too_long_is_dropped(void **state)
{
    TempTree *tree = *state;
    CLEANUP(answers_close) Answers *answers = NULL;
    char *huge = arena_alloc(tree->arena, 3 * ANSWER_MAX);
    memset(huge, 'x', 3 * ANSWER_MAX);
    const char *line;
    Err err;
    assert_int_equal(answers_open(socket_of(tree), &answers, &err), 0);
    send_raw(tree, "half", 4);
    assert_int_equal(answers_next(answers, tree->arena, LIMIT, &line, &err), ANSWER_NONE);
    send_raw(tree, huge, 3 * ANSWER_MAX);
    assert_int_equal(answers_next(answers, tree->arena, LIMIT, &line, &err), ANSWER_NONE);
    pid_t pid = ask(tree, "cancel", "rolled-back");
    assert_int_equal(answers_next(answers, tree->arena, LIMIT, &line, &err), 0);
    answers_reply(answers, "rolled-back");
    assert_int_equal(status_of(pid), 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        T(who_asks_gets_the_reply),
        T(nobody_asks_in_time),
        T(nobody_listens),
        T(a_dead_listener_is_none_and_can_be_replaced),
        T(a_listener_that_ends_without_a_reply_is_a_failure),
        T(a_line_that_is_cut_or_too_long_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
