/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to the manager, which must outlive a restart of the bus: a run may wait for half an hour. */
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/daemon.h"
#include "host/systemd-internal.h"

#define PRIVATE_SOCKET "/run/systemd/private"

/* How long systemd may be away while it, or the bus, is started anew. */
static const usec AWAY_USEC = 10 * USEC_PER_SEC;

static int connect_bus(Bus **ret, Err *err)
{
    Err bus_err;
    if (bus_open(NULL, false, ret, &bus_err) >= 0)
        return 0;
    if (geteuid() != 0)
        return err_set(err, ERR_DENIED, "%s; only root can do without it", bus_err.message);
    return bus_open("unix:path=" PRIVATE_SOCKET, true, ret, err) < 0 ? err_prefix(err, "%s", bus_err.message) : 0;
}

int systemd_open(Systemd **ret_systemd, Err *err)
{
    struct stat st;
    if (stat("/run/systemd/system", &st) < 0) /* sd_booted(3) */
        return err_set(err, ERR_NOT_FOUND, "this host was not booted with systemd (no /run/systemd/system)");
    Bus *bus = NULL;
    int r = connect_bus(&bus, err);
    if (r < 0)
        return r;
    Systemd *systemd = xmalloc(sizeof *systemd);
    *systemd = (Systemd){.bus = bus};
    *ret_systemd = systemd;
    return 0;
}

void systemd_close(Systemd *systemd)
{
    if (!systemd)
        return;
    bus_close(systemd->bus);
    free(systemd);
}

/* The match comes before Subscribe, or a quick job's signal would be missed. */
void systemd_subscribe(Systemd *systemd)
{
    if (systemd->subscribed)
        return;
    CLEANUP(arena_free) Arena *arena = arena_new();
    const BusCall call = {DESTINATION, MANAGER_PATH, MANAGER, "Subscribe", NULL, 0, 0};
    Err ignored;
    systemd->subscribed =
        bus_keep_signal(systemd->bus, DESTINATION, MANAGER_PATH, MANAGER, "JobRemoved", &ignored) >= 0 &&
        bus_call(systemd->bus, arena, &call, NULL, NULL, &ignored) >= 0;
}

int systemd_reconnect(Systemd *systemd, Err *err)
{
    Bus *bus = NULL;
    int r = connect_bus(&bus, err);
    if (r < 0)
        return r;
    bool subscribed = systemd->subscribed;
    bus_close(systemd->bus);
    *systemd = (Systemd){.bus = bus};
    if (subscribed)
        systemd_subscribe(systemd);
    return 0;
}

int systemd_call(Systemd *systemd, Arena *arena, const BusCall *call, BusValue *ret_reply, const char **ret_error,
                 Err *err)
{
    usec started = clock_monotonic();
    int r = bus_call(systemd->bus, arena, call, ret_reply, ret_error, err);
    while (r == -ERR_UNREACHABLE && clock_monotonic() - started < AWAY_USEC) {
        daemon_alive();
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000000L}, NULL);
        Err ignored; /* that systemd is lost was told */
        if (systemd_reconnect(systemd, &ignored) < 0)
            return r;
        r = bus_call(systemd->bus, arena, call, ret_reply, ret_error, err);
    }
    return r;
}
