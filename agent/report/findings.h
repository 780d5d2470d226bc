/* SPDX-License-Identifier: Apache-2.0 */
/* What diagnosis concluded, with its evidence and what to do about it. */
#pragma once

#include "data/node.h"
#include "diagnose/finding.h"

void findings_show(const FindingVec *findings, bool colour, StrBuf *out);
Node *findings_json(Arena *arena, const FindingVec *findings);
