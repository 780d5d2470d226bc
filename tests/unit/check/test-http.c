/* SPDX-License-Identifier: Apache-2.0 */
/* Against a server of the test's own, driven as the engine drives a check. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/http-answer.h"
#include "check/kinds.h"

static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
static const char bad[] = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
static const char truncated[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok";

typedef struct Server {
    pid_t pid;
    uint16_t port;
} Server;

/* Answers `then` after the first `n_first` requests; NULL: never answers. */
static _Noreturn void serve(int listener, const char *first, int n_first, const char *then)
{
    for (int n = 0;; n++) {
        char request[4096];
        int fd = accept(listener, NULL, NULL);
        ssize_t len = recv(fd, request, sizeof request - 1, 0);
        request[len > 0 ? len : 0] = '\0';
        const char *answer = n < n_first ? first : then;
        if (!strstr(request, "User-Agent: salve-probe/test\r\n"))
            answer = bad;
        if (!answer)
            continue; /* the connection stays open, silent */
        send(fd, answer, strlen(answer), MSG_NOSIGNAL);
        shutdown(fd, SHUT_WR);
        close(fd);
    }
}

static Server server_start(const char *first, int n_first, const char *then)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(listen(fd, 16), 0);
    Server server = {fork(), ntohs(address.sin_port)};
    if (server.pid == 0)
        serve(fd, first, n_first, then);
    close(fd);
    return server;
}

static void server_stop(Server server)
{
    kill(server.pid, SIGKILL);
    waitpid(server.pid, NULL, 0);
}

typedef struct Rig {
    Arena *arena;
    CheckContext context;
    HttpSpec spec;
    void *state;
    Server server;
    CheckResult result;
    size_t samples;
} Rig;

static void count_sample(void *user, const char *check, double value, const char *unit, bool ok, const char *text)
{
    ++*(size_t *)user;
}

static Rig rig_new(Server server)
{
    Rig rig = {.arena = arena_new(), .server = server};
    Err err;
    assert_int_equal(http_pool_open("salve-probe/test", &rig.context.http, &err), 0);
    rig.context.arena = rig.arena;
    rig.context.interval_usec = 20 * USEC_PER_MSEC;
    rig.spec.url = (Value){.kind = VALUE_URL, .text = arena_printf(rig.arena, "http://127.0.0.1:%u/", server.port)};
    rig.spec.method = (Value){.kind = VALUE_ENUM, .text = "GET"};
    return rig;
}

static void rig_open(Rig *rig)
{
    Err err;
    rig->context.on_sample = count_sample;
    rig->context.user = &rig->samples;
    if (check_http.open(&rig->context, &rig->spec, &rig->state, &err) < 0)
        fail_msg("%s", err.message);
}

static void rig_free(Rig *rig)
{
    check_http.close(rig->state);
    http_pool_close(rig->context.http);
    server_stop(rig->server);
    arena_free(rig->arena);
}

/* A phase as the engine drives it; *ret_enough: the check said that it needs nothing more. */
static bool drive(Rig *rig, CheckPhase phase, usec window)
{
    Err err;
    bool enough = false;
    usec start = clock_boottime();
    assert_int_equal(check_http.begin(rig->state, phase, window, &err), 0);
    for (usec now = start; now < start + window && !enough; now = clock_boottime()) {
        usec next;
        int r = check_http.poll(rig->state, now, &next, &err);
        assert_true(r >= 0);
        enough = r == 1;
        HttpResult result;
        usec wait = next > now ? next - now : 0, left = start + window - now;
        if (!enough && http_poll(rig->context.http, rig->arena, wait < left ? wait : left, &result, &err) == 0)
            assert_int_equal(check_http.on_http(rig->state, &result, &err), 0);
        check_http.judge(rig->state, rig->arena, false, &rig->result, &err);
        if (rig->result.final)
            break;
    }
    assert_int_equal(check_http.judge(rig->state, rig->arena, true, &rig->result, &err), 0);
    return enough;
}

static double measure(const CheckResult *result, const char *name)
{
    VEC_EACH (m, &result->measures) {
        if (strcmp(m->name, name) == 0)
            return m->value;
    }
    return -1;
}

static Value duration(usec usecs)
{
    return (Value){.kind = VALUE_DURATION, .text = "given", .duration = usecs};
}

static void a_healthy_endpoint_passes_with_its_numbers(void **state)
{
    Rig rig = rig_new(server_start(good, 0, good));
    rig_open(&rig);
    assert_true(drive(&rig, CHECK_BASELINE, 5 * USEC_PER_SEC));
    assert_int_equal(rig.result.verdict, VERDICT_PASS);
    assert_int_equal((int)measure(&rig.result, "samples"), 1);
    assert_false(drive(&rig, CHECK_VERIFY, 300 * USEC_PER_MSEC));
    assert_int_equal(rig.result.verdict, VERDICT_PASS);
    assert_true(measure(&rig.result, "samples") >= 3);
    assert_true(measure(&rig.result, "total") > 0);
    assert_true(measure(&rig.result, "connect") > 0);
    assert_true(measure(&rig.result, "connect") < measure(&rig.result, "total"));
    assert_true(rig.samples >= 4);
    rig_free(&rig);
}

