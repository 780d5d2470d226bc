/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/temp-tree.h"

#include "store/snapshot.h"

static const char run_id[] = "20260301T031245-7f3a";

static Repo *open_store(TempTree *tree)
{
    Repo *repo = NULL;
    Err err;
    if (repo_open(in_tree(tree, "/snapshots.git"), true, &repo, &err) != 0)
        fail_msg("%s", err.message);
    return repo;
}

/* A changed file with bytes that no text has, a created one under a name that git forbids, a link, a directory. */
static EditVec some_edits(TempTree *tree)
{
    static const char bytes[] = "nul \0 and \xff\r\n";
    EditVec edits = {0};
    put_file(tree, "/changed", "");
    FILE *file = fopen(in_tree(tree, "/changed"), "we");
    fwrite(bytes, 1, sizeof bytes - 1, file);
    fclose(file);
    assert_int_equal(setxattr(in_tree(tree, "/changed"), "user.mark", "\0\1", 2, 0), 0);
    assert_int_equal(chmod(in_tree(tree, "/changed"), 04750), 0);
    assert_int_equal(symlink("../a b", in_tree(tree, "/link")), 0);
    put_dir(tree, "/dir");
    const FileState absent = {.type = FILE_ABSENT, .content = BYTES("")};
    const FileState fresh = {FILE_REGULAR, 0640, 1, 2, BYTES(""), {0}};
    *vec_push(tree->arena, &edits) = (Edit){"/changed", state_of(tree, "/changed"), fresh};
    *vec_push(tree->arena, &edits) = (Edit){"/.git/config", absent, fresh};
    *vec_push(tree->arena, &edits) = (Edit){"/link", state_of(tree, "/link"), fresh};
    *vec_push(tree->arena, &edits) = (Edit){"/dir", state_of(tree, "/dir"), absent};
    return edits;
}

static void a_snapshot_reads_back_byte_for_byte(void **state)
{
    TempTree *tree = *state;
    CLEANUP(repo_close) Repo *repo = open_store(tree);
    const EditVec edits = some_edits(tree);
    char commit[65], found[65];
    Snapshot snapshot;
    Err err = {0};
    if (snapshot_write(repo, run_id, "{\"x\": 1}", &edits, commit, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(snapshot_find(repo, run_id, found, &err), 0);
    assert_string_equal(found, commit);
    assert_int_equal(repo_verify(repo, commit, &err), 0);
    if (snapshot_read(repo, tree->arena, commit, &snapshot, &err) != 0)
        fail_msg("%s", err.message);
    assert_string_equal(snapshot.run_id, run_id);
    assert_string_equal(snapshot.intent, "{\"x\": 1}");
    assert_int_equal(snapshot.edits.n, edits.n);
    for (size_t i = 0; i < edits.n; i++) {
        assert_string_equal(snapshot.edits.items[i].path, edits.items[i].path);
        assert_true(file_state_equal(&snapshot.edits.items[i].before, &edits.items[i].before));
        assert_true(file_state_equal(&snapshot.edits.items[i].after, &edits.items[i].after));
    }
}

static void the_rehearsal_names_what_changed_since_the_plan(void **state)
{
    TempTree *tree = *state;
    CLEANUP(repo_close) Repo *repo = open_store(tree);
    const EditVec edits = some_edits(tree);
    char commit[65];
    const char *path, *what;
    Err err = {0};
    assert_int_equal(snapshot_write(repo, run_id, "{}", &edits, commit, &err), 0);
    assert_int_equal(snapshot_rehearse(repo, tree->arena, commit, tree->root, &edits, &path, &what, &err), 0);
    assert_int_equal(chmod(in_tree(tree, "/changed"), 0644), 0);
    assert_int_equal(snapshot_rehearse(repo, tree->arena, commit, tree->root, &edits, &path, &what, &err),
                     SNAPSHOT_DIFFERS);
    assert_string_equal(path, "/changed");
    assert_string_equal(what, "mode 4750 -> 0644");
}

static void the_rehearsal_does_not_take_another_set_for_its_own(void **state)
{
    TempTree *tree = *state;
    CLEANUP(repo_close) Repo *repo = open_store(tree);
    EditVec edits = some_edits(tree);
    char commit[65];
    const char *path, *what;
    Err err;
    assert_int_equal(snapshot_write(repo, run_id, "{}", &edits, commit, &err), 0);
    edits.items[0].before.content = BYTES("other");
    assert_true(snapshot_rehearse(repo, tree->arena, commit, tree->root, &edits, &path, &what, &err) < 0);
    assert_non_null(strstr(err.message, "reads back differently"));
}

static int damage(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)ftw;
    if (kind != FTW_F || st->st_size == 0)
        return 0;
    assert_int_equal(chmod(path, 0600), 0);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "damaged", 7, 0), 7);
    fd_close(fd);
    return 0;
}

static void damaged_objects_are_an_error(void **state)
{
    TempTree *tree = *state;
    Repo *repo = open_store(tree);
    const EditVec edits = some_edits(tree);
    char commit[65];
    Snapshot snapshot;
    Err err;
    assert_int_equal(snapshot_write(repo, run_id, "{}", &edits, commit, &err), 0);
    repo_close(repo);
    nftw(in_tree(tree, "/snapshots.git/objects"), damage, 16, FTW_PHYS);
    repo = open_store(tree);
    assert_true(snapshot_read(repo, tree->arena, commit, &snapshot, &err) != 0);
    assert_true(repo_verify(repo, commit, &err) < 0);
    repo_close(repo);
}

static int cut_short(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)ftw;
    if (kind != FTW_F || st->st_size == 0)
        return 0;
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(truncate(path, st->st_size / 2), 0);
    return 0;
}

