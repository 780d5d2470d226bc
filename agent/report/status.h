/* SPDX-License-Identifier: Apache-2.0 */
/* How things stand on this host: what is under way or stuck, who holds it, and what moved since the last known good. */
#pragma once

#include "base/files.h"
#include "run/standing.h"
#include "store/store.h"

typedef struct StatusReport {
    const Hot *hot;             /* NULL: no run is hot */
    const char *hot_error;      /* NULL, or why it cannot be told whether one is */
    const LockHolder *holder;   /* NULL: the lock is free */
    const Hold *hold;           /* NULL: not held */
    RunRecordVec unfinished;    /* not at an end, or stuck and nobody looked */
    RunRecordVec quarantine;    /* the runs whose plans are not tried again */
    TemporaryVec temporaries;   /* changes that end by themselves, or would have */
    const RunRecord *last_good; /* NULL: nothing was kept yet */
    size_t managed;             /* files that kept runs touched: what drift is looked for in */
    EditVec drift;              /* before: as the newest kept run that touched it left it; after: as it is now */
    const char *drift_error;    /* NULL, or why drift cannot be told, or not of all */
} StatusReport;

void status_show(const StatusReport *report, bool colour, StrBuf *out);
struct Node;
struct Node *status_json(Arena *arena, const StatusReport *report);
