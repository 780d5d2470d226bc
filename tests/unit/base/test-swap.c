/* SPDX-License-Identifier: Apache-2.0 */
#include "temp-tree.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "base/swap.h"

enum { N_EDITS = 8 };

/* A tree of the kind that a run changes, and one edit of each sort. */
typedef struct Scene {
    TempTree *tree;
    EditVec edits;
    SwapSet set;
} Scene;

static const struct {
    const char *path;
    FileType before, after;
} sorts[N_EDITS] = {
    {"/etc/changed.conf", FILE_REGULAR, FILE_REGULAR},
    {"/etc/created.conf", FILE_ABSENT, FILE_REGULAR},
    {"/etc/link", FILE_SYMLINK, FILE_SYMLINK},
    {"/etc/new.service.d", FILE_ABSENT, FILE_DIRECTORY},
    {"/etc/new.service.d/90-salve.conf", FILE_ABSENT, FILE_REGULAR},
    {"/etc/old.d/gone.conf", FILE_REGULAR, FILE_ABSENT},
    {"/etc/old.d", FILE_DIRECTORY, FILE_ABSENT},
    {"/etc/turned", FILE_SYMLINK, FILE_REGULAR},
};

static FileState wished(FileType type)
{
    FileState state = {.type = type, .content = BYTES(""), .uid = getuid(), .gid = getgid()};
    if (type == FILE_REGULAR)
        state = (FileState){FILE_REGULAR, 0640, getuid(), getgid(), BYTES("after\n"), {0}};
    if (type == FILE_SYMLINK)
        state.content = BYTES("changed.conf");
    if (type == FILE_DIRECTORY)
        state.mode = 0755;
    return state;
}

static void scene_files(TempTree *tree)
{
    put_dir(tree, "/etc");
    put_dir(tree, "/etc/old.d");
    put_file(tree, "/etc/changed.conf", "before\n");
    assert_int_equal(chmod(in_tree(tree, "/etc/changed.conf"), 0604), 0);
    assert_int_equal(setxattr(in_tree(tree, "/etc/changed.conf"), "user.mark", "m", 1, 0), 0);
    put_file(tree, "/etc/old.d/gone.conf", "before\n");
    assert_int_equal(symlink("nowhere", in_tree(tree, "/etc/link")), 0);
    assert_int_equal(symlink("nowhere", in_tree(tree, "/etc/turned")), 0);
}

static Scene scene_new(TempTree *tree)
{
    Scene scene = {.tree = tree};
    scene_files(tree);
    for (size_t i = 0; i < N_EDITS; i++) {
        Edit *edit = vec_push(tree->arena, &scene.edits);
        *edit = (Edit){sorts[i].path, state_of(tree, sorts[i].path), wished(sorts[i].after)};
        assert_int_equal(edit->before.type, sorts[i].before);
    }
    return scene;
}

static const SwapSet *set_of(Scene *scene)
{
    scene->set = (SwapSet){scene->tree->root, "20260301T031245-7f3a", &scene->edits};
    return &scene->set;
}

static Edit *only(Scene *scene, const char *path)
{
    VEC_EACH (edit, &scene->edits) {
        if (str_equal(edit->path, path))
            return edit;
    }
    fail_msg("no edit of %s", path);
    return NULL;
}

static int forward(Scene *scene, Err *err)
{
    int r = 0;
    VEC_EACH (edit, &scene->edits) {
        if ((r = swap_prepare(set_of(scene), edit, err)) != 0)
            return r;
    }
    if ((r = swap_sync(set_of(scene), err)) != 0)
        return r;
    VEC_EACH (edit, &scene->edits) {
        if ((r = swap_apply(set_of(scene), edit, err)) != 0)
            return r;
    }
    return swap_sync(set_of(scene), err);
}

static int back(Scene *scene, Err *err)
{
    for (size_t i = scene->edits.n; i-- > 0;) {
        const char *aside;
        int r = swap_revert(scene->tree->arena, set_of(scene), &scene->edits.items[i], &aside, err);
        if (r != 0)
            return r;
    }
    return 0;
}

static int finish(Scene *scene, Err *err)
{
    VEC_EACH (edit, &scene->edits) {
        const char *aside;
        int r = swap_finish(scene->tree->arena, set_of(scene), edit, &aside, err);
        if (r != 0)
            return r;
    }
    return 0;
}

