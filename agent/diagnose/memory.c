/* SPDX-License-Identifier: Apache-2.0 */
/* Findings about memory: oom-kill and memory-pressure. */
#include "diagnose/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/kinds.h"
#include "host/journal.h"
#include "host/proc.h"
#include "stack/live.h"

enum {
    AFTER_TIMEOUT_SEC = 3, /* the arbiter's own SIGKILL follows its WORKER TIMEOUT by up to about 2 s */
    AFTER_STOP_SEC = 120,  /* ... and a stop or reload by graceful_timeout */
    MOST_KERNEL_LINES = 10000,
};

static const double some_avg60_most = 10, full_avg60_most = 5;

/* The number behind `mark`; 0 where it is not there. */
static uint32_t number_after(const char *text, const char *mark)
{
    const char *at = strstr(text, mark);
    return at ? (uint32_t)strtoul(at + strlen(mark), NULL, 10) : 0;
}

/* Whether task_memcg names the unit's group or one below it. */
static bool in_group(const char *text, const char *unit)
{
    static const char mark[] = "task_memcg=";
    const char *path = strstr(text, mark);
    if (!path)
        return false;
    path += sizeof mark - 1;
    size_t end = strcspn(path, ","), len = strlen(unit);
    for (const char *at = strstr(path, unit); at && (size_t)(at - path) + len <= end; at = strstr(at + 1, unit)) {
        if (at > path && at[-1] == '/' && (at[len] == '/' || (size_t)(at - path) + len == end))
            return true;
    }
    return false;
}

void oom_lines_of(Arena *arena, const KernelLineVec *kernel, const char *unit, KernelLineVec *ret)
{
    KernelLineVec found = {0};
    VEC(uint32_t) pids = {0};
    VEC_EACH (line, kernel) {
        bool constraint = strstr(line->text, "oom-kill:") && in_group(line->text, unit);
        uint32_t killed = number_after(line->text, "Killed process ");
        if (constraint)
            *vec_push(arena, &pids) = number_after(line->text, ",pid=");
        bool ours = constraint;
        VEC_EACH (pid, &pids) {
            ours = ours || (killed > 0 && *pid == killed);
        }
        if (ours)
            *vec_push(arena, &found) = *line;
    }
    *ret = found;
}

/* What explains a SIGKILL. A line explains one, of its own worker where it names one; only a stop ends all workers that
 * there are. Signals that end no worker (usr1, ttin) explain nothing. */
typedef enum Explains { EXPLAINS_NOTHING, EXPLAINS_ONE, EXPLAINS_ALL } Explains;

static Explains explains(const EventLine *line)
{
    static const char *const all[] = {"term", "int", "quit"}, *const one[] = {"hup", "ttou", "winch"};
    if (line->event == LOG_WORKER_TIMEOUT)
        return EXPLAINS_ONE;
    if (line->event == LOG_SHUTTING_DOWN)
        return EXPLAINS_ALL;
    for (size_t i = 0; line->event == LOG_HANDLING_SIGNAL && i < ARRAY_LEN(all); i++) {
        if (strcmp(line->detail, all[i]) == 0)
            return EXPLAINS_ALL;
        if (strcmp(line->detail, one[i]) == 0)
            return EXPLAINS_ONE;
    }
    return EXPLAINS_NOTHING;
}

/* Whether the worker booted between the two lines: then the first one was not about it. */
static bool booted_between(const EventLineVec *lines, size_t from, size_t to, uint32_t pid)
{
    for (size_t i = from + 1; i < to; i++) {
        if (lines->items[i].event == LOG_WORKER_BOOTING && lines->items[i].pid == pid)
            return true;
    }
    return false;
}

/* used: per line, whether it explained a SIGKILL already. */
static bool explained(const EventLineVec *lines, size_t kill, bool *used)
{
    const EventLine *killed = &lines->items[kill];
    for (size_t i = kill; i-- > 0;) {
        const EventLine *line = &lines->items[i];
        usec before = killed->realtime > line->realtime ? killed->realtime - line->realtime : 0;
        if (before > AFTER_STOP_SEC * USEC_PER_SEC)
            return false;
        Explains how = explains(line);
        bool timeout = line->event == LOG_WORKER_TIMEOUT;
        bool of_another = timeout && (line->pid != killed->pid || before > AFTER_TIMEOUT_SEC * USEC_PER_SEC);
        if (how == EXPLAINS_NOTHING || of_another || (how == EXPLAINS_ONE && used[i]) ||
            booted_between(lines, i, kill, killed->pid))
            continue;
        used[i] = true;
        return true;
    }
    return false;
}

