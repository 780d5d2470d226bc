/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that would stop a swap half-way is looked for before the first byte is written. Nothing here writes. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/files-at.h"
#include "base/swap-site.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* Room that one file system must give. */
typedef struct Need {
    dev_t device;
    const char *dir; /* the first directory on it, for the message */
    uint64_t bytes, files;
} Need;

typedef VEC(Need) NeedVec;

typedef struct Checker {
    Arena *arena;
    const SwapSet *set;
    NeedVec needs;
    StringVec open;
} Checker;

static int check_kinds(const Edit *edit, Err *err)
{
    const FileState *sides[] = {&edit->before, &edit->after};
    for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
        if (sides[i]->type == FILE_OTHER)
            return err_set(err, ERR_REFUSED, "%s is a device, FIFO or socket, which salve does not touch", edit->path);
        if (sides[i]->content.len > FILE_MAX_SIZE)
            return err_set(err, ERR_REFUSED, "%s is larger than %d MiB", edit->path, FILE_MAX_SIZE >> 20);
    }
    bool dirs = edit->before.type == FILE_DIRECTORY || edit->after.type == FILE_DIRECTORY;
    if (dirs && edit->before.type != FILE_ABSENT && edit->after.type != FILE_ABSENT)
        return err_set(err, ERR_REFUSED, "%s: salve makes and removes directories, but does not change them",
                       edit->path);
    return 0;
}

static int look_at(int dir, const char *name, struct statx *ret)
{
    return statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, ret);
}

static int check_attributes(const char *shown, const struct statx *found, Err *err)
{
    if (found->stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND))
        return err_set(err, ERR_REFUSED, "%s is protected by the %s attribute; remove it with: chattr -%c %s", shown,
                       found->stx_attributes & STATX_ATTR_IMMUTABLE ? "immutable" : "append-only",
                       found->stx_attributes & STATX_ATTR_IMMUTABLE ? 'i' : 'a', shown);
    return 0;
}

/* The target itself: a mount point cannot be renamed, and another device cannot be exchanged with. */
static int check_target(const Site *site, const struct statx *dir, Err *err)
{
    struct statx live;
    if (look_at(site->dir, site->name, &live) < 0)
        return errno == ENOENT ? 0 : err_errno(err, errno, "cannot look at %s", site->shown);
    bool other_device = live.stx_dev_major != dir->stx_dev_major || live.stx_dev_minor != dir->stx_dev_minor;
    if (live.stx_attributes & STATX_ATTR_MOUNT_ROOT || other_device)
        return err_set(
            err, ERR_REFUSED,
            "%s is a mount point (a bind-mounted file?) and cannot be replaced; change it where it comes from",
            site->shown);
    return check_attributes(site->shown, &live, err);
}

static int check_dir(const Site *site, struct statx *ret, Err *err)
{
    if (statx(site->dot_dir, "", AT_EMPTY_PATH, STATX_BASIC_STATS, ret) < 0)
        return err_errno(err, errno, "cannot look at %s", site->dot_shown);
    struct statvfs fs;
    if (fstatvfs(site->dot_dir, &fs) < 0)
        return err_errno(err, errno, "cannot look at the file system of %s", site->dot_shown);
    if (fs.f_flag & ST_RDONLY)
        return err_set(err, ERR_REFUSED, "%s is on a read-only file system", site->shown);
    int r = check_attributes(site->dot_shown, ret, err); /* before access, which an immutable directory denies to all */
    if (r < 0)
        return r;
    if (faccessat(site->dot_dir, ".", W_OK | X_OK, AT_EACCESS) < 0) {
        if (errno == EROFS)
            return err_set(err, ERR_REFUSED, "%s is on a read-only file system", site->shown);
        return err_set(err, ERR_DENIED, "%s is not writable for this user; run salve as root", site->dot_shown);
    }
    return 0;
}

/* The file systems whose RENAME_EXCHANGE we know; swap_prepare tries it for real. */
static bool knows_exchange(int dir)
{
    static const unsigned known[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC,
                                     TMPFS_MAGIC,      F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC};
    struct statfs fs;
    if (fstatfs(dir, &fs) < 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if ((unsigned)fs.f_type == known[i])
            return true;
    }
    return false;
}

