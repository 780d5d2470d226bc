/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a run's events in the ledger and passes them on to the sink that shows them.
 *
 * The record must not stop a run: a write that fails is reported once, through the sink, and the run goes on. The
 * transitions that decide are not written here (run_enter). */
#pragma once

#include "run/event.h"
#include "store/ledger.h"

typedef struct Chronicle {
    Ledger *ledger;
    EventSink next;
    const char *phase; /* what samples belong to: baseline, verify, rollback */
    bool failed;
} Chronicle;

/* A sink over the chronicle, which must outlive it. */
EventSink chronicle_sink(Chronicle *chronicle);
/* A check's judgement, with its numbers. */
void chronicle_verdict(Chronicle *chronicle, Arena *arena, const char *run_id, const CheckResult *result);
