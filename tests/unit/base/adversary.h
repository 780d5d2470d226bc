/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody without rights who owns the directory that a file of the run lies in, and what must not happen to what is
 * root's: the stage for test-swap-instants.c and test-swap-race.c. The tree lies in memory, where a sync costs nothing.
 */
#pragma once

#include <grp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "temp-tree.h"

#include "base/cleanup.h"
#include "base/swap.h"

enum { STRANGER = 33333 };

typedef enum Evil {
    EVIL_LINK,   /* a symlink to a file of root's */
    EVIL_FIFO,   /* would block who opens it */
    EVIL_FILLED, /* a directory that holds something */
    EVIL_SOCKET,
    EVIL_FILE,      /* a file of the stranger's own */
    EVIL_HUGE,      /* one that nobody reads to its end */
    EVIL_ROOT_FILE, /* what is root's and lies in the stranger's directory */
    EVIL_ROOT_DIR,
    EVIL_COUNT
} Evil;

enum { VICTIMS = 3 };

typedef struct Stage {
    TempTree tree;
    EditVec edits;
    SwapSet set;
    unsigned told; /* times that something was moved out of the way */
    int victims[VICTIMS];
    char dot[NAME_MAX]; /* the dot name of the edit, without directory */
} Stage;

static inline const char *in_app(Stage *stage, const char *name)
{
    return arena_printf(stage->tree.arena, "%s/app/%s", stage->tree.root, name);
}

/* The stranger's things lie beside the directory until they are put somewhere. Root's file and directory are moved, not
 * made. */
static inline void make_evil(Stage *stage, Evil evil, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;
    switch (evil) {
    case EVIL_LINK: (void)!symlink(in_tree(&stage->tree, "/victim"), path); break;
    case EVIL_FIFO: (void)mkfifo(path, 0666); break;
    case EVIL_FILLED:
        (void)mkdir(path, 0777);
        (void)mkdir(arena_printf(stage->tree.arena, "%s/x", path), 0777);
        break;
    case EVIL_SOCKET:
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
        (void)bind(fd, (struct sockaddr *)&address, sizeof address);
        fd_close(fd);
        break;
    case EVIL_FILE:
    case EVIL_HUGE:
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        (void)!write(fd, "evil\n", 5);
        if (evil == EVIL_HUGE)
            (void)!ftruncate(fd, (off_t)FILE_MAX_SIZE + 1);
        fd_close(fd);
        break;
    case EVIL_ROOT_FILE: (void)rename(in_app(stage, "root-file"), path); break;
    case EVIL_ROOT_DIR: (void)rename(in_app(stage, "root-dir"), path); break;
    case EVIL_COUNT: break;
    }
}