static void assert_place(Scene *scene, SwapPlace wanted)
{
    VEC_EACH (edit, &scene->edits) {
        SwapPlace place;
        Err err;
        assert_int_equal(swap_locate(set_of(scene), edit, &place, &err), 0);
        if (place != wanted)
            fail_msg("%s is %d, wanted %d", edit->path, (int)place, (int)wanted);
        const FileState found = state_of(scene->tree, edit->path);
        assert_true(file_state_equal(&found, wanted == SWAP_IS_BEFORE ? &edit->before : &edit->after));
    }
    assert_int_equal(dot_files(scene->tree, "/etc"), 0);
}

static void every_sort_of_edit_goes_there(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    assert_int_equal(forward(&scene, &err), 0);
    assert_int_equal(finish(&scene, &err), 0);
    assert_place(&scene, SWAP_IS_AFTER);
}

static void every_sort_of_edit_comes_back_as_the_same_inode(void **state)
{
    Scene scene = scene_new(*state);
    struct stat before, after;
    Err err;
    assert_int_equal(lstat(in_tree(*state, "/etc/changed.conf"), &before), 0);
    assert_int_equal(forward(&scene, &err), 0);
    assert_int_equal(back(&scene, &err), 0);
    assert_int_equal(finish(&scene, &err), 0);
    assert_place(&scene, SWAP_IS_BEFORE);
    assert_int_equal(lstat(in_tree(*state, "/etc/changed.conf"), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static void everything_may_be_called_twice(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    assert_int_equal(forward(&scene, &err), 0);
    assert_int_equal(forward(&scene, &err), 0);
    assert_int_equal(back(&scene, &err), 0);
    assert_int_equal(back(&scene, &err), 0);
    assert_int_equal(finish(&scene, &err), 0);
    assert_int_equal(finish(&scene, &err), 0);
    assert_place(&scene, SWAP_IS_BEFORE);
}

static void nothing_is_live_before_it_is_applied(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    VEC_EACH (edit, &scene.edits)
        assert_int_equal(swap_prepare(set_of(&scene), edit, &err), 0);
    VEC_EACH (edit, &scene.edits) {
        const FileState found = state_of(*state, edit->path);
        assert_true(file_state_equal(&found, &edit->before));
    }
}

static void a_foreign_edit_stops_the_swap(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    VEC_EACH (edit, &scene.edits)
        assert_int_equal(swap_prepare(set_of(&scene), edit, &err), 0);
    put_file(*state, "/etc/changed.conf", "theirs\n");
    put_file(*state, "/etc/created.conf", "theirs\n");
    put_file(*state, "/etc/old.d/gone.conf", "theirs\n");
    const char *const paths[] = {"/etc/changed.conf", "/etc/created.conf", "/etc/old.d/gone.conf"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        assert_int_equal(swap_apply(set_of(&scene), only(&scene, paths[i]), &err), SWAP_FOREIGN);
        assert_string_equal(get_file(*state, paths[i]), "theirs\n");
    }
}

static void a_foreign_edit_survives_the_rollback(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    assert_int_equal(forward(&scene, &err), 0);
    const char *const paths[] = {"/etc/changed.conf", "/etc/created.conf", "/etc/turned"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        Edit *edit = only(&scene, paths[i]);
        const char *aside = NULL;
        put_file(*state, paths[i], "theirs\n");
        assert_int_equal(swap_revert(scene.tree->arena, set_of(&scene), edit, &aside, &err), SWAP_FOREIGN);
        const FileState found = state_of(*state, paths[i]);
        assert_true(file_state_equal(&found, &edit->before));
        assert_string_equal(get_file(*state, aside), "theirs\n");
        assert_int_equal(swap_finish(scene.tree->arena, set_of(&scene), edit, &aside, &err), SWAP_FOREIGN);
        assert_string_equal(get_file(*state, aside), "theirs\n"); /* for another process, should ours die here */
    }
    assert_int_equal(dot_files(*state, "/etc"), 3 + 3); /* three foreign ones, and three edits not taken back */
}

static void a_file_somebody_removed_comes_back(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    const char *aside = "unset";
    assert_int_equal(forward(&scene, &err), 0);
    assert_int_equal(unlink(in_tree(*state, "/etc/changed.conf")), 0);
    Edit *edit = only(&scene, "/etc/changed.conf");
    assert_int_equal(swap_revert(scene.tree->arena, set_of(&scene), edit, &aside, &err), SWAP_FOREIGN);
    assert_null(aside);
    assert_string_equal(get_file(*state, "/etc/changed.conf"), "before\n");
}

static void a_new_directory_with_foreign_files_stays(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    const char *aside = NULL;
    assert_int_equal(forward(&scene, &err), 0);
    put_file(*state, "/etc/new.service.d/99-admin.conf", "theirs\n");
    Edit *file = only(&scene, "/etc/new.service.d/90-salve.conf"), *dir = only(&scene, "/etc/new.service.d");
    assert_int_equal(swap_revert(scene.tree->arena, set_of(&scene), file, &aside, &err), 0);
    assert_int_equal(swap_revert(scene.tree->arena, set_of(&scene), dir, &aside, &err), SWAP_FOREIGN);
    assert_string_equal(aside, "/etc/new.service.d");
    assert_string_equal(get_file(*state, "/etc/new.service.d/99-admin.conf"), "theirs\n");
}

static void a_directory_that_is_not_empty_is_not_removed(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    put_file(*state, "/etc/old.d/other.conf", "theirs\n");
    assert_int_equal(forward(&scene, &err), SWAP_FOREIGN);
    assert_string_equal(get_file(*state, "/etc/old.d/other.conf"), "theirs\n");
    assert_int_equal(back(&scene, &err), 0);
    assert_int_equal(finish(&scene, &err), 0);
    assert_place(&scene, SWAP_IS_BEFORE);
}

static void a_lost_original_is_written_anew_from_the_snapshot(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    FileState dot;
    const char *path, *aside;
    assert_int_equal(forward(&scene, &err), 0);
    Edit *edit = only(&scene, "/etc/changed.conf");
    assert_int_equal(swap_dot_state(scene.tree->arena, set_of(&scene), edit, &dot, &path, &err), 0);
    assert_true(file_state_equal(&dot, &edit->before));
    assert_int_equal(unlink(in_tree(*state, path)), 0);
    assert_int_equal(swap_revert(scene.tree->arena, set_of(&scene), edit, &aside, &err), 0);
    const FileState found = state_of(*state, edit->path);
    assert_true(file_state_equal(&found, &edit->before));
}

static void a_late_write_into_the_old_inode_is_not_lost(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    int fd = open(in_tree(*state, "/etc/changed.conf"), O_WRONLY | O_APPEND | O_CLOEXEC);
    const char *aside = NULL;
    assert_int_equal(forward(&scene, &err), 0);
    assert_int_equal(write(fd, "late\n", 5), 5);
    fd_close(fd);
    Edit *edit = only(&scene, "/etc/changed.conf");
    assert_int_equal(swap_finish(scene.tree->arena, set_of(&scene), edit, &aside, &err), SWAP_FOREIGN);
    assert_string_equal(get_file(*state, aside), "before\nlate\n");
    assert_int_equal(swap_discard_aside(set_of(&scene), aside, &err), 0);
    assert_null(get_file(*state, aside));
}

static void what_an_exchange_took_out_before_it_was_cut_gets_its_name_back(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    FileState dot;
    const char *const paths[] = {"/etc/changed.conf", "/etc/old.d/gone.conf", "/etc/turned"};
    const char *path, *aside;
    scene.edits.items[6] = scene.edits.items[7]; /* old.d stays: it holds what comes back */
    scene.edits.n = 7;
    assert_int_equal(forward(&scene, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        Edit *edit = only(&scene, paths[i]);
        assert_int_equal(swap_give_back(set_of(&scene), edit, &err), 0);
        assert_int_equal(swap_dot_state(scene.tree->arena, set_of(&scene), edit, &dot, &path, &err), 0);
        assert_int_equal(unlink(in_tree(*state, path)), 0);
        put_file(*state, path, "theirs\n");
        assert_int_equal(swap_give_back(set_of(&scene), edit, &err), SWAP_FOREIGN);
        assert_string_equal(get_file(*state, paths[i]), "theirs\n");
        assert_int_equal(swap_give_back(set_of(&scene), edit, &err), 0);
        assert_int_equal(swap_finish(scene.tree->arena, set_of(&scene), edit, &aside, &err), 0);
        assert_string_equal(get_file(*state, paths[i]), "theirs\n");
    }
}

static TempTree *stranger_tree; /* somebody writes into it right before the next exchange */

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    TempTree *tree = stranger_tree;
    stranger_tree = NULL;
    if (tree)
        put_file(tree, "/etc/changed.conf", "newest\n");
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

static void what_somebody_writes_while_theirs_gets_its_name_back_stays_live(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    FileState dot;
    const char *path, *aside;
    scene.edits.n = 1;
    assert_int_equal(forward(&scene, &err), 0);
    Edit *edit = only(&scene, "/etc/changed.conf");
    assert_int_equal(swap_dot_state(scene.tree->arena, set_of(&scene), edit, &dot, &path, &err), 0);
    put_file(*state, path, "theirs\n");
    stranger_tree = *state;
    assert_int_equal(swap_give_back(set_of(&scene), edit, &err), 0);
    assert_null(stranger_tree);
    assert_string_equal(get_file(*state, "/etc/changed.conf"), "newest\n");
    assert_int_equal(swap_finish(scene.tree->arena, set_of(&scene), edit, &aside, &err), SWAP_FOREIGN);
    assert_string_equal(get_file(*state, aside), "theirs\n");
}

static void dot_names_fit_whatever_the_name_is(void **state)
{
    TempTree *tree = *state;
    char path[NAME_MAX + 2];
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    Scene scene = {.tree = tree};
    *vec_push(tree->arena, &scene.edits) = (Edit){path, state_of(tree, path), wished(FILE_REGULAR)};
    Err err;
    assert_int_equal(forward(&scene, &err), 0);
    assert_string_equal(get_file(tree, path), "after\n");
}

/* --- Checks --- */

static int check(Scene *scene, Err *err)
{
    StringVec open;
    return swap_check(scene->tree->arena, set_of(scene), &open, err);
}

static void a_sound_set_passes_the_check_and_nothing_is_written(void **state)
{
    Scene scene = scene_new(*state);
    Err err = {0};
    if (check(&scene, &err) != 0)
        fail_msg("%s", err.message);
    assert_place(&scene, SWAP_IS_BEFORE);
}

static void what_cannot_be_swapped_is_refused_before_anything(void **state)
{
    TempTree *tree = *state;
    const FileState absent = {.type = FILE_ABSENT, .content = BYTES("")}, special = {.type = FILE_OTHER};
    put_dir(tree, "/real");
    assert_int_equal(symlink("real", in_tree(tree, "/alias")), 0);
    const struct {
        Edit edit;
        const char *text;
    } cases[] = {
        {{"/missing/file", absent, wished(FILE_REGULAR)}, "the directory /missing does not exist"},
        {{"/alias/file", absent, wished(FILE_REGULAR)}, "leads through a symlink"},
        {{"/real", wished(FILE_DIRECTORY), wished(FILE_REGULAR)}, "does not change them"},
        {{"/real/fifo", special, wished(FILE_REGULAR)}, "device, FIFO or socket"},
        {{"relative", absent, wished(FILE_REGULAR)}, "not a path that can be edited"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Scene scene = {.tree = tree};
        *vec_push(tree->arena, &scene.edits) = cases[i].edit;
        Err err;
        assert_true(check(&scene, &err) < 0);
        if (!strstr(err.message, cases[i].text))
            fail_msg("%s: %s", cases[i].edit.path, err.message);
    }
}

/* Mounts need root and a kernel that lets us; the lab's hosts always do. */
static void mounts_are_refused_with_what_to_do(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    const char *target = in_tree(*state, "/etc/changed.conf");
    if (mount(target, target, NULL, MS_BIND, NULL) != 0)
        skip();
    int r = check(&scene, &err);
    assert_int_equal(umount2(target, MNT_DETACH), 0);
    assert_int_equal(r, -ERR_REFUSED);
    assert_non_null(strstr(err.message, "mount point"));
}

/* -1: not possible here. */
static int set_flag(const char *path, int flag)
{
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    return ioctl(fd, FS_IOC_SETFLAGS, &flag);
}

static void an_immutable_file_or_directory_is_refused_with_the_command_that_helps(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    const char *const targets[] = {in_tree(*state, "/etc/changed.conf"), in_tree(*state, "/etc")};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        if (set_flag(targets[i], FS_IMMUTABLE_FL) < 0)
            skip();
        int r = check(&scene, &err);
        assert_int_equal(set_flag(targets[i], 0), 0);
        assert_int_equal(r, -ERR_REFUSED);
        assert_non_null(strstr(err.message, "chattr -i"));
    }
}

static void a_full_and_a_read_only_file_system_are_refused(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    const char *etc = in_tree(*state, "/etc");
    if (mount("tmpfs", etc, "tmpfs", 0, "size=64k") != 0)
        skip();
    scene.edits.n = 2; /* of files directly in /etc */
    scene.edits.items[0].before = wished(FILE_ABSENT);
    int fd = open(in_tree(*state, "/etc/filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    char block[4096] = {0};
    while (write(fd, block, sizeof block) > 0)
        ;
    fd_close(fd);
    int full = check(&scene, &err);
    const char *text = arena_strdup(scene.tree->arena, err.message);
    assert_int_equal(mount(NULL, etc, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    int read_only = check(&scene, &err);
    assert_int_equal(umount2(etc, MNT_DETACH), 0);
    assert_int_equal(full, -ERR_SPACE);
    assert_non_null(strstr(text, "needs 0.1 MiB, has 0"));
    assert_int_equal(read_only, -ERR_REFUSED);
    assert_non_null(strstr(err.message, "read-only"));
}

/* --- Crashes and failures at every point --- */

#if SALVE_FAULT_INJECTION
typedef int (*Step)(Scene *scene, Err *err);

static int there_and_back(Scene *scene, Err *err)
{
    int r = forward(scene, err);
    return r == 0 && (r = back(scene, err)) == 0 ? finish(scene, err) : r;
}

static int there_and_finish(Scene *scene, Err *err)
{
    int r = forward(scene, err);
    return r == 0 ? finish(scene, err) : r;
}

/* Runs the step in a process of its own with a fault; its exit status, or 256 when it was killed. */
static int run_with_fault(Scene *scene, Step step, const char *fault)
{
    pid_t child = fork();
    if (child == 0) {
        Err err;
        setenv("SALVE_FAULT", fault, 1);
        fault_reset();
        int r = step(scene, &err);
        _exit(r == 0 ? 0 : r > 0 ? 2 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? 256 : WEXITSTATUS(status);
}

static void sweep(TempTree *tree, Step step, const char *kind)
{
    unsigned at = 1;
    for (int status = -1; status != 0; at++) {
        Scene scene = scene_new(tree);
        Err err = {0};
        status = run_with_fault(&scene, step, arena_printf(tree->arena, "%u:%s", at, kind));
        if (back(&scene, &err) != 0 || finish(&scene, &err) != 0)
            fail_msg("fault %u:%s: %s", at, kind, err.message);
        assert_place(&scene, SWAP_IS_BEFORE);
        assert_true(status == 0 || status == 256 || status == 1);
        nftw(in_tree(tree, "/etc"), remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        assert_true(at < 1000);
    }
    assert_true(at > 40);
}

static void death_at_any_point_can_be_rolled_back(void **state)
{
    sweep(*state, there_and_back, "kill");
}

static void death_while_finishing_can_be_rolled_back(void **state)
{
    sweep(*state, there_and_finish, "kill");
}

static void a_failure_at_any_point_can_be_rolled_back(void **state)
{
    sweep(*state, there_and_back, "EIO");
}

static void a_race_while_a_file_is_put_back_is_tried_again(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    scene.edits.n = 1;
    assert_string_equal(scene.edits.items[0].path, "/etc/changed.conf");
    assert_int_equal(forward(&scene, &err), 0);
    assert_int_equal(run_with_fault(&scene, back, "1:ENOENT"), 0);
    assert_int_equal(finish(&scene, &err), 0);
    assert_place(&scene, SWAP_IS_BEFORE);
}

/* Without EXCHANGE: the copy under `-old` is what goes back. */
static void without_exchange_death_at_any_point_can_be_rolled_back(void **state)
{
    TempTree *tree = *state;
    for (unsigned at = 1, status = 1; status != 0; at++) {
        Scene scene = scene_new(tree);
        Err err = {0};
        status = (unsigned)run_with_fault(&scene, forward, arena_printf(tree->arena, "exchange:EINVAL,%u:kill", at));
        setenv("SALVE_FAULT", "exchange:EINVAL", 1);
        fault_reset();
        if (back(&scene, &err) != 0 || finish(&scene, &err) != 0)
            fail_msg("fault %u: %s", at, err.message);
        assert_place(&scene, SWAP_IS_BEFORE);
        nftw(in_tree(tree, "/etc"), remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    }
}

static void without_exchange_a_foreign_edit_survives_the_rollback(void **state)
{
    Scene scene = scene_new(*state);
    Err err;
    const char *aside = NULL;
    setenv("SALVE_FAULT", "exchange:EINVAL", 1);
    fault_reset();
    assert_int_equal(forward(&scene, &err), 0);
    put_file(*state, "/etc/changed.conf", "theirs\n");
    Edit *edit = only(&scene, "/etc/changed.conf");
    assert_int_equal(swap_revert(scene.tree->arena, set_of(&scene), edit, &aside, &err), SWAP_FOREIGN);
    assert_string_equal(get_file(*state, "/etc/changed.conf"), "before\n");
    assert_string_equal(get_file(*state, aside), "theirs\n");
}

static void the_points_of_a_run_can_be_counted(void **state)
{
    TempTree *tree = *state;
    Scene scene = scene_new(tree);
    const char *fault = arena_printf(tree->arena, "count:%s/points", tree->root);
    assert_int_equal(run_with_fault(&scene, there_and_finish, fault), 0);
    const char *points = get_file(tree, "/points");
    assert_true(str_starts(points, "1 "));
    assert_non_null(strstr(points, arena_printf(tree->arena, " exchange %s/etc/changed.conf\n", tree->root)));
}

static void death_at_any_point_can_be_completed(void **state)
{
    TempTree *tree = *state;
    for (unsigned at = 1, status = 1; status != 0; at++) {
        Scene scene = scene_new(tree);
        Err err = {0};
        status = (unsigned)run_with_fault(&scene, forward, arena_printf(tree->arena, "%u:kill", at));
        if (forward(&scene, &err) != 0 || finish(&scene, &err) != 0)
            fail_msg("fault %u: %s", at, err.message);
        assert_place(&scene, SWAP_IS_AFTER);
        nftw(in_tree(tree, "/etc"), remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    }
}
#endif

int main(void)
{
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)
    const struct CMUnitTest tests[] = {
        TREE_TEST(every_sort_of_edit_goes_there),
        TREE_TEST(every_sort_of_edit_comes_back_as_the_same_inode),
        TREE_TEST(everything_may_be_called_twice),
        TREE_TEST(nothing_is_live_before_it_is_applied),
        TREE_TEST(a_foreign_edit_stops_the_swap),
        TREE_TEST(a_foreign_edit_survives_the_rollback),
        TREE_TEST(a_file_somebody_removed_comes_back),
        TREE_TEST(a_new_directory_with_foreign_files_stays),
        TREE_TEST(a_directory_that_is_not_empty_is_not_removed),
        TREE_TEST(a_lost_original_is_written_anew_from_the_snapshot),
        TREE_TEST(a_late_write_into_the_old_inode_is_not_lost),
        TREE_TEST(what_an_exchange_took_out_before_it_was_cut_gets_its_name_back),
        TREE_TEST(what_somebody_writes_while_theirs_gets_its_name_back_stays_live),
        TREE_TEST(dot_names_fit_whatever_the_name_is),
        TREE_TEST(a_sound_set_passes_the_check_and_nothing_is_written),
        TREE_TEST(what_cannot_be_swapped_is_refused_before_anything),
        TREE_TEST(mounts_are_refused_with_what_to_do),
        TREE_TEST(an_immutable_file_or_directory_is_refused_with_the_command_that_helps),
        TREE_TEST(a_full_and_a_read_only_file_system_are_refused),
#if SALVE_FAULT_INJECTION
        TREE_TEST(death_at_any_point_can_be_rolled_back),
        TREE_TEST(death_while_finishing_can_be_rolled_back),
        TREE_TEST(a_failure_at_any_point_can_be_rolled_back),
        TREE_TEST(a_race_while_a_file_is_put_back_is_tried_again),
        TREE_TEST(death_at_any_point_can_be_completed),
        TREE_TEST(without_exchange_death_at_any_point_can_be_rolled_back),
        TREE_TEST(without_exchange_a_foreign_edit_survives_the_rollback),
        TREE_TEST(the_points_of_a_run_can_be_counted),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
