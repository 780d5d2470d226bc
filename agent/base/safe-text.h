/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves for a terminal or a log cannot steer it, whoever wrote it: logs, foreign files, arguments of processes
 * and answers of servers carry escape sequences, and characters that reorder or hide text.
 *
 * Control characters (C0 but for newline and tab, DEL, C1), bidirectional marks, embeddings, overrides and isolates,
 * zero-width and other invisible characters become the escapes of JSON (\u001b, \u202e), so that JSON that passes here
 * stays the same JSON; a byte that is not UTF-8 becomes \xff. Everything that is printed passes here at the end
 * (verb_print, log_message, report/stream.c), whatever it passed before. */
#pragma once

#include <stdbool.h>

#include "base/strbuf.h"

typedef enum SafeFlags {
    SAFE_PLAIN = 0,
    SAFE_COLOURS = 1, /* colours pass: where salve itself paints what it made safe before */
    SAFE_MOVES = 2,   /* so does going back over the lines of the live view */
    SAFE_ASCII = 4,   /* only ASCII comes out: arrows and dots as people type them, all else as escapes */
    SAFE_JSON = 8,    /* of JSON: no such likenesses */
} SafeFlags;

void safe_add(StrBuf *out, Bytes text, SafeFlags flags);

/* Whether a character of well-formed UTF-8 shows as what it is and moves nothing else. */
bool safe_is_visible(const char *character, size_t len);

/* SAFE_ASCII where the locale of the environment (LC_ALL, LC_CTYPE, LANG) is C or POSIX or names another character set
 * than UTF-8; 0 where it is UTF-8, and where nothing is said. */
SafeFlags safe_locale(void);
