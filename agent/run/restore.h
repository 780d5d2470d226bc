/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a run are put back. Internal to run/. */
#pragma once

#include "run/run.h"

/* Every file holds its recorded `before`, read again and compared, except the paths in run->conflicts: there somebody
 * else's version stays. can_validate: whether the validators can be asked if the configuration is sound with theirs
 * (not before the system bus is up, nor at shutdown: then `before` comes back, and theirs is in a commit). May be
 * called again, also by another process: what somebody changed since is a conflict like others. */
int restore(Run *run, bool can_validate, Err *err);
/* The host does not come up, or is not well, with what stayed: these files are put back, too. May be called again where
 * it failed. */
int restore_conflicts(Run *run, Err *err);
