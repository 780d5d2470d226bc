/* SPDX-License-Identifier: Apache-2.0 */
/* What makes temporary changes end by themselves: salve-due.timer, a static unit, starts `salve due`. When it does so
 * next stands in a drop-in, which is durable, so that a reboot or a host that was off at that time does not matter.
 *
 *     before a temporary run is kept    the timer is set for its end: a kept run whose end nobody knows cannot be
 *     when it starts `salve due`        what is due is undone, and the timer set for the next end
 *     after any other run was kept      it may have given something back that is overdue: the timer is set anew
 *
 * The timer only wakes. What is due is computed from the ledger each time (run/standing.h), so a start too many does no
 * harm, and one too few is made good by the timer's daily start. */
#pragma once

#include "host/systemd.h"
#include "run/plan.h"
#include "run/standing.h"

#define DUE_TIMER "salve-due.timer"

/* ERR_REFUSED, with what to do, where systemd does not know the timer or it cannot be set. */
int due_check_timer(Systemd *systemd, Arena *arena, Err *err);
/* Sets the timer for this time (realtime), or for nothing (USEC_INFINITY). A time that is over, or nearly, means in a
 * moment. */
int due_arm(Systemd *systemd, usec when_realtime, Err *err);
/* Sets the timer for the first end that the ledger knows, or for `also` if that is earlier. overdue: when to end those
 * whose time has passed. */
int due_rearm(Systemd *systemd, Ledger *ledger, usec also, usec overdue, Err *err);

/* Makes the plan one of a temporary change (for_usec; 0: for good), and notes what it means for temporary changes of
 * the same files, and what they mean for it. */
void due_note(Arena *arena, const PastRunVec *runs, usec now_realtime, usec for_usec, Plan *plan);
/* The same with what the ledger says. Where it cannot be read, or there is none (NULL), the notes say so, or nothing.
 */
void due_note_from(Arena *arena, Ledger *ledger, usec for_usec, Plan *plan);

/* ERR_REFUSED, with what else to do, where the plan would make a temporary change permanent and nobody said that it may
 * (--make-permanent). To be called after due_note. */
int due_check_permanent(const Plan *plan, bool allowed, Err *err);

/* The drop-in's text. */
char *due_drop_in(Arena *arena, usec when_realtime);
