/* SPDX-License-Identifier: Apache-2.0 */
/* The state directory as a whole (/var/lib/salve): lock, ledger, snapshots.git, hot. 0700 and ours; anything else is
 * ERR_REFUSED with the command that puts it right. */
#pragma once

#include "store/git.h"
#include "store/hot.h"
#include "store/ledger.h"
#include "store/lock.h"
#include "store/snapshot.h"

/* While this file is there the ledger lacks rows that the snapshots know (run/rebuild.h). */
#define STORE_REBUILD "rebuild"

typedef struct Store {
    const char *dir;
    Lock *lock;     /* NULL when reading */
    Ledger *ledger; /* NULL when reading and nothing ever ran here */
    Repo *repo;     /* likewise */
    /* The names under which a damaged ledger, or snapshot store, was set aside and a new one begun; "": none was. */
    char lost_ledger[ASIDE_NAME_SIZE], lost_repo[ASIDE_NAME_SIZE];
    /* The ledger is damaged, and no new one could be begun, while a run is hot: this one is in memory, for its recovery
     * and nothing else. */
    bool stand_in;
} Store;

/* Creates what is missing, takes the lock for `what` (ERR_BUSY), opens ledger and snapshots. A damaged ledger is set
 * aside and a new one begun (lost_ledger): the caller makes its rows anew from the snapshots. `dir` must outlive it. */
int store_open_write(const char *dir, const char *what, usec patience_usec, Store *ret, Err *err);
/* Without lock; members may be NULL. ERR_DENIED says that this needs root. */
int store_open_read(const char *dir, Store *ret, Err *err);
/* A directory of mode 0700 and ours, made where it is missing; for the state and for what lasts until the next boot. */
int store_make_dir(const char *dir, Err *err);
/* A zeroed or half-open Store is fine. */
void store_close(Store *store);
static inline void store_close_cleanup(Store *store)
{
    store_close(store);
}

/* 20260301T031245-7f3a9c01: sortable, unique on this host. */
char *store_run_id(Arena *arena, usec now_realtime);
