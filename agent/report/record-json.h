/* SPDX-License-Identifier: Apache-2.0 */
/* Events and records as JSON: one line an event, one object a record. Names are stable; times are RFC 3339 in UTC,
 * durations microseconds. Texts are masked (promise 13). */
#pragma once

#include "data/node.h"
#include "run/event.h"
#include "store/ledger.h"

/* One line, with its newline. */
void json_of_event(const Event *event, StrBuf *out);

Node *json_of_run(Arena *arena, const RunRecord *run);
Node *json_of_hold(Arena *arena, const Hold *hold);
/* Arrays. */
Node *json_of_ledger_events(Arena *arena, const LedgerEventVec *events);
Node *json_of_samples(Arena *arena, const LedgerSampleVec *samples);
Node *json_of_verdicts(Arena *arena, const LedgerVerdictVec *verdicts);
