/* SPDX-License-Identifier: Apache-2.0 */
/* `{{ name }}` in scalars; used by data/decode.c only. */
#pragma once

#include "data/decode.h"

/* The node's text with all references replaced, checked as `type`, in *ret. False where errors were added. `what` is
 * the key. The text contains "{{". */
bool reference_decode(Decoder *d, const ValueType *type, const char *what, const Node *node, Value *ret);
