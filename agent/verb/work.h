/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to the end of its run: what a process does that carries one, be it systemd's or the person's own. */
#pragma once

#include "verb/carry.h"
#include "verb/request.h"

/* Plans what the request asks for, and looks at its guards. Touches nothing. */
int work_plan(VerbContext *context, Carrier *carrier, const Request *request, Plan **ret, Err *err);

/* Plans, and runs the plan to its end; with `ask` only once a person said yes. The exit status. */
int work_do(VerbContext *context, Carrier *carrier, const Request *request, bool ask, Err *err);

/* The kinds' own planning: verb/run.c, verb/rollback.c. */
int run_plan_request(VerbContext *context, Carrier *carrier, const Request *request, Plan **ret, Err *err);
int rollback_plan_request(VerbContext *context, Carrier *carrier, const Request *request, Plan **ret, Err *err);
