/* SPDX-License-Identifier: Apache-2.0 */
/* The journal check: counts one kind of event in a unit's journal.
 *
 * The baseline looks back from the moment before anything is touched, and sees what salve's own probes cause while it
 * lasts: a sick host is judged again by the same probes. In the window lines are read from a cursor taken at its begin.
 * The journal is synchronised before that cursor is taken, and before the last look at either. A journal that cannot be
 * read, a cursor that is gone and lines that journald dropped make the count a lower bound, which is never a pass.
 */
#include <stdlib.h>

#include "check/count.h"
#include "check/journal-loss.h"
#include "check/kinds.h"
#include "host/journal.h"
#include "stack/log-event.h"

typedef struct JournalSpec {
    CheckCommon common;
    Value name, unit, event, no_more_than;
} JournalSpec;

static const Field journal_fields[] = {
    FIELD_WORD(JournalSpec, name, .no_references = true, .help = "What the check is called; made up where not given."),
    FIELD_UNIT(JournalSpec, unit, .default_text = "auto", .allow_auto = true,
               .help = "Whose journal; auto: the only Gunicorn service of the host."),
    FIELD_WORD(JournalSpec, event, .required = true, .help = "What to count, for example worker-timeout."),
    FIELD_SCALAR(JournalSpec, no_more_than, .required = true,
                 .help = "A number for the whole window, or baseline: as often as before the run."),
    CHECK_COMMON_FIELDS(JournalSpec),
    FIELDS_END,
};

/* One reading position: of the unit's lines, or of the kernel's for an oom-kill. */
typedef struct Reader {
    Journal *journal;
    const char *cursor; /* of the last line read; NULL: none yet */
    usec since;         /* where it began without a cursor; 0: at the head */
    bool kernel;
} Reader;

enum { READERS = 2, LOOK_EVERY_MSEC = 500 };

typedef struct JournalState {
    CheckContext *context;
    const char *name, *unit;
    const LogEventKind *kind;
    CountLimit limit;

    CheckPhase phase;
    usec began; /* where the look of this phase begins, realtime */
    Reader readers[READERS];
    size_t n_readers;
    LogCounter *counter;
    Count baseline, count; /* count: of the verification */
} JournalState;

static const char *journal_name(Arena *arena, const void *spec_)
{
    const JournalSpec *spec = spec_;
    if (value_is_set(&spec->name))
        return spec->name.text;
    return arena_printf(arena, "journal %s", spec->event.text);
}

static int journal_lint(const void *spec_, usec window_usec, usec interval_usec, Err *err)
{
    const JournalSpec *spec = spec_;
    const LogEventKind *kind;
    CountLimit limit;
    int r = log_event_kind_in(spec->event.text, LOG_JOURNAL, &kind, err);
    return r < 0 ? r : count_limit_parse(&spec->no_more_than, &limit, err);
}

static usec journal_window(const void *spec, usec interval_usec, usec longest_request_usec)
{
    return count_window(longest_request_usec);
}

static int journal_check_open(CheckContext *context, const void *spec_, void **ret_state, Err *err)
{
    const JournalSpec *spec = spec_;
    JournalState *state = arena_new_of(context->arena, JournalState);
    *state = (JournalState){.context = context, .name = journal_name(context->arena, spec), .unit = spec->unit.text};
    int r = log_event_kind_in(spec->event.text, LOG_JOURNAL, &state->kind, err);
    if (r < 0)
        return r;
    r = count_limit_parse(&spec->no_more_than, &state->limit, err);
    if (r < 0)
        return r;
    if (spec->unit.is_auto) {
        r = gunicorn_resolve_unit(context->view, "auto", &state->unit, err);
        if (r < 0)
            return r;
    }
    *ret_state = state;
    return 0;
}

static void close_readers(JournalState *state)
{
    for (size_t i = 0; i < state->n_readers; i++)
        journal_close(state->readers[i].journal);
    state->n_readers = 0;
}

static void journal_check_close(void *state)
{
    if (state)
        close_readers(state);
}

static Count *present(JournalState *state)
{
    return state->phase == CHECK_BASELINE ? &state->baseline : &state->count;
}

/* The first reason stands. */
static void note_problem(JournalState *state, const char *reason)
{
    Count *count = present(state);
    if (!count->problem)
        count->problem = reason;
}

/* Positions the reader at `since`, or behind all that is there for USEC_INFINITY. */
static int position(JournalState *state, Reader *reader, usec since, Err *err)
{
    if (since != USEC_INFINITY) {
        reader->since = since;
        return journal_seek_realtime(reader->journal, since, err);
    }
    int r = journal_last_cursor(reader->journal, state->context->arena, &reader->cursor, err);
    if (r < 0)
        return r;
    if (!reader->cursor)
        return journal_seek_head(reader->journal, err); /* all that comes is new */
    return journal_seek_cursor(reader->journal, reader->cursor, err);
}

static int open_reader(JournalState *state, bool kernel, usec since, Err *err)
{
    Reader *reader = &state->readers[state->n_readers];
    *reader = (Reader){.kernel = kernel};
    int r = journal_open(&reader->journal, err);
    if (r < 0)
        return r;
    state->n_readers++;
    const JournalFilter filter = {.unit = kernel ? NULL : state->unit, .kernel = kernel, .this_boot = kernel};
    r = journal_filter(reader->journal, &filter, err);
    if (r < 0)
        return r;
    return position(state, reader, since, err);
}

static int open_readers(JournalState *state, usec since, Err *err)
{
    /* What is on its way counts as old where the end of the journal is the beginning. */
    int r = since == USEC_INFINITY ? journal_sync(err) : 0;
    if (r < 0)
        return r;
    r = open_reader(state, false, since, err);
    if (r < 0)
        return r;
    return str_equal(state->kind->name, "oom-kill") ? open_reader(state, true, since, err) : 0;
}

