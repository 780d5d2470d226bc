/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as a person wants to read it before typing y: what it is for, the diff, what happens then and for how long new
 * connections are refused, who else is affected, how it will be judged, and what is worth knowing. */
#pragma once

#include "report/diff.h"
#include "run/plan.h"

void plan_show(const Plan *plan, const DiffOptions *options, StrBuf *out);
/* One line: "2 files, +3 -1 lines; restart gunicorn.service, reload nginx.service; up to 2s of refused connections". */
void plan_summary(const Plan *plan, StrBuf *out);
Node *plan_json(Arena *arena, const Plan *plan);
