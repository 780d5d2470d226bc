/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery is start-up, not a repair tool: whoever opens the state for writing first brings what is unfinished to an
 * end.
 *
 * The ledger decides: a kept run is finished, an untouched one is refused, any other is rolled back from its snapshot,
 * by the effects in its intent. Without checks: files and processes are proved, latencies are not judged. */
#pragma once

#include "run/engine.h"

/* Every unfinished run that is not stuck. */
int recover_all(Engine *engine, Err *err);
