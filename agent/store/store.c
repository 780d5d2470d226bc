/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files-at.h"

/* 1: it is not there. */
static int check_dir(const char *dir, Err *err)
{
    struct stat st;
    if (lstat(dir, &st) < 0) {
        if (errno == ENOENT)
            return 1;
        return err_errno(err, errno, "cannot open the directory %s", dir);
    }
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_REFUSED, "%s is not a directory; --state names another one", dir);
    if (st.st_uid != geteuid() && geteuid() != 0)
        return err_set(err, ERR_DENIED, "%s belongs to another user; run salve as root, or name another with --state",
                       dir);
    if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
        return err_set(
            err, ERR_REFUSED,
            "%s must belong to root with mode 0700, because it holds copies of configuration (found owner %u, "
            "mode %04o); look at what is in it, then: chown root:root %s && chmod 0700 %s",
            dir, st.st_uid, (unsigned)st.st_mode & 07777, dir, dir);
    return 0;
}

int store_make_dir(const char *dir, Err *err)
{
    int r = check_dir(dir, err);
    if (r <= 0)
        return r;
    r = files_mkdir(dir, err);
    if (r < 0 && (err->kind == ERR_DENIED))
        return err_set(err, ERR_DENIED,
                       "cannot create the directory %s; run salve as root, or name another with "
                       "--state",
                       dir);
    return r < 0 ? r : check_dir(dir, err);
}

/* The damaged ledger gets another name, with its log: what can still be read there is for a person. */
static int set_ledger_aside(Arena *arena, const char *dir, const char **ret_name, Err *err)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    const char *aside = arena_printf(arena, "ledger.db.damaged-%llu", (unsigned long long)clock_realtime());
    CLEANUP(fd_close) int fd = -1;
    int r = dir_open("", dir, DIR_FOLLOW, &fd, err);
    for (size_t i = 0; r >= 0 && i < ARRAY_LEN(parts); i++) {
        const char *from = arena_printf(arena, "ledger.db%s", parts[i]);
        if (faccessat(fd, from, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            r = file_replace_at(fd, from, fd, arena_printf(arena, "%s%s", aside, parts[i]), from, err);
    }
    if (r >= 0)
        r = dir_sync(fd, dir, err);
    *ret_name = aside;
    return r < 0 ? err_prefix(err, "cannot set the damaged ledger aside") : 0;
}

static int open_ledger(Arena *arena, Store *store, Err *err)
{
    const char *aside;
    int r = ledger_open(store->dir, LEDGER_WRITE, &store->ledger, err);
    if (r != -ERR_DAMAGED)
        return r;
    r = set_ledger_aside(arena, store->dir, &aside, err);
    if (r < 0)
        return r;
    snprintf(store->lost_ledger, sizeof store->lost_ledger, "%s", aside);
    return ledger_open(store->dir, LEDGER_WRITE, &store->ledger, err);
}

/* While a run is hot it must be finished even without its snapshot: from the originals beside the files. Else a store
 * that cannot be opened is for a person to look at. */
static int open_repo(Arena *arena, Store *store, Err *err)
{
    const char *path = arena_printf(arena, "%s/snapshots.git", store->dir);
    int r = repo_open(path, true, &store->repo, err);
    if (r != -ERR_FAILED || access(arena_printf(arena, "%s/hot", store->dir), F_OK) < 0)
        return r;
    CLEANUP(fd_close) int fd = -1;
    const char *aside = arena_printf(arena, "snapshots.git.damaged-%llu", (unsigned long long)clock_realtime());
    if (dir_open("", store->dir, DIR_FOLLOW, &fd, err) < 0 ||
        file_replace_at(fd, "snapshots.git", fd, aside, path, err) < 0)
        return r;
    return repo_open(path, true, &store->repo, err);
}

int store_open_write(const char *dir, const char *what, usec patience_usec, Store *ret, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(store_close) Store store = {.dir = dir};
    int r = store_make_dir(dir, err);
    if (r < 0 || (r = lock_take(dir, what, patience_usec, &store.lock, err)) < 0 ||
        (r = open_ledger(arena, &store, err)) < 0 || (r = open_repo(arena, &store, err)) < 0)
        return r;
    *ret = store;
    store = (Store){0};
    return 0;
}

int store_open_read(const char *dir, Store *ret, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(store_close) Store store = {.dir = dir};
    int r = check_dir(dir, err);
    if (r == 0 && (r = ledger_open(dir, LEDGER_READ, &store.ledger, err)) >= 0)
        r = repo_open(arena_printf(arena, "%s/snapshots.git", dir), false, &store.repo, err);
    if (r < 0)
        return r;
    *ret = store;
    store = (Store){0};
    return 0;
}

void store_close(Store *store)
{
    repo_close(store->repo);
    ledger_close(store->ledger);
    lock_release(store->lock);
    *store = (Store){0};
}

char *store_run_id(Arena *arena, usec now_realtime)
{
    time_t seconds = (time_t)(now_realtime / USEC_PER_SEC);
    struct tm utc;
    char text[32];
    unsigned char random[4] = {0};
    strftime(text, sizeof text, "%Y%m%dT%H%M%S", gmtime_r(&seconds, &utc));
    if (getrandom(random, sizeof random, 0) != sizeof random)
        memcpy(random, &now_realtime, sizeof random);
    return arena_printf(arena, "%s-%02x%02x%02x%02x", text, random[0], random[1], random[2], random[3]);
}
