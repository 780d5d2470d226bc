/* SPDX-License-Identifier: Apache-2.0 */
/* What a run makes outside its files and its record, and leaves where it was killed: transient units in which Gunicorn
 * judges the candidate, and staging directories. */
#pragma once

#include "host/systemd.h"
#include "run/progress.h"

/* Ends and removes all of it. The caller holds the lock: none of it belongs to a run that is under way. What cannot be
 * removed is a warning, since it stops neither a recovery nor the next run. */
void leftovers_remove(Systemd *systemd, Arena *arena, Progress *progress);