/* Some versions log a death twice. */
static bool is_repeated(const EventLineVec *lines, size_t kill)
{
    const EventLine *killed = &lines->items[kill];
    for (size_t i = kill; i-- > 0 && lines->items[i].realtime + USEC_PER_SEC >= killed->realtime;) {
        const EventLine *line = &lines->items[i];
        if (line->event == LOG_WORKER_SIGNALED && line->pid == killed->pid && line->signal == killed->signal)
            return true;
    }
    return false;
}

void sigkills_of(Arena *arena, const EventLineVec *lines, EventLineVec *ret)
{
    EventLineVec found = {0};
    bool *used = arena_alloc(arena, lines->n + 1);
    memset(used, 0, lines->n + 1);
    for (size_t i = 0; i < lines->n; i++) {
        const EventLine *line = &lines->items[i];
        bool killed = line->event == LOG_WORKER_SIGNALED && line->signal == 9 && !is_repeated(lines, i);
        if (killed && !explained(lines, i, used))
            *vec_push(arena, &found) = *line;
    }
    *ret = found;
}

bool version_logs_signals(const char *version)
{
    unsigned major = 0, minor = 0;
    return version && sscanf(version, "%u.%u", &major, &minor) == 2 && (major > 20 || (major == 20 && minor >= 1));
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part * 100 / (double)whole : 0;
}

static const char *stalled(Arena *arena, const char *who, const Pressure *pressure)
{
    if (!pressure || (pressure->some_avg60 < some_avg60_most && pressure->full_avg60 < full_avg60_most))
        return NULL;
    return arena_printf(arena, "%s waited for memory %.0f%% of the last minute (all tasks at once: %.0f%%)", who,
                        pressure->some_avg60, pressure->full_avg60);
}

const char *memory_pressure_of(Arena *arena, const MemoryInfo *info, const Pressure *host, const Pressure *unit)
{
    double available = percent(info->available, info->total);
    double swap_used = 100 - percent(info->swap_free, info->swap_total);
    bool swap_full = info->swap_total > 0 && swap_used >= SWAP_FULL_PERCENT;
    if (available < AVAILABLE_LOW_PERCENT)
        return arena_printf(arena, "only %.1f%% of the memory is available", available);
    if (available < AVAILABLE_SCARCE_PERCENT && swap_full)
        return arena_printf(arena, "only %.1f%% of the memory is available, and %.0f%% of the swap is in use",
                            available, swap_used);
    const char *reason = stalled(arena, "the service", unit);
    return reason ? reason : stalled(arena, "tasks on this host", host);
}

/* Kernel lines since then; *ret_visible: the journal shows kernel lines of this boot at all. Containers do not. */
static int kernel_lines(FindingContext *context, usec since, KernelLineVec *ret, bool *ret_visible, Err *err)
{
    CLEANUP(journal_close) Journal *journal = NULL;
    CLEANUP(arena_free) Arena *scratch = arena_new();
    KernelLineVec lines = {0};
    int r = journal_open(&journal, err);
    if (r < 0)
        return r;
    const JournalFilter filter = {.kernel = true, .this_boot = true};
    r = journal_filter(journal, &filter, err);
    if (r < 0)
        return r;
    const char *cursor;
    r = journal_last_cursor(journal, scratch, &cursor, err);
    if (r < 0)
        return r;
    r = journal_seek_realtime(journal, since, err);
    JournalEntry entry;
    while (r == 0 && lines.n < MOST_KERNEL_LINES && (r = journal_next(journal, scratch, &entry, err)) == 0)
        *vec_push(context->arena, &lines) = (KernelLine){entry.realtime, printable(context->arena, entry.message, 300)};
    if (r < 0)
        return r;
    *ret = lines;
    *ret_visible = cursor != NULL;
    return 0;
}

