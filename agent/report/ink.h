/* SPDX-License-Identifier: Apache-2.0 */
/* Text for people, with or without colour.
 *
 * Whatever goes through here is safe on a terminal (base/safe-text.h). */
#pragma once

#include <stdbool.h>

#include "base/strbuf.h"

typedef enum InkColour { INK_PLAIN, INK_BOLD, INK_DIM, INK_RED, INK_GREEN, INK_YELLOW, INK_CYAN } InkColour;

typedef struct Ink {
    StrBuf *out;
    bool colour;
} Ink;

void ink_text(Ink *ink, InkColour colour, const char *text);
void ink_bytes(Ink *ink, InkColour colour, Bytes text);
void ink_printf(Ink *ink, InkColour colour, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Columns that the text takes on a terminal, counting each character as one and skipping colour sequences. */
size_t ink_width(const char *text);
/* Appends at most `columns` columns of text, ending in "…" where it was cut; colour sequences are kept whole. */
void ink_clip(StrBuf *out, const char *text, size_t columns);
