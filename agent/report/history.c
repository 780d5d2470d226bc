/* SPDX-License-Identifier: Apache-2.0 */
#include "report/history.h"

#include <stdio.h>
#include <string.h>

#include "data/json.h"
#include "report/record-json.h"
#include "report/secret.h"
#include "report/text.h"

enum { REPORT_MAX = 64 << 20 };

static const char *took(Arena *arena, const RunRecord *run)
{
    return run->ended > run->created ? usec_to_string(arena, run->ended - run->created) : "-";
}

static size_t widest(size_t so_far, const char *text)
{
    size_t width = ink_width(text ? text : "");
    return width > so_far ? width : so_far;
}

static void add_cell(Ink *ink, InkColour colour, const char *text, size_t columns)
{
    ink_text(ink, colour, text ? text : "");
    for (size_t i = ink_width(text ? text : ""); i < columns + 2; i++)
        strbuf_add_char(ink->out, ' ');
}

void history_table(const RunRecordVec *runs, bool colour, StrBuf *out)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Ink ink = {out, colour};
    size_t id = 3, playbook = 8, time = 4;
    VEC_EACH (run, runs) {
        id = widest(id, run->id);
        playbook = widest(playbook, run->playbook);
        time = widest(time, took(arena, run));
    }
    add_cell(&ink, INK_BOLD, "RUN", id);
    add_cell(&ink, INK_BOLD, "BEGAN", 19);
    add_cell(&ink, INK_BOLD, "TOOK", time);
    add_cell(&ink, INK_BOLD, "STATE", 12);
    add_cell(&ink, INK_BOLD, "PLAYBOOK", playbook);
    ink_text(&ink, INK_BOLD, "REASON\n");
    VEC_EACH (run, runs) {
        add_cell(&ink, INK_PLAIN, run->id, id);
        add_cell(&ink, INK_PLAIN, usec_to_local(arena, run->created), 19);
        add_cell(&ink, INK_PLAIN, took(arena, run), time);
        add_cell(&ink, text_colour_of_state(run->state), run_state_to_string(run->state), 12);
        add_cell(&ink, INK_PLAIN, run->playbook, playbook);
        ink_printf(&ink, INK_PLAIN, "%s\n", run->reason ? secret_mask_text(arena, run->reason) : "");
    }
}

static void add_fact(Ink *ink, const char *name, const char *text)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    if (!text || !*text)
        return;
    ink_printf(ink, INK_DIM, "%-13s", name);
    ink_printf(ink, INK_PLAIN, "%s\n", secret_mask_text(arena, text));
}

static void add_values(Ink *ink, Arena *arena, const char *values)
{
    Node *root;
    Err err;
    if (!values || json_parse(arena, "values", bytes_of(values), &root, &err) < 0)
        return;
    CLEANUP(strbuf_free) StrBuf line = STRBUF_INIT(REPORT_MAX);
    for (size_t i = 0; i < root->pairs.n; i++) {
        const NodePair *pair = &root->pairs.items[i];
        strbuf_printf(&line, "%s%s=%s", i ? " " : "", pair->key->text, pair->value->text ? pair->value->text : "");
    }
    add_fact(ink, "values", strbuf_str(&line));
}

static void add_record(Ink *ink, const RunRecord *run)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    ink_printf(ink, INK_DIM, "%-13s", "run");
    ink_printf(ink, INK_BOLD, "%s\n", run->id);
    ink_printf(ink, INK_DIM, "%-13s", "state");
    ink_printf(ink, text_colour_of_state(run->state), "%s\n", run_state_to_string(run->state));
    add_fact(ink, "reason", run->reason);
    add_fact(ink, "playbook", run->playbook);
    add_values(ink, arena, run->values);
    add_fact(ink, "host", run->target);
    add_fact(ink, "began", usec_to_local(arena, run->created));
    add_fact(ink, "ended", run->ended ? usec_to_local(arena, run->ended) : NULL);
    add_fact(ink, "took", run->ended ? took(arena, run) : NULL);
    add_fact(ink, "started by", run->user);
    add_fact(ink, "trigger", run->origin);
    add_fact(ink, "undoes", run->undoes);
    add_fact(ink, "temporary", run->until ? arena_printf(arena, "until %s", usec_to_local(arena, run->until)) : NULL);
    add_fact(ink, "verification", run->thoroughness);
    add_fact(ink, "snapshot", run->commit);
}

static int kind_of(const char *name)
{
    for (int kind = 0; kind <= EVENT_END; kind++) {
        if (str_equal(event_kind_to_string((EventKind)kind), name))
            return kind;
    }
    return -1;
}

/* Verdicts have a table of their own, and of waits and samples only the live view wants to know. */
static void add_timeline(const RunReport *report, bool colour, StrBuf *out)
{
    TextReport text = {.detail = TEXT_NORMAL, .colour = colour, .began = report->run.created};
    VEC_EACH (past, &report->events) {
        int kind = kind_of(past->kind);
        if (kind < 0 || kind == EVENT_VERDICT || kind == EVENT_WAIT || kind == EVENT_SAMPLE)
            continue;
        Event event = {.kind = (EventKind)kind, .realtime = past->realtime, .state = past->state};
        event.subject = past->subject;
        event.text = past->text;
        event.duration_usec = past->duration_usec;
        text_event(&text, &event, out);
    }
}

