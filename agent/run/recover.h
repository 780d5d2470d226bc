/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery is start-up, not a repair tool: whoever opens the state for writing first brings what is unfinished to an
 * end.
 *
 * The ledger decides: a kept run is finished, an untouched one is refused, any other is rolled back from its snapshot,
 * by the effects in its intent, and judged by the checks that passed at its baseline. It has two halves, because files
 * can be restored where services cannot be restarted yet (early boot) or any more (shutdown). Each attempt is counted
 * in the hot file before it is made; after the fifth that died on its way, or could not put the files back, the run is
 * stuck. */
#pragma once

#include "run/engine.h"

typedef enum RecoverHalf {
    RECOVER_WHOLE,
    RECOVER_FILES, /* restore alone: what was hot is RUN_RESTORED then */
} RecoverHalf;

/* Every unfinished run that is not stuck. */
int recover_all(Engine *engine, RecoverHalf half, Err *err);