typedef struct Line {
    JournalEntry entry;
    bool kernel;
} Line;

typedef VEC(Line) LineVec;

static int compare_lines(const void *a, const void *b)
{
    const Line *x = a, *y = b;
    return x->entry.realtime < y->entry.realtime ? -1 : x->entry.realtime > y->entry.realtime;
}

/* Files came or went: from the cursor on, where it still is. */
static int seek_again(JournalState *state, Reader *reader, Err *err)
{
    if (!reader->cursor)
        return journal_seek_realtime(reader->journal, reader->since, err);
    int r = journal_seek_cursor(reader->journal, reader->cursor, err);
    if (r == JOURNAL_CURSOR_LOST)
        note_problem(state, "the journal was rotated and lines are gone: raise SystemMaxUse= in journald.conf");
    return r < 0 ? r : 0;
}

static int read_lines(JournalState *state, Reader *reader, Arena *scratch, LineVec *lines, Err *err)
{
    int r = journal_refresh(reader->journal, err);
    if (r == JOURNAL_INVALIDATED)
        r = seek_again(state, reader, err);
    if (r < 0)
        return r;
    for (;;) {
        Line line = {.kernel = reader->kernel};
        r = journal_next(reader->journal, scratch, &line.entry, err);
        if (r != 0)
            break;
        *vec_push(scratch, lines) = line;
    }
    if (r > 0 && lines->n > 0 && lines->items[lines->n - 1].kernel == reader->kernel)
        reader->cursor = arena_strdup(state->context->arena, lines->items[lines->n - 1].entry.cursor);
    return r < 0 ? r : 0;
}

static void feed(JournalState *state, const Line *line)
{
    const JournalEntry *entry = &line->entry;
    if (entry->suppressed > 0)
        note_problem(state, "journald dropped lines of this unit (rate limit): raise LogRateLimitBurst= of the "
                            "unit to see all");
    const LogInput input = {
        .place = LOG_JOURNAL,
        .text = entry->message,
        .realtime = entry->realtime,
        .pid = entry->pid,
        .kernel = line->kernel,
        .message_id = entry->message_id,
        .cgroup = state->unit,
    };
    LogSeen seen;
    CheckContext *context = state->context;
    if (log_counter_feed(state->counter, &input, &seen) > 0 && state->phase == CHECK_VERIFY && context->on_sample)
        context->on_sample(context->user, state->name, (double)log_counter_events(state->counter), "", false,
                           seen.text);
}

/* Reads what there is now, in the order of time over all readers. */
static void read_all(JournalState *state)
{
    CLEANUP(arena_free) Arena *scratch = arena_new();
    LineVec lines = {0};
    for (size_t i = 0; i < state->n_readers; i++) {
        Err err;
        if (read_lines(state, &state->readers[i], scratch, &lines, &err) < 0)
            note_problem(state, arena_strdup(state->context->arena, err_text(&err)));
    }
    if (state->n_readers > 1 && lines.n > 1)
        qsort(lines.items, lines.n, sizeof *lines.items, compare_lines);
    VEC_EACH (line, &lines) {
        feed(state, line);
    }
    if (state->counter)
        present(state)->n = log_counter_events(state->counter);
}

static int journal_begin(void *state_, CheckPhase phase, usec window_usec, Err *err)
{
    JournalState *state = state_;
    close_readers(state);
    state->phase = phase;
    usec least = LOOK_BACK_LEAST_SEC * USEC_PER_SEC, since = USEC_INFINITY;
    Count count = {.span = window_usec};
    if (phase == CHECK_BASELINE) {
        count.span = window_usec > least ? window_usec : least;
        since = clock_realtime() - count.span;
    }
    state->began = since == USEC_INFINITY ? clock_realtime() : since;
    *present(state) = count;
    state->counter = log_counter_new(state->context->arena, state->kind);
    if (open_readers(state, since, err) < 0) {
        err_prefix(err, "cannot read the journal");
        note_problem(state, arena_strdup(state->context->arena, err_text(err)));
        close_readers(state);
    }
    return 0;
}

static int journal_poll(void *state_, usec now_boottime, usec *ret_next, Err *err)
{
    JournalState *state = state_;
    read_all(state);
    *ret_next = now_boottime + LOOK_EVERY_MSEC * USEC_PER_MSEC;
    return state->phase == CHECK_BASELINE || state->context->once;
}

static int journal_judge(void *state_, Arena *arena, bool closing, CheckResult *ret, Err *err)
{
    JournalState *state = state_;
    if (closing) {
        if (journal_sync(err) < 0)
            note_problem(state, arena_strdup(state->context->arena, err_text(err)));
        read_all(state);
        const char *loss = journal_loss(state->context->systemd, state->context->arena, state->unit, state->began);
        if (loss)
            note_problem(state, loss);
    }
    CountTrial trial = {
        .what = state->kind->name,
        .limit = state->limit,
        .count = *present(state),
        .baseline = state->phase == CHECK_VERIFY ? &state->baseline : NULL,
    };
    if (state->phase == CHECK_VERIFY)
        trial.count.span += state->context->over_usec;
    CheckResult result = {.name = state->name};
    count_judge(&trial, arena, &result);
    *ret = result;
    return 0;
}

const CheckKind check_journal = {
    .name = "journal",
    .help = "Counts an event in a unit's journal.",
    .fields = journal_fields,
    .spec_size = sizeof(JournalSpec),
    .judges_change = true,
    .name_of = journal_name,
    .lint = journal_lint,
    .window = journal_window,
    .open = journal_check_open,
    .begin = journal_begin,
    .poll = journal_poll,
    .judge = journal_judge,
    .close = journal_check_close,
};