static void add_verdicts(Ink *ink, const LedgerVerdictVec *verdicts)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    size_t phase = 5, check = 5;
    VEC_EACH (verdict, verdicts) {
        phase = widest(phase, verdict->phase);
        check = widest(check, verdict->check);
    }
    VEC_EACH (verdict, verdicts) {
        bool pass = str_equal(verdict->verdict, "pass"), fail = str_equal(verdict->verdict, "fail");
        ink_text(ink, INK_PLAIN, "  ");
        add_cell(ink, INK_DIM, verdict->phase, phase);
        add_cell(ink, pass ? INK_GREEN : fail ? INK_RED : INK_YELLOW, verdict->verdict, 12);
        add_cell(ink, INK_PLAIN, verdict->check, check);
        ink_printf(ink, INK_PLAIN, "%s\n", verdict->reason ? secret_mask_text(arena, verdict->reason) : "");
    }
}

void history_files(const EditVec *edits, bool colour, StrBuf *out)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Ink ink = {out, colour};
    VEC_EACH (edit, edits) {
        const char *verb = edit->before.type == FILE_ABSENT  ? "create"
                           : edit->after.type == FILE_ABSENT ? "delete"
                                                             : "change";
        ink_printf(&ink, INK_PLAIN, "  %s %s", verb, edit->path);
        if (str_equal(verb, "change"))
            ink_printf(&ink, INK_DIM, " (%s)", file_state_difference(arena, &edit->before, &edit->after));
        ink_text(&ink, INK_PLAIN, "\n");
    }
}

static void add_foreign(Ink *ink, const RunReport *report)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    ink_text(ink, INK_BOLD, "\nConflicts\n");
    VEC_EACH (foreign, &report->foreign)
        ink_printf(ink, INK_PLAIN, "  %s was changed by somebody else; to bring their version back:\n    %s\n",
                   foreign->path, foreign_command(arena, report->state_dir, foreign));
}

void history_show(const RunReport *report, bool with_diff, const DiffOptions *options, StrBuf *out)
{
    Ink ink = {out, options->colour};
    add_record(&ink, &report->run);
    if (report->events.n) {
        ink_text(&ink, INK_BOLD, "\nTimeline\n");
        add_timeline(report, options->colour, out);
    }
    if (report->verdicts.n) {
        ink_text(&ink, INK_BOLD, "\nVerdicts\n");
        add_verdicts(&ink, &report->verdicts);
    }
    if (report->foreign.n)
        add_foreign(&ink, report);
    if (report->snapshot_error)
        ink_printf(&ink, INK_RED, "\nThe snapshot cannot be read: %s\n", report->snapshot_error);
    if (!report->snapshot)
        return;
    ink_text(&ink, INK_BOLD, "\nFiles\n");
    if (report->snapshot->edits.n == 0)
        ink_text(&ink, INK_PLAIN, "  none\n");
    history_files(&report->snapshot->edits, options->colour, out);
    if (with_diff && report->snapshot->edits.n) {
        ink_text(&ink, INK_PLAIN, "\n");
        diff_edits(&report->snapshot->edits, options, out);
    }
}

Node *history_files_json(Arena *arena, const EditVec *edits, bool with_diff)
{
    Node *seq = node_seq(arena);
    VEC_EACH (edit, edits) {
        Node *map = node_add(arena, seq, node_map(arena));
        node_set_text(arena, map, "path", edit->path);
        node_set_text(arena, map, "before", file_type_to_string(edit->before.type));
        node_set_text(arena, map, "after", file_type_to_string(edit->after.type));
        node_set_text(arena, map, "difference", file_state_difference(arena, &edit->before, &edit->after));
        if (!with_diff)
            continue;
        CLEANUP(strbuf_free) StrBuf diff = STRBUF_INIT(REPORT_MAX);
        diff_edit(edit, &(DiffOptions){.context = 3}, &diff);
        node_set_text(arena, map, "diff", strbuf_str(&diff));
    }
    return seq;
}

Node *history_show_json(Arena *arena, const RunReport *report, bool with_diff)
{
    Node *map = json_of_run(arena, &report->run);
    node_set(arena, map, "events", json_of_ledger_events(arena, &report->events));
    node_set(arena, map, "verdicts", json_of_verdicts(arena, &report->verdicts));
    node_set(arena, map, "samples", json_of_samples(arena, &report->samples));
    Node *conflicts = node_set(arena, map, "conflicts", node_seq(arena));
    VEC_EACH (foreign, &report->foreign) {
        Node *conflict = node_add(arena, conflicts, node_map(arena));
        node_set_text(arena, conflict, "path", foreign->path);
        node_set_text(arena, conflict, "commit", foreign->commit);
        node_set_text(arena, conflict, "bring_back", foreign_command(arena, report->state_dir, foreign));
    }
    if (report->snapshot)
        node_set(arena, map, "files", history_files_json(arena, &report->snapshot->edits, with_diff));
    return map;
}
