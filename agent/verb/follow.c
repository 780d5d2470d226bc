/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/follow.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "data/json.h"
#include "report/event-json.h"
#include "report/outcome.h"
#include "report/pulse.h"
#include "run/state.h"
#include "store/runtime.h"
#include "store/trail-reader.h"
#include "verb/carried.h"
#include "verb/carry.h"

#define RECOVERY_UNIT  "salve-recover.service"
#define RECOVERY_TIMER "salve-recover.timer"

/* How often a wait is shown to go on. */
#define PULSE_EVERY USEC_PER_SEC

/* How often we look for somebody who works on the run while its trail is silent because its writer has gone. */
#define LOOK_EVERY (500 * USEC_PER_MSEC)

enum { STATUS_LEFT = 1, TEXT_MAX = 64 << 20 };

typedef struct Follower {
    VerbContext *context;
    Systemd *systemd;
    const char *run_id;
    FollowMode mode;
    TrailReader *reader;
    Stream *stream;
    Pulse pulse;
    sigset_t waiting; /* the signals that are open while we wait */
    int status;       /* -1: the run goes on */
} Follower;

static volatile sig_atomic_t asked;

static void on_signal(int number)
{
    asked = number;
}

/* The signals come only while we wait, so that none is missed. */
static void take_signals(Follower *follower)
{
    static const int taken[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction take = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
    sigset_t blocked;
    sigemptyset(&blocked);
    for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
        struct sigaction old;
        sigaction(taken[i], NULL, &old);
        if (old.sa_handler == SIG_IGN) /* nohup(1) and background jobs of a shell mean it */
            continue;
        sigaction(taken[i], &take, NULL);
        sigaddset(&blocked, taken[i]);
    }
    sigaction(SIGPIPE, &ignore, NULL);
    sigprocmask(SIG_BLOCK, &blocked, &follower->waiting);
}

static void print(const StrBuf *text)
{
    Err ignored; /* an output that broke changes nothing */
    verb_print(text, &ignored);
}

/* --- Lines --- */

static void show_plan(Follower *follower, Node *line)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(TEXT_MAX);
    const Globals *globals = follower->context->globals;
    bool over = str_equal(node_get_text(line, "event"), "nothing-to-do");
    if (over)
        follower->status = 0;
    if (globals->json || (globals->quiet && !over))
        return;
    stream_rest(follower->stream);
    const char *rendered = node_get_text(line, PLAN_RENDERED);
    strbuf_add_str(&text, rendered ? rendered : "");
    print(&text);
}

static int exit_status_of(const Node *line)
{
    int64_t status;
    return node_to_int(node_get(line, "exit_status"), &status) && status >= 0 && status < 128 ? (int)status : 1;
}

static void show_record(Follower *follower, Node *line)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(TEXT_MAX);
    const char *name = node_get_text(line, "state");
    int state = name ? run_state_from_string(name) : -1;
    follower->status = exit_status_of(line);
    if (follower->context->globals->json || state < 0)
        return;
    stream_rest(follower->stream);
    RunRecord run = {.id = follower->run_id,
                     .state = (RunState)state,
                     .commit = node_get_text(line, "commit"),
                     .reason = node_get_text(line, "reason")};
    node_to_bool(node_get(line, "restarts_only"), &run.restarts_only);
    const char *until = node_get_text(line, "until");
    if (until && !usec_from_rfc3339(until, &run.until))
        run.until = 0;
    outcome_show(&run, follower->context->colour, &text);
    print(&text);
}

/* There was no run. */
static void show_error(Follower *follower, Node *line)
{
    const char *text = node_get_text(line, "error");
    follower->status = exit_status_of(line);
    stream_rest(follower->stream);
    log_error("%s", text ? text : "the run could not begin");
    runtime_remove(follower->context->settings->runtime_dir,
                   arena_printf(follower->context->arena, "%s.events", follower->run_id));
}

static void emit(Follower *follower, const Event *event)
{
    EventSink sink = stream_sink(follower->stream);
    sink.emit(sink.user, event);
}

