/* SPDX-License-Identifier: Apache-2.0 */
#include "temp-tree.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/files-at.h"
#include "base/hash.h"

static void an_absent_path_is_a_state(void **state)
{
    TempTree *tree = *state;
    assert_int_equal(state_of(tree, "/nothing").type, FILE_ABSENT);
    assert_int_equal(state_of(tree, "/no/such/dir/file").type, FILE_ABSENT);
    put_file(tree, "/file", "x");
    assert_int_equal(state_of(tree, "/file/below").type, FILE_ABSENT);
}

static void a_regular_file_is_read_with_bytes_mode_and_attributes(void **state)
{
    TempTree *tree = *state;
    put_file(tree, "/f", "one\n");
    assert_int_equal(chmod(in_tree(tree, "/f"), 0640), 0);
    assert_int_equal(setxattr(in_tree(tree, "/f"), "user.zz", "v", 1, 0), 0);
    assert_int_equal(setxattr(in_tree(tree, "/f"), "user.aa", "w", 1, 0), 0);
    FileState found = state_of(tree, "/f");
    assert_int_equal(found.type, FILE_REGULAR);
    assert_int_equal(found.mode, 0640);
    assert_int_equal(found.uid, getuid());
    assert_true(bytes_equal(found.content, BYTES("one\n")));
    assert_int_equal(found.xattrs.n, 2);
    assert_string_equal(found.xattrs.items[0].name, "user.aa");
}

static void a_symlink_is_not_followed(void **state)
{
    TempTree *tree = *state;
    put_file(tree, "/target", "secret");
    assert_int_equal(symlink("target", in_tree(tree, "/link")), 0);
    FileState found = state_of(tree, "/link");
    assert_int_equal(found.type, FILE_SYMLINK);
    assert_true(bytes_equal(found.content, BYTES("target")));
}

static void a_link_in_the_directories_stays_below_the_root(void **state)
{
    TempTree *tree = *state;
    put_dir(tree, "/etc");
    put_file(tree, "/etc/hostname", "inside");
    assert_int_equal(symlink("/etc", in_tree(tree, "/sysconf")), 0);
    assert_string_equal(get_file(tree, "/sysconf/hostname"), "inside");
}

static void a_fifo_does_not_block_and_is_not_opened(void **state)
{
    TempTree *tree = *state;
    assert_int_equal(mkfifo(in_tree(tree, "/fifo"), 0600), 0);
    assert_int_equal(state_of(tree, "/fifo").type, FILE_OTHER);
}

static void a_huge_file_is_refused(void **state)
{
    TempTree *tree = *state;
    put_file(tree, "/big", "");
    assert_int_equal(truncate(in_tree(tree, "/big"), (off_t)FILE_MAX_SIZE + 1), 0);
    FileState found;
    Err err;
    assert_int_equal(file_read(tree->arena, tree->root, "/big", &found, &err), -ERR_REFUSED);
    assert_non_null(strstr(err.message, "larger than 16 MiB"));
}

static void states_differ_in_each_of_their_parts(void **state)
{
    TempTree *tree = *state;
    Xattr mark = {"user.mark", BYTES("1")};
    const FileState base = {.type = FILE_REGULAR, .mode = 0644, .content = BYTES("a")};
    FileState variants[] = {base, base, base, base, base};
    variants[0].content = BYTES("b");
    variants[1].mode = 0600;
    variants[2].uid = 33;
    variants[3].xattrs.items = &mark;
    variants[3].xattrs.n = 1;
    variants[4].type = FILE_SYMLINK;
    const char *const texts[] = {"content", "mode 0644 -> 0600", "owner 0:0 -> 33:0", "user.mark added",
                                 "file -> symlink"};
    Hash own, other;
    file_state_hash(&base, &own);
    for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
        assert_false(file_state_equal(&base, &variants[i]));
        file_state_hash(&variants[i], &other);
        assert_false(hash_equal(own, other));
        assert_string_equal(file_state_difference(tree->arena, &base, &variants[i]), texts[i]);
    }
    assert_true(file_state_equal(&base, &base));
    assert_string_equal(file_state_difference(tree->arena, &base, &base), "");
}

static void a_label_that_the_kernel_added_still_matches(void **state)
{
    (void)state;
    Xattr label = {"security.selinux", BYTES("etc_t")}, note = {"user.note", BYTES("x")};
    const FileState wanted = {.type = FILE_REGULAR, .mode = 0644, .content = BYTES("a")};
    FileState labelled = wanted, noted = wanted;
    labelled.xattrs.items = &label;
    noted.xattrs.items = &note;
    labelled.xattrs.n = noted.xattrs.n = 1;
    assert_true(file_state_matches(&wanted, &labelled));
    assert_false(file_state_matches(&labelled, &wanted));
    assert_false(file_state_matches(&wanted, &noted));
}

