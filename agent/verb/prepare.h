/* SPDX-License-Identifier: Apache-2.0 */
/* What several verbs do before their own work: read a playbook, look at the host, make a plan. */
#pragma once

#include "host/systemd.h"
#include "report/diff.h"
#include "run/plan.h"
#include "verb/verb.h"

/* Positive outcome: the problems were printed with their places; the verb ends with this exit status. */
enum { PREPARE_INVALID = 2 };

/* Finds, decodes and binds the playbook `name` to the values of -e. */
int prepare_playbook(VerbContext *context, const char *name, const StringVec *given, const Playbook **ret, Err *err);

/* Prints errors and warnings: with --json as one object on standard output, else on standard error. Returns
 * PREPARE_INVALID where there are errors. */
int prepare_report(VerbContext *context, Diagnostics *diags, Err *err);

/* The host to look at: a bus and what runs, or neither with --root. */
typedef struct Host {
    Systemd *systemd;
    Live *live;
    View *view;
} Host;

int prepare_host(VerbContext *context, Host *ret, Err *err);
void host_close(Host *host);
static inline void host_close_cleanup(Host *host)
{
    host_close(host);
}

PlanOptions prepare_plan_options(const VerbContext *context, bool accept_pending);
DiffOptions prepare_diff_options(const VerbContext *context);
/* The command line that began with `verb`, quoted for a shell: what to type next. */
char *prepare_command(Arena *arena, const char *verb, const char *playbook, const StringVec *given);
