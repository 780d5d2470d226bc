/* SPDX-License-Identifier: Apache-2.0 */
#include "report/status.h"

#include <stdio.h>

#include "report/history.h"
#include "report/ink.h"
#include "report/record-json.h"
#include "report/secret.h"
#include "report/text.h"

static void add_hot(Ink *ink, const StatusReport *report)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const LockHolder *holder = report->holder;
    if (holder)
        ink_printf(ink, INK_BOLD, "busy       %s (process %llu, since %s)\n",
                   holder->what[0] ? holder->what : "the lock", (unsigned long long)holder->pid,
                   usec_to_local(arena, holder->since));
    if (report->hot_error)
        ink_printf(ink, INK_RED, "hot        CANNOT BE TOLD: %s\n", report->hot_error);
    if (report->hot_error && !holder)
        ink_text(ink, INK_PLAIN,
                 "           a run may have been interrupted; end it, or hear what to look at: salve recover\n");
    if (!report->hot)
        return;
    ink_printf(ink, holder ? INK_YELLOW : INK_RED, "hot        run %s is %s\n", report->hot->run_id,
               hot_phase_to_string(report->hot->phase));
    if (!holder)
        ink_printf(ink, INK_PLAIN, "           nothing carries it any more; finish it: salve recover\n");
}

/* The deadline of the hot file counts on the clock since boot. */
static void add_waiting(Ink *ink, const RunRecord *run, const Hot *hot)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    usec now = clock_boottime();
    if (hot && hot->deadline > now && str_equal(hot->run_id, run->id))
        ink_printf(ink, INK_PLAIN, "           rolled back unless it is confirmed by %s\n",
                   usec_to_local(arena, clock_realtime() + hot->deadline - now));
    ink_printf(ink, INK_PLAIN,
               "           keep it:                 salve confirm %s\n"
               "           or roll it back:         salve cancel %s\n",
               run->id, run->id);
}

static void add_unfinished(Ink *ink, const StatusReport *report)
{
    VEC_EACH (run, &report->unfinished) {
        bool stuck = run->state == RUN_STUCK;
        ink_printf(ink, stuck ? INK_RED : INK_YELLOW, "%-10s run %s (%s)%s%s\n", run_state_to_string(run->state),
                   run->id, run->playbook ? run->playbook : "", run->reason ? ": " : "",
                   run->reason ? run->reason : "");
        if (stuck)
            ink_printf(ink, INK_PLAIN,
                       "           look at it:              salve show %s --diff\n"
                       "           roll it back once more:  salve recover --again\n"
                       "           or, once it is right:    salve recover --acknowledge\n",
                       run->id);
        if (run->state == RUN_CONFIRMING)
            add_waiting(ink, run, report->hot);
    }
}

static void add_hold(Ink *ink, const Hold *hold)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    ink_printf(ink, INK_YELLOW, "held       by %s since %s", hold->who ? hold->who : "somebody",
               usec_to_local(arena, hold->since));
    if (hold->until != USEC_INFINITY)
        ink_printf(ink, INK_YELLOW, " until %s", usec_to_local(arena, hold->until));
    ink_printf(ink, INK_PLAIN, "%s%s\n           end it: salve release\n", hold->reason ? ": " : "",
               hold->reason ? hold->reason : "");
}

static void add_quarantine(Ink *ink, const RunRecordVec *quarantine)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    VEC_EACH (run, quarantine)
        ink_printf(ink, INK_YELLOW, "quarantine %s, rolled back %s by run %s: %s\n", run->playbook ? run->playbook : "",
                   usec_to_local(arena, run->ended), run->id,
                   run->reason ? secret_mask_text(arena, run->reason) : "no reason recorded");
    if (quarantine->n)
        ink_text(ink, INK_PLAIN, "           not tried again as it is: change its inputs, or: salve run --force\n");
}

static void add_end(Ink *ink, const Temporary *temporary)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    const RunRecord *run = &temporary->run->record, *by = temporary->by;
    const char *until = usec_to_local(arena, run->until);
    switch (temporary->state) {
    case TEMPORARY_RUNNING: ink_printf(ink, INK_YELLOW, " until %s\n", until); return;
    case TEMPORARY_DUE:
        ink_printf(ink, INK_YELLOW, " is over since %s", until);
        if (by)
            ink_printf(ink, INK_RED, "; its end, run %s, was %s%s%s; tried again at %s", by->id,
                       run_state_to_string(by->state), by->reason ? ": " : "", by->reason ? by->reason : "",
                       usec_to_local(arena, temporary->next));
        ink_printf(ink, INK_PLAIN, "%s\n", by ? "" : "; what keeps it: journalctl -u salve-due.service");
        return;
    case TEMPORARY_WAITING:
        ink_printf(ink, INK_YELLOW, " until %s, but not before run %s has ended\n", until, by->id);
        return;
    case TEMPORARY_SUPERSEDED:
        ink_printf(ink, INK_PLAIN, " was to end at %s: run %s changed the same files for good, so it stays\n", until,
                   by->id);
        return;
    case TEMPORARY_GIVEN_UP:
        ink_printf(ink, INK_RED,
                   " is over since %s and did NOT end: run %s was %s%s%s\n"
                   "           look at it, then end it:  salve rollback --force %s\n",
                   until, by->id, run_state_to_string(by->state), by->reason ? ": " : "", by->reason ? by->reason : "",
                   run->id);
        return;
    }
}

