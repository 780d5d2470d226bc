/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger: what salve did on this host. It alone decides (promise 4): a run is kept when, and only when, its row
 * says so. Every write is durable when the function returns. */
#pragma once

#include "base/err.h"
#include "store/run-record.h"

typedef struct Ledger Ledger;
struct WayBack;

typedef enum LedgerMode {
    LEDGER_READ,
    LEDGER_WRITE,
    LEDGER_STAND_IN, /* an empty one that is gone with the process */
} LedgerMode;
enum { LEDGER_NONE = 1 }; /* reading: there is no ledger yet, nothing ever ran here */

/* `state_dir`/ledger.db. Writing wants the lock (store/lock.h) to be held by the caller. */
int ledger_open(const char *state_dir, LedgerMode mode, Ledger **ret, Err *err);
void ledger_close(Ledger *ledger);
DEFINE_CLEANUP(Ledger *, ledger_close)

/* --- Runs --- */

int ledger_add(Ledger *ledger, const RunRecord *run, Err *err);
/* from -> to, exactly one row, else ERR_FAILED: nobody else may have moved the run. A terminal state sets `ended`.
 * reason: NULL leaves it. */
int ledger_advance(Ledger *ledger, const char *id, RunState from, RunState to, const char *reason, Err *err);
/* The snapshot's commit, once (state snapshotted and later have one), and its files: which run changed which. */
int ledger_set_snapshot(Ledger *ledger, const char *id, const char *commit, const StringVec *paths,
                        const struct WayBack *way_back, Err *err);
/* The run is rolled back because of what it changed: from now on its plan is in quarantine (promise 8). */
int ledger_blame(Ledger *ledger, const char *id, Err *err);

/* `which`: an id, a prefix of exactly one id, "last", or "last-kept". ERR_NOT_FOUND, ERR_INVALID (ambiguous: names
 * them). */
int ledger_find(Ledger *ledger, Arena *arena, const char *which, RunRecord *ret, Err *err);
/* Newest first; limit 0 is all. */
int ledger_list(Ledger *ledger, Arena *arena, unsigned limit, RunRecordVec *ret, Err *err);
/* Runs in a state that is not terminal, and stuck ones: what must be looked at before the next run. Oldest first. */
int ledger_unfinished(Ledger *ledger, Arena *arena, RunRecordVec *ret, Err *err);
/* A person looked at a stuck run: it blocks no more. The record stays stuck, with who and when. */
int ledger_acknowledge(Ledger *ledger, const char *id, const char *who, Err *err);
/* The last kept run. What its host should look like is told by ledger_known_good. 1: none. */
int ledger_last_known_good(Ledger *ledger, Arena *arena, RunRecord *ret, Err *err);

/* --- Quarantine (promise 8) --- */

/* Whether the newest run with this plan hash that came to a judgement was rolled back because of what it changed: 1
 * and *ret that run. A kept one ends it. */
int ledger_quarantined(Ledger *ledger, Arena *arena, const char *plan_hash, RunRecord *ret, Err *err);
/* One run for each plan in quarantine, newest first. */
int ledger_list_quarantine(Ledger *ledger, Arena *arena, RunRecordVec *ret, Err *err);

/* --- Files --- */

typedef struct LedgerFile {
    const char *run, *path, *commit; /* commit: the run's snapshot, or NULL */
} LedgerFile;

typedef VEC(LedgerFile) LedgerFileVec;

/* When the run's change is to end by itself (RunRecord.until): to be set before the run is kept. */
int ledger_set_until(Ledger *ledger, const char *id, usec until, Err *err);
/* Whether there was ever a temporary change that was kept. 1: none. */
int ledger_had_temporary(Ledger *ledger, Err *err);
/* Of all runs, newest run first. */
int ledger_list_files(Ledger *ledger, Arena *arena, LedgerFileVec *ret, Err *err);
/* The known good: each path that a kept run touched, once, with the newest such run (rollbacks are runs, too). Ordered
 * by path. */
int ledger_known_good(Ledger *ledger, Arena *arena, LedgerFileVec *ret, Err *err);

/* --- History as a hash chain --- */

/* Where the chain begins: behind the links that were pruned. */
typedef struct LedgerCheckpoint {
    int64_t seq;      /* of the last link that was pruned; 0: none was */
    const char *hash; /* of that link; "" */
    int64_t runs;     /* how many runs were pruned in all */
    usec realtime;    /* of the last pruning; 0: none */
    int64_t unlinked; /* runs up to this row may have ended before there was a chain */
} LedgerCheckpoint;

