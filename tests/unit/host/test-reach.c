/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <signal.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/reach.h"

static Err err;

static int listen_at(const char *path, int queue)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, queue), 0);
    return fd;
}

static int try_path(const char *path)
{
    return reach_try(&(ReachTarget){.path = path}, getpid(), USEC_PER_SEC, &err);
}

static void a_socket_is_reached_and_one_whose_name_went_is_not(void **state)
{
    TempTree *tree = *state;
    const char *path = tree_path(tree, "s");
    int fd = listen_at(path, 1);
    assert_int_equal(try_path(path), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(try_path(path), 0); /* its queue is full by now */
    unlink(path);
    assert_int_equal(try_path(path), ENOENT);
    close(fd);
}

static void a_socket_that_nobody_listens_on_refuses(void **state)
{
    TempTree *tree = *state;
    const char *path = tree_path(tree, "s");
    close(listen_at(path, 1));
    assert_int_equal(try_path(path), ECONNREFUSED);
    assert_int_equal(try_path(tree_path(tree, "s/below")), ENOTDIR);
}

static void a_port_is_tried_by_its_number_or_name(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    ReachTarget target = {.host = "127.0.0.1", .port = ntohs(address.sin_port)};
    assert_int_equal(reach_try(&target, getpid(), USEC_PER_SEC, &err), ECONNREFUSED);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(reach_try(&target, getpid(), USEC_PER_SEC, &err), 0);
    target.host = "localhost";
    assert_int_equal(reach_try(&target, getpid(), USEC_PER_SEC, &err), 0);
    close(fd);
}

static void the_rights_are_those_of_the_other_process(void **state)
{
    TempTree *tree = *state;
    const char *path = tree_path(tree, "s");
    if (geteuid() != 0)
        skip();
    int fd = listen_at(path, 5), ready[2];
    chmod(path, 0600);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        bool dropped = setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0;
        _exit(dropped && write(ready[1], "x", 1) == 1 ? pause() : 1);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(reach_try(&(ReachTarget){.path = path}, pid, USEC_PER_SEC, &err), EACCES);
    assert_int_equal(try_path(path), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    close(fd);
    assert_true(reach_try(&(ReachTarget){.path = path}, pid, USEC_PER_SEC, &err) < 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_socket_is_reached_and_one_whose_name_went_is_not),
        T(a_socket_that_nobody_listens_on_refuses),
        T(a_port_is_tried_by_its_number_or_name),
        T(the_rights_are_those_of_the_other_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
