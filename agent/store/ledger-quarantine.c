/* SPDX-License-Identifier: Apache-2.0 */
/* Quarantine is no table: it follows from the runs. A plan is in it while the newest run of the plan that came to a
 * judgement is one to blame. Newest by the order in which runs were recorded, which no step of the clock changes. */
#include "store/ledger-internal.h"

int ledger_quarantined(Ledger *ledger, Arena *arena, const char *plan_hash, RunRecord *ret, Err *err)
{
    RunRecordVec runs;
    int r = ledger_query_runs(ledger, arena,
                              "SELECT " RUN_COLUMNS " FROM runs AS past WHERE plan_hash = ?1 AND " RUN_IS_BLAMED
                              " AND " RUN_NONE_SINCE " AND later.state = 'kept') ORDER BY rowid DESC LIMIT 1",
                              plan_hash, &runs, err);
    if (r < 0 || runs.n == 0)
        return r;
    *ret = runs.items[0];
    return 1;
}

int ledger_list_quarantine(Ledger *ledger, Arena *arena, RunRecordVec *ret, Err *err)
{
    return ledger_query_runs(ledger, arena, QUARANTINED(RUN_COLUMNS) " ORDER BY rowid DESC", NULL, ret, err);
}
