/* SPDX-License-Identifier: Apache-2.0 */
#include "run/leftovers.h"

#include "host/namespace.h"
#include "stack/unit.h"

static int remove_units(Systemd *systemd, Arena *arena, Progress *progress, Err *err)
{
    UnitRowVec units = {0};
    int r = systemd_list_units(systemd, arena, UNIT_CHECK_PREFIX "*", &units, err);
    if (r < 0)
        return r;
    VEC_EACH (unit, &units) {
        progress_warning(progress, "%s was left by a run that was killed: it is removed", unit->name);
        r = systemd_forget_transient(systemd, arena, unit->name, err);
        if (r < 0)
            return r;
    }
    return 0;
}

void leftovers_remove(Systemd *systemd, Arena *arena, Progress *progress)
{
    Err err;
    staging_remove_stale();
    if (remove_units(systemd, arena, progress, &err) < 0)
        progress_warning(progress, "what a killed run left in systemd is not removed: %s", err_text(&err));
}
