/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the service manager how we are (sd_notify(3)); nothing happens where nobody listens. */
#pragma once

#include "base/clock.h"

void daemon_ready(void);
void daemon_status(const char *text);
void daemon_stopping(void);
/* Sends the watchdog's keep-alive. */
void daemon_watchdog(void);
/* The same, from places that wait and come by many times a second: once a second is enough. */
void daemon_alive(void);
/* The watchdog's time limit, 0 if there is none: notify at least twice in it. */
usec daemon_watchdog_usec(void);
