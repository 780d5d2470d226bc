/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "host/daemon.h"

/* The next message at the manager's socket. */
static const char *received(int fd)
{
    static char message[256];
    ssize_t n = recv(fd, message, sizeof message - 1, MSG_DONTWAIT);
    assert_true(n > 0);
    message[n] = '\0';
    return message;
}

static void the_manager_is_told(void **state)
{
    TempTree *tree = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", tree->root);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    daemon_ready();
    assert_string_equal(received(fd), "READY=1");
    daemon_status("verifying");
    assert_string_equal(received(fd), "STATUS=verifying");
    daemon_watchdog();
    assert_string_equal(received(fd), "WATCHDOG=1");
    daemon_stopping();
    assert_string_equal(received(fd), "STOPPING=1");
    unsetenv("NOTIFY_SOCKET");
    daemon_ready(); /* nobody listens: nothing happens */
    close(fd);
}

static void the_watchdogs_limit_is_known(void **state)
{
    assert_int_equal(daemon_watchdog_usec(), 0);
    setenv("WATCHDOG_USEC", "2000000", 1);
    assert_int_equal(daemon_watchdog_usec(), 2 * USEC_PER_SEC);
    unsetenv("WATCHDOG_USEC");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        T(the_manager_is_told),
        T(the_watchdogs_limit_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
