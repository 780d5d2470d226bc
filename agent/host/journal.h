/* SPDX-License-Identifier: Apache-2.0 */
/* The journal, through sd-journal.
 *
 * No evidence is not good news (promise 10): opening without permission succeeds in sd-journal and then shows nothing,
 * so journal_open fails unless an entry of this boot can be read. A cursor that was rotated away is told apart from one
 * that was found. One thread uses a Journal; it is of no use after fork. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/strbuf.h"

typedef struct Journal Journal;

/* The local journal. ERR_DENIED: no entry of this boot is readable; ERR_NOT_FOUND: there is no journal. */
int journal_open(Journal **ret_journal, Err *err);
/* The journal files of a directory; no check of what is in them. */
int journal_open_directory(const char *path, Journal **ret_journal, Err *err);
void journal_close(Journal *journal);
DEFINE_CLEANUP(Journal *, journal_close)

/* Members that are NULL or false do not narrow. All given must hold. */
typedef struct JournalFilter {
    const char *unit;       /* lines of the unit, of PID 1 about it, of root's daemons about it, its core dumps */
    const char *invocation; /* one start of the unit: its own lines and PID 1's about it; 32 hex digits */
    const char *message_id; /* 32 hex digits */
    uint32_t pid;           /* what that process wrote; 0: any */
    bool kernel;            /* _TRANSPORT=kernel */
    bool this_boot;
} JournalFilter;

/* Replaces the filter; the position has to be set again by a seek. */
int journal_filter(Journal *journal, const JournalFilter *filter, Err *err);

/* Where journal_next starts. */
int journal_seek_realtime(Journal *journal, usec realtime, Err *err); /* the first entry at or after */
int journal_seek_head(Journal *journal, Err *err);
int journal_seek_tail(Journal *journal, Err *err); /* only entries that come after now */

enum { JOURNAL_CURSOR_LOST = 1 };

/* After the entry of that cursor, which need not fit the filter. JOURNAL_CURSOR_LOST: it is gone (rotated, vacuumed)
 * and the position is at the entry nearest to it; lines may be missing in between, so counts from here are lower
 * bounds. */
int journal_seek_cursor(Journal *journal, const char *cursor, Err *err);

typedef struct JournalEntry {
    usec realtime;
    usec monotonic; /* 0 if of another boot */
    Bytes message;  /* MESSAGE, cut at 64 KiB; may hold any byte */
    int priority;   /* 0 to 7; -1 if none. Gunicorn's lines are all 6 */
    uint32_t pid;   /* _PID; 0 if none */
    const char *transport, *message_id, *identifier;
    const char *unit;                    /* UNIT or _SYSTEMD_UNIT or OBJECT_SYSTEMD_UNIT */
    const char *invocation;              /* INVOCATION_ID or _SYSTEMD_INVOCATION_ID */
    const char *unit_result;             /* UNIT_RESULT of PID 1's line about a failed unit */
    const char *exit_code, *exit_status; /* EXIT_CODE ("exited", "killed"), EXIT_STATUS of a main process that ended */
    uint64_t suppressed; /* journald's rate limit dropped that many lines of this unit here: counts are lower bounds */
    const char *cursor;
} JournalEntry;
/* Strings are "" where the entry has no such field. */

enum { JOURNAL_END = 1 };

/* The next entry. JOURNAL_END: none yet; the same call later, after journal_refresh, continues. */
int journal_next(Journal *journal, Arena *arena, JournalEntry *ret_entry, Err *err);

/* The cursor of the last entry there is for the filter, to resume from later; NULL where there is none. Moves the
 * position. */
int journal_last_cursor(Journal *journal, Arena *arena, const char **ret_cursor, Err *err);

/* Only when the next entry was stored, and its PRIORITY: for counting many. As journal_next otherwise. */
int journal_next_stamp(Journal *journal, usec *ret_realtime, int *ret_priority, Err *err);

/* The oldest entry of all files, whatever the filter, and whether journald has removed any before it. Drops the
 * position. */
int journal_oldest(Journal *journal, usec *ret_realtime, bool *ret_vacuumed, Err *err);

enum { JOURNAL_INVALIDATED = 1 };

/* Before reading on after a while: what was appended is seen in any case. JOURNAL_INVALIDATED: files came or went
 * (rotation), they were opened anew, and the position is lost: seek again, by cursor. */
int journal_refresh(Journal *journal, Err *err);

/* Makes everything that was logged before the call readable, as journalctl --sync does; at most 5 s. */
int journal_sync(Err *err);

/* Tells the journal something that somebody has to see: priority as of syslog(3), `run` as the field SALVE_RUN. Where
 * there is no journal it is lost: it never is the only record. */
void journal_tell(int priority, const char *run, const char *message);

/* MESSAGE_IDs of systemd's catalog that salve looks for. */
#define MESSAGE_UNIT_STARTED      "39f53479d3a045ac8e11786248231fbf"
#define MESSAGE_UNIT_START_FAILED "be02cf6855d2428ba40df7e9d022f03d"
#define MESSAGE_UNIT_STOPPED      "9d1aaa27d60140bd96365438aad20286"
#define MESSAGE_UNIT_RELOADED     "7b05ebc668384222baa8881179cfda54"
#define MESSAGE_UNIT_EXITED       "98e322203f7a4ed290d09fe03c09fe15"
#define MESSAGE_UNIT_FAILED       "d9b373ed55a64feb8242e02dbe79a49c"
#define MESSAGE_UNIT_AUTO_RESTART "5eb03494b6584870a536b337290809b3"
#define MESSAGE_UNIT_OOM          "fe6faa94e7774663a0da52717891d8ef"
#define MESSAGE_UNIT_BAD_SETTING  "c772d24e9a884cbeb9ea12625c306c01"
#define MESSAGE_COREDUMP          "fc2e22bc6ee647b6b90729ab34a250b1"
#define MESSAGE_SUPPRESSED        "a596d6fe7bfa4994828e72309e95d61e"
