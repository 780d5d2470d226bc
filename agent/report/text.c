/* SPDX-License-Identifier: Apache-2.0 */
#include "report/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/secret.h"

#define WAIT_EVERY (15 * USEC_PER_SEC)

InkColour text_colour_of_verdict(Verdict verdict)
{
    return verdict == VERDICT_PASS ? INK_GREEN : verdict == VERDICT_FAIL ? INK_RED : INK_YELLOW;
}

InkColour text_colour_of_state(RunState state)
{
    static const InkColour colours[RUN_STATE_COUNT] = {
        [RUN_KEPT] = INK_GREEN,         [RUN_ROLLING_BACK] = INK_YELLOW, [RUN_RESTORED] = INK_YELLOW,
        [RUN_ROLLED_BACK] = INK_YELLOW, [RUN_STUCK] = INK_RED,           [RUN_REFUSED] = INK_YELLOW,
        [RUN_FAILED] = INK_RED,
    };
    return state < RUN_STATE_COUNT && colours[state] ? colours[state] : INK_BOLD;
}

void text_number(StrBuf *out, double value, const char *unit)
{
    if (value == floor(value) && fabs(value) < 1e15)
        strbuf_printf(out, "%.0f", value);
    else
        strbuf_printf(out, fabs(value) >= 100 ? "%.0f" : "%.3g", value);
    if (unit && *unit)
        strbuf_printf(out, strlen(unit) <= 2 ? "%s" : " %s", unit);
}

/* The line's head: seconds since the run began, then the indentation of what belongs to a state. */
static void add_head(const TextReport *report, Ink *ink, const Event *event, bool is_state)
{
    usec elapsed = event->realtime > report->began ? event->realtime - report->began : 0;
    ink_printf(ink, INK_DIM, "%7.1fs", (double)elapsed / (double)USEC_PER_SEC);
    ink_text(ink, INK_PLAIN, is_state ? "  " : "    ");
}

static void add_duration(Ink *ink, Arena *arena, usec duration)
{
    if (duration)
        ink_printf(ink, INK_DIM, " (%s)", usec_to_string(arena, duration));
}

static void step_end(TextReport *report, Ink *ink, Arena *arena, const Event *event, const char *text)
{
    bool failed = event->kind == EVENT_STEP_FAILED;
    const char *result = text && *text ? text : failed ? "failed" : "ok";
    add_head(report, ink, event, false);
    const char *step = event->subject ? event->subject : report->step;
    if (*step)
        ink_printf(ink, INK_PLAIN, "%s: ", step);
    ink_text(ink, failed ? INK_RED : INK_PLAIN, result);
    add_duration(ink, arena, event->duration_usec);
    ink_text(ink, INK_PLAIN, "\n");
    report->step[0] = 0;
}

static void add_state(TextReport *report, Ink *ink, const Event *event, const char *text)
{
    add_head(report, ink, event, true);
    ink_text(ink, text_colour_of_state(event->state), run_state_to_string(event->state));
    if (text && *text)
        ink_printf(ink, INK_PLAIN, ": %s", text);
    ink_text(ink, INK_PLAIN, "\n");
}

static void add_sample(TextReport *report, Ink *ink, const Event *event, const char *text)
{
    CLEANUP(strbuf_free) StrBuf number = STRBUF_INIT(100);
    text_number(&number, event->value, event->unit);
    add_head(report, ink, event, false);
    ink_text(ink, event->ok ? INK_DIM : INK_RED, event->ok ? "sample  " : "bad     ");
    ink_printf(ink, INK_PLAIN, "%s: %s%s%s\n", event->subject ? event->subject : "", strbuf_str(&number),
               text && *text ? " " : "", text ? text : "");
}

/* Whether that verdict of the check was shown already since the run entered its state; remembers it. A rollback and a
 * wait judge the checks again and again. */
static bool was_told(TextReport *report, const Event *event)
{
    uint64_t check = 14695981039346656037u; /* FNV-1a */
    for (const char *c = event->subject ? event->subject : ""; *c; c++)
        check = (check ^ (unsigned char)*c) * 1099511628211u;
    for (size_t i = 0; i < report->n_told; i++) {
        TextTold *told = &report->told[i];
        if (told->check != check)
            continue;
        bool same = told->verdict == event->verdict;
        told->verdict = event->verdict;
        return same;
    }
    if (report->n_told < TEXT_TOLD_MAX)
        report->told[report->n_told++] = (TextTold){check, event->verdict};
    return false;
}

