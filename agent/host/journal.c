/* SPDX-License-Identifier: Apache-2.0 */
#include "host/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#include "base/cleanup.h"
#include "host/proc.h"
#include "host/varlink.h"

static const usec SYNC_TIMEOUT_USEC = 5 * USEC_PER_SEC;
static const char *const roots[] = {"/var/log/journal/", "/run/log/journal/"};

/* Where the files are, of the disk's journal and of the one in memory. A file that comes or goes changes the time of
 * its directory: looking at that is all we need, and sd_journal_wait's inotify takes the kernel some 20 ms to close. */
enum { PLACES = 4, PLACE_MAX = 256 };

typedef struct Place {
    char path[PLACE_MAX];
    struct timespec changed; /* 0: there is no such directory */
} Place;

struct Journal {
    sd_journal *journal;
    bool local; /* else the files of places[0] */
    Place places[PLACES];
    size_t n_places;
    char boot_id[33]; /* of this boot; "" if it is not known */
    Arena *arena;     /* of the filter */
    JournalFilter filter;
};

void journal_close(Journal *journal)
{
    if (!journal)
        return;
    sd_journal_close(journal->journal);
    arena_free(journal->arena);
    free(journal);
}

static void add_place(Journal *journal, const char *root, const char *name)
{
    snprintf(journal->places[journal->n_places++].path, PLACE_MAX, "%s%s", root, name);
}

/* Whether any directory changed since this was asked last. */
static bool look_at_places(Journal *journal)
{
    bool changed = false;
    for (size_t i = 0; i < journal->n_places; i++) {
        Place *place = &journal->places[i];
        struct stat st = {0};
        if (stat(place->path, &st) < 0)
            st.st_mtim = (struct timespec){0};
        changed = changed || st.st_mtim.tv_sec != place->changed.tv_sec || st.st_mtim.tv_nsec != place->changed.tv_nsec;
        place->changed = st.st_mtim;
    }
    return changed;
}

/* Opens the files, after looking at the places: what changes from here on is seen by the next look. */
static int open_files(Journal *journal)
{
    sd_journal *opened = NULL;
    look_at_places(journal);
    int r = journal->local ? sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY)
                           : sd_journal_open_directory(&opened, journal->places[0].path, 0);
    if (r < 0)
        return r;
    sd_journal_close(journal->journal);
    journal->journal = opened;
    return 0;
}

static Journal *journal_new(const char *directory)
{
    Journal *journal = xmalloc(sizeof *journal);
    *journal = (Journal){.local = !directory, .arena = arena_new()};
    sd_id128_t machine;
    char id[33] = "";
    if (directory)
        add_place(journal, directory, "");
    else if (sd_id128_get_machine(&machine) >= 0)
        sd_id128_to_string(machine, id);
    for (size_t i = 0; i < ARRAY_LEN(roots) && !directory; i++) {
        add_place(journal, roots[i], "");
        add_place(journal, roots[i], id);
    }
    CLEANUP(arena_free) Arena *arena = arena_new();
    const char *boot_id = "";
    Err ignored;
    if (proc_boot_id("", arena, &boot_id, &ignored) == 0)
        memcpy(journal->boot_id, boot_id, 32);
    return journal;
}

static int journal_error(Err *err, int r, const char *what)
{
    return err_errno(err, -r, "cannot %s the journal", what);
}

/* Opening without permission succeeds and shows nothing: one entry of this boot must be there. */
static int check_readable(Journal *journal, Err *err)
{
    int r = journal_filter(journal, &(JournalFilter){.this_boot = true}, err);
    if (r < 0)
        return r;
    r = sd_journal_seek_head(journal->journal);
    if (r >= 0)
        r = sd_journal_next(journal->journal);
    if (r < 0)
        return journal_error(err, r, "read");
    bool readable = r > 0;
    r = journal_filter(journal, &(JournalFilter){0}, err);
    if (r < 0)
        return r;
    return readable ? 0
                    : err_set(err, ERR_DENIED,
                              "no entry of this boot can be read in the journal: run as root or in group "
                              "systemd-journal, and see whether journald runs");
}

int journal_open(Journal **ret_journal, Err *err)
{
    CLEANUP(journal_close) Journal *journal = journal_new(NULL);
    int r = open_files(journal);
    if (r < 0)
        return journal_error(err, r, "open");
    r = check_readable(journal, err);
    if (r < 0)
        return r;
    *ret_journal = STEAL(journal);
    return 0;
}