/* systemd's own lines: a process of the unit was killed by the OOM killer, or the unit failed of it. */
static int systemd_lines(FindingContext *context, usec since, KernelLineVec *ret, Err *err)
{
    static const char *const ids[] = {MESSAGE_UNIT_OOM, MESSAGE_UNIT_FAILED};
    CLEANUP(journal_close) Journal *journal = NULL;
    CLEANUP(arena_free) Arena *scratch = arena_new();
    KernelLineVec lines = {0};
    int r = journal_open(&journal, err);
    for (size_t i = 0; r >= 0 && i < ARRAY_LEN(ids); i++) {
        const JournalFilter filter = {.unit = context->unit, .message_id = ids[i]};
        r = journal_filter(journal, &filter, err);
        if (r == 0)
            r = journal_seek_realtime(journal, since, err);
        JournalEntry entry;
        while (r == 0 && (r = journal_next(journal, scratch, &entry, err)) == 0) {
            if (i == 0 || str_equal(entry.unit_result, "oom-kill"))
                *vec_push(context->arena, &lines) =
                    (KernelLine){entry.realtime, printable(context->arena, entry.message, 300)};
        }
    }
    if (r < 0)
        return r;
    *ret = lines;
    return 0;
}

static void add_lines(FindingContext *context, Finding *finding, const KernelLineVec *lines, const char *source)
{
    VEC_EACH (line, lines) {
        finding_add_evidence(context->arena, finding,
                             arena_printf(context->arena, "%s %s: %s", usec_to_local(context->arena, line->realtime),
                                          source, line->text));
    }
}

/* What the service's control group counted; only where it began within the time looked at, since it has no times. */
static void add_counter(FindingContext *context, const LiveUnit *unit, usec since, Finding *ret, bool *ret_counts)
{
    const char *cgroup;
    CgroupMemory memory;
    Err err;
    *ret_counts = false;
    if (unit->main_pid == 0 || proc_cgroup("", context->arena, unit->main_pid, &cgroup, &err) < 0 ||
        cgroup_memory("", cgroup, &memory, &err) != 0 || memory.oom_kill == UINT64_MAX)
        return;
    *ret_counts = true;
    if (memory.oom_kill == 0 || unit->start < since)
        return;
    finding_add_evidence(context->arena, ret,
                         arena_printf(context->arena, "%s %s: %" PRIu64 " killed since the service started",
                                      usec_to_local(context->arena, unit->start), cgroup, memory.oom_kill));
}

/* Without kernel lines and counters Gunicorn's own lines can still say that no worker died of a SIGKILL. */
static int judge_by_sigkills(FindingContext *context, usec since, Finding *ret, Err *err)
{
    const GunicornFacts *facts;
    EventLineVec lines, kills;
    const char *version;
    int r = gunicorn_load(context->view, context->unit, &facts, err);
    if (r == GUNICORN_NOT)
        return err_set(err, ERR_REFUSED, "%s does not run Gunicorn, and this host shows no kernel lines",
                       context->unit);
    if (r == 0)
        r = gunicorn_lines(context, facts, since, NULL, &lines, err);
    if (r == 0)
        r = live_gunicorn_version(context->live, context->arena, context->unit, &version, err);
    if (r < 0)
        return r;
    if (!version_logs_signals(version))
        return err_set(err, ERR_REFUSED,
                       "this host shows no kernel lines and no memory.events, and this Gunicorn does "
                       "not log how workers die");
    sigkills_of(context->arena, &lines, &kills);
    VEC_EACH (line, &kills) {
        finding_add_evidence(context->arena, ret, event_line_show(context->arena, line));
    }
    if (kills.n > 0) {
        ret->state = FINDING_UNKNOWN;
        ret->summary = arena_printf(
            context->arena, "%zu worker%s died of SIGKILL, and this host shows no kernel lines that would say why",
            kills.n, kills.n == 1 ? "" : "s");
        ret->advice = "Look at the kernel log outside of the container (dmesg | grep -i oom).";
        return 0;
    }
    ret->state = FINDING_ABSENT;
    ret->summary = "kernel log not readable here, but no worker died of an unexplained SIGKILL";
    return 0;
}