static void add_verdict(TextReport *report, Ink *ink, const Event *event, const char *text)
{
    add_head(report, ink, event, false);
    ink_printf(ink, text_colour_of_verdict(event->verdict), "%-4s  ", verdict_to_string(event->verdict));
    ink_printf(ink, INK_PLAIN, "%s%s%s\n", event->subject ? event->subject : "", text && *text ? ": " : "",
               text ? text : "");
}

static void add_message(TextReport *report, Ink *ink, const Event *event, const char *text)
{
    bool warning = event->kind == EVENT_WARNING;
    add_head(report, ink, event, false);
    ink_text(ink, warning ? INK_YELLOW : INK_DIM, warning ? "warning  " : "note  ");
    if (event->subject)
        ink_printf(ink, INK_PLAIN, "%s: ", event->subject);
    ink_printf(ink, INK_PLAIN, "%s\n", text ? text : "");
}

static void add_wait(TextReport *report, Ink *ink, Arena *arena, const Event *event, const char *text)
{
    bool due = event->realtime >= report->last_wait + WAIT_EVERY;
    if (report->waits_shown_elsewhere || !due)
        return;
    bool first = event->duration_usec == 0; /* the state's own line has just said that it begins */
    report->last_wait = event->realtime;
    if (first)
        return;
    add_head(report, ink, event, false);
    ink_printf(ink, INK_DIM, "%s: %s of %s\n", event->subject ? event->subject : run_state_to_string(event->state),
               usec_to_string(arena, event->duration_usec), usec_to_string(arena, event->total_usec));
}

void text_event(TextReport *report, const Event *event, StrBuf *out)
{
    static const TextDetail least[] = {
        [EVENT_STATE] = TEXT_NORMAL,      [EVENT_STEP] = TEXT_VERBOSE,   [EVENT_STEP_DONE] = TEXT_NORMAL,
        [EVENT_STEP_FAILED] = TEXT_QUIET, [EVENT_SAMPLE] = TEXT_VERBOSE, [EVENT_VERDICT] = TEXT_NORMAL,
        [EVENT_NOTE] = TEXT_NORMAL,       [EVENT_WARNING] = TEXT_QUIET,  [EVENT_WAIT] = TEXT_NORMAL,
        [EVENT_END] = TEXT_QUIET,
    };
    CLEANUP(arena_free) Arena *arena = arena_new();
    Ink ink = {out, report->colour};
    const char *text = secret_mask_text(arena, event->text);
    /* A run begins when it is planned; guards and the question came before. */
    if (!report->began || (event->kind == EVENT_STATE && event->state == RUN_PLANNED))
        report->began = report->last_wait = event->realtime;
    if (event->kind == EVENT_STEP)
        snprintf(report->step, sizeof report->step, "%s", text ? text : "");
    if (event->kind == EVENT_STATE)
        report->n_told = 0;
    if (event->kind == EVENT_VERDICT && was_told(report, event) && report->detail < TEXT_VERBOSE)
        return;
    if (report->detail < least[event->kind])
        return;
    switch (event->kind) {
    case EVENT_STATE:
        /* The end of a run has an event of its own, which tells the reason as well. */
        if (!run_state_terminal(event->state))
            add_state(report, &ink, event, text);
        break;
    case EVENT_END: add_state(report, &ink, event, text); break;
    case EVENT_STEP:
        add_head(report, &ink, event, false);
        ink_printf(&ink, INK_DIM, "%s ...\n", report->step);
        break;
    case EVENT_STEP_DONE:
    case EVENT_STEP_FAILED: step_end(report, &ink, arena, event, text); break;
    case EVENT_SAMPLE: add_sample(report, &ink, event, text); break;
    case EVENT_VERDICT: add_verdict(report, &ink, event, text); break;
    case EVENT_NOTE:
    case EVENT_WARNING: add_message(report, &ink, event, text); break;
    case EVENT_WAIT: add_wait(report, &ink, arena, event, text); break;
    }
}