/* The trail is silent, and its writer waits. */
static void show_pulse(Follower *follower)
{
    Event event;
    if (pulse_now(&follower->pulse, clock_realtime(), clock_boottime(), &event))
        emit(follower, &event);
}

static void show_event(Follower *follower, Node *line)
{
    Event event;
    Err ignored; /* a torn line: the disk was full */
    if (follower->context->globals->json || event_from_json(line, &event, &ignored) < 0)
        return;
    pulse_take(&follower->pulse, &event, clock_realtime(), clock_boottime());
    emit(follower, &event);
}

static const struct {
    const char *event;
    void (*show)(Follower *follower, Node *line);
} kinds[] = {
    {"plan", show_plan},
    {"nothing-to-do", show_plan},
    {"record", show_record},
    {"error", show_error},
};

/* For machines a line is what it is, but for the words that were meant for people. */
static void print_line(Node *line)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(TEXT_MAX);
    for (size_t i = 0; i < line->pairs.n; i++) {
        if (str_equal(line->pairs.items[i].key->text, PLAN_RENDERED))
            line->pairs.items[i--] = line->pairs.items[--line->pairs.n];
    }
    json_print(line, JSON_COMPACT, &text);
    strbuf_add_char(&text, '\n');
    print(&text);
}

static void show_line(Follower *follower, Bytes bytes)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Node *line;
    Err ignored;
    if (json_parse(arena, "the trail", bytes, &line, &ignored) < 0 || line->kind != NODE_MAP)
        return; /* torn: the disk was full */
    const char *event = node_get_text(line, "event");
    size_t i = 0;
    while (i < ARRAY_LEN(kinds) && !str_equal(kinds[i].event, event))
        i++;
    (i < ARRAY_LEN(kinds) ? kinds[i].show : show_event)(follower, line);
    if (follower->context->globals->json)
        print_line(line);
}

static int show_lines(Follower *follower, Err *err)
{
    Bytes line;
    int r;
    while (follower->status < 0 && (r = trail_reader_next(follower->reader, &line, err)) == 0)
        show_line(follower, line);
    return follower->status < 0 && r < 0 ? r : 0;
}

/* --- Whether anybody works on the run --- */

static bool unit_is_busy(Follower *follower, const char *unit)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    UnitStatus status;
    Err ignored; /* no systemd, no unit */
    return follower->systemd && systemd_unit_status(follower->systemd, arena, unit, &status, &ignored) == 0 &&
           !str_equal(status.active_state, "inactive") && !str_equal(status.active_state, "failed");
}

static bool somebody_works(Follower *follower)
{
    LockHolder holder;
    Err ignored;
    return unit_is_busy(follower, carried_unit(follower->context->arena, follower->run_id)) ||
           unit_is_busy(follower, RECOVERY_UNIT) ||
           lock_holder(follower->context->settings->state_dir, &holder, &ignored) == 0;
}

/* Nobody does, and the trail has no end: the ledger decides. Where the recovery failed the timer starts it again. */
static int conclude(Follower *follower, Err *err)
{
    VerbContext *context = follower->context;
    CLEANUP(store_close) Store store = {0};
    RunRecord run;
    int r = store_open_read(context->settings->state_dir, &store, err);
    if (r >= 0)
        r = store.ledger ? ledger_find(store.ledger, context->arena, follower->run_id, &run, err) : -ERR_NOT_FOUND;
    if (r == -ERR_NOT_FOUND)
        return err_set(err, ERR_FAILED, "run %s ended before it began; see: journalctl -u %s", follower->run_id,
                       carried_unit(context->arena, follower->run_id));
    if (r < 0)
        return r;
    if (!run_state_terminal(run.state) && unit_is_busy(follower, RECOVERY_TIMER))
        return 0;
    if (!run_state_terminal(run.state))
        return err_set(err, ERR_FAILED, "run %s was interrupted while it was %s, and nobody finishes it: salve recover",
                       run.id, run_state_to_string(run.state));
    Node *record = carrier_record(context->arena, &run);
    show_record(follower, record);
    if (context->globals->json)
        print_line(record);
    return 0;
}

