/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/temp-tree.h"

#include "store/git.h"

static int commit_one(TempTree *tree, Repo *repo, const char *ref, const char *path, char commit[65], Err *err)
{
    RepoFileVec files = {0};
    *vec_push(tree->arena, &files) = (RepoFile){path, BYTES("content")};
    return repo_commit(repo, ref, "message\n", 1700000000 * USEC_PER_SEC, &files, commit, err);
}

static void a_file_comes_back_from_its_commit(void **state)
{
    TempTree *tree = *state;
    CLEANUP(repo_close) Repo *repo = NULL;
    const char *message;
    char commit[65], found[65];
    Bytes content;
    Err err;
    assert_int_equal(repo_open(in_tree(tree, "/g"), true, &repo, &err), 0);
    assert_int_equal(commit_one(tree, repo, "refs/runs/a", "before/0", commit, &err), 0);
    assert_int_equal(repo_ref(repo, "refs/runs/a", found, &err), 0);
    assert_string_equal(found, commit);
    assert_int_equal(repo_read(repo, tree->arena, commit, "before/0", &content, &err), 0);
    assert_true(bytes_equal(content, BYTES("content")));
    assert_int_equal(repo_read(repo, tree->arena, commit, "before/1", &content, &err), REPO_NONE);
    assert_int_equal(repo_read(repo, tree->arena, "0123456789012345678901234567890123456789", "x", &content, &err),
                     REPO_NONE);
    assert_int_equal(repo_read(repo, tree->arena, "nonsense", "x", &content, &err), REPO_NONE);
    assert_int_equal(repo_ref(repo, "refs/runs/none", found, &err), REPO_NONE);
    assert_int_equal(repo_message(repo, tree->arena, commit, &message, &err), 0);
    assert_string_equal(message, "message\n");
}

static void names_that_git_would_bend_are_refused(void **state)
{
    TempTree *tree = *state;
    CLEANUP(repo_close) Repo *repo = NULL;
    char commit[65];
    Err err;
    static const char *const names[] = {"/abs", "../up", "a//b", "a/b/c", ".git", "", "a/", "UPPER"};
    assert_int_equal(repo_open(in_tree(tree, "/g"), true, &repo, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(commit_one(tree, repo, "refs/runs/a", names[i], commit, &err), -ERR_INVALID);
}

static void a_store_that_others_can_read_is_refused(void **state)
{
    TempTree *tree = *state;
    Repo *repo = NULL;
    Err err;
    assert_int_equal(repo_open(in_tree(tree, "/g"), true, &repo, &err), 0);
    repo_close(repo);
    assert_int_equal(state_of(tree, "/g").mode, 0700);
    assert_int_equal(chmod(in_tree(tree, "/g"), 0755), 0);
    assert_int_equal(repo_open(in_tree(tree, "/g"), true, &repo, &err), -ERR_REFUSED);
    assert_non_null(strstr(err.message, "chmod 0700"));
}

static void reading_creates_nothing(void **state)
{
    TempTree *tree = *state;
    Repo *repo = NULL;
    Err err;
    assert_int_equal(repo_open(in_tree(tree, "/g"), false, &repo, &err), REPO_NONE);
    assert_int_equal(state_of(tree, "/g").type, FILE_ABSENT);
}

static void a_half_made_store_is_made_whole(void **state)
{
    TempTree *tree = *state;
    CLEANUP(repo_close) Repo *repo = NULL;
    Err err;
    assert_int_equal(mkdir(in_tree(tree, "/g"), 0700), 0);
    assert_int_equal(mkdir(in_tree(tree, "/g/objects"), 0700), 0);
    put_file(tree, "/g/HEAD.lock", "");
    assert_int_equal(repo_open(in_tree(tree, "/g"), true, &repo, &err), 0);
}

static void a_lock_that_a_crash_left_does_not_stop_the_next_writer(void **state)
{
    TempTree *tree = *state;
    CLEANUP(repo_close) Repo *repo = NULL;
    char commit[65];
    Err err;
    assert_int_equal(repo_open(in_tree(tree, "/g"), true, &repo, &err), 0);
    assert_int_equal(mkdir(in_tree(tree, "/g/refs/runs"), 0700), 0);
    put_file(tree, "/g/refs/runs/a.lock", "0123");
    assert_int_equal(commit_one(tree, repo, "refs/runs/a", "x", commit, &err), 0);
    assert_int_equal(mkdir(in_tree(tree, "/g/refs/tags/kept"), 0700), 0);
    put_file(tree, "/g/refs/tags/kept/a.lock", "");
    assert_int_equal(repo_tag(repo, "kept/a", commit, &err), 0);
    assert_int_equal(state_of(tree, "/g/refs/tags/kept/a.lock").type, FILE_ABSENT);
}

static void no_home_and_no_configuration_is_needed(void **state)
{
    TempTree *tree = *state;
    CLEANUP(repo_close) Repo *repo = NULL;
    char commit[65];
    Err err;
    put_file(tree, "/.gitconfig", "[broken\n");
    setenv("HOME", tree->root, 1);
    setenv("GIT_DIR", "/nowhere", 1);
    assert_int_equal(repo_open(in_tree(tree, "/g"), true, &repo, &err), 0);
    assert_int_equal(commit_one(tree, repo, "refs/runs/a", "x", commit, &err), 0);
    unsetenv("GIT_DIR");
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(a_file_comes_back_from_its_commit),
        TREE_TEST(names_that_git_would_bend_are_refused),
        TREE_TEST(a_store_that_others_can_read_is_refused),
        TREE_TEST(reading_creates_nothing),
        TREE_TEST(a_lock_that_a_crash_left_does_not_stop_the_next_writer),
        TREE_TEST(a_half_made_store_is_made_whole),
        TREE_TEST(no_home_and_no_configuration_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
