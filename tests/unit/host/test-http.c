/* SPDX-License-Identifier: Apache-2.0 */
/* Against a server of the test's own: each connection gets the same scripted answer. */
#include "tree.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "host/http.h"

static Err err;

typedef struct Server {
    pid_t pid;
    uint16_t port;
    char requests[128]; /* file into which the requests go */
} Server;

/* Reads one request, keeps it, answers and closes; `reset` closes with RST, `silent` never answers. */
static _Noreturn void serve(int listener, const char *requests, Bytes answer, bool reset, bool silent)
{
    for (;;) {
        char buffer[65536];
        size_t len = 0;
        int fd = accept(listener, NULL, NULL);
        ssize_t n;
        while (len < sizeof buffer - 1 && (n = recv(fd, buffer + len, sizeof buffer - 1 - len, 0)) > 0) {
            len += (size_t)n;
            buffer[len] = '\0';
            const char *body = strstr(buffer, "\r\n\r\n"), *size = strstr(buffer, "Content-Length: ");
            if (body && (!size || strlen(body + 4) >= strtoul(size + 16, NULL, 10)))
                break;
        }
        FILE *file = fopen(requests, "ae");
        fwrite(buffer, 1, len, file);
        fclose(file);
        if (silent)
            pause();
        send(fd, answer.data, answer.len, MSG_NOSIGNAL);
        if (reset)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
        else
            shutdown(fd, SHUT_WR);
        close(fd);
    }
}

