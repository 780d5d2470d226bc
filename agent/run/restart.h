/* SPDX-License-Identifier: Apache-2.0 */
/* A service is restarted together with what it holds. Internal to run/.
 *
 * A socket unit keeps listening while its service restarts, and nobody is refused. But where the socket's name lies in
 * a RuntimeDirectory= of the service, systemd removes the name when the service stops: the new process inherits a
 * socket that nobody can reach. Such a socket unit is restarted with its service, in the order in which systemd does it
 * where the service requires it (seen with systemd 252):
 *
 *     stop the service, stop the socket, start the socket, start the service
 *
 * Where it does not, a restart of both is two transactions, and the socket unit refuses to start beside a running
 * service. Then the socket is stopped first, so that what waits in its queue does not start the service again in
 * between; the service goes on serving on the descriptor that it has until it is stopped.
 *
 * The same is done for a socket whose name has gone already, by whatever took it, and for one that was stopped by us
 * and not started again because salve was killed. */
#pragma once

#include "host/systemd.h"
#include "run/activate.h"

/* Runs a job to its end. Anything but `done` is an error in words that say what to look at. */
int restart_job(Activation *activation, JobVerb verb, const char *unit, const UnitStatus *status, Err *err);

/* The service with that status, and the sockets that must go with it. */
int restart_unit(Activation *activation, const UnitStatus *service, Err *err);

/* Units that ran before and that a stop of the restarted service, or its failure, has ended run again. */
int restart_bring_back(Activation *activation, Err *err);

/* The units of which activation->before->was_up is made: the active sockets that start the service, and the active
 * units that stop when it does. */
int restart_add_along(Systemd *systemd, Arena *arena, const UnitStatus *service, StringVec *ret, Err *err);
