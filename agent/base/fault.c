/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"

#if SALVE_FAULT_INJECTION

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/strbuf.h"

static const struct {
    const char *name;
    int errnum; /* 0: kill */
} faults[] = {{"kill", 0}, {"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EROFS", EROFS}, {"EINVAL", EINVAL}, {"ENOENT", ENOENT}};

typedef struct Rule {
    unsigned long at; /* 0: by operation */
    bool lasting;
    char operation[32];
    int errnum;
} Rule;

enum { RULES_MAX = 4 };

static struct {
    pthread_mutex_t mutex;
    bool loaded;
    unsigned long reached;
    Rule rules[RULES_MAX];
    size_t n;
    int count_fd; /* -1: not counting */
} plan = {.mutex = PTHREAD_MUTEX_INITIALIZER, .count_fd = -1};

/* A typing error in a test must not look like a passed test. */
static void die_of_plan(const char *text)
{
    fprintf(stderr, "salve: SALVE_FAULT: %s is not N:kill, N:ENOSPC, N+:EIO, OPERATION:EROFS or count:FILE\n", text);
    _exit(2);
}

static void start_counting(const char *path)
{
    fd_close(plan.count_fd);
    plan.count_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (plan.count_fd < 0)
        die_of_plan(path);
}

static void add_rule(const char *text)
{
    Rule rule = {0};
    char *rest;
    rule.at = strtoul(text, &rest, 10);
    rule.lasting = rule.at > 0 && *rest == '+';
    const char *colon = strchr(text, ':');
    if (!colon || plan.n == RULES_MAX || (rule.at > 0 && colon != rest + rule.lasting))
        die_of_plan(text);
    if (rule.at == 0)
        snprintf(rule.operation, sizeof rule.operation, "%.*s", (int)(colon - text), text);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        if (str_equal(colon + 1, faults[i].name)) {
            rule.errnum = faults[i].errnum;
            plan.rules[plan.n++] = rule;
            return;
        }
    }
    die_of_plan(text);
}

static void load_plan(void)
{
    plan.loaded = true;
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *text = getenv("SALVE_FAULT");
    char *save = NULL;
    for (char *word = strtok_r(arena_strdup(arena, text ? text : ""), ",", &save); word;
         word = strtok_r(NULL, ",", &save)) {
        if (str_starts(word, "count:"))
            start_counting(word + strlen("count:"));
        else
            add_rule(word);
    }
}

static bool rule_strikes(const Rule *rule, const char *operation)
{
    if (rule->at == 0)
        return str_equal(rule->operation, operation);
    return rule->lasting ? plan.reached >= rule->at : plan.reached == rule->at;
}

static int pass_point(const char *operation, const char *path)
{
    if (!plan.loaded)
        load_plan();
    plan.reached++;
    if (plan.count_fd >= 0)
        dprintf(plan.count_fd, "%lu %s %s\n", plan.reached, operation, path);
    for (size_t i = 0; i < plan.n; i++) {
        if (!rule_strikes(&plan.rules[i], operation))
            continue;
        if (plan.rules[i].errnum)
            return plan.rules[i].errnum;
        kill(getpid(), SIGKILL);
        for (;;)
            pause();
    }
    return 0;
}

int fault_point(const char *operation, const char *path)
{
    pthread_mutex_lock(&plan.mutex);
    int errnum = pass_point(operation, path);
    pthread_mutex_unlock(&plan.mutex);
    return errnum;
}

void fault_reset(void)
{
    pthread_mutex_lock(&plan.mutex);
    fd_close(plan.count_fd);
    plan.loaded = false;
    plan.reached = 0;
    plan.n = 0;
    plan.count_fd = -1;
    pthread_mutex_unlock(&plan.mutex);
}

#else
typedef int fault_injection_is_off; /* a translation unit is never empty */
#endif
