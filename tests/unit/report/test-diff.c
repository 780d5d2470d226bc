/* SPDX-License-Identifier: Apache-2.0 */
#include "report/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define REGULAR(text)                                                                                                  \
    {                                                                                                                  \
        .type = FILE_REGULAR, .mode = 0644, .content = BYTES(text)                                                     \
    }

static const char *render(Arena *arena, const Edit *edit, DiffOptions options)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    options.context = 3;
    diff_edit(edit, &options, &out);
    return strbuf_dup(arena, &out);
}

static void a_changed_line_stands_in_its_context(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Edit edit = {"/etc/x", REGULAR("1\n2\n3\n4\n5\n6\n7\n8\n9\n"), REGULAR("1\n2\n3\n4\nfive\n6\n7\n8\n9\n")};
    assert_string_equal(render(arena, &edit, (DiffOptions){0}), "change /etc/x (content)\n"
                                                                "--- /etc/x\n"
                                                                "+++ /etc/x\n"
                                                                "@@ -2,7 +2,7 @@\n"
                                                                " 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

static void distant_changes_have_hunks_of_their_own(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Edit edit = {"/etc/x", REGULAR("a\n1\n2\n3\n4\n5\n6\n7\nb\n"), REGULAR("A\n1\n2\n3\n4\n5\n6\n7\nB\n")};
    assert_string_equal(render(arena, &edit, (DiffOptions){0}), "change /etc/x (content)\n--- /etc/x\n+++ /etc/x\n"
                                                                "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n"
                                                                "@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
    Edit near = {"/etc/x", REGULAR("a\n1\n2\n3\n4\n5\n6\nb\n"), REGULAR("A\n1\n2\n3\n4\n5\n6\nB\n")};
    assert_string_equal(render(arena, &near, (DiffOptions){0}),
                        "change /etc/x (content)\n--- /etc/x\n+++ /etc/x\n"
                        "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
}

static void creation_and_deletion_are_told(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Edit create = {"/etc/x", {.type = FILE_ABSENT}, REGULAR("one\ntwo\n")};
    assert_string_equal(render(arena, &create, (DiffOptions){0}), "create file /etc/x (mode 0644, owner 0:0)\n"
                                                                  "--- /dev/null\n+++ /etc/x\n"
                                                                  "@@ -0,0 +1,2 @@\n+one\n+two\n");
    Edit delete = {"/etc/x", REGULAR("one\n"), {.type = FILE_ABSENT}};
    assert_string_equal(render(arena, &delete, (DiffOptions){0}), "delete file /etc/x\n"
                                                                  "--- /etc/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n");
    Edit empty = {"/etc/x", {.type = FILE_ABSENT}, REGULAR("")};
    assert_string_equal(render(arena, &empty, (DiffOptions){0}), "create file /etc/x (mode 0644, owner 0:0)\n");
}

static void a_missing_newline_at_the_end_is_a_difference(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Edit edit = {"/etc/x", REGULAR("a\nb"), REGULAR("a\nb\n")};
    assert_string_equal(render(arena, &edit, (DiffOptions){0}),
                        "change /etc/x (content)\n--- /etc/x\n+++ /etc/x\n@@ -1,2 +1,2 @@\n a\n-b\n"
                        "\\ No newline at end of file\n+b\n");
}

static void what_no_line_shows_is_said_in_words(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Edit mode = {"/etc/x", REGULAR("a\n"), REGULAR("a\n")};
    mode.after.mode = 0600;
    assert_string_equal(render(arena, &mode, (DiffOptions){0}), "change /etc/x (mode 0644 -> 0600)\n");
    Edit link = {
        "/etc/l", {.type = FILE_SYMLINK, .content = BYTES("a")}, {.type = FILE_SYMLINK, .content = BYTES("b")}};
    assert_non_null(strstr(render(arena, &link, (DiffOptions){0}), "\n-> a\n-> b\n"));
    Edit directory = {"/etc/d", {.type = FILE_ABSENT}, {.type = FILE_DIRECTORY, .mode = 0755}};
    assert_string_equal(render(arena, &directory, (DiffOptions){0}),
                        "create directory /etc/d (mode 0755, owner 0:0)\n");
    Edit binary = {"/etc/b", REGULAR("a\0b"), REGULAR("a\0cd")};
    assert_string_equal(render(arena, &binary, (DiffOptions){0}),
                        "change /etc/b (content)\nBinary content differs: 3 bytes before, 4 bytes after\n");
}

static void secrets_do_not_show(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    StringVec files = {0};
    *vec_push(arena, &files) = "/srv/app/environment";
    Edit edit = {"/srv/app/environment", REGULAR("# app\nA=alpha\nB=beta\nC and so on\n"),
                 REGULAR("# app\nA=gamma\nB=beta\nC and so on\n")};
    const char *text = render(arena, &edit, (DiffOptions){.environment_files = files});
    assert_null(strstr(text, "alpha"));
    assert_null(strstr(text, "gamma"));
    assert_non_null(strstr(text, "-A=********\n+A=********\n B=********\n"));
    /* The same file is known by its looks where nobody says what it is. */
    Edit looks = {"/srv/app/vars", REGULAR("A=alpha\nB=beta\n"), REGULAR("A=gamma\nB=beta\n")};
    assert_null(strstr(render(arena, &looks, (DiffOptions){0}), "alpha"));
    Edit unit = {"/etc/systemd/system/a.service", REGULAR("[Service]\nEnvironment=SECRET_KEY=abc\n"),
                 REGULAR("[Service]\nEnvironment=SECRET_KEY=abc\nTimeoutStopSec=90\n")};
    text = render(arena, &unit, (DiffOptions){0});
    assert_null(strstr(text, "abc"));
    assert_non_null(strstr(text, "+TimeoutStopSec=90\n"));
}

static void lines_that_differ_in_a_secret_only_still_differ(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Edit edit = {"/srv/app/gunicorn.conf.py", REGULAR("workers = 2\nraw_env = [\n    \"DB_PASS=alpha\",\n]\n"),
                 REGULAR("workers = 2\nraw_env = [\n    \"DB_PASS=gamma\",\n]\n")};
    const char *text = render(arena, &edit, (DiffOptions){0});
    assert_non_null(strstr(text, "-    \"DB_PASS=********\",\n+    \"DB_PASS=********\",\n"));
    assert_non_null(strstr(text, " workers = 2\n"));
    assert_null(strstr(text, "alpha"));
    assert_null(strstr(text, "gamma"));
}

static void write_file(const char *path, Bytes content)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content.data, 1, content.len, file), content.len);
    assert_int_equal(fclose(file), 0);
}

static Bytes random_text(Arena *arena, unsigned *seed)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(4096);
    unsigned lines = (unsigned)rand_r(seed) % 40;
    for (unsigned i = 0; i < lines; i++)
        strbuf_printf(&text, "line %d%s", rand_r(seed) % 6, i + 1 == lines && rand_r(seed) % 3 == 0 ? "" : "\n");
    return strbuf_bytes(arena, &text);
}

