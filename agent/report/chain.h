/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the history of this host is what was recorded. */
#pragma once

#include "base/strbuf.h"
#include "store/ledger.h"

void chain_show(const ChainReport *report, bool colour, StrBuf *out);
struct Node;
struct Node *chain_json(Arena *arena, const ChainReport *report);