int journal_open_directory(const char *path, Journal **ret_journal, Err *err)
{
    CLEANUP(journal_close) Journal *journal = journal_new(path);
    int r = open_files(journal);
    if (r < 0)
        return err_errno(err, -r, "cannot open the journal in %s", path);
    *ret_journal = STEAL(journal);
    return 0;
}

/* One way in which a line can be about a unit: all its matches hold. "%s" stands for the unit or the invocation. */
typedef struct Alternative {
    const char *matches[3];
} Alternative;

static const Alternative unit_alternatives[] = {
    {{"_SYSTEMD_UNIT=%s"}},                 /* what it says */
    {{"_PID=1", "UNIT=%s"}},                /* what systemd says about it */
    {{"_UID=0", "OBJECT_SYSTEMD_UNIT=%s"}}, /* what journald and others say */
    {{"_UID=0", "COREDUMP_UNIT=%s", "MESSAGE_ID=" MESSAGE_COREDUMP}},
};
static const Alternative invocation_alternatives[] = {
    {{"_SYSTEMD_INVOCATION_ID=%s"}},
    {{"_PID=1", "INVOCATION_ID=%s"}},
    {{"_UID=0", "OBJECT_SYSTEMD_INVOCATION_ID=%s"}},
};

static int add_match(sd_journal *journal, Arena *arena, const char *match, const char *value)
{
    size_t len = strcspn(match, "%");
    const char *text = match[len] ? arena_printf(arena, "%.*s%s", (int)len, match, value) : match;
    return sd_journal_add_match(journal, text, 0);
}

/* (a AND b) OR (c AND d) ..., AND with what comes later. */
static int add_alternatives(sd_journal *journal, Arena *arena, const Alternative *alternatives, size_t n,
                            const char *value)
{
    int r = 0;
    for (size_t i = 0; i < n && r >= 0; i++) {
        for (size_t k = 0; k < ARRAY_LEN(alternatives[i].matches) && alternatives[i].matches[k] && r >= 0; k++)
            r = add_match(journal, arena, alternatives[i].matches[k], value);
        if (r >= 0)
            r = sd_journal_add_disjunction(journal);
    }
    return r < 0 ? r : sd_journal_add_conjunction(journal);
}

static int apply_filter(Journal *journal, Err *err)
{
    const JournalFilter *filter = &journal->filter;
    Arena *arena = journal->arena;
    sd_journal *j = journal->journal;
    sd_journal_flush_matches(j);
    int r = 0;
    if (filter->unit)
        r = add_alternatives(j, arena, unit_alternatives, ARRAY_LEN(unit_alternatives), filter->unit);
    if (r >= 0 && filter->invocation)
        r = add_alternatives(j, arena, invocation_alternatives, ARRAY_LEN(invocation_alternatives), filter->invocation);
    if (r >= 0 && filter->message_id)
        r = add_match(j, arena, "MESSAGE_ID=%s", filter->message_id);
    if (r >= 0 && filter->pid > 0)
        r = add_match(j, arena, "_PID=%s", arena_printf(arena, "%" PRIu32, filter->pid));
    if (r >= 0 && filter->kernel)
        r = add_match(j, arena, "_TRANSPORT=kernel", "");
    if (r >= 0 && filter->this_boot)
        r = add_match(j, arena, "_BOOT_ID=%s", journal->boot_id);
    return r < 0 ? journal_error(err, r, "filter") : 0;
}

int journal_filter(Journal *journal, const JournalFilter *filter, Err *err)
{
    Arena *arena = arena_new();
    JournalFilter kept = *filter;
    kept.unit = arena_strdup(arena, filter->unit);
    kept.invocation = arena_strdup(arena, filter->invocation);
    kept.message_id = arena_strdup(arena, filter->message_id);
    arena_free(journal->arena);
    journal->arena = arena;
    journal->filter = kept;
    return apply_filter(journal, err);
}

int journal_seek_realtime(Journal *journal, usec realtime, Err *err)
{
    int r = sd_journal_seek_realtime_usec(journal->journal, realtime);
    return r < 0 ? journal_error(err, r, "seek in") : 0;
}