/* patch(1) is the judge of the format, where it is installed. */
static void patch_makes_the_new_file_from_the_old_one(void **state)
{
    char dir[] = "/tmp/salve-diff-XXXXXX";
    if (access("/usr/bin/patch", X_OK) < 0)
        skip();
    assert_non_null(mkdtemp(dir));
    unsigned seed = 7;
    for (unsigned round = 0; round < 60; round++) {
        CLEANUP(arena_free) Arena *arena = arena_new();
        Edit edit = {arena_printf(arena, "%s/file", dir), REGULAR(""), REGULAR("")};
        edit.before.content = random_text(arena, &seed);
        edit.after.content = random_text(arena, &seed);
        const char *patch = arena_printf(arena, "%s/patch", dir);
        write_file(edit.path, edit.before.content);
        write_file(patch, bytes_of(render(arena, &edit, (DiffOptions){0})));
        if (bytes_equal(edit.before.content, edit.after.content))
            continue;
        FILE *shell = NULL;
        pid_t pid = fork();
        if (pid == 0) {
            shell = freopen("/dev/null", "w", stdout);
            execl("/usr/bin/patch", "patch", "-s", "--posix", edit.path, patch, (char *)NULL);
            _exit(shell ? 127 : 126);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        char made[8192];
        FILE *file = fopen(edit.path, "r");
        /* A file that became empty is removed by patch --posix. */
        size_t len = file ? fread(made, 1, sizeof made, file) : 0;
        if (file)
            fclose(file);
        assert_true(bytes_equal((Bytes){made, len}, edit.after.content));
        unlink(edit.path);
        unlink(patch);
    }
    rmdir(dir);
}

static void statistics_count_lines(void **state)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    EditVec edits = {0};
    *vec_push(arena, &edits) = (Edit){"/a", REGULAR("1\n2\n"), REGULAR("1\n3\n4\n")};
    *vec_push(arena, &edits) = (Edit){"/d", {.type = FILE_ABSENT}, {.type = FILE_DIRECTORY}};
    DiffStat stat = diff_stat(&edits);
    assert_int_equal(stat.files, 1);
    assert_int_equal(stat.added, 2);
    assert_int_equal(stat.removed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_line_stands_in_its_context),
        cmocka_unit_test(distant_changes_have_hunks_of_their_own),
        cmocka_unit_test(creation_and_deletion_are_told),
        cmocka_unit_test(a_missing_newline_at_the_end_is_a_difference),
        cmocka_unit_test(what_no_line_shows_is_said_in_words),
        cmocka_unit_test(secrets_do_not_show),
        cmocka_unit_test(lines_that_differ_in_a_secret_only_still_differ),
        cmocka_unit_test(patch_makes_the_new_file_from_the_old_one),
        cmocka_unit_test(statistics_count_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
