/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger in a directory of its own, and runs in it. */
#pragma once

#include "../base/temp-tree.h"

#include "store/ledger.h"

static inline Ledger *open_ledger(TempTree *tree)
{
    Ledger *ledger = NULL;
    Err err;
    if (ledger_open(tree->root, LEDGER_WRITE, &ledger, &err) != 0)
        fail_msg("%s", err.message);
    return ledger;
}

static inline void add_run(Ledger *ledger, const char *id, usec created, RunState run_state, const char *plan_hash)
{
    const RunRecord run = {.id = id,
                           .state = run_state,
                           .created = created,
                           .playbook = "gunicorn-timeout",
                           .target = "web1",
                           .values = "{}",
                           .plan_hash = plan_hash,
                           .origin = "manual",
                           .user = "root",
                           .boot_id = "b",
                           .pid = 42};
    Err err;
    if (ledger_add(ledger, &run, &err) != 0)
        fail_msg("%s", err.message);
}