static void forbid_openat2(int errnum)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)errnum),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {ARRAY_LEN(filter), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        _exit(77);
}

static int answer_of(TempTree *tree, const char *dir, DirFollow follow)
{
    CLEANUP(fd_close) int fd = -1;
    Err err;
    return dir_open(tree->root, dir, follow, &fd, &err);
}

static const struct {
    const char *dir;
    int real, follow; /* what dir_open answers: a link is refused, or followed below the root */
} walks[] = {
    {"/", 0, 0},
    {"/a/b", 0, 0},
    {"/a/./b/../b", 0, 0},
    {"/../../a", 0, 0},
    {"/link/b", -ERR_REFUSED, 0},
    {"/absolute", -ERR_REFUSED, 0},
    {"/above", -ERR_REFUSED, 0},
    {"/loop", -ERR_REFUSED, -ERR_REFUSED},
    {"/a/missing", 1, 1},
    {"/file/x", 1, 1},
    {"/outside", -ERR_REFUSED, 1},
};

static unsigned wrong_answers(TempTree *tree)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(walks); i++) {
        int real = answer_of(tree, walks[i].dir, DIR_NO_SYMLINKS), follow = answer_of(tree, walks[i].dir, DIR_FOLLOW);
        if (real != walks[i].real || follow != walks[i].follow)
            print_error("%s: %d, %d\n", walks[i].dir, real, follow);
        wrong += real != walks[i].real || follow != walks[i].follow;
    }
    return wrong;
}

static void a_directory_is_reached_the_same_way_where_openat2_is_missing_or_forbidden(void **state)
{
    TempTree *tree = *state;
    static const int errnums[] = {0, ENOSYS, EPERM};
    static const char *const links[][2] = {
        {"a", "/link"}, {"/a/b", "/absolute"}, {"../../a", "/above"}, {"loop", "/loop"}, {"/etc/init.d", "/outside"}};
    put_dir(tree, "/a");
    put_dir(tree, "/a/b");
    put_file(tree, "/file", "");
    for (size_t i = 0; i < ARRAY_LEN(links); i++)
        assert_int_equal(symlink(links[i][0], in_tree(tree, links[i][1])), 0);
    for (size_t i = 0; i < ARRAY_LEN(errnums); i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            if (errnums[i])
                forbid_openat2(errnums[i]);
            _exit(wrong_answers(tree) == 0 ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

static void who_only_looks_goes_on_whatever_is_there(void **state)
{
    TempTree *tree = *state;
    FileState found;
    Err err;
    put_file(tree, "/big", "");
    assert_int_equal(truncate(in_tree(tree, "/big"), (off_t)FILE_MAX_SIZE + 1), 0);
    assert_int_equal(file_look(tree->arena, tree->root, "/big", &found, &err), 0);
    assert_int_equal(found.type, FILE_UNREAD);
    assert_false(file_state_matches(&found, &(FileState){.type = FILE_REGULAR, .content = BYTES("")}));
    put_file(tree, "/leased", "x");
    int fd = open(in_tree(tree, "/leased"), O_RDWR | O_CLOEXEC);
    if (fcntl(fd, F_SETLEASE, F_WRLCK) == 0) { /* who opens it would wait */
        (void)signal(SIGIO, SIG_IGN);
        assert_int_equal(file_look(tree->arena, tree->root, "/leased", &found, &err), 0);
        assert_int_equal(found.type, FILE_UNREAD);
    }
    fd_close(fd);
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(an_absent_path_is_a_state),
        TREE_TEST(a_regular_file_is_read_with_bytes_mode_and_attributes),
        TREE_TEST(a_symlink_is_not_followed),
        TREE_TEST(a_link_in_the_directories_stays_below_the_root),
        TREE_TEST(a_fifo_does_not_block_and_is_not_opened),
        TREE_TEST(a_huge_file_is_refused),
        TREE_TEST(states_differ_in_each_of_their_parts),
        TREE_TEST(a_label_that_the_kernel_added_still_matches),
        TREE_TEST(a_directory_is_reached_the_same_way_where_openat2_is_missing_or_forbidden),
        TREE_TEST(who_only_looks_goes_on_whatever_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
