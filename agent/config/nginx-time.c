/* SPDX-License-Identifier: Apache-2.0 */
#include "config/nginx-time.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

/* In the order in which they must stand; each at most once. */
static const struct {
    const char *name;
    uint64_t msec;
    bool coarse; /* only for directives that count seconds */
    bool fine;   /* only for directives that count milliseconds */
} units[] = {
    {"y", 31536000000, .coarse = true},
    {"M", 2592000000, .coarse = true},
    {"w", 604800000},
    {"d", 86400000},
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1, .fine = true},
};

/* The unit at *p, moved past it; ARRAY_LEN for none. A blank ends the number as "s" does, and nothing may follow. */
static size_t read_unit(const char **p)
{
    if (**p == 'm' && (*p)[1] == 's') {
        *p += 2;
        return ARRAY_LEN(units) - 1;
    }
    for (size_t i = 0; i < ARRAY_LEN(units) - 1; i++) {
        if (units[i].name[0] == **p) {
            ++*p;
            return i;
        }
    }
    return ARRAY_LEN(units);
}

/* nginx's limit is that of a signed 64-bit number of its unit; ours is that the result fits in usec. */
static bool add_scaled(uint64_t *total, uint64_t value, uint64_t msec)
{
    uint64_t scaled;
    return !__builtin_mul_overflow(value, msec, &scaled) && !__builtin_add_overflow(*total, scaled, total) &&
           *total <= INT64_MAX / USEC_PER_MSEC;
}

/* One number with its unit. *next is the first unit that may still follow; behind a bare number none may. */
static bool read_part(const char **p, bool seconds, size_t *next, uint64_t *total)
{
    uint64_t value = 0;
    for (; **p >= '0' && **p <= '9'; ++*p) {
        if (value > INT64_MAX / 10 - 1)
            return false;
        value = value * 10 + (uint64_t)(**p - '0');
    }
    if (**p == '\0') /* behind `s` too: "5s 3" is 8 s to nginx */
        return add_scaled(total, value, 1000);
    size_t unit;
    const size_t second = ARRAY_LEN(units) - 2, last = ARRAY_LEN(units);
    if (**p == ' ') {
        if (*next > second)
            return false;
        unit = second;
        *next = last;
    } else {
        unit = read_unit(p);
        if (unit == last || unit < *next || (seconds ? units[unit].fine : units[unit].coarse))
            return false;
        *next = unit + 1;
    }
    *p += strspn(*p, " ");
    return add_scaled(total, value, units[unit].msec);
}

static int parse(const char *text, bool seconds, usec *ret, Err *err)
{
    uint64_t total = 0;
    size_t next = 0;
    bool digits = strpbrk(text, "0123456789") != NULL;
    const char *p = text;
    bool fits = true;
    while (fits && *p)
        fits = read_part(&p, seconds, &next, &total);
    if (!fits || !digits)
        return err_set(err, ERR_INVALID, "\"%.64s\" is no time that nginx takes here", text);
    *ret = total * USEC_PER_MSEC;
    return 0;
}

int nginx_parse_time(const char *text, usec *ret, Err *err)
{
    return parse(text, false, ret, err);
}

int nginx_parse_time_sec(const char *text, usec *ret, Err *err)
{
    return parse(text, true, ret, err);
}

int nginx_format_time(Arena *arena, usec time, const char **ret, Err *err)
{
    if (time == 0 || time == USEC_INFINITY)
        return err_set(err, ERR_INVALID, "nginx has no way to write \"never\": 0 ends every request at once");
    if (time % USEC_PER_MSEC != 0)
        return err_set(err, ERR_INVALID, "nginx counts milliseconds: %" PRIu64 " us cannot be written", time);
    bool whole = time % USEC_PER_SEC == 0;
    *ret = arena_printf(arena, "%" PRIu64 "%s", time / (whole ? USEC_PER_SEC : USEC_PER_MSEC), whole ? "s" : "ms");
    return 0;
}
