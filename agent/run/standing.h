/* SPDX-License-Identifier: Apache-2.0 */
/* Which kept runs stand, and what becomes of temporary changes: computed from what the ledger says, each time, and
 * never stored.
 *
 * A kept run stands unless a standing kept run undoes it. A rollback that was itself rolled back stands no more, and so
 * the run that it took back stands again.
 *
 * A temporary change is a standing run with a time (RunRecord.until). After its time it is undone as a run of its own,
 * unless a later standing run changed one of the same files:
 *
 *     that run is for good    the change is part of what was kept then: it is superseded, which means for good, too
 *     that run is temporary   the change waits until that one has ended, then ends itself
 *
 * A later run that only takes back runs later than the change leaves it as it was, and so does not count. A change that
 * had ended and that somebody brought back, by undoing its end, is for good. */
#pragma once

#include "store/ledger.h"

typedef struct PastRun {
    RunRecord record;
    StringVec files;
    bool stands;
} PastRun;

typedef VEC(PastRun) PastRunVec; /* newest first */

/* All runs with their files; `stands` is set. */
int standing_load(Ledger *ledger, Arena *arena, PastRunVec *ret, Err *err);
/* Sets `stands`. */
void standing_mark(Arena *arena, PastRunVec *runs);

typedef enum TemporaryState {
    TEMPORARY_RUNNING,    /* its time has not come */
    TEMPORARY_DUE,        /* its time has come */
    TEMPORARY_WAITING,    /* a later temporary change of the same files, `by`, is to end first */
    TEMPORARY_SUPERSEDED, /* by a later run for good, `by` */
    TEMPORARY_GIVEN_UP,   /* its end, `by`, was tried and made things worse, or would replace somebody's edit: a person
                             must look */
} TemporaryState;

/* An end that was tried and did not come to pass is tried again after this time, but not for ever: one whose checks
 * failed at once is not, and one that restarted services for nothing only a few times. */
#define TEMPORARY_RETRY_USEC (5 * USEC_PER_MIN)
enum { TEMPORARY_ATTEMPTS = 3 };

typedef struct Temporary {
    const PastRun *run;
    TemporaryState state;
    const RunRecord *by; /* see above; for a due one: the last attempt to end it. Else NULL */
    usec next;           /* realtime at which it is to be ended, or tried again; USEC_INFINITY: not by itself */
} Temporary;

typedef VEC(Temporary) TemporaryVec;

const char *temporary_state_to_string(TemporaryState state); /* "given-up" */

/* The origin of a run that ends a temporary one because its time has come: by this it is told from one that somebody
 * takes back before, whatever the clock said then. */
char *temporary_end_origin(Arena *arena, const char *run_id);

/* Of all standing runs that have a time, newest first. */
void temporaries_find(Arena *arena, const PastRunVec *runs, usec now_realtime, TemporaryVec *ret);
/* When the first of them is to be ended, those whose time has passed at `overdue`; USEC_INFINITY: none. */
usec temporaries_next(const TemporaryVec *temporaries, usec now_realtime, usec overdue);
/* Whether a later run with these properties would count as a change of what the temporary run left. */
bool temporary_is_touched(const PastRunVec *runs, const PastRun *temporary, const StringVec *files, const char *undoes);
