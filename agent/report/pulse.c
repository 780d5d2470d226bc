/* SPDX-License-Identifier: Apache-2.0 */
#include "report/pulse.h"

#include <stdio.h>

#include "report/trail.h"

/* Of the run itself, what a check says meanwhile, or a note, does not end the wait. */
static bool ends_wait(EventKind kind)
{
    return kind == EVENT_STATE || kind == EVENT_STEP || kind == EVENT_STEP_DONE || kind == EVENT_STEP_FAILED ||
           kind == EVENT_END;
}

/* Much older than the trail lets a wait become is only what a step of the clock made so: it rounds, and may be late. */
static usec age_of(const Event *event, usec realtime)
{
    usec age = realtime > event->realtime ? realtime - event->realtime : 0;
    return age <= 2 * TRAIL_WAIT_EVERY ? age : 0;
}

void pulse_take(Pulse *pulse, const Event *event, usec realtime, usec boottime)
{
    if (event->kind != EVENT_WAIT) {
        pulse->waits = pulse->waits && !ends_wait(event->kind);
        return;
    }
    usec done = event->duration_usec + age_of(event, realtime);
    snprintf(pulse->run_id, sizeof pulse->run_id, "%s", event->run_id ? event->run_id : "");
    snprintf(pulse->subject, sizeof pulse->subject, "%s", event->subject ? event->subject : "");
    pulse->wait = *event;
    pulse->wait.text = NULL;
    pulse->since = boottime > done ? boottime - done : 0;
    pulse->waits = event->total_usec > 0;
}

bool pulse_now(const Pulse *pulse, usec realtime, usec boottime, Event *ret)
{
    if (!pulse->waits)
        return false;
    usec done = boottime > pulse->since ? boottime - pulse->since : 0;
    *ret = pulse->wait;
    ret->run_id = pulse->run_id[0] ? pulse->run_id : NULL;
    ret->subject = pulse->subject[0] ? pulse->subject : NULL;
    ret->realtime = realtime;
    ret->duration_usec = done < ret->total_usec ? done : ret->total_usec;
    return true;
}
