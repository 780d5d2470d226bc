/* SPDX-License-Identifier: Apache-2.0 */
#include "report/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "data/json.h"

static const CheckKind http_kind = {.name = "http"}, journal_kind = {.name = "journal"};

/* gunicorn-timeout with one drop-in, as a person would see it. */
static Plan sample_plan(Arena *arena)
{
    Playbook *playbook = arena_new_of(arena, Playbook);
    playbook->name = "gunicorn-timeout";
    playbook->summary = "Give a known long request more time.";
    Variable *timeout = vec_push(arena, &playbook->scope.variables);
    timeout->name = "timeout";
    timeout->value = value_of_duration(arena, 60 * USEC_PER_SEC);
    Variable *token = vec_push(arena, &playbook->scope.variables);
    token->name = "api_token";
    token->value = value_of_text(arena, VALUE_WORD, "abc");
    Plan plan = {.playbook = playbook, .target = "web1", .origin = "manual", .hash = "00ff"};
    *vec_push(arena, &plan.edits) = (Edit){
        "/etc/nginx/sites-available/app",
        {.type = FILE_REGULAR, .mode = 0644, .content = BYTES("location / {\n    proxy_read_timeout 30s;\n}\n")},
        {.type = FILE_REGULAR, .mode = 0644, .content = BYTES("location / {\n    proxy_read_timeout 65s;\n}\n")}};
    *vec_push(arena, &plan.effects) = (Effect){EFFECT_TEST_NGINX, "nginx.service", "/etc/nginx/sites-available/app", 0};
    *vec_push(arena, &plan.effects) = (Effect){EFFECT_DAEMON_RELOAD, NULL, "a drop-in", 0};
    *vec_push(arena, &plan.effects) = (Effect){EFFECT_RELOAD, "nginx.service", "/etc/nginx/sites-available/app", 0};
    *vec_push(arena, &plan.effects) = (Effect){EFFECT_RESTART, "gunicorn.service", "a drop-in", 2 * USEC_PER_SEC};
    *vec_push(arena, &plan.affected) = (Affected){"celery.service", "reads /etc/app.env", true};
    *vec_push(arena, &plan.checks) = (PlannedCheck){.kind = &http_kind, .name = "health"};
    *vec_push(arena, &plan.checks) = (PlannedCheck){.kind = &journal_kind, .name = "journal worker-timeout"};
    *vec_push(arena, &plan.notes) = (Note){NOTE_WARNING, "gunicorn.service", "TimeoutStopSec is raised along"};
    plan.warmup_usec = 3 * USEC_PER_SEC;
    plan.window_usec = 75 * USEC_PER_SEC;
    plan.interval_usec = 2 * USEC_PER_SEC;
    return plan;
}

static void a_plan_says_all_that_a_person_wants_to_know(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    Plan plan = sample_plan(arena);
    plan_show(&plan, &(DiffOptions){.context = 3}, &out);
    assert_string_equal(
        strbuf_str(&out),
        "gunicorn-timeout on web1\n"
        "Give a known long request more time.\n"
        "  timeout=60s\n"
        "  api_token=********\n"
        "\n"
        "change /etc/nginx/sites-available/app (content)\n"
        "--- /etc/nginx/sites-available/app\n"
        "+++ /etc/nginx/sites-available/app\n"
        "@@ -1,3 +1,3 @@\n"
        " location / {\n"
        "-    proxy_read_timeout 30s;\n"
        "+    proxy_read_timeout 65s;\n"
        " }\n"
        "\n"
        "What happens, in this order\n"
        "  1. nginx -t (on the candidate, before anything is live)\n"
        "  2. daemon-reload (a drop-in)\n"
        "  3. reload nginx.service (/etc/nginx/sites-available/app)\n"
        "  4. restart gunicorn.service (a drop-in): new connections refused for up to 2s\n"
        "\n"
        "Affected besides\n"
        "  celery.service: reads /etc/app.env (the playbook allows it)\n"
        "\n"
        "Verified for 1min 15s, every 2s, after 3s of warm-up\n"
        "  http      health\n"
        "  journal   worker-timeout\n"
        "\n"
        "Worth knowing\n"
        "  warning  gunicorn.service: TimeoutStopSec is raised along\n"
        "\n"
        "In short: 1 file, +1 -1 lines; reload nginx.service, restart gunicorn.service; new connections refused for up "
        "to 2s\n");
}

static void nothing_to_do_is_said_and_nothing_else(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    Plan plan = sample_plan(arena);
    plan.nothing_to_do = true;
    plan.edits.n = plan.notes.n = 0;
    plan_show(&plan, &(DiffOptions){.context = 3}, &out);
    assert_non_null(strstr(strbuf_str(&out), "Nothing to do"));
    assert_null(strstr(strbuf_str(&out), "In short"));
}

static void the_same_plan_as_json_holds_the_numbers(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Plan plan = sample_plan(arena);
    const Node *map = plan_json(arena, &plan);
    assert_string_equal(node_get_text(map, "playbook"), "gunicorn-timeout");
    assert_string_equal(node_get_text(map, "refused_usec"), "2000000");
    assert_string_equal(node_get_text(node_get(map, "values"), "api_token"), "********");
    assert_int_equal(node_get(map, "effects")->items.n, 4);
    assert_non_null(
        strstr(node_get_text(node_get(map, "edits")->items.items[0], "diff"), "+    proxy_read_timeout 65s"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_says_all_that_a_person_wants_to_know),
        cmocka_unit_test(nothing_to_do_is_said_and_nothing_else),
        cmocka_unit_test(the_same_plan_as_json_holds_the_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