int journal_seek_head(Journal *journal, Err *err)
{
    int r = sd_journal_seek_head(journal->journal);
    return r < 0 ? journal_error(err, r, "seek in") : 0;
}

/* After seek_tail the position is set by previous(): next() alone gives an entry from somewhere else. */
static int go_to_last(Journal *journal, Err *err)
{
    int r = sd_journal_seek_tail(journal->journal);
    if (r >= 0)
        r = sd_journal_previous(journal->journal);
    return r < 0 ? journal_error(err, r, "seek in") : r;
}

int journal_seek_tail(Journal *journal, Err *err)
{
    int r = go_to_last(journal, err);
    /* Nothing fits the filter yet: whatever will is new. */
    return r == 0 ? journal_seek_head(journal, err) : r < 0 ? r : 0;
}

/* Whether the entry of that cursor is still there, whatever the filter. Drops the filter. */
static int cursor_exists(Journal *journal, const char *cursor)
{
    sd_journal *j = journal->journal;
    sd_journal_flush_matches(j);
    int r = sd_journal_seek_cursor(j, cursor);
    if (r >= 0)
        r = sd_journal_next(j);
    return r > 0 ? sd_journal_test_cursor(j, cursor) : r;
}

int journal_seek_cursor(Journal *journal, const char *cursor, Err *err)
{
    sd_journal *j = journal->journal;
    int there = cursor_exists(journal, cursor);
    int r = apply_filter(journal, err);
    if (r < 0)
        return r;
    if (there == -EINVAL)
        return err_set(err, ERR_INVALID, "not a cursor of the journal: %s", cursor);
    r = there < 0 ? there : sd_journal_seek_cursor(j, cursor);
    if (r >= 0)
        r = sd_journal_next(j);
    /* The entry may not fit the filter: then we are at the next one that does, and step back before it. Without any,
     * the position stays "behind the cursor" for entries to come. */
    if (r > 0 && (r = sd_journal_test_cursor(j, cursor)) == 0) {
        r = sd_journal_previous(j);
        if (r == 0)
            r = sd_journal_seek_head(j);
    }
    if (r < 0)
        return journal_error(err, r, "seek in");
    return there > 0 ? 0 : JOURNAL_CURSOR_LOST;
}

static Bytes field(Journal *journal, Arena *arena, const char *name)
{
    const void *data;
    size_t len, prefix = strlen(name) + 1;
    if (sd_journal_get_data(journal->journal, name, &data, &len) < 0 || len < prefix)
        return (Bytes){"", 0};
    return bytes_dup(arena, (Bytes){(const char *)data + prefix, len - prefix});
}

/* The first of the fields that the entry has. */
static const char *first_of(Journal *journal, Arena *arena, const char *const *names)
{
    Bytes value = {"", 0};
    for (; *names && value.len == 0; names++)
        value = field(journal, arena, *names);
    return value.data;
}

static const struct {
    size_t offset;
    const char *names[4];
} text_fields[] = {
    {offsetof(JournalEntry, transport), {"_TRANSPORT"}},
    {offsetof(JournalEntry, message_id), {"MESSAGE_ID"}},
    {offsetof(JournalEntry, identifier), {"SYSLOG_IDENTIFIER"}},
    {offsetof(JournalEntry, unit), {"UNIT", "OBJECT_SYSTEMD_UNIT", "_SYSTEMD_UNIT"}},
    {offsetof(JournalEntry, invocation), {"INVOCATION_ID", "OBJECT_SYSTEMD_INVOCATION_ID", "_SYSTEMD_INVOCATION_ID"}},
    {offsetof(JournalEntry, unit_result), {"UNIT_RESULT"}},
    {offsetof(JournalEntry, exit_code), {"EXIT_CODE"}},
    {offsetof(JournalEntry, exit_status), {"EXIT_STATUS"}},
};

static void read_times(Journal *journal, JournalEntry *entry)
{
    sd_id128_t boot;
    uint64_t monotonic;
    char boot_id[33];
    sd_journal_get_realtime_usec(journal->journal, &entry->realtime);
    if (sd_journal_get_monotonic_usec(journal->journal, &monotonic, &boot) >= 0 &&
        str_equal(sd_id128_to_string(boot, boot_id), journal->boot_id))
        entry->monotonic = monotonic;
}

