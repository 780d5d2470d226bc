/* SPDX-License-Identifier: Apache-2.0 */
#include "check/journal-loss.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/vec.h"
#include "config/unit-time.h"
#include "host/journal.h"
#include "host/kernel-file.h"
#include "host/systemd.h"

/* journald.conf(5) */
#define DEFAULT_INTERVAL_USEC (30 * USEC_PER_SEC)
#define DEFAULT_BURST         10000
#define LARGEST_JOURNAL       (4ULL << 30)

enum { POOLS = 5 };

/* emerg, alert and crit are one group; notice and info another (journald-rate-limit.c). */
static const unsigned char pool_of[] = {0, 0, 0, 1, 2, 3, 3, 4};

typedef VEC(usec) UsecVec;

/* --- the limit */

typedef struct Conf {
    const char *interval, *burst, *storage;
    bool sized; /* the size of the journal is set */
} Conf;

static void read_conf(Arena *arena, const char *path, Conf *conf)
{
    Bytes text;
    Err ignored; /* most of them are not there */
    if (kernel_file_read(arena, &text, &ignored, "%s", path) < 0)
        return;
    char *rest = arena_strndup(arena, text.data, text.len);
    for (char *line; (line = strsep(&rest, "\n"));) {
        line += strspn(line, " \t");
        char *value = strchr(line, '=');
        if (!value || *line == '#' || *line == ';')
            continue;
        const char *key = arena_strndup(arena, line, strcspn(line, " \t="));
        value += 1 + strspn(value + 1, " \t");
        value[strcspn(value, " \t\r")] = '\0';
        if (str_starts(key, "RateLimitInterval"))
            conf->interval = value;
        else if (str_equal(key, "RateLimitBurst"))
            conf->burst = value;
        else if (str_equal(key, "Storage"))
            conf->storage = value;
        conf->sized = conf->sized || str_ends(key, "MaxUse") || str_ends(key, "KeepFree");
    }
}

static int is_conf(const struct dirent *entry)
{
    return str_ends(entry->d_name, ".conf");
}

static Conf load_conf(const char *root, Arena *arena)
{
    static const char *const directories[] = {"/usr/lib/systemd", "/run/systemd", "/etc/systemd"};
    Conf conf = {0};
    read_conf(arena, arena_printf(arena, "%s/etc/systemd/journald.conf", root), &conf);
    for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
        struct dirent **names;
        const char *directory = arena_printf(arena, "%s%s/journald.conf.d", root, directories[i]);
        int n = scandir(directory, &names, is_conf, alphasort);
        for (int k = 0; k < n; k++) {
            read_conf(arena, arena_printf(arena, "%s/%s", directory, names[k]->d_name), &conf);
            free(names[k]);
        }
        if (n >= 0)
            free(names);
    }
    return conf;
}

/* What systemd tells journald of one unit is the target of a link. */
static const char *told(const char *root, Arena *arena, const char *what, const char *unit)
{
    char text[64];
    ssize_t n =
        readlink(arena_printf(arena, "%s/run/systemd/units/log-rate-limit-%s:%s", root, what, unit), text, sizeof text);
    return n > 0 && n < (ssize_t)sizeof text ? arena_strndup(arena, text, (size_t)n) : NULL;
}

/* Free space multiplies the burst: by (log2 - 16) / 4. One power of two less than there may be, since it changes. */
static uint64_t multiplied(const char *root, Arena *arena, uint64_t burst, bool sized)
{
    struct statvfs fs;
    bool disk = access(arena_printf(arena, "%s/var/log/journal", root), F_OK) == 0;
    if (sized || statvfs(arena_printf(arena, "%s%s", root, disk ? "/var/log" : "/run/log"), &fs) < 0)
        return burst;
    uint64_t room = fs.f_blocks * fs.f_frsize / 20, left = fs.f_bavail * fs.f_frsize / 2, log = 0;
    room = room < left ? room : left;
    room = room < LARGEST_JOURNAL / 2 ? room : LARGEST_JOURNAL / 2;
    for (; room > 1; room /= 2)
        log++;
    return log <= 20 ? burst : burst * (log - 17) / 4;
}

void journal_rate_of(const char *root, Arena *arena, const char *unit, JournalRate *ret)
{
    Conf conf = load_conf(root, arena);
    JournalRate rate = {DEFAULT_INTERVAL_USEC, DEFAULT_BURST};
    Err ignored; /* journald takes its default as well */
    if (conf.interval)
        (void)unit_parse_time(conf.interval, &rate.interval, &ignored);
    if (conf.burst)
        rate.burst = strtoull(conf.burst, NULL, 10);
    const char *interval = told(root, arena, "interval", unit), *burst = told(root, arena, "burst", unit);
    if (interval)
        rate.interval = strtoull(interval, NULL, 10);
    if (burst)
        rate.burst = strtoull(burst, NULL, 10);
    if (rate.interval == 0 || rate.burst == 0)
        rate = (JournalRate){0};
    else
        rate.burst = multiplied(root, arena, rate.burst, conf.sized);
    *ret = rate;
}

