/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/live-reread.h"

#include <string.h>

#include "host/journal.h"
#include "stack/log-tail.h"

enum { LARGEST_TAIL = 16 * 1024 * 1024, LINES_PER_ARENA = 1000 };

/* systemd says "Reloaded" when kill(1) is done, and the master forks a moment later or, being quick, before. */
#define RELOAD_PRECISION_USEC (1 * USEC_PER_SEC)

/* --- the evidence */

static bool is_hup(LogSource source, Bytes text, LogLine *line)
{
    return log_line_parse(source, text, line) == 1 && line->event == LOG_HANDLING_SIGNAL && line->text.len == 3 &&
           memcmp(line->text.data, "hup", 3) == 0;
}

/* Calls for each entry since a realtime. */
typedef void (*SeeEntry)(const JournalEntry *entry, RereadEvidence *evidence);

static void see_line(const JournalEntry *entry, RereadEvidence *evidence)
{
    LogLine line;
    if (is_hup(LOG_SOURCE_GUNICORN, entry->message, &line))
        evidence->hup = entry->realtime;
}

static void see_reload(const JournalEntry *entry, RereadEvidence *evidence)
{
    evidence->reloaded = entry->realtime;
}

static void look_in_journal(const JournalFilter *filter, SeeEntry see, RereadEvidence *evidence)
{
    CLEANUP(journal_close) Journal *journal = NULL;
    Err ignored; /* no evidence */
    int r = journal_open(&journal, &ignored);
    if (r >= 0)
        r = journal_filter(journal, filter, &ignored);
    if (r >= 0)
        r = journal_seek_realtime(journal, evidence->changed, &ignored);
    while (r == 0) {
        CLEANUP(arena_free) Arena *scratch = arena_new();
        JournalEntry entry;
        for (int i = 0; i < LINES_PER_ARENA && (r = journal_next(journal, scratch, &entry, &ignored)) == 0; i++)
            see(&entry, evidence);
    }
}

typedef struct Search {
    pid_t master;
    RereadEvidence *evidence;
} Search;

static void see_file_line(Bytes text, usec realtime, void *user)
{
    const Search *search = user;
    LogLine line;
    if (is_hup(LOG_SOURCE_GUNICORN, text, &line) && line.writer == (uint32_t)search->master)
        search->evidence->hup = realtime;
}

static bool reload_is_hup(const GunicornFacts *facts)
{
    const char *command = unit_value(facts->unit, "Service", "ExecReload");
    return command && strstr(command, "HUP");
}

void reread_look(Live *live, Arena *arena, const GunicornFacts *facts, const LiveUnit *unit, usec changed,
                 RereadEvidence *ret)
{
    RereadEvidence evidence = {.changed = changed};
    Err ignored; /* no evidence */
    VEC_EACH (worker, &unit->workers) {
        if (evidence.oldest_worker == 0 || worker->start < evidence.oldest_worker)
            evidence.oldest_worker = worker->start;
        evidence.two_masters = evidence.two_masters || live_is_master(live, worker->pid);
    }
    const JournalFilter by_master = {.unit = unit->name, .pid = (uint32_t)unit->main_pid};
    const JournalFilter by_systemd = {.unit = unit->name, .message_id = MESSAGE_UNIT_RELOADED};
    look_in_journal(&by_master, see_line, &evidence);
    if (reload_is_hup(facts))
        look_in_journal(&by_systemd, see_reload, &evidence);
    Search search = {unit->main_pid, &evidence};
    LogTail tail;
    if (facts->error_log)
        (void)log_tail(LOG_SOURCE_GUNICORN, facts->error_log, changed, LARGEST_TAIL, see_file_line, &search, &tail,
                       &ignored);
    if (live_written_files(live, arena, unit->main_pid, &evidence.written, &ignored) < 0)
        evidence.written.n = 0;
    *ret = evidence;
}

/* --- what a HUP does not take over */

static const char *const only_at_start[] = {
    "access_log_format",
    "backlog",
    "capture_output",
    "daemon",
    "disable_redirect_access_to_syslog",
    "dogstatsd_tags",
    "enable_stdio_inheritance",
    "logconfig",
    "logconfig_dict",
    "logconfig_json",
    "logger_class",
    "reuse_port",
    "statsd_host",
    "statsd_prefix",
    "syslog",
    "syslog_addr",
    "syslog_facility",
    "syslog_prefix",
    "umask",
};

static bool is_file(const char *path)
{
    return path && path[0] == '/';
}

/* A log is as the file says where the master writes to it; "-" where the master writes to no file that no log names. */
static bool is_running_log(const GunicornFacts *facts, const GunicornValue *value, const StringVec *written)
{
    if (is_file(value->value))
        return strings_contain(written, value->value);
    const char *error = gunicorn_value(facts, "errorlog")->value, *access = gunicorn_value(facts, "accesslog")->value;
    VEC_EACH (path, written) {
        bool named = (is_file(error) && str_equal(error, *path)) || (is_file(access) && str_equal(access, *path));
        if (!named)
            return false;
    }
    return true;
}

static bool is_set_by_file(const GunicornValue *value)
{
    return value->origin == GUNICORN_FROM_FILE;
}

/* The first setting of the file of which a HUP does not prove that it is what runs; NULL: there is none. */
static const char *unproved_setting(const GunicornFacts *facts, const RereadEvidence *evidence)
{
    static const char *const logs[] = {"errorlog", "accesslog"};
    for (size_t i = 0; i < ARRAY_LEN(only_at_start); i++) {
        if (gunicorn_setting(only_at_start[i]) && is_set_by_file(gunicorn_value(facts, only_at_start[i])))
            return only_at_start[i];
    }
    for (size_t i = 0; i < ARRAY_LEN(logs); i++) {
        const GunicornValue *value = gunicorn_value(facts, logs[i]);
        if (is_set_by_file(value) && (value->dynamic || !is_running_log(facts, value, &evidence->written)))
            return logs[i];
    }
    /* The line about the HUP is of the level info, so it was seen under info or debug. */
    const GunicornValue *level = gunicorn_value(facts, "loglevel");
    bool shown = evidence->hup > evidence->changed && level->value && str_equal(level->value, "info");
    return is_set_by_file(level) && !shown ? "loglevel" : NULL;
}

Reread reread_judge(Arena *arena, const GunicornFacts *facts, const RereadEvidence *evidence, const char **ret_why)
{
    *ret_why = "";
    if (evidence->two_masters) {
        *ret_why = "two masters run, one below the other (USR2)";
        return REREAD_UNKNOWN;
    }
    bool all_younger = evidence->oldest_worker > evidence->changed;
    bool reloaded = evidence->reloaded > evidence->changed && all_younger &&
                    evidence->oldest_worker + RELOAD_PRECISION_USEC >= evidence->reloaded;
    if (evidence->hup <= evidence->changed && !reloaded) {
        *ret_why = "its workers are younger, and no line of the log says whether a HUP made them so";
        return all_younger ? REREAD_UNKNOWN : REREAD_NEVER;
    }
    const char *setting = unproved_setting(facts, evidence);
    if (!setting)
        return REREAD_DONE;
    *ret_why = arena_printf(arena, "a HUP read it again, but %s= in it counts only from a start on", setting);
    return REREAD_UNKNOWN;
}