/* --- Leaving --- */

static void say_how_to_return(Follower *follower)
{
    stream_rest(follower->stream);
    follower->status = STATUS_LEFT;
    log_text("The run goes on without this terminal.\nnext: salve show %s --follow\n", follower->run_id);
    if (follower->mode == FOLLOW_OURS)
        log_text("      salve cancel %s\n", follower->run_id);
}

static void ask_for_rollback(Follower *follower)
{
    Err err;
    if (systemd_kill_main(follower->systemd, carried_unit(follower->context->arena, follower->run_id), SIGTERM, &err) <
        0)
        log_text("%s\n", err_text(&err));
}

/* A second Ctrl-C, or a terminal that is gone, is the wish to leave. */
static void ask(Follower *follower)
{
    char answer[16];
    stream_rest(follower->stream);
    log_text("\nThe run goes on whatever happens to this terminal.\n"
             "  d  detach: leave it alone; salve show --follow comes back\n"
             "  r  roll back: put everything back now\n"
             "  w  watch on\n[d/r/w] ");
    struct pollfd person = {.fd = STDIN_FILENO, .events = POLLIN};
    asked = 0;
    bool answered = ppoll(&person, 1, NULL, &follower->waiting) > 0;
    ssize_t n = answered ? read(STDIN_FILENO, answer, sizeof answer) : -1;
    if (n > 0 && *answer == 'r')
        ask_for_rollback(follower);
    else if (n > 0 && *answer == 'w')
        log_text("Watching on.\n");
    else
        say_how_to_return(follower);
}

static void leave(Follower *follower)
{
    bool terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO) && !follower->context->globals->json;
    if (asked == SIGHUP)
        follower->status = STATUS_LEFT;
    else if (asked == SIGINT && terminal && follower->mode == FOLLOW_OURS)
        ask(follower);
    else
        say_how_to_return(follower);
    asked = 0;
}

/* What is written comes first: mostly it is the end, and then nobody needs to be asked. Who left may have written until
 * then, so that is read before anything is concluded. */
static int catch_up(Follower *follower, bool left, Err *err)
{
    int r = show_lines(follower, err);
    if (r < 0 || follower->status >= 0 || !left || somebody_works(follower))
        return r;
    r = show_lines(follower, err);
    return r < 0 || follower->status >= 0 ? r : conclude(follower, err);
}

static int follow(Follower *follower, Err *err)
{
    bool left = true; /* nobody was seen at work yet */
    for (;;) {
        TrailNews news;
        int r = catch_up(follower, left, err);
        if (r < 0 || follower->status >= 0)
            return r < 0 ? r : follower->status;
        usec limit = left ? LOOK_EVERY : follower->pulse.waits ? PULSE_EVERY : USEC_INFINITY;
        r = trail_reader_wait(follower->reader, limit, &follower->waiting, &news, err);
        if (r < 0)
            return r;
        if (news == TRAIL_QUIET && !left)
            show_pulse(follower);
        if (asked)
            leave(follower);
        if (news == TRAIL_WRITTEN || news == TRAIL_LEFT)
            left = news == TRAIL_LEFT;
    }
}

int follow_run(VerbContext *context, Systemd *systemd, const char *run_id, FollowMode mode, Err *err)
{
    CLEANUP(trail_reader_close) TrailReader *reader = NULL;
    int r = trail_reader_open(context->settings->runtime_dir, run_id, &reader, err);
    if (r < 0)
        return r;
    CLEANUP(stream_close)
    Stream *stream = carrier_stream(context);
    Follower follower = {.context = context,
                         .systemd = systemd,
                         .run_id = run_id,
                         .mode = mode,
                         .reader = reader,
                         .stream = stream,
                         .status = -1};
    take_signals(&follower);
    return follow(&follower, err);
}
