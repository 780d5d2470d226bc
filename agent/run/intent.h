/* SPDX-License-Identifier: Apache-2.0 */
/* What a run is going to do, as JSON inside its snapshot: enough to finish it or to take it back without the plan, by
 * another process, after the playbook file has changed or gone. */
#pragma once

#include "run/plan.h"

typedef struct Intent {
    const char *root;
    const Source *playbook; /* its text as it was */
    const Node *values;     /* JSON object */
    EffectVec effects;
    const char *undoes; /* see RunRecord */
    HostBefore before;
    usec for_usec; /* how long it is to last; 0: for good */
    usec settle_usec, longest_request_usec;
} Intent;

char *intent_to_json(Arena *arena, const Plan *plan, const HostBefore *before);
int intent_from_json(Arena *arena, const char *json, Intent *ret, Err *err);
/* The playbook as it was, bound to the values that it had. */
int intent_playbook(Arena *arena, const Intent *intent, const Playbook **ret, Err *err);
