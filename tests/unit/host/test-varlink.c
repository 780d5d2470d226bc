/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tree.h"

#include "host/varlink.h"

#define METHOD "io.systemd.Journal.Synchronize"

static Err err;

/* A daemon for one call: it wants to read `call`, and answers with `answer` in two pieces, or never for NULL. */
typedef struct Daemon {
    const char *path;
    pid_t pid;
} Daemon;

static _Noreturn void serve(int listener, const char *answer, size_t len)
{
    static const char call[] = "{\"method\":\"" METHOD "\",\"parameters\":{}}";
    char got[4096];
    size_t have = 0;
    int fd = accept(listener, NULL, NULL);
    while (have < sizeof call) {
        ssize_t n = read(fd, got + have, sizeof got - have);
        if (n <= 0)
            _exit(1);
        have += (size_t)n;
    }
    bool right = have == sizeof call && memcmp(got, call, have) == 0;
    size_t half = len / 2;
    if (answer && (send(fd, answer, half, 0) < 0 || send(fd, answer + half, len - half, 0) < 0))
        _exit(1);
    if (!answer && read(fd, got, 1) != 0) /* until the caller has gone */
        _exit(1);
    _exit(right ? 0 : 2);
}

static Daemon start(TempTree *tree, const char *answer, size_t len)
{
    Daemon daemon = {.path = in_tree(tree, "/socket")};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", daemon.path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    daemon.pid = fork();
    if (daemon.pid == 0)
        serve(listener, answer, len);
    close(listener);
    return daemon;
}

static void assert_served(const Daemon *daemon)
{
    int status;
    assert_int_equal(waitpid(daemon->pid, &status, 0), daemon->pid);
    assert_int_equal(status, 0);
}

static void a_call_is_done_when_its_answer_has_come(void **state)
{
    static const char answer[] = "{\"parameters\":{}}";
    Daemon daemon = start(*state, answer, sizeof answer);
    assert_int_equal(varlink_call(daemon.path, METHOD, 10 * USEC_PER_SEC, &err), 0);
    assert_served(&daemon);
}

static void an_error_of_the_daemon_is_told(void **state)
{
    static const char answer[] = "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{}}";
    Daemon daemon = start(*state, answer, sizeof answer);
    assert_int_equal(varlink_call(daemon.path, METHOD, 10 * USEC_PER_SEC, &err), -ERR_FAILED);
    assert_non_null(strstr(err.message, METHOD ": org.varlink.service.MethodNotFound"));
    assert_served(&daemon);
}

static void half_an_answer_is_none(void **state)
{
    static const char answer[] = "{\"parameters\"";
    Daemon daemon = start(*state, answer, sizeof answer - 1);
    assert_int_equal(varlink_call(daemon.path, METHOD, 10 * USEC_PER_SEC, &err), -ERR_FAILED);
    assert_served(&daemon);
}

static void a_daemon_that_is_silent_is_not_waited_for_forever(void **state)
{
    Daemon daemon = start(*state, NULL, 0);
    assert_int_equal(varlink_call(daemon.path, METHOD, USEC_PER_SEC / 10, &err), -ERR_TIMEOUT);
    assert_served(&daemon);
}

static void without_a_socket_there_is_nobody_to_ask(void **state)
{
    assert_int_equal(varlink_call(in_tree(*state, "/none"), METHOD, USEC_PER_SEC, &err), -ERR_NOT_FOUND);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        T(a_call_is_done_when_its_answer_has_come),
        T(an_error_of_the_daemon_is_told),
        T(half_an_answer_is_none),
        T(a_daemon_that_is_silent_is_not_waited_for_forever),
        T(without_a_socket_there_is_nobody_to_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
