/* SPDX-License-Identifier: Apache-2.0 */
/* How a name is bound to its value: what config/secret.c asks once it has found a name. */
#pragma once

#include "config/secret.h"

typedef struct Scan {
    const char *data;
    size_t len, at;
    char quote;      /* of the string that `at` is inside of, or 0 */
    size_t quote_at; /* where it, or the last one, began */
    bool prose;      /* a sentence, not a source */
    bool secret_map; /* inside of a map of nginx whose values are secrets */
    StrBuf *out;
} Scan;

/* The value that is bound to the name of name_len bytes at scan->at: its range, which may be empty. False where the
 * name only stands there. */
bool secret_value_of(const Scan *scan, size_t name_len, size_t *ret_start, size_t *ret_end);

/* Whether a mask stands at i: what is masked stays as it is. */
bool secret_is_mask(const Scan *scan, size_t i);

/* A variable of nginx, a shell or systemd, or a look-up in Python's environment: names what it does not hold. */
bool secret_is_reference(const char *value, size_t len);
