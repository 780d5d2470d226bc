/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a running Gunicorn read its configuration file again since the file changed.
 *
 * A HUP makes the master read the file again and replace all workers; a file that it cannot read ends it. So a HUP that
 * a living master began to handle after the change has loaded the file, but for what only a start takes over: how
 * logs are written, and how the listening sockets were made (arbiter.py, setup() and reload()). */
#pragma once

#include "stack/live.h"

typedef struct RereadEvidence {
    usec changed;       /* the file, realtime */
    usec hup;           /* the last "Handling signal: hup" of the master; 0: none was seen */
    usec reloaded;      /* systemd's last "Reloaded" of the unit, where ExecReload= sends a HUP; 0: none was seen */
    usec oldest_worker; /* its start; 0: there are no workers */
    bool two_masters;   /* a second one runs below the first (USR2) */
    StringVec written;  /* regular files that the master has open to write to */
} RereadEvidence;

typedef enum Reread {
    REREAD_NEVER,   /* a worker is older than the change, and no HUP was seen */
    REREAD_UNKNOWN, /* see `why` */
    REREAD_DONE,
} Reread;

/* Collects the evidence; what cannot be read is no evidence. */
void reread_look(Live *live, Arena *arena, const GunicornFacts *facts, const LiveUnit *unit, usec changed,
                 RereadEvidence *ret);
/* The pure half. ret_why is set for REREAD_UNKNOWN. */
Reread reread_judge(Arena *arena, const GunicornFacts *facts, const RereadEvidence *evidence, const char **ret_why);
