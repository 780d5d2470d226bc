/* SPDX-License-Identifier: Apache-2.0 */
/* Time spans of unit files: parse_time of systemd's time-util.c with seconds as the default unit. */
#include "config/unit-time.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

/* In the order in which a prefix is looked for: "min" before "m", "months" before "m". */
static const struct {
    const char *name;
    usec length;
} units[] = {
    {"seconds", USEC_PER_SEC},
    {"second", USEC_PER_SEC},
    {"sec", USEC_PER_SEC},
    {"s", USEC_PER_SEC},
    {"minutes", USEC_PER_MIN},
    {"minute", USEC_PER_MIN},
    {"min", USEC_PER_MIN},
    {"months", 2629800 * USEC_PER_SEC},
    {"month", 2629800 * USEC_PER_SEC},
    {"M", 2629800 * USEC_PER_SEC},
    {"msec", USEC_PER_MSEC},
    {"ms", USEC_PER_MSEC},
    {"m", USEC_PER_MIN},
    {"hours", USEC_PER_HOUR},
    {"hour", USEC_PER_HOUR},
    {"hr", USEC_PER_HOUR},
    {"h", USEC_PER_HOUR},
    {"days", 24 * USEC_PER_HOUR},
    {"day", 24 * USEC_PER_HOUR},
    {"d", 24 * USEC_PER_HOUR},
    {"weeks", 168 * USEC_PER_HOUR},
    {"week", 168 * USEC_PER_HOUR},
    {"w", 168 * USEC_PER_HOUR},
    {"years", 31557600 * USEC_PER_SEC},
    {"year", 31557600 * USEC_PER_SEC},
    {"y", 31557600 * USEC_PER_SEC},
    {"usec", 1},
    {"us", 1},
    {"\xc2\xb5s", 1},
    {"\xce\xbcs", 1},
};

static const char blanks[] = " \t\r\n";

static usec read_unit(const char **p)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (str_starts(*p, units[i].name)) {
            *p += strlen(units[i].name);
            return units[i].length;
        }
    }
    return USEC_PER_SEC;
}

/* One "1.5h" or "30"; false when systemd refuses it. */
static bool read_part(const char **p, usec *total)
{
    const char *digits = *p, *fraction = NULL;
    uint64_t value = 0;
    for (; **p >= '0' && **p <= '9'; ++*p) {
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, (uint64_t)(**p - '0'), &value))
            return false;
    }
    const char *end = *p;
    if (**p == '.') {
        fraction = ++*p;
        *p += strspn(*p, "0123456789");
    }
    if ((end == digits && !fraction) || *p == fraction)
        return false;
    const char *number_end = *p;
    *p += strspn(*p, blanks);
    usec unit = read_unit(p), part;
    if (*p == number_end && **p) /* "12.34.56", "5x" */
        return false;
    if (__builtin_mul_overflow(value, unit, &part) || __builtin_add_overflow(*total, part, total))
        return false;
    for (usec scale = unit / 10; fraction && *fraction >= '0' && *fraction <= '9'; fraction++, scale /= 10)
        *total += (usec)(*fraction - '0') * scale;
    *p += strspn(*p, blanks);
    return *total < USEC_INFINITY / 2;
}

int unit_parse_time(const char *text, usec *ret, Err *err)
{
    const char *p = text + strspn(text, blanks);
    usec total = 0;
    bool fits = *p != '\0';
    if (str_starts(p, "infinity") && p[8 + strspn(p + 8, blanks)] == '\0') {
        *ret = USEC_INFINITY;
        return 0;
    }
    while (fits && *p)
        fits = read_part(&p, &total);
    if (!fits)
        return err_set(err, ERR_INVALID, "\"%.64s\" is no time span that systemd takes", text);
    *ret = total;
    return 0;
}

char *unit_format_time(Arena *arena, usec time)
{
    if (time == USEC_INFINITY)
        return arena_strdup(arena, "infinity");
    if (time % USEC_PER_SEC == 0)
        return arena_printf(arena, "%" PRIu64 "s", time / USEC_PER_SEC);
    if (time % USEC_PER_MSEC == 0)
        return arena_printf(arena, "%" PRIu64 "ms", time / USEC_PER_MSEC);
    return arena_printf(arena, "%" PRIu64 "us", time);
}
