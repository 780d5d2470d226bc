/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a line from its start: each helper moves *rest past what it has read, or leaves it alone and gives false. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/strbuf.h"

static inline Bytes log_tail(Bytes text, size_t n)
{
    return (Bytes){text.data + n, text.len - n};
}

static inline bool log_starts(Bytes text, const char *start)
{
    size_t len = strlen(start);
    return text.len >= len && memcmp(text.data, start, len) == 0;
}

static inline bool log_skip(Bytes *rest, const char *start)
{
    if (!log_starts(*rest, start))
        return false;
    *rest = log_tail(*rest, strlen(start));
    return true;
}

/* Decimal digits, at most nine. */
static inline bool log_number(Bytes *rest, uint32_t *ret)
{
    uint32_t value = 0;
    size_t n = 0;
    for (; n < rest->len && n < 9 && rest->data[n] >= '0' && rest->data[n] <= '9'; n++)
        value = value * 10 + (uint32_t)(rest->data[n] - '0');
    if (n == 0)
        return false;
    *rest = log_tail(*rest, n);
    *ret = value;
    return true;
}

/* What stands in front of the next `stop`, which is read as well. */
static inline bool log_until(Bytes *rest, const char *stop, Bytes *ret)
{
    const char *found = memmem(rest->data, rest->len, stop, strlen(stop));
    if (!found)
        return false;
    *ret = (Bytes){rest->data, (size_t)(found - rest->data)};
    *rest = log_tail(*rest, ret->len + strlen(stop));
    return true;
}