static const char *cursor_of(Journal *journal, Arena *arena)
{
    CLEANUP(mem_free) char *cursor = NULL;
    return sd_journal_get_cursor(journal->journal, &cursor) < 0 ? "" : arena_strdup(arena, cursor);
}

int journal_next(Journal *journal, Arena *arena, JournalEntry *ret_entry, Err *err)
{
    int r = sd_journal_next(journal->journal);
    if (r < 0)
        return journal_error(err, r, "read");
    if (r == 0)
        return JOURNAL_END;
    JournalEntry entry = {.priority = -1};
    read_times(journal, &entry);
    entry.message = field(journal, arena, "MESSAGE");
    Bytes priority = field(journal, arena, "PRIORITY");
    if (priority.len > 0)
        entry.priority = (int)strtol(priority.data, NULL, 10);
    entry.pid = (uint32_t)strtoul(field(journal, arena, "_PID").data, NULL, 10);
    for (size_t i = 0; i < ARRAY_LEN(text_fields); i++)
        *(const char **)((char *)&entry + text_fields[i].offset) = first_of(journal, arena, text_fields[i].names);
    if (str_equal(entry.message_id, MESSAGE_SUPPRESSED)) {
        entry.suppressed = strtoull(field(journal, arena, "N_DROPPED").data, NULL, 10);
        if (entry.suppressed == 0) /* older journalds only say it in the message */
            entry.suppressed = 1;
    }
    entry.cursor = cursor_of(journal, arena);
    *ret_entry = entry;
    return 0;
}

int journal_next_stamp(Journal *journal, usec *ret_realtime, int *ret_priority, Err *err)
{
    const void *data;
    size_t len;
    int r = sd_journal_next(journal->journal);
    if (r < 0)
        return journal_error(err, r, "read");
    if (r == 0)
        return JOURNAL_END;
    static const char prefix[] = "PRIORITY=";
    size_t skip = sizeof prefix - 1;
    *ret_priority = LOG_INFO; /* what journald takes a line without one for */
    if (sd_journal_get_data(journal->journal, "PRIORITY", &data, &len) >= 0 && len == skip + 1)
        *ret_priority = ((const char *)data)[skip] - '0';
    r = sd_journal_get_realtime_usec(journal->journal, ret_realtime);
    return r < 0 ? journal_error(err, r, "read") : 0;
}

/* "s=...;i=1a;..." (journal-fields): entries of one journal are numbered from 1 on, over rotations and reboots. */
static uint64_t number_of(const char *cursor)
{
    const char *at = strstr(cursor, ";i=");
    return at ? strtoull(at + 3, NULL, 16) : 0;
}

int journal_oldest(Journal *journal, usec *ret_realtime, bool *ret_vacuumed, Err *err)
{
    CLEANUP(arena_free) Arena *scratch = arena_new();
    sd_journal *j = journal->journal;
    sd_journal_flush_matches(j);
    int r = sd_journal_seek_head(j);
    if (r >= 0)
        r = sd_journal_next(j);
    if (r > 0)
        r = sd_journal_get_realtime_usec(j, ret_realtime);
    else if (r == 0)
        *ret_realtime = 0;
    if (r < 0)
        return journal_error(err, r, "read");
    *ret_vacuumed = number_of(cursor_of(journal, scratch)) > 1;
    return apply_filter(journal, err);
}

int journal_last_cursor(Journal *journal, Arena *arena, const char **ret_cursor, Err *err)
{
    int r = go_to_last(journal, err);
    if (r < 0)
        return r;
    *ret_cursor = r > 0 ? cursor_of(journal, arena) : NULL;
    return 0;
}

int journal_refresh(Journal *journal, Err *err)
{
    if (!look_at_places(journal))
        return 0;
    int r = open_files(journal);
    if (r < 0)
        return journal_error(err, r, "open");
    r = apply_filter(journal, err);
    return r < 0 ? r : JOURNAL_INVALIDATED;
}

int journal_sync(Err *err)
{
    return varlink_call("/run/systemd/journal/io.systemd.journal", "io.systemd.Journal.Synchronize", SYNC_TIMEOUT_USEC,
                        err);
}

void journal_tell(int priority, const char *run, const char *message)
{
    (void)sd_journal_send("PRIORITY=%i", priority, "SYSLOG_IDENTIFIER=salve", "SALVE_RUN=%s", run, "MESSAGE=%s",
                          message, NULL);
}
