/* SPDX-License-Identifier: Apache-2.0 */
/* What the files behind host/systemd.h share; nobody else includes this. */
#pragma once

#include "host/bus.h"
#include "host/systemd.h"

#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER      "org.freedesktop.systemd1.Manager"
#define DESTINATION  "org.freedesktop.systemd1"

struct Systemd {
    Bus *bus;
    bool subscribed; /* over this connection */
};

/* bus_call. Where the bus was restarted or systemd was executed anew, over a new connection, and the call is made
 * again: asking twice harms nobody, and a job that was queued twice is one job. */
int systemd_call(Systemd *systemd, Arena *arena, const BusCall *call, BusValue *ret_reply, const char **ret_error,
                 Err *err);
/* JobRemoved comes from now on, over this connection and those that take its place. It may fail, and what comes while
 * there is no connection is lost: who waits for a job also looks for it. */
void systemd_subscribe(Systemd *systemd);
/* A new connection in place of one that was lost. */
int systemd_reconnect(Systemd *systemd, Err *err);

/* The a(sv) of StartTransientUnit. */
BusValue unit_properties_encode(Arena *arena, const UnitPropertyVec *properties);