static Need *need_of(Checker *checker, const Site *site, dev_t device)
{
    VEC_EACH (need, &checker->needs) {
        if (need->device == device)
            return need;
    }
    Need *need = vec_push(checker->arena, &checker->needs);
    *need = (Need){.device = device, .dir = site->dot_shown};
    return need;
}

static int add_need(Checker *checker, const Site *site, const Edit *edit, bool copies, Err *err)
{
    struct stat st;
    struct statvfs fs;
    if (fstat(site->dot_dir, &st) < 0 || fstatvfs(site->dot_dir, &fs) < 0)
        return err_errno(err, errno, "cannot look at %s", site->dot_shown);
    Need *need = need_of(checker, site, st.st_dev);
    const FileState *written[] = {&edit->after, copies ? &edit->before : NULL};
    for (size_t i = 0; i < ARRAY_LEN(written); i++) {
        if (!written[i] || written[i]->type == FILE_ABSENT)
            continue;
        uint64_t block = fs.f_frsize ? fs.f_frsize : 4096;
        need->bytes += (written[i]->content.len + block - 1) / block * block + block; /* and one for attributes */
        need->files++;
    }
    return 0;
}

static int check_edit(Checker *checker, const Edit *edit, Err *err)
{
    CLEANUP(site_close) Site site = {.dir = -1, .dot_dir = -1};
    struct statx dir;
    int r = check_kinds(edit, err);
    if (r < 0 || (r = site_open(checker->arena, checker->set, edit, &site, err)) < 0)
        return r;
    const char *parent, *name;
    path_split(checker->arena, edit->path, &parent, &name);
    if (site.dir < 0 && str_equal(parent, site.dot_shown))
        return err_set(err, ERR_REFUSED, "%s: the directory %s does not exist", site.shown, parent);
    if ((r = check_dir(&site, &dir, err)) < 0)
        return r;
    if (site.dir >= 0 && (r = check_target(&site, &dir, err)) < 0)
        return r;
    bool open = edit->before.type != FILE_ABSENT && edit->after.type != FILE_ABSENT && !knows_exchange(site.dot_dir);
    if (open)
        *vec_push(checker->arena, &checker->open) = edit->path;
    return add_need(checker, &site, edit, open, err);
}

static const char *mebibytes(Arena *arena, uint64_t bytes)
{
    return bytes == 0 ? "0" : arena_printf(arena, "%.1f MiB", (double)((bytes + 104857) / 104858) / 10);
}

static int check_room(Checker *checker, const Need *need, Err *err)
{
    CLEANUP(fd_close) int dir = -1;
    int r = dir_open(checker->set->root, need->dir, DIR_NO_SYMLINKS, &dir, err);
    struct statvfs fs;
    if (r != 0 || fstatvfs(dir, &fs) < 0)
        return r < 0 ? r : err_errno(err, errno, "cannot look at the file system of %s", need->dir);
    uint64_t has = (uint64_t)(geteuid() == 0 ? fs.f_bfree : fs.f_bavail) * fs.f_frsize;
    if (need->bytes > has)
        return err_set(err, ERR_SPACE, "the file system of %s needs %s, has %s; free some space first", need->dir,
                       mebibytes(checker->arena, need->bytes), mebibytes(checker->arena, has));
    if (fs.f_files > 0 && need->files > fs.f_favail)
        return err_set(err, ERR_SPACE, "the file system of %s needs %llu inodes, has %llu; remove some files first",
                       need->dir, (unsigned long long)need->files, (unsigned long long)fs.f_favail);
    return 0;
}

int swap_check(Arena *arena, const SwapSet *set, StringVec *ret_open, Err *err)
{
    Checker checker = {.arena = arena, .set = set};
    VEC_EACH (edit, set->edits) {
        int r = check_edit(&checker, edit, err);
        if (r < 0)
            return r;
    }
    VEC_EACH (need, &checker.needs) {
        int r = check_room(&checker, need, err);
        if (r < 0)
            return r;
    }
    *ret_open = checker.open;
    return 0;
}