static void a_failing_endpoint_fails_at_once(void **state)
{
    Rig rig = rig_new(server_start(bad, 0, bad));
    rig_open(&rig);
    drive(&rig, CHECK_VERIFY, 30 * USEC_PER_SEC);
    assert_int_equal(rig.result.verdict, VERDICT_FAIL);
    assert_true(rig.result.final);
    assert_non_null(strstr(rig.result.reason, "HTTP 502 instead of 200"));
    rig_free(&rig);
}

static void a_truncated_answer_fails(void **state)
{
    Rig rig = rig_new(server_start(truncated, 0, truncated));
    rig_open(&rig);
    drive(&rig, CHECK_VERIFY, 30 * USEC_PER_SEC);
    assert_int_equal(rig.result.verdict, VERDICT_FAIL);
    assert_non_null(strstr(rig.result.reason, "ended early"));
    rig_free(&rig);
}

static void nobody_listening_fails(void **state)
{
    Server server = server_start(good, 0, good);
    Rig rig = rig_new(server);
    rig_open(&rig);
    server_stop(server);
    drive(&rig, CHECK_VERIFY, 30 * USEC_PER_SEC);
    assert_int_equal(rig.result.verdict, VERDICT_FAIL);
    rig.server.pid = fork();
    if (rig.server.pid == 0)
        _exit(0);
    rig_free(&rig);
}

static void a_hanging_request_fails_as_soon_as_it_is_too_slow(void **state)
{
    Rig rig = rig_new(server_start(good, 1, NULL));
    CriterionSpec max = {.max = duration(200 * USEC_PER_MSEC)};
    rig.spec.criteria.statistics[STATISTIC_MAX] = &max;
    rig_open(&rig);
    usec start = clock_boottime();
    drive(&rig, CHECK_VERIFY, 60 * USEC_PER_SEC);
    assert_true(clock_boottime() - start < 5 * USEC_PER_SEC);
    assert_int_equal(rig.result.verdict, VERDICT_FAIL);
    assert_non_null(strstr(rig.result.reason, "max more than"));
    rig_free(&rig);
}

static void a_baseline_gathers_what_its_criteria_need(void **state)
{
    Rig rig = rig_new(server_start(good, 0, good));
    CriterionSpec p95 = {.max = duration(5 * USEC_PER_SEC)};
    p95.over_baseline = (Value){.kind = VALUE_PERCENT, .text = "1000%", .percent = 1000};
    p95.slack = duration(2 * USEC_PER_SEC);
    rig.spec.criteria.statistics[STATISTIC_P95] = &p95;
    rig_open(&rig);
    assert_true(drive(&rig, CHECK_BASELINE, 20 * USEC_PER_SEC));
    assert_int_equal((int)measure(&rig.result, "samples"), 60);
    drive(&rig, CHECK_VERIFY, 3 * USEC_PER_SEC);
    assert_int_equal(rig.result.verdict, VERDICT_PASS);
    assert_int_equal(rig.result.dropped.n, 0);
    assert_non_null(strstr(rig.result.reason, "not slower: in "));
    rig_free(&rig);
}

static void a_baseline_that_hangs_is_slower_than_its_time(void **state)
{
    Rig rig = rig_new(server_start(good, 0, NULL));
    CriterionSpec max = {.max = duration(60 * USEC_PER_SEC)};
    max.over_baseline = (Value){.kind = VALUE_PERCENT, .text = "20%", .percent = 20};
    rig.spec.criteria.statistics[STATISTIC_MAX] = &max;
    rig_open(&rig);
    assert_false(drive(&rig, CHECK_BASELINE, 150 * USEC_PER_MSEC));
    assert_int_equal(rig.result.verdict, VERDICT_BLIND);
    server_stop(rig.server);
    drive(&rig, CHECK_VERIFY, 50 * USEC_PER_MSEC);
    assert_int_equal(rig.result.dropped.n, 1);
    assert_non_null(strstr(rig.result.dropped.items[0], "the baseline has 0 usable samples"));
    rig.server.pid = fork();
    if (rig.server.pid == 0)
        _exit(0);
    rig_free(&rig);
}

static void once_takes_one_sample(void **state)
{
    Rig rig = rig_new(server_start(good, 1, bad));
    rig.context.once = true;
    rig_open(&rig);
    assert_true(drive(&rig, CHECK_VERIFY, 30 * USEC_PER_SEC));
    assert_int_equal(rig.result.verdict, VERDICT_PASS);
    assert_int_equal((int)measure(&rig.result, "samples"), 1);
    rig_free(&rig);
}

