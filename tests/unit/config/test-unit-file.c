/* SPDX-License-Identifier: Apache-2.0 */
#include "config/unit-file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static UnitFile parse(Arena *arena, const char *path, const char *text)
{
    UnitFile file = {0};
    Err err;
    if (unit_file_parse(arena, path, bytes_of(text), &file, &err) < 0)
        fail_msg("%s", err_text(&err));
    return file;
}

static const char gunicorn_unit[] = "# the article's unit\n"
                                    "[Unit]\n"
                                    "Description = gunicorn  daemon \n"
                                    "; another comment\n"
                                    "[Service]\n"
                                    "Environment=A=1 \"B=two words\"\n"
                                    "ExecStart=/usr/bin/gunicorn \\\n"
                                    "    --workers 3 \\\n"
                                    "# in between\n"
                                    "    --threads 2 app.wsgi\n"
                                    "TimeoutStopSec=5\n";

static void assignments_have_their_section_and_line(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    UnitFile file = parse(arena, "g.service", gunicorn_unit);
    assert_int_equal(file.settings.n, 4);
    assert_int_equal(file.issues.n, 0);
    const UnitSetting *s = file.settings.items;
    assert_string_equal(s[0].section, "Unit");
    assert_string_equal(s[0].key, "Description");
    assert_string_equal(s[0].value, "gunicorn  daemon");
    assert_string_equal(s[2].key, "ExecStart");
    assert_string_equal(s[2].value, "/usr/bin/gunicorn  --workers 3  --threads 2 app.wsgi");
    assert_int_equal(s[2].line, 7);
    assert_int_equal(strncmp(gunicorn_unit + s[2].start, "ExecStart=", 10), 0);
    assert_int_equal(strncmp(gunicorn_unit + s[2].end, "\nTimeoutStopSec", 15), 0);
    assert_int_equal(s[3].line, 11);
}

static void crlf_and_a_byte_order_mark_are_accepted(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    UnitFile file = parse(arena, "f", "\xef\xbb\xbf[Service]\r\nA=1 \\\r\n  2\r\nB=3");
    assert_int_equal(file.settings.n, 2);
    assert_string_equal(file.settings.items[0].value, "1  2");
    assert_int_equal(file.settings.items[1].line, 4);
}

static void two_backslashes_do_not_continue_a_line(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    UnitFile file = parse(arena, "f", "[S]\nA=1\\\\\nB=2\nC=3\\");
    assert_int_equal(file.settings.n, 3);
    assert_string_equal(file.settings.items[0].value, "1\\\\");
    assert_string_equal(file.settings.items[2].value, "3");
}

static void what_systemd_ignores_is_an_issue(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    UnitFile file = parse(arena, "f", "A=1\n[S]\nno equals\n=x\nB=\xff\nC=2\n");
    assert_int_equal(file.settings.n, 1);
    assert_string_equal(file.settings.items[0].key, "C");
    assert_int_equal(file.issues.n, 4);
    assert_string_equal(file.issues.items[1].message, "Missing '=', ignoring line.");
    assert_int_equal(file.issues.items[1].line, 3);
}

static void what_systemd_refuses_is_an_error_with_its_line(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    UnitFile file;
    Err err;
    assert_int_equal(unit_file_parse(arena, "f", BYTES("\n[Service\nA=1\n"), &file, &err), -ERR_INVALID);
    assert_string_equal(err_text(&err), "f:2:1: Invalid section header '[Service'");
    assert_int_equal(unit_file_parse(arena, "f", BYTES("[S]\nA=\0\n"), &file, &err), -ERR_INVALID);
    assert_string_equal(err_text(&err), "f:2:1: a NUL byte is in it");
}

static void an_empty_assignment_resets_the_list_in_later_files_too(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    UnitFile files[] = {
        parse(arena, "g.service", "[Service]\nExecStart=/a\nEnvironment=A=1\nTimeoutStopSec=5\n"),
        parse(arena, "10.conf", "[Service]\nEnvironment=B=2\nExecStart=\nExecStart=/b\n"),
        parse(arena, "95.conf", "[Service]\nTimeoutStopSec=40\n[Unit]\nTimeoutStopSec=1\n"),
    };
    UnitFileVec all = {0};
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        *vec_push(arena, &all) = &files[i];
    UnitSettingVec list;
    unit_list(arena, &all, "Service", "ExecStart", &list);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.items[0].value, "/b");
    assert_string_equal(list.items[0].file, "10.conf");
    assert_int_equal(list.items[0].line, 4);
    unit_list(arena, &all, "Service", "Environment", &list);
    assert_int_equal(list.n, 2);
    const UnitSetting *last = unit_last(&all, "Service", "TimeoutStopSec");
    assert_non_null(last);
    assert_string_equal(last ? last->value : "", "40");
    assert_null(unit_last(&all, "Service", "KillMode"));
}

static void a_drop_in_is_rendered_section_by_section(void **state)
{
    (void)state;
    CLEANUP(arena_free) Arena *arena = arena_new();
    Bytes text;
    Err err;
    const UnitAssignment ok[] = {{"Service", "ExecStart", ""}, {NULL, "ExecStart", "/b"}, {"Unit", "After", "x"}};
    assert_int_equal(unit_render(arena, "written by salve", ok, 3, &text, &err), 0);
    assert_string_equal(text.data, "# written by salve\n[Service]\nExecStart=\nExecStart=/b\n\n[Unit]\nAfter=x\n");
    const UnitAssignment bad[] = {{"Service", "Nice", "1\nExecStart=/bin/sh"}};
    assert_int_equal(unit_render(arena, NULL, bad, 1, &text, &err), -ERR_INVALID);
    const UnitAssignment open[] = {{"Service", "Nice", "1\\"}};
    assert_int_equal(unit_render(arena, NULL, open, 1, &text, &err), -ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assignments_have_their_section_and_line),
        cmocka_unit_test(crlf_and_a_byte_order_mark_are_accepted),
        cmocka_unit_test(two_backslashes_do_not_continue_a_line),
        cmocka_unit_test(what_systemd_ignores_is_an_issue),
        cmocka_unit_test(what_systemd_refuses_is_an_error_with_its_line),
        cmocka_unit_test(an_empty_assignment_resets_the_list_in_later_files_too),
        cmocka_unit_test(a_drop_in_is_rendered_section_by_section),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
