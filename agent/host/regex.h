/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions, through PCRE2 with its JIT.
 *
 * Matching is bounded (match and depth limits): a pattern that explodes on some line is an error that names the
 * pattern, not a hang. Subjects are bytes; patterns are UTF-8 text but match bytewise, so a log line that is not UTF-8
 * is no failure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strbuf.h"

typedef struct Regex Regex;

/* ERR_INVALID with a message; *ret_offset (may be NULL) is then the byte of the pattern where it went wrong. Named
 * groups: (?<name>...). */
int regex_compile(const char *pattern, Regex **ret_regex, size_t *ret_offset, Err *err);
void regex_free(Regex *regex);
DEFINE_CLEANUP(Regex *, regex_free)

enum { REGEX_NO_MATCH = 1 };

/* 0: found anywhere in the subject. REGEX_NO_MATCH. Negative: a limit was exceeded. */
int regex_match(Regex *regex, Bytes subject, Err *err);
/* A group of the last match: 0 is the whole; data NULL where the group took no part. Points into the subject. */
Bytes regex_group(const Regex *regex, unsigned group);
Bytes regex_named(const Regex *regex, const char *name);
