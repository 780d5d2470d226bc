/* SPDX-License-Identifier: Apache-2.0 */
/* The last lines of a run: what its end means (why it ended so, its last event has said), and what to type next. */
#pragma once

#include "base/strbuf.h"
#include "store/run-record.h"

void outcome_show(const RunRecord *run, bool colour, StrBuf *out);
