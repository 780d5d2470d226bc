/* SPDX-License-Identifier: Apache-2.0 */
/* Confirmation: after the checks passed, a run waits for a person, or is rolled back. The model is the confirmed commit
 * of RFC 6241, section 8.4, with the answers of gNMI's commit-confirmed extension: confirm, cancel, and setting the
 * time anew.
 *
 * The deadline is durable in the hot file before the first edit, and again when the waiting begins or is extended. It
 * counts on CLOCK_BOOTTIME, so that a step of the time of day does not move it. A process that dies, or a host that is
 * rebooted, has not been confirmed: recovery rolls the run back. */
#pragma once

#include "run/engine.h"

struct Run;

#define CONFIRM_SOCKET "answer.sock"

/* The deadline to be written before the first edit: the longest that the run may take, and the time to confirm. 0: no
 * confirmation is asked for. */
usec confirm_deadline(const Plan *plan, const RunOptions *options);

/* To be asked before anything is touched: whether the answers could be listened for. */
int confirm_can_listen(const RunOptions *options, Err *err);
/* Enters `confirming` and waits. 0: confirmed. ERR_FAILED: it was cancelled, or the deadline passed. */
int confirm_wait(struct Run *run, const RunOptions *options, Err *err);
/* Tells whoever answered how the run ended, and stops listening. Nothing where nobody was asked. */
void confirm_end(struct Run *run);

/* --- The other side --- */

typedef enum ConfirmWord { CONFIRM_YES, CONFIRM_CANCEL, CONFIRM_EXTEND } ConfirmWord;

typedef struct ConfirmReply {
    bool accepted;
    const char *run;  /* the one that waits */
    RunState state;   /* how it ended; RUN_CONFIRMING after an extension */
    const char *text; /* why not, or how it ended */
} ConfirmReply;

enum { CONFIRM_NOBODY = 1 };

/* Answers the run that waits and waits for its end. `run`: its id or the beginning of it; NULL: whichever waits.
 * CONFIRM_NOBODY: no run waits. ERR_FAILED: it died while it was told; recovery rolls it back. */
int confirm_answer(Arena *arena, const char *path, ConfirmWord word, const char *run, usec extend_usec, const char *who,
                   ConfirmReply *ret, Err *err);