static void a_late_answer_of_the_baseline_is_ignored(void **state)
{
    Rig rig = rig_new(server_start(good, 0, good));
    rig_open(&rig);
    Err err;
    usec next;
    check_http.begin(rig.state, CHECK_BASELINE, USEC_PER_SEC, &err);
    assert_int_equal(check_http.poll(rig.state, clock_boottime(), &next, &err), 0);
    HttpResult late;
    assert_int_equal(http_poll(rig.context.http, rig.arena, 5 * USEC_PER_SEC, &late, &err), 0);
    check_http.begin(rig.state, CHECK_VERIFY, USEC_PER_SEC, &err);
    assert_int_equal(check_http.poll(rig.state, clock_boottime(), &next, &err), 0);
    late.status = 502;
    assert_int_equal(check_http.on_http(rig.state, &late, &err), 0);
    check_http.judge(rig.state, rig.arena, true, &rig.result, &err);
    assert_int_equal(rig.result.verdict, VERDICT_BLIND);
    assert_int_equal((int)measure(&rig.result, "samples"), 0);
    rig_free(&rig);
}

static void lint_finds_what_cannot_work(void **state)
{
    HttpSpec spec = {.url = {.kind = VALUE_URL, .text = "http://x/"}, .method = {.kind = VALUE_ENUM, .text = "GET"}};
    CriterionSpec p95 = {.max = duration(USEC_PER_SEC)};
    Err err;
    assert_int_equal(check_http.lint(&spec, 0, 2 * USEC_PER_SEC, &err), 0);
    spec.criteria.statistics[STATISTIC_P95] = &p95;
    assert_int_equal(check_http.lint(&spec, 0, 2 * USEC_PER_SEC, &err), 0);
    assert_int_equal(check_http.lint(&spec, 30 * USEC_PER_SEC, 2 * USEC_PER_SEC, &err), -ERR_INVALID);
    assert_non_null(strstr(err.message, "fewer than the 59 samples"));
    assert_int_equal(check_http.lint(&spec, 116 * USEC_PER_SEC, 2 * USEC_PER_SEC, &err), 0);
    p95.over_baseline = (Value){.kind = VALUE_PERCENT, .text = "20%", .percent = 20};
    spec.criteria.statistics[STATISTIC_P95] = NULL;
    spec.criteria.statistics[STATISTIC_MAX] = &p95;
    assert_int_equal(check_http.lint(&spec, 60 * USEC_PER_SEC, 2 * USEC_PER_SEC, &err), -ERR_INVALID);
    assert_non_null(strstr(err.message, "fewer than the 40 samples"));
    assert_int_equal(check_http.lint(&spec, 78 * USEC_PER_SEC, 2 * USEC_PER_SEC, &err), 0);
    spec.timeout = duration(USEC_PER_SEC);
    assert_int_equal(check_http.lint(&spec, 0, 2 * USEC_PER_SEC, &err), -ERR_INVALID);
    assert_non_null(strstr(err.message, "gives up before"));
}

static void the_window_gathers_the_samples_of_slow_requests(void **state)
{
    HttpSpec spec = {.url = {.kind = VALUE_URL, .text = "http://x/"}, .every = duration(15 * USEC_PER_SEC)};
    CriterionSpec max = {.max = duration(60 * USEC_PER_SEC)};
    spec.criteria.statistics[STATISTIC_MAX] = &max;
    assert_true(check_http.window(&spec, 2 * USEC_PER_SEC, 60 * USEC_PER_SEC) > 180 * USEC_PER_SEC);
    max.max = duration(USEC_PER_SEC);
    assert_true(check_http.window(&spec, 2 * USEC_PER_SEC, 60 * USEC_PER_SEC) >= 31 * USEC_PER_SEC);
    assert_true(check_http.window(&spec, 2 * USEC_PER_SEC, 60 * USEC_PER_SEC) < 40 * USEC_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_endpoint_passes_with_its_numbers),
        cmocka_unit_test(a_failing_endpoint_fails_at_once),
        cmocka_unit_test(a_truncated_answer_fails),
        cmocka_unit_test(nobody_listening_fails),
        cmocka_unit_test(a_hanging_request_fails_as_soon_as_it_is_too_slow),
        cmocka_unit_test(a_baseline_gathers_what_its_criteria_need),
        cmocka_unit_test(a_baseline_that_hangs_is_slower_than_its_time),
        cmocka_unit_test(once_takes_one_sample),
        cmocka_unit_test(a_late_answer_of_the_baseline_is_ignored),
        cmocka_unit_test(lint_finds_what_cannot_work),
        cmocka_unit_test(the_window_gathers_the_samples_of_slow_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