static void add_temporaries(Ink *ink, const StatusReport *report)
{
    VEC_EACH (temporary, &report->temporaries) {
        const RunRecord *run = &temporary->run->record;
        ink_printf(ink, temporary->state == TEMPORARY_GIVEN_UP ? INK_RED : INK_YELLOW, "temporary  run %s (%s)",
                   run->id, run->playbook ? run->playbook : "");
        add_end(ink, temporary);
    }
}

static void add_drift(Ink *ink, const StatusReport *report)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    if (!report->last_good) {
        ink_text(ink, INK_PLAIN, "last good  none: no run was kept on this host yet\n");
        return;
    }
    ink_printf(ink, INK_PLAIN, "last good  run %s (%s), kept %s\n", report->last_good->id,
               report->last_good->playbook ? report->last_good->playbook : "",
               usec_to_local(arena, report->last_good->ended));
    if (report->drift_error)
        ink_printf(ink, INK_RED, "drift      cannot be told: %s\n", report->drift_error);
    else if (report->drift.n == 0)
        ink_printf(ink, INK_GREEN, "drift      none: %zu file%s as the kept runs left %s\n", report->managed,
                   report->managed == 1 ? " is" : "s are", report->managed == 1 ? "it" : "them");
    if (report->drift.n == 0)
        return;
    ink_printf(ink, INK_YELLOW, "drift      %zu file%s changed since then (salve status --diff):\n", report->drift.n,
               report->drift.n == 1 ? "" : "s");
    history_files(&report->drift, ink->colour, ink->out);
}

void status_show(const StatusReport *report, bool colour, StrBuf *out)
{
    Ink ink = {out, colour};
    if (!report->hot && !report->hot_error && !report->holder && report->unfinished.n == 0 && !report->hold)
        ink_text(&ink, INK_GREEN, "idle       nothing is under way, nothing is stuck\n");
    add_hot(&ink, report);
    add_unfinished(&ink, report);
    if (report->hold)
        add_hold(&ink, report->hold);
    add_quarantine(&ink, &report->quarantine);
    add_temporaries(&ink, report);
    add_drift(&ink, report);
}

Node *status_json(Arena *arena, const StatusReport *report)
{
    Node *map = node_map(arena);
    Node *hot = node_set(arena, map, "hot", report->hot ? node_map(arena) : node_null(arena));
    if (report->hot) {
        node_set_text(arena, hot, "run", report->hot->run_id);
        node_set_text(arena, hot, "phase", hot_phase_to_string(report->hot->phase));
        node_set_int(arena, hot, "attempts", report->hot->attempts);
        if (report->hot->deadline)
            node_set_int(arena, hot, "deadline_boottime_usec", (int64_t)report->hot->deadline);
    }
    if (report->hot_error)
        node_set_text(arena, map, "hot_error", report->hot_error);
    Node *holder = node_set(arena, map, "lock", report->holder ? node_map(arena) : node_null(arena));
    if (report->holder) {
        node_set_int(arena, holder, "pid", (int64_t)report->holder->pid);
        node_set_text(arena, holder, "what", report->holder->what);
        node_set_text(arena, holder, "since", usec_to_rfc3339(arena, report->holder->since));
    }
    node_set(arena, map, "hold", report->hold ? json_of_hold(arena, report->hold) : node_null(arena));
    Node *unfinished = node_set(arena, map, "unfinished", node_seq(arena));
    VEC_EACH (run, &report->unfinished) {
        node_add(arena, unfinished, json_of_run(arena, run));
    }
    Node *quarantine = node_set(arena, map, "quarantine", node_seq(arena));
    VEC_EACH (run, &report->quarantine)
        node_add(arena, quarantine, json_of_run(arena, run));
    Node *temporaries = node_set(arena, map, "temporary", node_seq(arena));
    VEC_EACH (temporary, &report->temporaries) {
        Node *item = node_add(arena, temporaries, node_map(arena));
        node_set_text(arena, item, "run", temporary->run->record.id);
        node_set_text(arena, item, "playbook", temporary->run->record.playbook);
        node_set_text(arena, item, "state", temporary_state_to_string(temporary->state));
        node_set_text(arena, item, "until", usec_to_rfc3339(arena, temporary->run->record.until));
        node_set_text(arena, item, "by", temporary->by ? temporary->by->id : NULL);
    }
    node_set(arena, map, "last_good", report->last_good ? json_of_run(arena, report->last_good) : node_null(arena));
    if (report->drift_error)
        node_set_text(arena, map, "drift_error", report->drift_error);
    node_set(arena, map, "drift", history_files_json(arena, &report->drift, false));
    return map;
}
