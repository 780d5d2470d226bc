/* SPDX-License-Identifier: Apache-2.0 */
/* On a tree with nginx's configuration, whose logs are real files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check/kinds.h"
#include "data/decode.h"
#include "data/yaml.h"

typedef struct Rig {
    Arena *arena;
    char root[64];
    const char *log;
    CheckContext context;
    void *state;
    CheckResult result;
} Rig;

static void write_file(const char *path, const char *mode, const char *text)
{
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* One failure of an upstream as nginx writes it, that many seconds ago. */
static void add_failure(const Rig *rig, time_t seconds_ago)
{
    time_t when = time(NULL) - seconds_ago;
    struct tm tm;
    char text[64];
    localtime_r(&when, &tm);
    strftime(text, sizeof text, "%Y/%m/%d %H:%M:%S", &tm);
    write_file(rig->log, "a",
               arena_printf(rig->arena,
                            "%s [error] 7#7: *1 connect() failed (111: Connection refused) while connecting "
                            "to upstream, client: 127.0.0.1, server: x, request: \"GET / HTTP/1.1\", "
                            "upstream: \"http://127.0.0.1:8000/\", host: \"x\"\n",
                            text));
}

static void open_check(Rig *rig, const char *yaml)
{
    Diagnostics diags = diagnostics_new(rig->arena);
    Decoder decoder = {.arena = rig->arena, .diags = &diags};
    const StructType type = {.name = "log", .fields = check_log.fields, .size = check_log.spec_size};
    Node *node;
    Err err;
    void *spec = arena_alloc(rig->arena, check_log.spec_size);
    assert_int_equal(yaml_parse(rig->arena, "x.yaml", bytes_of(yaml), &diags, &node), 0);
    assert_true(decode_struct(&decoder, &type, node, spec));
    assert_int_equal(check_log.lint(spec, 0, USEC_PER_SEC, &err), 0);
    rig->context = (CheckContext){.arena = rig->arena, .view = view_new(rig->arena, rig->root)};
    if (check_log.open(&rig->context, spec, &rig->state, &err) < 0)
        fail_msg("%s", err.message);
}

static Rig rig_new(const char *error_log)
{
    Rig rig = {.arena = arena_new(), .root = "/tmp/salve-test-XXXXXX"};
    assert_non_null(mkdtemp(rig.root));
    rig.log = arena_printf(rig.arena, "%s/error.log", rig.root);
    mkdir(arena_printf(rig.arena, "%s/etc", rig.root), 0755);
    mkdir(arena_printf(rig.arena, "%s/etc/nginx", rig.root), 0755);
    write_file(arena_printf(rig.arena, "%s/etc/nginx/nginx.conf", rig.root), "w",
               arena_printf(rig.arena,
                            "error_log %s;\nhttp { access_log off; server { listen 80; location / { proxy_pass "
                            "http://127.0.0.1:8000; } } }\n",
                            error_log ? error_log : rig.log));
    write_file(rig.log, "w", "");
    return rig;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    return remove(path);
}

static void rig_free(Rig *rig)
{
    check_log.close(rig->state);
    nftw(rig->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    arena_free(rig->arena);
}

static void begin(Rig *rig, CheckPhase phase)
{
    Err err;
    usec next;
    assert_int_equal(check_log.begin(rig->state, phase, 60 * USEC_PER_SEC, &err), 0);
    assert_true(check_log.poll(rig->state, clock_boottime(), &next, &err) >= 0);
}

static void judged(Rig *rig, Verdict verdict, const char *reason)
{
    Err err;
    assert_int_equal(check_log.judge(rig->state, rig->arena, true, &rig->result, &err), 0);
    if (rig->result.verdict != verdict || !strstr(rig->result.reason, reason))
        fail_msg("%s: %s", verdict_to_string(rig->result.verdict), rig->result.reason);
}

static const char against_baseline[] = "{source: nginx-error, event: upstream-failure, no_more_than: baseline}";

static void as_many_failures_as_before_pass(void **state)
{
    Rig rig = rig_new(NULL);
    add_failure(&rig, 7200); /* too long ago */
    add_failure(&rig, 30);
    open_check(&rig, against_baseline);
    begin(&rig, CHECK_BASELINE);
    judged(&rig, VERDICT_PASS, "1 upstream-failure in 1min");
    begin(&rig, CHECK_VERIFY);
    judged(&rig, VERDICT_PASS, "0 upstream-failure <= 1");
    add_failure(&rig, 0);
    judged(&rig, VERDICT_PASS, "1 upstream-failure <= 1");
    add_failure(&rig, 0);
    judged(&rig, VERDICT_FAIL, "2 upstream-failure > 1 (from the baseline)");
    assert_true(rig.result.final);
    rig_free(&rig);
}

static void what_did_not_happen_before_must_not_happen(void **state)
{
    Rig rig = rig_new(NULL);
    open_check(&rig, against_baseline);
    begin(&rig, CHECK_BASELINE);
    begin(&rig, CHECK_VERIFY);
    add_failure(&rig, 0);
    judged(&rig, VERDICT_FAIL, "1 upstream-failure > 0");
    rig_free(&rig);
}

static void rotation_is_followed(void **state)
{
    Rig rig = rig_new(NULL);
    open_check(&rig, "{source: nginx-error, event: upstream-failure, no_more_than: 1}");
    begin(&rig, CHECK_VERIFY);
    add_failure(&rig, 0);
    assert_int_equal(rename(rig.log, arena_printf(rig.arena, "%s.1", rig.log)), 0);
    add_failure(&rig, 0);
    judged(&rig, VERDICT_FAIL, "2 upstream-failure > 1");
    rig_free(&rig);
}

static void a_log_that_is_no_file_is_no_evidence(void **state)
{
    Rig rig = rig_new("syslog:server=unix:/dev/log");
    open_check(&rig, against_baseline);
    begin(&rig, CHECK_BASELINE);
    judged(&rig, VERDICT_BLIND, "syslog");
    begin(&rig, CHECK_VERIFY);
    judged(&rig, VERDICT_BLIND, "syslog");
    rig_free(&rig);
}

static void a_missing_log_is_no_evidence(void **state)
{
    Rig rig = rig_new(NULL);
    unlink(rig.log);
    open_check(&rig, "{source: nginx-error, event: upstream-failure, no_more_than: 0}");
    begin(&rig, CHECK_VERIFY);
    judged(&rig, VERDICT_BLIND, "error.log: No such file");
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_failures_as_before_pass),
        cmocka_unit_test(what_did_not_happen_before_must_not_happen),
        cmocka_unit_test(rotation_is_followed),
        cmocka_unit_test(a_log_that_is_no_file_is_no_evidence),
        cmocka_unit_test(a_missing_log_is_no_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
