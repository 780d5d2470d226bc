/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a service really writes its log to: no evidence is in a log that nobody writes (promise 10).
 *
 * The configuration names a file; the processes have one open. They differ where a log was renamed and nobody told the
 * processes, where the log is compiled in or set elsewhere, and where the file belongs to something else. */
#pragma once

#include "host/proc.h"

typedef struct LogService {
    const char *unit; /* processes in its control group; NULL: none */
    const char *comm; /* and those of that name, for services that systemd did not start; NULL: none */
} LogService;

/* Both NULL: whoever it is.
 *
 * The files that the service has open to write to and that are the log or were it: those of its name, or of its name
 * with something behind it ("error.log.1", "error.log-20260301", "error.log (deleted)"). Each once. proc_root: "" but
 * in tests. A service that does not run has none. */
int log_writers(const char *proc_root, Arena *arena, const LogService *service, const char *path, WrittenFileVec *ret,
                Err *err);
