/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/temp-tree.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "host/answer.h"
#include "run/confirm.h"
#include "run/run.h"

/* A run that waits: its socket is open. */
static void begin_to_wait(TempTree *tree, Run *run)
{
    Err err;
    *run = (Run){.arena = tree->arena, .record = {.id = "20260301T031245-7f3a", .state = RUN_CONFIRMING}};
    if (answers_open(in_tree(tree, "/answer.sock"), &run->answers, &err) != 0)
        fail_msg("%s", err.message);
}

/* Connects and asks, as salve confirm does; the answer may come later. */
static int ask(TempTree *tree, const char *line)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", in_tree(tree, "/answer.sock"));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(fd, line, strlen(line)), (ssize_t)strlen(line));
    return fd;
}

static const char *read_reply(TempTree *tree, int fd)
{
    char line[ANSWER_MAX + 1] = "";
    ssize_t n = read(fd, line, ANSWER_MAX);
    close(fd);
    return arena_strndup(tree->arena, line, n > 0 ? (size_t)n : 0);
}

static void who_asks_beside_another_is_told_how_it_ended(void **state)
{
    TempTree *tree = *state;
    Run run;
    Err err;
    const char *line;
    begin_to_wait(tree, &run);
    int first = ask(tree, "{\"answer\": \"confirm\"}\n");
    assert_int_equal(answers_next(run.answers, tree->arena, USEC_PER_SEC, &line, &err), 0);
    int second = ask(tree, "{\"answer\": \"cancel\"}\n");
    run.record.state = RUN_KEPT;
    run.record.reason = "verification passed";
    confirm_end(&run);
    const char *heard = read_reply(tree, first), *unheard = read_reply(tree, second);
    assert_non_null(strstr(heard, "\"accepted\":true"));
    assert_non_null(strstr(heard, "verification passed"));
    assert_non_null(strstr(unheard, "\"accepted\":false"));
    assert_non_null(strstr(unheard, "it is over: kept: verification passed"));
}

static void a_socket_that_cannot_be_is_told_before_anything_else(void **state)
{
    TempTree *tree = *state;
    Err err;
    RunOptions options = {.answer_path = in_tree(tree, "/answer.sock")};
    assert_int_equal(confirm_can_listen(&options, &err), 0);
    options.confirm_usec = USEC_PER_MIN;
    assert_int_equal(confirm_can_listen(&options, &err), 0);
    char name[128] = "/";
    memset(name + 1, 'x', sizeof name - 2);
    options.answer_path = in_tree(tree, name);
    assert_true(confirm_can_listen(&options, &err) < 0);
    assert_true(str_starts(err.message, "nobody could confirm the run"));
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(who_asks_beside_another_is_told_how_it_ended),
        TREE_TEST(a_socket_that_cannot_be_is_told_before_anything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
