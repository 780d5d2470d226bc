/* SPDX-License-Identifier: Apache-2.0 */
/* What every language of this layer asks about a text. */
#pragma once

#include <stdbool.h>

#include "base/strbuf.h"

/* "\r\n" when the first line of the text ends so, else "\n". */
const char *text_line_ending(Bytes text);

/* The first byte of the line that holds `at`, and the end of that line: its "\n" or "\r\n", or the end of the text. */
size_t text_line_start(Bytes text, size_t at);
size_t text_line_end(Bytes text, size_t at);

/* 1-based: the column in bytes, and the line. */
unsigned text_column(Bytes text, size_t at);
unsigned text_line(Bytes text, size_t at);

/* Well-formed UTF-8 (RFC 3629), no NUL. */
bool text_is_utf8(Bytes text);

/* Decodes one character of well-formed UTF-8 and moves *text past it. */
unsigned text_next_char(const char **text);

/* Appends a code point (up to 0x10ffff) as UTF-8. */
void text_add_char(StrBuf *out, unsigned code);