static void objects_that_were_cut_short_do_not_hang_recovery(void **state)
{
    TempTree *tree = *state;
    Repo *repo = open_store(tree);
    const EditVec edits = some_edits(tree);
    char commit[65];
    Snapshot snapshot;
    Err err;
    assert_int_equal(snapshot_write(repo, run_id, "{}", &edits, commit, &err), 0);
    repo_close(repo);
    nftw(in_tree(tree, "/snapshots.git/objects"), cut_short, 16, FTW_PHYS);
    repo = open_store(tree);
    repo_set_limit(repo, 1);
    assert_true(snapshot_read(repo, tree->arena, commit, &snapshot, &err) < 0);
    assert_non_null(strstr(err.message, "snapshots.git"));
    repo_close(repo);
}

static void a_run_has_one_snapshot(void **state)
{
    TempTree *tree = *state;
    CLEANUP(repo_close) Repo *repo = open_store(tree);
    EditVec edits = some_edits(tree);
    char commit[65];
    Err err;
    assert_int_equal(snapshot_write(repo, run_id, "{}", &edits, commit, &err), 0);
    edits.n--;
    assert_true(snapshot_write(repo, run_id, "{}", &edits, commit, &err) < 0);
    assert_int_equal(snapshot_tag_kept(repo, run_id, commit, &err), 0);
    assert_int_equal(snapshot_tag_kept(repo, run_id, commit, &err), 0);
}

static void foreign_bytes_are_kept_once_each(void **state)
{
    TempTree *tree = *state;
    CLEANUP(repo_close) Repo *repo = open_store(tree);
    const FileState theirs = {FILE_REGULAR, 0600, 0, 0, BYTES("theirs"), {0}};
    char commit[65], again[65];
    Snapshot snapshot;
    StringVec refs;
    Err err;
    assert_int_equal(snapshot_keep_foreign(repo, run_id, "/etc/x", &theirs, commit, &err), 0);
    assert_int_equal(snapshot_keep_foreign(repo, run_id, "/etc/x", &theirs, again, &err), 0);
    assert_string_equal(commit, again);
    assert_int_equal(repo_refs(repo, tree->arena, "refs/foreign/*", &refs, &err), 0);
    assert_int_equal(refs.n, 1);
    assert_int_equal(snapshot_read(repo, tree->arena, commit, &snapshot, &err), 0);
    assert_true(file_state_equal(&snapshot.edits.items[0].before, &theirs));
}

static void two_files_with_the_same_foreign_bytes_are_both_kept(void **state)
{
    TempTree *tree = *state;
    CLEANUP(repo_close) Repo *repo = open_store(tree);
    const FileState emptied = {FILE_REGULAR, 0644, 0, 0, BYTES(""), {0}};
    static const char *const paths[] = {"/etc/x", "/etc/y"};
    char commit[65];
    Snapshot snapshot;
    Err err;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        assert_int_equal(snapshot_keep_foreign(repo, run_id, paths[i], &emptied, commit, &err), 0);
        assert_int_equal(snapshot_read(repo, tree->arena, commit, &snapshot, &err), 0);
        assert_string_equal(snapshot.edits.items[0].path, paths[i]);
    }
}

static void owners_are_named_where_the_host_itself_knows_them(void **state)
{
    TempTree *tree = *state;
    CLEANUP(repo_close) Repo *repo = open_store(tree);
    static const struct {
        unsigned id;
        const char *user, *group;
    } owners[] = {{0, "\"user\": \"root\"", "\"group\": \"root\""}, {4000000000U, "\"user\": null", "\"group\": null"}};
    for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
        const FileState theirs = {FILE_REGULAR, 0600, owners[i].id, owners[i].id, BYTES("theirs"), {0}};
        char commit[65];
        Bytes manifest;
        Err err;
        assert_int_equal(snapshot_keep_foreign(repo, run_id, "/etc/x", &theirs, commit, &err), 0);
        assert_int_equal(repo_read(repo, tree->arena, commit, "manifest", &manifest, &err), 0);
        assert_non_null(strstr(manifest.data, owners[i].user));
        assert_non_null(strstr(manifest.data, owners[i].group));
    }
}

static void git_alone_can_read_it(void **state)
{
    TempTree *tree = *state;
    CLEANUP(repo_close) Repo *repo = open_store(tree);
    const EditVec edits = some_edits(tree);
    char commit[65];
    Err err;
    assert_int_equal(snapshot_write(repo, run_id, "{}", &edits, commit, &err), 0);
    if (access("/usr/bin/git", X_OK) != 0)
        skip();
    pid_t child = fork();
    if (child == 0) {
        int out = open(in_tree(tree, "/out"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        dup2(out, STDOUT_FILENO);
        execl("/usr/bin/git", "git", "-C", in_tree(tree, "/snapshots.git"), "cat-file", "blob",
              arena_printf(tree->arena, "runs/%s:before/0", run_id), (char *)NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    const FileState out = state_of(tree, "/out");
    assert_true(bytes_equal(out.content, edits.items[0].before.content));
}

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(a_snapshot_reads_back_byte_for_byte),
        TREE_TEST(the_rehearsal_names_what_changed_since_the_plan),
        TREE_TEST(the_rehearsal_does_not_take_another_set_for_its_own),
        TREE_TEST(damaged_objects_are_an_error),
        TREE_TEST(objects_that_were_cut_short_do_not_hang_recovery),
        TREE_TEST(a_run_has_one_snapshot),
        TREE_TEST(foreign_bytes_are_kept_once_each),
        TREE_TEST(two_files_with_the_same_foreign_bytes_are_both_kept),
        TREE_TEST(owners_are_named_where_the_host_itself_knows_them),
        TREE_TEST(git_alone_can_read_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
