/* SPDX-License-Identifier: Apache-2.0 */
/* What happened: the table of runs, and one run in full. */
#pragma once

#include "report/diff.h"
#include "run/foreign.h"
#include "store/ledger.h"
#include "store/snapshot.h"

/* One line a run, newest first. */
void history_table(const RunRecordVec *runs, bool colour, StrBuf *out);

typedef struct RunReport {
    RunRecord run;
    LedgerEventVec events;
    LedgerVerdictVec verdicts;
    LedgerSampleVec samples;  /* JSON only */
    const Snapshot *snapshot; /* NULL: none was made, or it cannot be read (snapshot_error) */
    const char *snapshot_error;
    ForeignVec foreign; /* what somebody else wrote to its files meanwhile, kept */
    const char *state_dir;
} RunReport;

/* Record, timeline, verdicts with numbers, files; with_diff: what the run changed. */
void history_show(const RunReport *report, bool with_diff, const DiffOptions *options, StrBuf *out);
struct Node;
struct Node *history_show_json(Arena *arena, const RunReport *report, bool with_diff);

/* "change /etc/x (content)": one line an edit. */
void history_files(const EditVec *edits, bool colour, StrBuf *out);
struct Node *history_files_json(Arena *arena, const EditVec *edits, bool with_diff);
