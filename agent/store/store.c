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
#include "base/log.h"

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

/* A hot run must be finished whatever somebody did to the directory's mode; what could be read has been by now. */
static void close_to_others(const char *dir, const char *path)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    struct stat st;
    bool ours = lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
    if (ours && (st.st_mode & 077) != 0 && access(arena_printf(arena, "%s/hot", dir), F_OK) == 0 &&
        chmod(path, 0700) == 0)
        log_warning("%s was open to others (mode %04o); it holds copies of configuration, and is closed again", path,
                    (unsigned)st.st_mode & 07777);
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

/* --- Damage --- */

/* A name in the state directory gets another one: what can still be read there is for a person. *aside: "" where there
 * was nothing of that name. */
static int set_aside(const Store *store, const char *name, char aside[ASIDE_NAME_SIZE], Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    int r = files_set_aside(arena_printf(arena, "%s/%s", store->dir, name), aside, err);
    if (r == 1)
        aside[0] = '\0';
    return r < 0 ? r : 0;
}

static bool is_hot(Arena *arena, const Store *store)
{
    return faccessat(AT_FDCWD, arena_printf(arena, "%s/hot", store->dir), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Whether the bytes of a file can be had at all. That it is not there is no damage. */
static bool is_readable(const char *path)
{
    char buffer[64 * 1024];
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : 1;
    while (n > 0)
        n = read(fd, buffer, sizeof buffer);
    return n == 0 && (fd >= 0 || errno == ENOENT);
}

static const char *mark_path(Arena *arena, const Store *store)
{
    return arena_printf(arena, "%s/" STORE_REBUILD, store->dir);
}

/* The mark is there before the first file of the ledger goes, and until its rows are made anew: a crash in between must
 * not leave half a ledger that looks whole. The database goes before its log, without which it is sound, but old. */
static int set_ledger_aside(Arena *arena, Store *store, Err *err)
{
    char log[ASIDE_NAME_SIZE];
    int r = files_write(mark_path(arena, store), 0600, bytes_of("\n"), err);
    if (r >= 0)
        r = set_aside(store, "ledger.db", store->lost_ledger, err);
    if (r >= 0)
        r = set_aside(store, "ledger.db-wal", log, err);
    return r < 0 ? r : set_aside(store, "ledger.db-shm", log, err);
}

/* A crash in set_ledger_aside leaves the log of a database that is gone. */
static bool is_half_aside(Arena *arena, const Store *store)
{
    return access(mark_path(arena, store), F_OK) == 0 &&
           access(arena_printf(arena, "%s/ledger.db", store->dir), F_OK) < 0 && errno == ENOENT;
}

/* While a run is hot, a ledger whose bytes cannot be read is as good as damaged: the run must be finished. */
static bool is_lost(Arena *arena, const Store *store, int r)
{
    return r == -ERR_DAMAGED || (r < 0 && r != -ERR_BUSY && r != -ERR_REFUSED && is_hot(arena, store) &&
                                 !is_readable(arena_printf(arena, "%s/ledger.db", store->dir)));
}

static int open_ledger(Arena *arena, Store *store, Err *err)
{
    int r = is_half_aside(arena, store) ? set_ledger_aside(arena, store, err) : 0;
    if (r >= 0)
        r = ledger_open(store->dir, LEDGER_WRITE, &store->ledger, err);
    if (!is_lost(arena, store, r))
        return r;
    r = set_ledger_aside(arena, store, err);
    if (r >= 0)
        r = ledger_open(store->dir, LEDGER_WRITE, &store->ledger, err);
    if (r >= 0 || !is_hot(arena, store))
        return r;
    store->stand_in = true;
    return ledger_open(store->dir, LEDGER_STAND_IN, &store->ledger, err);
}

static int start_repo_anew(Store *store, const char *path, Err *err)
{
    int r = set_aside(store, "snapshots.git", store->lost_repo, err);
    return r < 0 ? r : repo_open(path, true, &store->repo, err);
}

/* While a run is hot it must be finished even without its snapshot: from the originals beside the files. So a store
 * whose files can be read, and that is none all the same, is set aside; twice asked, since errors pass. Else it is for
 * a person to look at. */
static int open_repo(Arena *arena, Store *store, Err *err)
{
    const char *path = arena_printf(arena, "%s/snapshots.git", store->dir);
    int r = repo_open(path, true, &store->repo, err);
    if (r == -ERR_FAILED)
        r = repo_open(path, true, &store->repo, err);
    if (r == -ERR_DAMAGED && is_hot(arena, store))
        return start_repo_anew(store, path, err);
    if (r != -ERR_FAILED || !is_hot(arena, store) || !is_readable(arena_printf(arena, "%s/HEAD", path)) ||
        !is_readable(arena_printf(arena, "%s/config", path)))
        return r;
    return start_repo_anew(store, path, err);
}

/* --- Opening --- */

int store_open_write(const char *dir, const char *what, usec patience_usec, Store *ret, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(store_close) Store store = {.dir = dir};
    close_to_others(dir, dir);
    close_to_others(dir, arena_printf(arena, "%s/snapshots.git", dir));
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
