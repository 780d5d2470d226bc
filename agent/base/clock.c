/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static usec read_clock(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (usec)ts.tv_sec * USEC_PER_SEC + (usec)ts.tv_nsec / 1000;
}

usec clock_realtime(void)
{
    return read_clock(CLOCK_REALTIME);
}

usec clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

usec clock_boottime(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

/* "2min 5s": two units, the second one left out when it is zero. */
static char *two_units(Arena *arena, uint64_t total, uint64_t per, const char *large, const char *small)
{
    if (total % per == 0)
        return arena_printf(arena, "%" PRIu64 "%s", total / per, large);
    return arena_printf(arena, "%" PRIu64 "%s %" PRIu64 "%s", total / per, large, total % per, small);
}

char *usec_to_string(Arena *arena, usec duration)
{
    if (duration == USEC_INFINITY)
        return arena_strdup(arena, "never");
    if (duration < USEC_PER_MSEC && duration > 0)
        return arena_printf(arena, "%.1fms", (double)duration / 1000);
    if (duration < USEC_PER_SEC)
        return arena_printf(arena, "%" PRIu64 "ms", duration / USEC_PER_MSEC);
    if (duration < 10 * USEC_PER_SEC && duration % USEC_PER_SEC >= USEC_PER_SEC / 10)
        return arena_printf(arena, "%.1fs", (double)duration / (double)USEC_PER_SEC);
    uint64_t seconds = duration / USEC_PER_SEC;
    if (seconds < 60)
        return arena_printf(arena, "%" PRIu64 "s", seconds);
    if (seconds < 3600)
        return two_units(arena, seconds, 60, "min", "s");
    return two_units(arena, seconds / 60, 60, "h", "min");
}

char *usec_to_local(Arena *arena, usec realtime)
{
    time_t seconds = (time_t)(realtime / USEC_PER_SEC);
    struct tm tm = {0};
    char text[64] = "";
    localtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    return arena_strdup(arena, text);
}

char *usec_to_rfc3339(Arena *arena, usec realtime)
{
    time_t seconds = (time_t)(realtime / USEC_PER_SEC);
    struct tm tm = {0};
    char text[64] = "";
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    return arena_printf(arena, "%s.%06" PRIu64 "Z", text, realtime % USEC_PER_SEC);
}

bool usec_from_rfc3339(const char *text, usec *ret_realtime)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.ddddddZ";
    struct tm tm = {0};
    usec micro = 0;
    if (strlen(text) != sizeof form - 1)
        return false;
    for (size_t i = 0; form[i]; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == 'd' ? !digit : text[i] != form[i])
            return false;
    }
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    time_t seconds = rest && *rest == '.' ? timegm(&tm) : -1;
    if (seconds < 0)
        return false;
    while (*++rest != 'Z')
        micro = micro * 10 + (usec)(*rest - '0');
    *ret_realtime = (usec)seconds * USEC_PER_SEC + micro;
    return true;
}
