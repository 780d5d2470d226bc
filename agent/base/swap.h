/* SPDX-License-Identifier: Apache-2.0 */
/* Swapping files: how edits become real and are taken back (promises 1, 5, 12).
 *
 * The other side of an edit waits beside the target under a dot name, `.NAME.salve-XXXXXXXXXXXXXXXX`, made from run id
 * and path: before the swap it holds the new file, after it the original inode with owner, attributes, label and hard
 * links. Includes and drop-in directories do not read dot names. Whoever can write the directory can take such a name:
 * what lies there counts only after it was looked at, nothing else is opened, waited for or deleted, and it never stops
 * the way back. The life of one edit:
 *
 *     swap_check     before anything; touches nothing       everything that would stop the rest
 *     swap_prepare   write the dot file, fsync               the live file is untouched
 *     swap_apply     exchange, look at what came out         live is `after`
 *     swap_revert    by content                              live is `before`
 *     swap_finish    delete the dot files                    once the ledger has decided
 *
 * Call prepare, apply and finish in the order of the edits, revert in reverse. All may be called again at any point
 * after a crash: they look at what is there and do what is missing. There are no per-file records. */
#pragma once

#include "base/files.h"

typedef struct SwapSet {
    const char *root;     /* "" for the live host */
    const char *run_id;   /* [A-Za-z0-9-]+ */
    const EditVec *edits; /* all edits of the run, in an order in which they can be made (view_edits): where a directory
                             comes or goes, the dot files of what it holds live in the nearest directory that stays */
    /* Told each time that something was moved out of the way which is no version of the file: `what` ("a FIFO")
     * somebody put at `found`; it is at `aside` now, unopened, and stays there. May be NULL. */
    void (*told)(void *user, const char *what, const char *found, const char *aside);
    void *user;
} SwapSet;

enum { SWAP_FOREIGN = 1 }; /* positive outcome: somebody else changed the path meanwhile */

/* Refuses (ERR_REFUSED, ERR_DENIED, ERR_SPACE: what is wrong and what to do) what swapping cannot do: a missing parent,
 * bind-mounted, immutable or append-only targets, read-only file systems, other types than files, symlinks and
 * directories, changed directories, no room for the dot files ("needs 3.1 MiB, has 0"). ret_open gets the paths on file
 * systems not known to exchange: there the race against a foreign writer is not closed, which the plan should say. */
int swap_check(Arena *arena, const SwapSet *set, StringVec *ret_open, Err *err);

/* Writes the dot file of an edit, complete: owner, mode, attributes and content; durable with swap_sync. */
int swap_prepare(const SwapSet *set, const Edit *edit, Err *err);

/* Makes `after` live; durable with swap_sync. SWAP_FOREIGN: the path does not hold `before`; it was left (or put back,
 * durably) as it was found. 0 too when it is live already. */
int swap_apply(const SwapSet *set, const Edit *edit, Err *err);

/* What recovery does first: where swap_apply was killed between its exchange and the exchange back, `after` is live and
 * theirs lies under the dot name. SWAP_FOREIGN: theirs is live again. So is what somebody wrote into the original inode
 * later, which looks the same. 0: nothing of that kind is there. */
int swap_give_back(const SwapSet *set, const Edit *edit, Err *err);

/* Makes durable what was prepared or applied so far: each directory of the edits is synced, once. */
int swap_sync(const SwapSet *set, Err *err);

/* Makes `before` live. SWAP_FOREIGN: what was there was neither side; it is kept under *ret_aside (a path in the arena,
 * NULL where the foreign deed was to remove the file), and `before` is live. A created directory that holds foreign
 * files is left in place, with *ret_aside = its own path. Where the dot file is lost, `before` is written anew from the
 * edit. */
int swap_revert(Arena *arena, const SwapSet *set, const Edit *edit, const char **ret_aside, Err *err);

/* Deletes the dot files of the edit, except foreign bytes, which go aside first. SWAP_FOREIGN: *ret_aside is one of the
 * foreign files that lie aside, whoever put it there: keep it, discard it, and call again. */
int swap_finish(Arena *arena, const SwapSet *set, const Edit *edit, const char **ret_aside, Err *err);

/* What is live now. Never SWAP_IS_FOREIGN where the path equals one of the sides. */
typedef enum SwapPlace { SWAP_IS_BEFORE, SWAP_IS_AFTER, SWAP_IS_FOREIGN } SwapPlace;
int swap_locate(const SwapSet *set, const Edit *edit, SwapPlace *ret, Err *err);

/* Deletes what swap_revert or swap_finish put aside, once its bytes are kept elsewhere. */
int swap_discard_aside(const SwapSet *set, const char *aside, Err *err);

/* The state that waits under the dot name (type FILE_ABSENT: none): where git is lost, the original. */
int swap_dot_state(Arena *arena, const SwapSet *set, const Edit *edit, FileState *ret, const char **ret_path, Err *err);
