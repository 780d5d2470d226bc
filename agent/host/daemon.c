/* SPDX-License-Identifier: Apache-2.0 */
#include "host/daemon.h"

#include <systemd/sd-daemon.h>

void daemon_ready(void)
{
    sd_notify(0, "READY=1");
}

void daemon_status(const char *text)
{
    sd_notifyf(0, "STATUS=%s", text);
}

void daemon_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void daemon_watchdog(void)
{
    sd_notify(0, "WATCHDOG=1");
}

void daemon_alive(void)
{
    static usec last;
    usec now = clock_monotonic();
    if (last && now - last < USEC_PER_SEC)
        return;
    last = now;
    daemon_watchdog();
}

usec daemon_watchdog_usec(void)
{
    uint64_t limit = 0;
    return sd_watchdog_enabled(0, &limit) > 0 ? limit : 0;
}
