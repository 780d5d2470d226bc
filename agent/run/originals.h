/* SPDX-License-Identifier: Apache-2.0 */
/* The way back where the snapshot store is lost while a run is hot: the originals themselves, which lie beside the
 * files under dot names until the run has ended, recognized by the hashes that the ledger holds. Internal to run/. */
#pragma once

#include "run/run.h"

/* Records the snapshot, and with it what it takes to do without. */
int originals_record(Run *run, const char *commit, const char *intent, Err *err);
/* What snapshot_read would have given. ERR_STUCK: an original is not there, or was changed: named. */
int originals_load(Run *run, Snapshot *ret, Err *err);

/* The command with which a person finds the originals of a run that edits these paths. Which of them are directories
 * that it makes or removes is told by that they hold others of its paths; no path at all: the whole host is searched.
 */
char *originals_command(Arena *arena, const StringVec *paths);
/* For this run, by what the ledger knows of it. */
char *originals_hint(Run *run);
