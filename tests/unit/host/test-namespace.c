/* SPDX-License-Identifier: Apache-2.0 */
/* Real namespaces over a directory of the test's own; skipped where the kernel or a missing privilege refuses them. */
#include "tree.h"

#include "host/namespace.h"

static Err err;

/* The tree's directory "etc" with what the candidate changes: what there is before. */
static void put_live(TempTree *tree)
{
    tree_write(tree, "etc/kept", "kept\n");
    tree_write(tree, "etc/edited", "before\n");
    tree_write(tree, "etc/removed", "gone soon\n");
    tree_write(tree, "etc/sub/inner", "inner\n");
    tree_link(tree, "etc/link", "edited");
}

static Staging *open_staging(TempTree *tree, const StagedFile *files, size_t n)
{
    (void)tree;
    Staging *staging = NULL;
    if (geteuid() != 0)
        skip();
    if (staging_open(files, n, &staging, &err) < 0)
        fail_msg("%s", err.message);
    return staging;
}

static ChildResult run_script(TempTree *tree, Staging *staging, const char *script)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    ChildResult result = {0};
    ChildSpec spec = {.argv = argv, .directory = in_tree(tree, "/etc")};
    int r = staging_run(staging, tree->arena, &spec, &result, &err);
    if (r == STAGING_REFUSED)
        skip();
    if (r < 0)
        fail_msg("%s", err.message);
    return result;
}

static void the_program_sees_the_candidate_and_the_host_does_not(void **state)
{
    TempTree *tree = *state;
    put_live(tree);
    const StagedFile files[] = {
        {.path = in_tree(tree, "/etc/edited"),
         .type = STAGED_FILE,
         .content = BYTES("after\n"),
         .mode = 0600,
         .uid = 5},
        {.path = in_tree(tree, "/etc/removed"), .type = STAGED_ABSENT},
        {.path = in_tree(tree, "/etc/never"), .type = STAGED_ABSENT},
        {.path = in_tree(tree, "/etc/new/deep/file"), .type = STAGED_FILE, .content = BYTES("new\n"), .mode = 0644},
        {.path = in_tree(tree, "/etc/dir"), .type = STAGED_DIRECTORY, .mode = 0750, .gid = 7},
        {.path = in_tree(tree, "/etc/link"), .type = STAGED_SYMLINK, .target = "kept"},
    };
    CLEANUP(staging_close) Staging *staging = open_staging(tree, files, ARRAY_LEN(files));
    ChildResult result =
        run_script(tree, staging, "cat kept edited new/deep/file link sub/inner; ls; stat -c '%a %u %g' edited dir");
    assert_string_equal(result.output.data, "kept\nafter\nnew\nkept\ninner\ndir\nedited\nkept\nlink\nnew\nsub\n"
                                            "600 5 0\n750 0 7\n");
    assert_string_equal(get_file(tree, "/etc/edited"), "before\n");
    assert_string_equal(get_file(tree, "/etc/removed"), "gone soon\n");
    assert_null(get_file(tree, "/etc/dir"));
    assert_null(get_file(tree, "/etc/new"));
}

static void what_the_program_writes_stays_in_the_namespace(void **state)
{
    TempTree *tree = *state;
    put_live(tree);
    CLEANUP(staging_close) Staging *staging = open_staging(tree, NULL, 0);
    run_script(tree, staging, "echo changed > kept; echo x > stray; rm edited");
    assert_string_equal(get_file(tree, "/etc/kept"), "kept\n");
    assert_string_equal(get_file(tree, "/etc/edited"), "before\n");
    assert_null(get_file(tree, "/etc/stray"));
    /* Every run starts from the same candidate. */
    ChildResult result = run_script(tree, staging, "cat kept; ls stray");
    assert_string_equal(result.output.data, "kept\n");
}

static void a_way_that_leads_elsewhere_leads_into_the_copy(void **state)
{
    TempTree *tree = *state;
    put_live(tree);
    tree_write(tree, "outside/file", "live\n");
    tree_link(tree, "etc/out", "../outside");
    const StagedFile files[] = {
        {.path = in_tree(tree, "/etc/out/file"), .type = STAGED_FILE, .content = BYTES("staged\n"), .mode = 0644},
    };
    CLEANUP(staging_close) Staging *staging = open_staging(tree, files, ARRAY_LEN(files));
    assert_string_equal(run_script(tree, staging, "cat ../outside/file").output.data, "staged\n");
    assert_string_equal(get_file(tree, "/outside/file"), "live\n");
}

