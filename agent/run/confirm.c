/* SPDX-License-Identifier: Apache-2.0 */
#include "run/confirm.h"

#include <string.h>

#include "data/json.h"
#include "host/answer.h"
#include "run/run.h"

/* Between the first edit and the wait: activation with its limits. Only a process that hangs takes so long. */
#define LONGEST_ACTIVATION_USEC (30 * USEC_PER_MIN)
#define ROUND_USEC              USEC_PER_SEC
/* For a rollback that was asked for. */
#define REPLY_USEC (30 * USEC_PER_MIN)

/* So that a reply with all its escapes is a line of ANSWER_MAX. */
enum { TEXT_MAX = 600 };

static const char *const words[] = {
    [CONFIRM_YES] = "confirm", [CONFIRM_CANCEL] = "cancel", [CONFIRM_EXTEND] = "extend"};

usec confirm_deadline(const Plan *plan, const RunOptions *options)
{
    if (options->confirm_usec == 0)
        return 0;
    return clock_boottime() + LONGEST_ACTIVATION_USEC + plan->settle_usec + plan->warmup_usec + plan->window_most_usec +
           options->confirm_usec;
}

int confirm_can_listen(const RunOptions *options, Err *err)
{
    Answers *answers;
    if (options->confirm_usec == 0)
        return 0;
    int r = answers_open(options->answer_path, &answers, err);
    if (r < 0)
        return err_prefix(err, "nobody could confirm the run");
    answers_close(answers);
    return 0;
}

/* --- The run's side --- */

typedef struct Request {
    ConfirmWord word;
    usec extend_usec;
    const char *run, *who;
} Request;

static const char *read_request(Arena *arena, const char *line, Request *ret)
{
    Node *root;
    Err err;
    int64_t extend = 0;
    if (json_parse(arena, "the answer", bytes_of(line), &root, &err) < 0 || root->kind != NODE_MAP)
        return "the answer is no JSON object";
    const char *word = node_get_text(root, "answer");
    *ret = (Request){.run = node_get_text(root, "run"), .who = node_get_text(root, "who")};
    if (node_to_int(node_get(root, "extend_usec"), &extend) && extend > 0)
        ret->extend_usec = (usec)extend;
    for (size_t i = 0; word && i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i], word) == 0) {
            ret->word = (ConfirmWord)i;
            return i == CONFIRM_EXTEND && ret->extend_usec == 0 ? "an extension needs a time" : NULL;
        }
    }
    return "the answer is none of confirm, cancel and extend";
}

static void reply(Run *run, bool accepted, const char *text)
{
    Node *map = node_map(run->arena);
    node_set_bool(run->arena, map, "accepted", accepted);
    node_set_text(run->arena, map, "run", run->record.id);
    node_set_text(run->arena, map, "state", run_state_to_string(run->record.state));
    node_set_text(run->arena, map, "text", arena_strndup(run->arena, text, strnlen(text, TEXT_MAX)));
    answers_reply(run->answers, json_to_string(run->arena, map, JSON_COMPACT));
}

/* The deadline is durable before anybody is told of it. */
static int set_deadline(Run *run, usec wait_usec, Err *err)
{
    usec before = run->hot.deadline;
    run->hot.deadline = clock_boottime() + wait_usec;
    int r = hot_write(run->store->dir, &run->hot, err);
    if (r < 0) {
        run->hot.deadline = before;
        return r;
    }
    progress_note(&run->progress, "waits for a confirmation until %s: salve confirm %s, or salve cancel %s",
                  usec_to_local(run->arena, clock_realtime() + wait_usec), run->record.id, run->record.id);
    return 0;
}

/* A later deadline stays: whoever asks for less time than is left must not roll the run back early. */
static void extend(Run *run, usec extend_usec)
{
    Err err;
    usec now = clock_boottime();
    if (run->hot.deadline > now && run->hot.deadline - now >= extend_usec)
        reply(run, true,
              arena_printf(run->arena, "it waits until %s already, which is longer; nothing was changed",
                           usec_to_local(run->arena, clock_realtime() + (run->hot.deadline - now))));
    else if (set_deadline(run, extend_usec, &err) < 0)
        reply(run, false, err_text(&err));
    else
        reply(run, true,
              arena_printf(run->arena, "it waits until %s", usec_to_local(run->arena, clock_realtime() + extend_usec)));
}