static Server start(TempTree *tree, const char *unix_path, const char *answer, bool reset, bool silent)
{
    Server server = {0};
    snprintf(server.requests, sizeof server.requests, "%s/requests", tree->root);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    socklen_t len = sizeof address;
    int fd = socket(unix_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (unix_path) {
        snprintf(local.sun_path, sizeof local.sun_path, "%s", unix_path);
        assert_int_equal(bind(fd, (struct sockaddr *)&local, sizeof local), 0);
    } else {
        assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
        server.port = ntohs(address.sin_port);
    }
    assert_int_equal(listen(fd, 16), 0);
    server.pid = fork();
    if (server.pid == 0)
        serve(fd, server.requests, bytes_of(answer), reset, silent);
    close(fd);
    return server;
}

static void stop(Server server)
{
    kill(server.pid, SIGKILL);
    waitpid(server.pid, NULL, 0);
}

static HttpResult ask(TempTree *tree, const HttpRequest *request)
{
    CLEANUP(http_pool_close) HttpPool *pool = NULL;
    HttpResult result;
    assert_int_equal(http_pool_open("salve-probe/r1", &pool, &err), 0);
    if (http_start(pool, request, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(http_in_flight(pool), 1);
    assert_int_equal(http_poll(pool, tree->arena, 20 * USEC_PER_SEC, &result, &err), 0);
    assert_int_equal(http_in_flight(pool), 0);
    return result;
}

static char *url(TempTree *tree, Server server, const char *path)
{
    return arena_printf(tree->arena, "http://127.0.0.1:%u%s", server.port, path);
}

static HttpResult ask_once(TempTree *tree, const char *answer, bool reset)
{
    Server server = start(tree, NULL, answer, reset, false);
    HttpResult result = ask(tree, &(HttpRequest){.url = url(tree, server, "/x")});
    stop(server);
    return result;
}

static void a_whole_answer_comes_with_status_headers_and_times(void **state)
{
    HttpResult result =
        ask_once(*state, "HTTP/1.1 200 OK\r\nX-A: one\r\nx-b:two\r\nContent-Length: 5\r\n\r\nhello", false);
    assert_int_equal(result.outcome, HTTP_OK);
    assert_int_equal(result.status, 200);
    assert_int_equal(result.version, 11);
    assert_string_equal(result.body.data, "hello");
    assert_int_equal(result.body_size, 5);
    assert_string_equal(http_header(&result, "x-a"), "one");
    assert_string_equal(http_header(&result, "X-B"), "two");
    assert_null(http_header(&result, "x-c"));
    assert_true(result.timing.connect_usec > 0 && result.timing.connect_usec <= result.timing.first_byte_usec);
    assert_true(result.timing.first_byte_usec <= result.timing.total_usec);
    assert_int_equal(result.timing.tls_usec, 0);
    assert_true(str_starts(result.remote, "127.0.0.1:"));
}

static void a_redirect_is_not_followed(void **state)
{
    HttpResult result =
        ask_once(*state, "HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", false);
    assert_int_equal(result.outcome, HTTP_OK);
    assert_int_equal(result.status, 301);
    assert_string_equal(http_header(&result, "location"), "/elsewhere");
}

static void a_body_cut_short_is_partial_although_the_status_is_200(void **state)
{
    HttpResult result = ask_once(*state, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello", false);
    assert_int_equal(result.outcome, HTTP_PARTIAL);
    assert_int_equal(result.status, 200);
    assert_int_equal(result.body_size, 5);
    assert_true(strlen(result.text) > 0);
    result = ask_once(*state, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false);
    assert_int_equal(result.outcome, HTTP_PARTIAL);
}

static void an_empty_reply_and_a_reset_are_told_apart(void **state)
{
    assert_int_equal(ask_once(*state, "", false).outcome, HTTP_EMPTY);
    HttpResult result = ask_once(*state, "", true);
    assert_int_equal(result.outcome, HTTP_RESET);
    assert_int_equal(result.status, 0);
}

static void a_closed_port_is_refused(void **state)
{
    TempTree *tree = *state;
    Server server = start(tree, NULL, "", false, false);
    stop(server);
    HttpResult result = ask(tree, &(HttpRequest){.url = url(tree, server, "/")});
    assert_int_equal(result.outcome, HTTP_REFUSED);
    result = ask(tree, &(HttpRequest){.url = "http://x/", .unix_socket = tree_path(tree, "none.sock")});
    assert_int_equal(result.outcome, HTTP_REFUSED);
}

static void silence_is_a_timeout(void **state)
{
    TempTree *tree = *state;
    Server server = start(tree, NULL, "", false, true);
    HttpResult result = ask(tree, &(HttpRequest){.url = url(tree, server, "/"), .timeout_usec = 100 * USEC_PER_MSEC});
    stop(server);
    assert_int_equal(result.outcome, HTTP_TIMEOUT);
    assert_true(result.timing.total_usec >= 90 * USEC_PER_MSEC);
}

static void only_the_asked_part_of_the_body_is_kept(void **state)
{
    TempTree *tree = *state;
    Server server = start(tree, NULL, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", false, false);
    HttpResult result = ask(tree, &(HttpRequest){.url = url(tree, server, "/"), .max_body = 5});
    stop(server);
    assert_int_equal(result.outcome, HTTP_OK);
    assert_string_equal(result.body.data, "hello");
    assert_int_equal(result.body_size, 11);
}

static void the_request_is_marked_and_keeps_its_host_elsewhere(void **state)
{
    TempTree *tree = *state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    Server server = start(tree, NULL, "HTTP/1.1 204 No\r\n\r\n", false, false);
    StringVec headers = {0};
    *vec_push(tree->arena, &headers) = "X-Forwarded-Proto: https";
    HttpResult result = ask(tree, &(HttpRequest){.url = "http://shop.example:8080/a?b",
                                                 .headers = headers,
                                                 .connect_to = arena_printf(tree->arena, "127.0.0.1:%u", server.port)});
    stop(server);
    unsetenv("http_proxy");
    assert_int_equal(result.status, 204);
    const char *request = get_file(tree, "/requests");
    assert_true(str_starts(request, "GET /a?b HTTP/1.1\r\nHost: shop.example:8080\r\n"));
    assert_non_null(strstr(request, "User-Agent: salve-probe/r1\r\n"));
    assert_non_null(strstr(request, "X-Forwarded-Proto: https\r\n"));
}

static void methods_and_bodies_are_sent_over_a_unix_socket(void **state)
{
    TempTree *tree = *state;
    const char *path = tree_path(tree, "s.sock");
    Server server = start(tree, path, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", false, false);
    HttpResult result = ask(tree, &(HttpRequest){.url = "http://h/", .method = "HEAD", .unix_socket = path});
    assert_int_equal(result.outcome, HTTP_OK);
    assert_string_equal(result.remote, path);
    stop(server);
    remove(path);
    server = start(tree, path, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, false);
    result = ask(tree, &(HttpRequest){.url = "http://h/", .method = "PUT", .body = BYTES("a=b"), .unix_socket = path});
    stop(server);
    assert_int_equal(result.status, 200);
    const char *requests = get_file(tree, "/requests");
    assert_true(str_starts(requests, "HEAD / HTTP/1.1\r\n"));
    const char *put = strstr(requests, "PUT / HTTP/1.1\r\n");
    assert_non_null(put);
    assert_true(str_ends(put, "\r\n\r\na=b"));
}

static void several_are_in_flight_and_come_back_by_their_tags(void **state)
{
    TempTree *tree = *state;
    Server server = start(tree, NULL, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, false);
    CLEANUP(http_pool_close) HttpPool *pool = NULL;
    assert_int_equal(http_pool_open("salve-probe/r1", &pool, &err), 0);
    HttpResult result;
    assert_int_equal(http_poll(pool, tree->arena, USEC_PER_SEC, &result, &err), HTTP_NONE);
    uint64_t seen = 0;
    for (uint64_t tag = 0; tag < 5; tag++)
        assert_int_equal(http_start(pool, &(HttpRequest){.url = url(tree, server, "/"), .tag = tag}, &err), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(http_poll(pool, tree->arena, 20 * USEC_PER_SEC, &result, &err), 0);
        seen |= UINT64_C(1) << result.tag;
    }
    assert_int_equal(seen, 31);
    assert_int_equal(http_start(pool, &(HttpRequest){.url = url(tree, server, "/")}, &err), 0);
    stop(server); /* and the pool is closed with one in flight */
}

static void other_schemes_are_refused(void **state)
{
    CLEANUP(http_pool_close) HttpPool *pool = NULL;
    assert_int_equal(http_pool_open("x", &pool, &err), 0);
    assert_int_equal(http_start(pool, &(HttpRequest){.url = "file:///etc/passwd"}, &err), -ERR_INVALID);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        T(a_whole_answer_comes_with_status_headers_and_times),
        T(a_redirect_is_not_followed),
        T(a_body_cut_short_is_partial_although_the_status_is_200),
        T(an_empty_reply_and_a_reset_are_told_apart),
        T(a_closed_port_is_refused),
        T(silence_is_a_timeout),
        T(only_the_asked_part_of_the_body_is_kept),
        T(the_request_is_marked_and_keeps_its_host_elsewhere),
        T(methods_and_bodies_are_sent_over_a_unix_socket),
        T(several_are_in_flight_and_come_back_by_their_tags),
        T(other_schemes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
