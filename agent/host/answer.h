/* SPDX-License-Identifier: Apache-2.0 */
/* A question to whoever may answer it, over a Unix socket (unix(7)): one line of text asks, one line replies.
 *
 * The listener takes lines of root only (SO_PEERCRED), one at a time. A stale socket of a process that died is
 * replaced; who connects to it is refused by the kernel, so a dead listener is never mistaken for a slow one. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/strbuf.h"

enum { ANSWER_MAX = 4096 }; /* bytes of a line */
enum { ANSWER_NONE = 1 };

typedef struct Answers Answers;

/* Listens at `path` (mode 0600), whose directory is made (0700) where it is missing. */
int answers_open(const char *path, Answers **ret, Err *err);
/* Closes, and removes the socket. Whoever still waits for a reply reads the end of the line instead. */
void answers_close(Answers *answers);
DEFINE_CLEANUP(Answers *, answers_close)

/* The next line, without its end. ANSWER_NONE: none came in time (or a signal ended the waiting). The one who sent it
 * waits until answers_reply, answers_next or answers_close. */
int answers_next(Answers *answers, Arena *arena, usec timeout_usec, const char **ret, Err *err);
/* One line to whoever sent the last one; that they are gone is no error. */
void answers_reply(Answers *answers, const char *line);

/* Asks at `path` and waits for the reply. ANSWER_NONE: nobody listens there. ERR_FAILED: the listener ended without a
 * reply. ERR_TIMEOUT. */
int answer_ask(Arena *arena, const char *path, const char *line, usec timeout_usec, const char **ret, Err *err);
