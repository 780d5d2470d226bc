/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to the manager, which must outlive a restart of the bus: a run may wait for half an hour. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/systemd-internal.h"

#define PRIVATE_SOCKET "/run/systemd/private"

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

bool systemd_reconnect(Systemd *systemd)
{
    Bus *bus = NULL;
    Err ignored; /* what failed on the old one tells */
    if (bus_is_open(systemd->bus) || connect_bus(&bus, &ignored) < 0)
        return false;
    bus_close(systemd->bus);
    *systemd = (Systemd){.bus = bus};
    return true;
}

int systemd_call(Systemd *systemd, Arena *arena, const BusCall *call, BusValue *ret_reply, const char **ret_error,
                 Err *err)
{
    int r = bus_call(systemd->bus, arena, call, ret_reply, ret_error, err);
    if (r >= 0 || !systemd_reconnect(systemd))
        return r;
    return bus_call(systemd->bus, arena, call, ret_reply, ret_error, err);
}
