/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 (RFC 3629), as much of it as positions and messages need. */
#pragma once

#include "base/strbuf.h"

/* Bytes of the character at `text` (1 to 4), 0 where it is not well formed or len is 0. */
size_t utf8_char_len(const char *text, size_t len);
/* How many bytes from the start are well formed. */
size_t utf8_valid_len(Bytes text);
/* Characters; a byte that is not well formed counts as one. */
size_t utf8_count(Bytes text);
