/* SPDX-License-Identifier: Apache-2.0 */
#include "report/live.h"

#include <stdio.h>
#include <string.h>

#include "report/secret.h"

enum { BAR_COLUMNS = 24, LINE_MAX_BYTES = 4096 };

static LiveCheck *check_of(LiveView *view, const char *name)
{
    for (size_t i = 0; i < view->n_checks; i++) {
        if (str_equal(view->checks[i].name, name))
            return &view->checks[i];
    }
    if (!name || view->n_checks == LIVE_MAX_CHECKS)
        return NULL;
    LiveCheck *check = &view->checks[view->n_checks++];
    *check = (LiveCheck){0};
    snprintf(check->name, sizeof check->name, "%s", name);
    return check;
}

static void take_sample(LiveView *view, const Event *event)
{
    LiveCheck *check = check_of(view, event->subject);
    if (!check)
        return;
    CLEANUP(strbuf_free) StrBuf number = STRBUF_INIT(100);
    text_number(&number, event->value, event->unit);
    snprintf(check->sample, sizeof check->sample, "%s", strbuf_str(&number));
    check->samples++;
    check->bad += !event->ok;
}

static void take_verdict(LiveView *view, const Event *event)
{
    LiveCheck *check = check_of(view, event->subject);
    if (!check)
        return;
    check->judged = event->verdict;
    check->has_verdict = true;
    CLEANUP(arena_free) Arena *arena = arena_new();
    snprintf(check->verdict, sizeof check->verdict, "%s", event->text ? secret_mask_text(arena, event->text) : "");
}

static void take(LiveView *view, const Event *event)
{
    view->now = event->realtime;
    view->state = event->state;
    if (event->kind == EVENT_STATE) {
        /* Each phase counts for itself: a baseline's samples say nothing about the verification. */
        view->n_checks = 0;
        view->wait_total = 0;
    } else if (event->kind == EVENT_SAMPLE) {
        take_sample(view, event);
    } else if (event->kind == EVENT_VERDICT) {
        take_verdict(view, event);
    } else if (event->kind == EVENT_WAIT) {
        view->wait_done = event->duration_usec;
        view->wait_total = event->total_usec;
        snprintf(view->wait_subject, sizeof view->wait_subject, "%s", event->subject ? event->subject : "");
    } else if (event->kind == EVENT_END) {
        view->ended = true;
    }
}

/* Rows that the drawn lines take at this width, which may be smaller than the one they were drawn for. */
static size_t rows_drawn(const LiveView *view, size_t columns)
{
    size_t rows = 0;
    for (size_t i = 0; i < view->n_drawn; i++)
        rows += view->drawn[i] > columns ? (view->drawn[i] + columns - 1) / columns : 1;
    return rows;
}

static void wipe(LiveView *view, size_t columns, StrBuf *out)
{
    size_t rows = rows_drawn(view, columns);
    if (rows)
        strbuf_printf(out, "\033[%zuA\r\033[J", rows);
    view->n_drawn = 0;
}

static void draw_line(LiveView *view, const StrBuf *line, size_t columns, StrBuf *out)
{
    /* The last column stays free: a terminal may wrap there. */
    size_t room = columns > 1 ? columns - 1 : 1, width = ink_width(strbuf_str(line));
    ink_clip(out, strbuf_str(line), room);
    strbuf_add_str(out, "\n");
    view->drawn[view->n_drawn++] = width < room ? width : room;
}

static void draw_status(LiveView *view, size_t columns, StrBuf *out)
{
    CLEANUP(strbuf_free) StrBuf line = STRBUF_INIT(LINE_MAX_BYTES);
    CLEANUP(arena_free) Arena *arena = arena_new();
    Ink ink = {&line, view->text.colour};
    usec elapsed = view->now > view->text.began ? view->now - view->text.began : 0;
    ink_printf(&ink, INK_DIM, "%7.1fs  ", (double)elapsed / (double)USEC_PER_SEC);
    ink_text(&ink, text_colour_of_state(view->state), run_state_to_string(view->state));
    if (view->text.step[0])
        ink_printf(&ink, INK_PLAIN, "  %s ...", view->text.step);
    if (view->wait_total) {
        usec done = view->wait_done < view->wait_total ? view->wait_done : view->wait_total;
        size_t filled = (size_t)(done * BAR_COLUMNS / view->wait_total);
        char bar[BAR_COLUMNS + 1] = "";
        memset(bar, '#', filled);
        ink_text(&ink, INK_PLAIN, "  [");
        ink_text(&ink, INK_CYAN, bar);
        ink_printf(&ink, INK_PLAIN, "%*s] %s of %s", (int)(BAR_COLUMNS - filled), "", usec_to_string(arena, done),
                   usec_to_string(arena, view->wait_total));
    }
    draw_line(view, &line, columns, out);
}

static void draw_check(LiveView *view, const LiveCheck *check, int name_columns, size_t columns, StrBuf *out)
{
    CLEANUP(strbuf_free) StrBuf line = STRBUF_INIT(LINE_MAX_BYTES);
    Ink ink = {&line, view->text.colour};
    ink_printf(&ink, INK_PLAIN, "            %-*s  ", name_columns, check->name);
    if (check->has_verdict)
        ink_printf(&ink, text_colour_of_verdict(check->judged), "%-12s  ", verdict_to_string(check->judged));
    else
        ink_printf(&ink, INK_DIM, "%-12s  ", "...");
    ink_printf(&ink, INK_PLAIN, "%-9s", check->sample);
    ink_printf(&ink, check->bad ? INK_RED : INK_DIM, " %zu sample%s%s", check->samples, check->samples == 1 ? "" : "s",
               check->bad ? ", bad " : "");
    if (check->bad)
        ink_printf(&ink, INK_RED, "%zu", check->bad);
    if (check->has_verdict && check->judged != VERDICT_PASS)
        ink_printf(&ink, INK_PLAIN, "  %s", check->verdict);
    draw_line(view, &line, columns, out);
}

void live_event(LiveView *view, const Event *event, size_t columns, StrBuf *out)
{
    columns = columns ? columns : 80;
    view->text.waits_shown_elsewhere = true;
    wipe(view, columns, out);
    take(view, event);
    text_event(&view->text, event, out);
    if (view->ended)
        return;
    draw_status(view, columns, out);
    int name_columns = 8;
    for (size_t i = 0; i < view->n_checks; i++) {
        size_t width = ink_width(view->checks[i].name);
        if (width > (size_t)name_columns)
            name_columns = (int)(width < 40 ? width : 40);
    }
    for (size_t i = 0; i < view->n_checks; i++)
        draw_check(view, &view->checks[i], name_columns, columns, out);
}

void live_end(LiveView *view, size_t columns, StrBuf *out)
{
    wipe(view, columns ? columns : 80, out);
}
