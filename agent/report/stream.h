/* SPDX-License-Identifier: Apache-2.0 */
/* Where the events of a run go: a live view on a terminal, plain lines elsewhere, JSON Lines for machines. An output
 * that breaks (a closed pipe, a lost connection) never stops a run: what cannot be written is dropped. */
#pragma once

#include "report/text.h"

typedef enum StreamForm { STREAM_TEXT, STREAM_LIVE, STREAM_JSON } StreamForm;

typedef struct Stream Stream;

/* Writes to `fd`, which stays the caller's. */
Stream *stream_open(int fd, StreamForm form, TextDetail detail, bool colour);
EventSink stream_sink(Stream *stream);
/* Wipes what a live view has drawn, so that something else can be printed; the next event draws it again. */
void stream_rest(Stream *stream);
/* Leaves the terminal in order. NULL is fine. */
void stream_close(Stream *stream);
DEFINE_CLEANUP(Stream *, stream_close)