bool journal_rate_is_reached(const JournalRate *rate, const usec *times, size_t n)
{
    for (size_t last = rate->burst - 1; rate->interval > 0 && last < n; last++) {
        if (times[last] - times[last + 1 - rate->burst] <= rate->interval)
            return true;
    }
    return false;
}

/* --- the reasons */

static const char *rate_reason(Arena *arena, const char *unit, usec since)
{
    CLEANUP(journal_close) Journal *journal = NULL;
    CLEANUP(arena_free) Arena *scratch = arena_new();
    UsecVec pools[POOLS] = {0};
    JournalRate rate;
    Err err;
    int r, priority = 0;
    usec at;
    journal_rate_of("", scratch, unit, &rate);
    if (rate.interval == 0)
        return NULL;
    if ((r = journal_open(&journal, &err)) >= 0)
        r = journal_filter(journal, &(JournalFilter){.unit = unit}, &err);
    if (r >= 0) /* what came in the interval before may have used it up */
        r = journal_seek_realtime(journal, since > rate.interval ? since - rate.interval : 0, &err);
    while (r == 0 && (r = journal_next_stamp(journal, &at, &priority, &err)) == 0)
        *vec_push(scratch, &pools[pool_of[priority & 7]]) = at;
    if (r < 0)
        return arena_strdup(arena, err_text(&err));
    for (size_t i = 0; i < POOLS; i++) {
        if (journal_rate_is_reached(&rate, pools[i].items, pools[i].n))
            return arena_printf(arena,
                                "%s logged %" PRIu64 " lines or more within %s, where journald begins to drop lines: "
                                "raise LogRateLimitBurst= of the unit",
                                unit, rate.burst, usec_to_string(arena, rate.interval));
    }
    return NULL;
}

static const char *vacuum_reason(Arena *arena, usec since)
{
    CLEANUP(journal_close) Journal *journal = NULL;
    Err ignored; /* the reader tells */
    usec oldest;
    bool vacuumed;
    if (journal_open(&journal, &ignored) < 0 || journal_oldest(journal, &oldest, &vacuumed, &ignored) < 0)
        return NULL;
    if (!vacuumed || oldest <= since)
        return NULL;
    return arena_printf(arena,
                        "the journal reaches back only to %s: raise SystemMaxUse= (or RuntimeMaxUse=) in "
                        "journald.conf",
                        usec_to_local(arena, oldest));
}

/* Where the unit's lines go, by systemd; NULL: into the journal that is read. */
static const char *place_reason(struct Systemd *systemd, Arena *arena, const char *unit)
{
    const char *namespace = "", *most = "-1", *level = "6", *to = "";
    Err ignored; /* an older systemd has no such property */
    (void)systemd_get_property_string(systemd, arena, unit, "LogNamespace", &namespace, &ignored);
    (void)systemd_get_property_string(systemd, arena, unit, "LogLevelMax", &most, &ignored);
    (void)systemd_get_property_string(systemd, arena, unit, "SyslogLevel", &level, &ignored);
    (void)systemd_get_property_string(systemd, arena, unit, "StandardError", &to, &ignored);
    if (str_equal(to, "inherit"))
        (void)systemd_get_property_string(systemd, arena, unit, "StandardOutput", &to, &ignored);
    if (*namespace)
        return arena_printf(arena, "%s logs into a journal of its own (LogNamespace=%s), which is not read", unit,
                            namespace);
    long limit = strtol(most, NULL, 10);
    if (limit >= 0 && limit < (strtol(level, NULL, 10) & 7))
        return arena_printf(arena, "LogLevelMax= of %s keeps its lines out of the journal", unit);
    if (str_equal(to, "null") || str_starts(to, "file") || str_starts(to, "append") || str_starts(to, "truncate") ||
        str_equal(to, "tty"))
        return arena_printf(arena, "StandardError= of %s is %s: its lines are not in the journal", unit, to);
    return NULL;
}

const char *journal_loss(struct Systemd *systemd, Arena *arena, const char *unit, usec since)
{
    CLEANUP(arena_free) Arena *scratch = arena_new();
    Conf conf = load_conf("", scratch);
    if (conf.storage && str_equal(conf.storage, "none"))
        return "journald stores nothing (Storage=none in journald.conf)";
    const char *reason = systemd ? place_reason(systemd, arena, unit) : NULL;
    if (!reason)
        reason = vacuum_reason(arena, since);
    return reason ? reason : rate_reason(arena, unit, since);
}