enum { GOES_ON = 1 };

/* 0: confirmed; GOES_ON: it waits further. */
static int handle(Run *run, const char *line, Err *err)
{
    Request request;
    const char *wrong = read_request(run->arena, line, &request);
    if (!wrong && request.run && !str_starts(run->record.id, request.run))
        wrong =
            arena_printf(run->arena, "it is run %s that waits for a confirmation, not %s", run->record.id, request.run);
    if (wrong) {
        reply(run, false, wrong);
        return GOES_ON;
    }
    const char *who = request.who ? request.who : "root";
    switch (request.word) {
    case CONFIRM_YES: progress_note(&run->progress, "confirmed by %s", who); return 0;
    case CONFIRM_CANCEL: return err_set(err, ERR_FAILED, "cancelled by %s instead of confirmed", who);
    case CONFIRM_EXTEND: extend(run, request.extend_usec); break;
    }
    return GOES_ON;
}

static int wait_for_answer(Run *run, usec wait_usec, Err *err)
{
    usec begin = clock_boottime();
    for (usec now = begin; now < run->hot.deadline; now = clock_boottime()) {
        usec left = run->hot.deadline - now;
        const char *line;
        if (run->cancel && *run->cancel)
            return err_set(err, ERR_FAILED, "cancelled while it waited for its confirmation");
        progress_wait(&run->progress, "confirmation", now - begin, run->hot.deadline - begin);
        int r = answers_next(run->answers, run->arena, left < ROUND_USEC ? left : ROUND_USEC, &line, err);
        if (r == 0)
            r = handle(run, line, err);
        if (r <= 0)
            return r;
    }
    return err_set(err, ERR_FAILED, "it was not confirmed within %s", usec_to_string(run->arena, wait_usec));
}

int confirm_wait(Run *run, const RunOptions *options, Err *err)
{
    progress_step(&run->progress, "confirmation within %s", usec_to_string(run->arena, options->confirm_usec));
    int r = answers_open(options->answer_path, &run->answers, err);
    if (r >= 0)
        r = run_enter(run, RUN_CONFIRMING, NULL, err);
    if (r >= 0)
        r = set_deadline(run, options->confirm_usec, err);
    if (r >= 0)
        r = wait_for_answer(run, options->confirm_usec, err);
    if (r < 0)
        progress_failed(&run->progress, "%s", err_text(err));
    else
        progress_done(&run->progress, "confirmed");
    return r;
}

void confirm_end(Run *run)
{
    if (!run->answers)
        return;
    const char *end = run->record.reason ? run->record.reason : "", *line;
    Err err;
    reply(run, true, end);
    while (answers_next(run->answers, run->arena, 0, &line, &err) == 0) /* who asked as well, and was not heard */
        reply(run, false, arena_printf(run->arena, "it is over: %s: %s", run_state_to_string(run->record.state), end));
    answers_close(run->answers);
    run->answers = NULL;
}

/* --- The other side --- */

int confirm_answer(Arena *arena, const char *path, ConfirmWord word, const char *run, usec extend_usec, const char *who,
                   ConfirmReply *ret, Err *err)
{
    Node *map = node_map(arena), *root;
    const char *line;
    node_set_text(arena, map, "answer", words[word]);
    if (run)
        node_set_text(arena, map, "run", run);
    node_set_int(arena, map, "extend_usec", (int64_t)extend_usec);
    node_set_text(arena, map, "who", who);
    int r = answer_ask(arena, path, json_to_string(arena, map, JSON_COMPACT), REPLY_USEC, &line, err);
    if (r != 0)
        return r < 0 ? r : CONFIRM_NOBODY;
    r = json_parse(arena, "the reply", bytes_of(line), &root, err);
    if (r < 0)
        return r;
    const char *state = node_get_text(root, "state"), *id = node_get_text(root, "run");
    int number = state ? run_state_from_string(state) : -1;
    if (number < 0 || !id)
        return err_set(err, ERR_FAILED, "the reply is not understood: %s", line);
    *ret = (ConfirmReply){.run = id, .state = (RunState)number, .text = node_get_text(root, "text")};
    (void)node_to_bool(node_get(root, "accepted"), &ret->accepted);
    return 0;
}