static void nothing_can_be_written_but_the_copy(void **state)
{
    TempTree *tree = *state;
    put_live(tree);
    CLEANUP(staging_close) Staging *staging = open_staging(tree, NULL, 0);
    ChildResult result =
        run_script(tree, staging,
                   "echo x > /salve-test && echo x > /tmp/salve-test && echo x > /run/salve-test && echo copied;"
                   "{ echo x > /proc/sys/kernel/hostname; } 2>/dev/null || echo no kernel;"
                   "{ echo x > /proc/1/root/salve-test; } 2>/dev/null || echo no way round;"
                   "mknod -m 666 /run/disk b 259 0 2>/dev/null || echo no device;"
                   "mount -t tmpfs none /mnt 2>/dev/null || echo no mount;"
                   "echo x >/dev/null && head -c 1 /dev/zero | wc -c; ls /dev | tr '\\n' ' '");
    assert_string_equal(result.output.data, "copied\nno kernel\nno way round\nno device\nno mount\n1\n"
                                            "fd full null random stderr stdin stdout urandom zero ");
    assert_true(access("/salve-test", F_OK) < 0 && access("/tmp/salve-test", F_OK) < 0 &&
                access("/run/salve-test", F_OK) < 0);
}

static void no_right_is_left_but_to_use_files_and_bind_ports(void **state)
{
    TempTree *tree = *state;
    put_live(tree);
    CLEANUP(staging_close) Staging *staging = open_staging(tree, NULL, 0);
    ChildResult result =
        run_script(tree, staging, "sed -n 's/^\\(CapEff\\|CapBnd\\|NoNewPrivs\\):.//p' /proc/self/status");
    /* chown, dac_override, dac_read_search, fowner, net_bind_service */
    assert_string_equal(result.output.data, "000000000000040f\n000000000000040f\n1\n");
}

static void copies_are_there_until_the_end_with_mode_and_owner(void **state)
{
    TempTree *tree = *state;
    put_live(tree);
    const StagedFile files[] = {
        {.path = in_tree(tree, "/etc/edited"), .type = STAGED_FILE, .content = BYTES("A=b\n"), .mode = 0640, .uid = 5},
        {.path = in_tree(tree, "/etc/removed"), .type = STAGED_ABSENT},
    };
    CLEANUP(staging_close) Staging *staging = open_staging(tree, files, ARRAY_LEN(files));
    const char *copy = arena_strdup(tree->arena, staging_copy(staging, files[0].path));
    assert_true(str_starts(copy, "/run/salve/stage-"));
    assert_null(staging_copy(staging, files[1].path));
    assert_null(staging_copy(staging, "/etc/unknown"));
    struct stat st;
    assert_int_equal(stat(copy, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(st.st_uid, 5);
    assert_int_equal(st.st_size, 4);
    Staging *second = open_staging(tree, files, ARRAY_LEN(files));
    assert_string_not_equal(staging_copy(second, files[0].path), copy);
    staging_close(second);
    assert_int_equal(stat(copy, &st), 0);
    staging_close(STEAL(staging));
    assert_int_equal(stat(copy, &st), -1);
}

static void what_a_dead_process_left_is_removed(void **state)
{
    TempTree *tree = *state;
    if (geteuid() != 0)
        skip();
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    char *left = arena_printf(tree->arena, "/run/salve/stage-%d-0", pid);
    mkdir("/run/salve", 0700);
    assert_int_equal(mkdir(left, 0700), 0);
    put_dir(tree, "/etc");
    staging_close(open_staging(tree, NULL, 0));
    struct stat st;
    assert_int_equal(stat(left, &st), -1);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        T(the_program_sees_the_candidate_and_the_host_does_not),
        T(what_the_program_writes_stays_in_the_namespace),
        T(a_way_that_leads_elsewhere_leads_into_the_copy),
        T(nothing_can_be_written_but_the_copy),
        T(no_right_is_left_but_to_use_files_and_bind_ports),
        T(copies_are_there_until_the_end_with_mode_and_owner),
        T(what_a_dead_process_left_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