/* Gives a name of the directory to the evil thing, whatever is there. */
static inline bool put_evil(Stage *stage, Evil evil, const char *name)
{
    const char *fresh = in_app(stage, "evil"), *path = in_app(stage, name);
    nftw(fresh, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    make_evil(stage, evil, fresh);
    if (rename(fresh, path) == 0)
        return true;
    return rename(path, in_app(stage, "moved-away")) == 0 && rename(fresh, path) == 0;
}

static inline void count_told(void *user, const char *what, const char *found, const char *aside)
{
    Stage *stage = user;
    assert_true(what && found && aside);
    stage->told++;
}

static inline FileState stranger_state(const char *content, mode_t mode)
{
    return (FileState){FILE_REGULAR, mode, STRANGER, STRANGER, bytes_of(content), {0}};
}

/* A round begins: the directory holds the file as it was, and something of root's. */
static inline void stage_set(Stage *stage)
{
    TempTree *tree = &stage->tree;
    for (int i = 0; i < VICTIMS; i++)
        fd_close(stage->victims[i]);
    nftw(in_tree(tree, "/app"), remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    put_dir(tree, "/app");
    put_file(tree, "/victim", "root's\n");
    put_file(tree, "/app/root-file", "root's\n");
    put_dir(tree, "/app/root-dir");
    put_file(tree, "/app/conf", "before\n");
    const char *const victims[VICTIMS] = {"/victim", "/app/root-file", "/app/root-dir"};
    for (int i = 0; i < VICTIMS; i++) {
        const char *path = in_tree(tree, victims[i]);
        assert_int_equal(chmod(path, 0700), 0);
        stage->victims[i] = open(path, O_RDONLY | O_CLOEXEC);
    }
    assert_int_equal(chmod(in_tree(tree, "/app/conf"), 0644), 0);
    assert_int_equal(chown(in_tree(tree, "/app/conf"), STRANGER, STRANGER), 0);
    assert_int_equal(chown(in_tree(tree, "/app"), STRANGER, STRANGER), 0);
}

/* What is root's is as it was: content, owner and mode. */
static inline void assert_unharmed(Stage *stage)
{
    for (int i = 0; i < VICTIMS; i++) {
        struct stat st;
        char text[16] = "";
        assert_int_equal(fstat(stage->victims[i], &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        assert_int_equal(st.st_uid, 0);
        assert_int_equal(st.st_gid, 0);
        if (S_ISREG(st.st_mode)) {
            assert_int_equal(pread(stage->victims[i], text, sizeof text - 1, 0), 7);
            assert_string_equal(text, "root's\n");
        }
    }
}

/* The edit of the file: mode 4755, so that what it is given to by mistake is seen. */
static inline Stage *stage_new(FileState before, FileState after)
{
    Stage *stage = calloc(1, sizeof *stage);
    TempTree *tree = &stage->tree;
    tree->arena = arena_new();
    snprintf(tree->root, sizeof tree->root, "/dev/shm/salve-test-XXXXXX");
    umask(022);
    assert_non_null(mkdtemp(tree->root));
    assert_int_equal(chmod(tree->root, 0755), 0);
    for (int i = 0; i < VICTIMS; i++)
        stage->victims[i] = -1;
    stage_set(stage);
    *vec_push(tree->arena, &stage->edits) = (Edit){"/app/conf", before, after};
    stage->set = (SwapSet){tree->root, "20260301T031245-7f3a", &stage->edits, count_told, stage};
    FileState dot;
    const char *path;
    Err err;
    assert_int_equal(swap_dot_state(tree->arena, &stage->set, &stage->edits.items[0], &dot, &path, &err), 0);
    snprintf(stage->dot, sizeof stage->dot, "%s", strrchr(path, '/') + 1);
    return stage;
}

static inline void stage_free(Stage *stage)
{
    for (int i = 0; i < VICTIMS; i++)
        fd_close(stage->victims[i]);
    nftw(stage->tree.root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(stage->tree.arena);
    free(stage);
}

/* The steps of a run, each with what it may answer. */
static inline int do_prepare(Stage *stage, Err *err)
{
    return swap_prepare(&stage->set, &stage->edits.items[0], err);
}

static inline int do_apply(Stage *stage, Err *err)
{
    return swap_apply(&stage->set, &stage->edits.items[0], err);
}

static inline int do_revert(Stage *stage, Err *err)
{
    const char *aside;
    return swap_revert(stage->tree.arena, &stage->set, &stage->edits.items[0], &aside, err);
}

/* With every version that lies aside discarded, as a run does once it has kept it. */
static inline int do_finish(Stage *stage, Err *err)
{
    for (int i = 0; i < 100; i++) {
        const char *aside = NULL;
        int r = swap_finish(stage->tree.arena, &stage->set, &stage->edits.items[0], &aside, err);
        if (r != SWAP_FOREIGN || (r = swap_discard_aside(&stage->set, aside, err)) < 0)
            return r;
    }
    return 0;
}

static inline bool live_is(Stage *stage, const FileState *wanted)
{
    FileState live;
    Err err;
    return file_look(stage->tree.arena, stage->tree.root, "/app/conf", &live, &err) == 0 &&
           file_state_matches(wanted, &live);
}
