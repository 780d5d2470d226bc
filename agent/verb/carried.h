/* SPDX-License-Identifier: Apache-2.0 */
/* A run in its transient unit. */
#pragma once

#include "host/systemd.h"
#include "verb/verb.h"

const char *carried_unit(Arena *arena, const char *run_id);         /* "salve-run-ID.service" */
const char *carried_request_name(Arena *arena, const char *run_id); /* in the runtime directory */

/* Starts the unit; returns when the carrier's program was executed. */
int carried_start(VerbContext *context, Systemd *systemd, const char *run_id, Err *err);
