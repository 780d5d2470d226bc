/* SPDX-License-Identifier: Apache-2.0 */
/* The hot file: while it is there, a run has touched, or is about to touch, the host (promise 3). It is small, written
 * once at its full size and then overwritten in place, so that it needs no disk space during recovery. Two slots of 4
 * KiB take turns; each has a sequence number and a checksum, so that a torn write leaves the one before. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/strbuf.h"

enum { HOT_NONE = 1 };
enum { HOT_PROGRAM_MAX = 256 };

typedef enum HotPhase {
    HOT_APPLYING,
    HOT_ROLLING_BACK,
    HOT_RESTORED,
    HOT_ROLLED_BACK, /* everything is back, but the ledger does not know yet that the run ended so ... */
    HOT_REFUSED,     /* ... or was refused, since somebody else changed a file meanwhile */
    HOT_PHASE_COUNT
} HotPhase;
const char *hot_phase_to_string(HotPhase phase);

typedef struct Hot {
    char run_id[64];
    char commit[65];  /* of the snapshot, hex */
    char boot_id[37]; /* of the boot in which the phase began */
    HotPhase phase;
    unsigned attempts; /* of recovery, counted before each */
    /* CLOCK_BOOTTIME of boot_id at which the run has to be kept, or is rolled back; 0: no confirmation is asked for.
     * A step of the time of day does not move it, and after a reboot it has passed. */
    usec deadline;
    char program[HOT_PROGRAM_MAX]; /* path of the salve that recovers the run; "": whichever is there */
} Hot;

/* `state_dir`/hot. Creates it where it is missing, also where the name is taken by what is no file (a FIFO, a symlink,
 * a directory): that is set aside, as hot.damaged-TIME. */
int hot_write(const char *state_dir, const Hot *hot, Err *err);
/* HOT_NONE: no run is hot. Both slots damaged, or no file, is ERR_DAMAGED; that it cannot be read is another error. */
int hot_read(const char *state_dir, Hot *ret, Err *err);
/* HOT_NONE: it was not there. What is no file is set aside. */
int hot_remove(const char *state_dir, Err *err);
/* This boot, from /proc. */
int hot_boot_id(char ret[37], Err *err);
