/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime directory (/run/salve, 0700): what lasts until the next boot and decides nothing.
 *
 *     RUN.request    what a run is asked to do, from the front end to the process that carries it; removed once read
 *     RUN.events     the trail of a run: one line of JSON an event, from whoever carries it or recovers it
 *
 * Nothing here is durable, and nothing here passes a fault point: a trail that cannot be written is an incomplete
 * trail, never a failed run. */
#pragma once

#include "base/err.h"
#include "base/strbuf.h"

/* The directory, made where it is missing. */
int runtime_make(const char *dir, Err *err);

/* A new file `dir`/`name` of mode 0600; one that is there already is a failure. */
int runtime_put(const char *dir, const char *name, Bytes content, Err *err);
/* Reads the file and removes it. ERR_NOT_FOUND: it is not there. */
int runtime_take(Arena *arena, const char *dir, const char *name, size_t max, Bytes *ret, Err *err);
void runtime_remove(const char *dir, const char *name);

/* A trail for appending, made where it is missing. Every line is one write, so that several writers do not mix. */
int runtime_open_trail(const char *dir, const char *run_id, int *ret_fd, Err *err);
/* The run whose trail is the newest; 1: there is none. */
int runtime_newest_trail(Arena *arena, const char *dir, const char **ret_run_id, Err *err);
bool runtime_has_trail(const char *dir, const char *run_id);
/* Removes old trails: all but the newest `keep`. */
void runtime_prune_trails(const char *dir, size_t keep);