static int examine_oom_kill(FindingContext *context, const FindingSpec *spec, Finding *ret, Err *err)
{
    usec back = finding_since(ret->kind, spec), since = clock_realtime() - back;
    if (!context->live)
        return err_set(err, ERR_REFUSED, "a tree has no kernel log");
    LiveUnit unit;
    KernelLineVec kernel = {0}, ours = {0}, systemd = {0};
    bool visible = false, counts = false;
    int r = live_unit(context->live, context->arena, context->unit, &unit, err);
    if (r == 0)
        r = kernel_lines(context, since, &kernel, &visible, err);
    if (r == 0)
        r = systemd_lines(context, since, &systemd, err);
    if (r < 0)
        return r;
    oom_lines_of(context->arena, &kernel, context->unit, &ours);
    add_lines(context, ret, &systemd, "systemd");
    add_lines(context, ret, &ours, "kernel");
    if (str_equal(unit.result, "oom-kill"))
        finding_add_evidence(context->arena, ret, "systemd: Result=oom-kill");
    add_counter(context, &unit, since, ret, &counts);
    if (ret->evidence.n > 0) {
        ret->state = FINDING_PRESENT;
        ret->summary = arena_printf(context->arena, "the OOM killer struck in %s in %s", context->unit,
                                    finding_last(context->arena, back));
        ret->advice =
            "Fix the memory first: fewer workers (salve run gunicorn-workers), max_requests against leaks, or "
            "more memory. OOMPolicy=continue keeps one killed worker from stopping the service.";
        return 0;
    }
    if (!visible && !counts)
        return judge_by_sigkills(context, since, ret, err);
    ret->state = FINDING_ABSENT;
    ret->summary = arena_printf(context->arena, "no OOM kill in %s", finding_last(context->arena, back));
    return 0;
}

const FindingKind finding_oom_kill = {
    .name = "oom-kill",
    .help = "The kernel's OOM killer ended processes of the service.",
    .default_since_usec = USEC_PER_HOUR,
    .examine = examine_oom_kill,
};

/* The pressure in the service's group; false where it is not told. */
static bool unit_pressure(FindingContext *context, Pressure *ret)
{
    LiveUnit unit;
    const char *cgroup;
    Err err;
    return live_unit(context->live, context->arena, context->unit, &unit, &err) == 0 && unit.main_pid > 0 &&
           proc_cgroup("", context->arena, unit.main_pid, &cgroup, &err) == 0 &&
           pressure_read("", cgroup, PRESSURE_MEMORY, ret, &err) == 0;
}

static int examine_memory_pressure(FindingContext *context, const FindingSpec *spec, Finding *ret, Err *err)
{
    Arena *arena = context->arena;
    if (!context->live)
        return err_set(err, ERR_REFUSED, "a tree has no memory");
    MemoryInfo info;
    Pressure host, unit;
    int r = memory_info("", &info, err);
    if (r < 0)
        return r;
    Err ignored;
    bool host_told = pressure_read("", NULL, PRESSURE_MEMORY, &host, &ignored) == 0;
    bool unit_told = unit_pressure(context, &unit);
    const char *reason = memory_pressure_of(arena, &info, host_told ? &host : NULL, unit_told ? &unit : NULL);
    ret->state = reason ? FINDING_PRESENT : FINDING_ABSENT;
    ret->summary =
        reason ? reason : arena_printf(arena, "%.0f%% of the memory is available", percent(info.available, info.total));
    finding_add_evidence(arena, ret,
                         arena_printf(arena, "%s /proc/meminfo: %" PRIu64 " MiB of %" PRIu64 " MiB available",
                                      usec_to_local(arena, clock_realtime()), info.available >> 20, info.total >> 20));
    if (host_told)
        finding_add_evidence(arena, ret,
                             arena_printf(arena, "/proc/pressure/memory: some avg60=%.2f, full avg60=%.2f",
                                          host.some_avg60, host.full_avg60));
    if (reason)
        ret->advice = "Find what takes the memory and fix that first; more workers or longer timeouts make it worse.";
    return 0;
}

const FindingKind finding_memory_pressure = {
    .name = "memory-pressure",
    .help = "The host or the service is short of memory now.",
    .examine = examine_memory_pressure,
};
