/* SPDX-License-Identifier: Apache-2.0 */
/* What the files behind host/systemd.h share; nobody else includes this. */
#pragma once

#include "host/bus.h"
#include "host/systemd.h"

struct Systemd {
    Bus *bus;
    bool subscribed; /* over this connection */
};

/* bus_call. A connection that was lost (the bus was restarted) is made anew, and the call made again: asking twice
 * harms nobody, and a job that was queued twice is one job. */
int systemd_call(Systemd *systemd, Arena *arena, const BusCall *call, BusValue *ret_reply, const char **ret_error,
                 Err *err);
/* True where the connection had been lost, and there is a new one: signals that came meanwhile are lost. */
bool systemd_reconnect(Systemd *systemd);

/* The a(sv) of StartTransientUnit. */
BusValue unit_properties_encode(Arena *arena, const UnitPropertyVec *properties);
