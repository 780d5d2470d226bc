/* SPDX-License-Identifier: Apache-2.0 */
/* When recovery has nothing to do, and the timer that sees to it that it is begun again while it has. */
#pragma once

#include "host/systemd.h"
#include "verb/verb.h"

/* Starts or stops the timer that starts salve-recover.service every minute, should somebody have stopped it. It knows
 * of the state directory in the settings only. */
void recover_set_timer(VerbContext *context, Systemd *systemd, JobVerb verb);
/* Stops it where nobody is at work and nothing is unfinished, else starts it. */
void recover_rest(VerbContext *context);
