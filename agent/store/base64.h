/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648, section 4, with padding). */
#pragma once

#include "base/strbuf.h"

char *base64_encode(Arena *arena, Bytes bytes);
/* False where the text is not exactly what base64_encode gives. */
bool base64_decode(Arena *arena, const char *text, Bytes *ret);