enum { LEDGER_BROKEN = 2 };

typedef struct ChainReport {
    LedgerCheckpoint checkpoint;
    size_t links, runs;    /* that were found sound */
    int64_t head_seq;      /* the last sound link */
    const char *head_hash; /* noted elsewhere, it tells whether the end of history was cut off */
    const char *broken;    /* what is wrong, or NULL */
    int64_t broken_seq;    /* the link that it was found at; 0: none */
    const char *broken_run;
} ChainReport;

/* Recomputes it all. LEDGER_BROKEN: ret->broken says what is wrong first. */
int ledger_verify(Ledger *ledger, Arena *arena, ChainReport *ret, Err *err);

/* --- Retention --- */

/* What history keeps: the newest `runs`, of these none that ended longer ago than age_usec. Besides, whatever is still
 * needed: runs that have not ended, or are stuck and nobody looked; the newest kept run of each file; temporary changes
 * that are still to end; what holds a plan in quarantine. */
typedef struct Retention {
    int64_t runs;  /* INT64_MAX: all */
    usec age_usec; /* USEC_INFINITY: for ever */
    int64_t since; /* age is counted from when the since-th newest run began; 0: from now */
} Retention;

/* How many runs may go. */
int ledger_count_surplus(Ledger *ledger, const Retention *keep, usec now_realtime, int64_t *ret, Err *err);
/* Drops them with all that belongs to them, and moves the checkpoint of the chain. ERR_REFUSED where the chain is not
 * sound: pruning would hide it. */
int ledger_prune(Ledger *ledger, const Retention *keep, usec now_realtime, int64_t *ret_runs, Err *err);
/* The runs that were dropped and whose snapshots may still be there. */
int ledger_pruned(Ledger *ledger, Arena *arena, StringVec *ret, Err *err);
/* Their snapshots are gone, too. */
int ledger_forget_pruned(Ledger *ledger, Err *err);

/* --- What happened in a run --- */

typedef struct LedgerEvent {
    usec realtime;
    const char *kind; /* event_kind_to_string */
    RunState state;
    const char *subject, *text; /* may be NULL */
    usec duration_usec;
} LedgerEvent;

typedef VEC(LedgerEvent) LedgerEventVec;

typedef struct LedgerSample {
    usec realtime;
    const char *phase; /* baseline, verify, rollback */
    const char *check;
    double value;
    const char *unit;
    bool ok;
    const char *text; /* may be NULL */
} LedgerSample;

typedef VEC(LedgerSample) LedgerSampleVec;

typedef struct LedgerVerdict {
    const char *phase, *check, *verdict, *reason;
    const char *measures; /* a JSON object: name -> {value, unit} */
} LedgerVerdict;

typedef VEC(LedgerVerdict) LedgerVerdictVec;

/* These are many and decide nothing by themselves; a crash may lose the last ones. They are written in one transaction
 * with the next other write, when they are asked for, or when the ledger is closed. */
int ledger_add_event(Ledger *ledger, const char *id, const LedgerEvent *event, Err *err);
int ledger_add_sample(Ledger *ledger, const char *id, const LedgerSample *sample, Err *err);
/* One per phase and check; a later one replaces it. */
int ledger_set_verdict(Ledger *ledger, const char *id, const LedgerVerdict *verdict, Err *err);
/* How thorough the verification was: part of the run's record. */
int ledger_set_thoroughness(Ledger *ledger, const char *id, const char *text, Err *err);
int ledger_events(Ledger *ledger, Arena *arena, const char *id, LedgerEventVec *ret, Err *err);
int ledger_samples(Ledger *ledger, Arena *arena, const char *id, LedgerSampleVec *ret, Err *err);
int ledger_verdicts(Ledger *ledger, Arena *arena, const char *id, LedgerVerdictVec *ret, Err *err);

/* --- Holds: keep salve off this host --- */

typedef struct Hold {
    usec since, until; /* realtime; until USEC_INFINITY: open end */
    const char *reason, *who;
} Hold;

/* Replaces a hold that is there. */
int ledger_hold(Ledger *ledger, const Hold *hold, Err *err);
/* 1: there was none. */
int ledger_release(Ledger *ledger, Err *err);
/* 1: none, or its time has passed. */
int ledger_current_hold(Ledger *ledger, Arena *arena, usec now_realtime, Hold *ret, Err *err);
