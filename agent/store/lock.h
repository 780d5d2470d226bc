/* SPDX-License-Identifier: Apache-2.0 */
/* One writer a host: an open-file-description lock (fcntl(2), F_OFD_SETLK) on `state_dir`/lock. It ends with its
 * process, however that ends. The file's text tells who holds it. */
#pragma once

#include "base/clock.h"
#include "base/err.h"

typedef struct Lock Lock;

typedef struct LockHolder {
    usec pid;
    usec since;     /* realtime */
    char what[128]; /* "run 20260301T031245-7f3a", "lock -- deploy" */
} LockHolder;

/* What the lock is held for by one that only removes old runs. */
#define LOCK_PRUNES "history --prune"

/* ERR_BUSY names the holder. patience_usec: how long to wait for it, 0 not at all; for one that only removes old runs
 * some seconds at least, because nobody should notice that. */
int lock_take(const char *state_dir, const char *what, usec patience_usec, Lock **ret, Err *err);
/* Says anew what the lock is held for. */
int lock_describe(Lock *lock, const char *what, Err *err);
/* NULL is fine. */
void lock_release(Lock *lock);
DEFINE_CLEANUP(Lock *, lock_release)

/* 0: held, *ret says by whom (as far as it is known); 1: free. Takes nothing. */
int lock_holder(const char *state_dir, LockHolder *ret, Err *err);
