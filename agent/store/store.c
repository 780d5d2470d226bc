/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/files.h"

/* 1: it is not there. */
static int check_dir(const char *dir, Err *err)
{
    struct stat st;
    if (lstat(dir, &st) < 0) {
        if (errno == ENOENT)
            return 1;
        return err_errno(err, errno, "cannot open the state directory %s", dir);
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

static int make_dir(const char *dir, Err *err)
{
    int r = check_dir(dir, err);
    if (r <= 0)
        return r;
    r = files_mkdir(dir, err);
    if (r < 0 && (err->kind == ERR_DENIED))
        return err_set(err, ERR_DENIED,
                       "cannot create the state directory %s; run salve as root, or name another with "
                       "--state",
                       dir);
    return r < 0 ? r : check_dir(dir, err);
}

int store_open_write(const char *dir, const char *what, usec patience_usec, Store *ret, Err *err)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    CLEANUP(store_close) Store store = {.dir = dir};
    int r = make_dir(dir, err);
    if (r < 0 || (r = lock_take(dir, what, patience_usec, &store.lock, err)) < 0 ||
        (r = ledger_open(dir, LEDGER_WRITE, &store.ledger, err)) < 0 ||
        (r = repo_open(arena_printf(arena, "%s/snapshots.git", dir), true, &store.repo, err)) < 0)
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
