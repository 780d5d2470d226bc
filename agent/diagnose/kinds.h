/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds that diagnose/finding.c lists, and what its families share. */
#pragma once

#include "diagnose/finding.h"

/* gunicorn.c */
extern const FindingKind finding_worker_timeout;
extern const FindingKind finding_boot_failure;
extern const FindingKind finding_timeout_not_enforced;
/* pending.c */
extern const FindingKind finding_pending_edit;
/* memory.c */
extern const FindingKind finding_oom_kill;
extern const FindingKind finding_memory_pressure;
/* deploy.c */
extern const FindingKind finding_recent_deploy;

enum { EVIDENCE_MAX = 10 };

/* Adds a line; of more than EVIDENCE_MAX the oldest goes. */
void finding_add_evidence(Arena *arena, Finding *finding, const char *line);
/* How far back to look: what is asked for, or the kind's default. */
usec finding_since(const FindingKind *kind, const FindingSpec *spec);
