/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a run and its record in the ledger. Which transition is allowed is the table in run/state.c. */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "base/vec.h"

typedef enum RunState {
    RUN_PLANNED,
    RUN_BASELINING,
    RUN_SNAPSHOTTED,
    RUN_STAGED,
    RUN_APPLYING,
    RUN_ACTIVATING,
    RUN_VERIFYING,
    RUN_CONFIRMING,
    RUN_KEPT, /* terminal */
    RUN_ROLLING_BACK,
    RUN_RESTORED,    /* files are back */
    RUN_ROLLED_BACK, /* terminal */
    RUN_STUCK,       /* terminal, but blocks further runs until a person looked */
    RUN_REFUSED,     /* terminal: nothing was touched */
    RUN_FAILED,      /* terminal: a plan without edits failed; nothing to restore */
    RUN_STATE_COUNT
} RunState;

const char *run_state_to_string(RunState state); /* "rolling-back" */
int run_state_from_string(const char *text);     /* -1: no such state */
bool run_state_terminal(RunState state);

typedef struct RunRecord {
    const char *id; /* 20260301T031245-7f3a: sortable, unique */
    RunState state;
    usec created, ended; /* realtime; ended 0 while it runs */
    const char *playbook;
    const char *target;       /* the host's name */
    const char *values;       /* the playbook's variables as one JSON object; secrets masked */
    const char *plan_hash;    /* hex; what quarantine remembers */
    const char *commit;       /* snapshot commit, hex, or NULL */
    const char *origin;       /* "manual", "rollback of <run>", "alert ..." */
    const char *user;         /* who started it (SUDO_USER or the login) */
    const char *thoroughness; /* "window 65s, 4 checks, 61 samples"; "once" */
    const char *reason;       /* why it ended as it did, one line */
    const char *undoes;       /* the runs that this one takes back, ids with spaces between, or NULL */
    usec until;               /* realtime at which a temporary change is to end by itself; 0: it is for good */
    bool restarts_only;       /* it edited no file: told at its end, not in the ledger */
    bool blamed;              /* rolled back because of what it changed: the plan is in quarantine (promise 8) */
    const char *boot_id;
    usec pid; /* of the engine */
} RunRecord;

typedef VEC(RunRecord) RunRecordVec;
