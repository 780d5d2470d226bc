/* SPDX-License-Identifier: Apache-2.0 */
#include "run/stage.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "host/sandbox.h"
#include "stack/nginx-code.h"

#define PROGRAM_USEC (60 * USEC_PER_SEC)

/* --- Messages --- */

/* The part of a message that does not change with time, process or line number: without "2026/01/01 01:02:03 ", without
 * "123#0: ", without ":LINE" at the end and "nginx: " in front; and without the temporary names of check programs. */
static char *message_core(Arena *arena, const char *line)
{
    const char *bracket = strchr(line, '[');
    char *core = arena_strdup(
        arena, bracket && (isdigit((unsigned char)line[0]) || str_starts(line, "nginx: ")) ? bracket : line);
    char *number = strstr(core, "] ");
    if (number && isdigit((unsigned char)number[2])) {
        char *end = strstr(number, ": ");
        if (end && memchr(number, '#', (size_t)(end - number)))
            memmove(number + 2, end + 2, strlen(end + 2) + 1);
    }
    for (char *at = core; (at = strchr(at, ':')); at++) {
        size_t digits = strspn(at + 1, "0123456789");
        if (digits > 0 && (at[digits + 1] == '\0' || at[digits + 1] == ':'))
            memmove(at, at + digits + 1, strlen(at + digits + 1) + 1);
    }
    return core;
}

static bool is_summary(const char *line)
{
    return line[0] == '\0' || strstr(line, "syntax is ok") || strstr(line, "test is successful") ||
           strstr(line, "test failed");
}

static void collect_messages(Arena *arena, Bytes text, StringVec *lines, StringVec *cores)
{
    char *copy = arena_strndup(arena, text.data, text.len), *save = NULL;
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (is_summary(line))
            continue;
        *vec_push(arena, lines) = line;
        *vec_push(arena, cores) = message_core(arena, line);
    }
}

/* The first message that only the candidate gives, or NULL. */
static const char *first_new(const StringVec *lines, const StringVec *cores, const StringVec *known)
{
    for (size_t i = 0; i < lines->n; i++) {
        if (!strings_contain(known, cores->items[i]))
            return lines->items[i];
    }
    return NULL;
}

/* --- Programs --- */

static int drop_rights(void *context, Err *err)
{
    (void)context;
    return sandbox_drop_rights(err);
}

/* Programs judge files that others may write: also what is live is judged in a private copy, where the kernel allows
 * one. */
static int run_live(const StageInput *in, const ChildSpec *spec, ChildResult *ret, Err *err)
{
    CLEANUP(staging_close) Staging *untouched = NULL;
    int r = staging_open(NULL, 0, &untouched, err);
    if (r >= 0)
        r = staging_run(untouched, in->arena, spec, ret, err);
    if (r != STAGING_REFUSED)
        return r;
    ChildSpec plain = *spec;
    plain.before_exec = drop_rights;
    return child_run(in->arena, &plain, ret, err);
}

static int run_program(const StageInput *in, Staging *staging, const char *const *argv, ChildResult *ret, Err *err)
{
    ChildSpec spec = {.argv = argv, .timeout_usec = PROGRAM_USEC};
    return staging ? staging_run(staging, in->arena, &spec, ret, err) : run_live(in, &spec, ret, err);
}

int stage_program(const StageInput *in, Staging *staging, const char *const *argv, const char *what, Err *err)
{
    ChildResult candidate, untouched = {0};
    StringVec lines = {0}, cores = {0}, known_lines = {0}, known = {0};
    int r = run_program(in, staging, argv, &candidate, err);
    if (r != 0)
        return r;
    collect_messages(in->arena, candidate.error, &lines, &cores);
    bool failed = !child_succeeded(&candidate);
    if (!failed && (lines.n == 0 || in->errors_only))
        return 0;
    if (staging) {
        r = run_program(in, NULL, argv, &untouched, err);
        if (r < 0)
            return r;
        collect_messages(in->arena, untouched.error, &known_lines, &known);
    }
    const char *fresh = first_new(&lines, &cores, &known);
    if (failed && staging && !child_succeeded(&untouched))
        return err_set(err, ERR_REFUSED,
                       "%s fails on the configuration as it is, before any change: %s; repair that first", what,
                       known_lines.n > 0 ? known_lines.items[0] : child_end_to_string(in->arena, &untouched));
    if (failed)
        return err_set(err, ERR_REFUSED, "%s refuses the candidate: %s", what,
                       fresh         ? fresh
                       : lines.n > 0 ? lines.items[0]
                                     : child_end_to_string(in->arena, &candidate));
    return fresh ? err_set(err, ERR_REFUSED, "%s warns about the candidate: %s", what, fresh) : 0;
}

static int test_nginx(const StageInput *in, Staging *staging, Err *err)
{
    const NginxFacts *facts;
    int r = nginx_load(in->view, &facts, err);
    if (r != 0)
        return r == NGINX_ABSENT ? 0 : r;
    if ((r = nginx_check_code(facts, err)) < 0)
        return r;
    StringVec argv = facts->command;
    *vec_push(in->arena, &argv) = "-t";
    *vec_push(in->arena, &argv) = NULL;
    return stage_program(in, staging, argv.items, "nginx -t", err);
}

static int verify_unit(const StageInput *in, Staging *staging, const char *unit, Err *err)
{
    const char *argv[] = {"systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit, NULL};
    return stage_program(in, staging, argv, "systemd-analyze verify", err);
}

/* The candidate laid out, and a check for each effect that has one to begin; else NULL there. */
struct Stage {
    StageInput input;
    Staging *staging; /* NULL: what is live is judged */
    VEC(GunicornCheck *) checks;
};

static void begin_checks(Stage *stage)
{
    const StageInput *in = &stage->input;
    VEC_EACH (effect, in->effects) {
        bool slow = effect->kind == EFFECT_CHECK_GUNICORN;
        *vec_push(in->arena, &stage->checks) = slow ? stage_gunicorn_begin(in, stage->staging, effect->unit) : NULL;
    }
}

static void close_checks(Stage *stage)
{
    VEC_EACH (check, &stage->checks) {
        if (*check)
            stage_gunicorn_close(&stage->input, *check);
    }
}

static int validate(Stage *stage, size_t index, Err *err)
{
    const StageInput *in = &stage->input;
    const Effect *effect = &in->effects->items[index];
    switch (effect->kind) {
    case EFFECT_TEST_NGINX: return test_nginx(in, stage->staging, err);
    case EFFECT_VERIFY_UNIT: return verify_unit(in, stage->staging, effect->unit, err);
    case EFFECT_CHECK_GUNICORN: return stage_gunicorn_end(in, stage->staging, stage->checks.items[index], err);
    case EFFECT_DAEMON_RELOAD:
    case EFFECT_RELOAD:
    case EFFECT_RESTART: break;
    }
    return 0;
}

static int validate_all(Stage *stage, Err *err)
{
    const StageInput *in = &stage->input;
    for (size_t i = 0; i < in->effects->n; i++) {
        const Effect *effect = &in->effects->items[i];
        if (!effect_is_validation(effect->kind))
            continue;
        progress_step(in->progress, "%s %s%s", effect_kind_to_string(effect->kind), effect->unit,
                      stage->staging ? " (candidate)" : "");
        int r = validate(stage, i, err);
        if (r != 0)
            progress_failed(in->progress, "%s", err_text(err));
        else
            progress_done(in->progress, "ok");
        if (r != 0)
            return r;
    }
    return 0;
}

/* --- The staged tree --- */

static StagedFile staged_file(const Edit *edit)
{
    static const StagedType types[] = {
        [FILE_ABSENT] = STAGED_ABSENT,       [FILE_REGULAR] = STAGED_FILE, [FILE_SYMLINK] = STAGED_SYMLINK,
        [FILE_DIRECTORY] = STAGED_DIRECTORY, [FILE_OTHER] = STAGED_FILE,
    };
    const FileState *after = &edit->after;
    return (StagedFile){
        .path = edit->path,
        .type = types[after->type],
        .content = after->content,
        .target = after->type == FILE_SYMLINK ? after->content.data : NULL,
        .mode = after->mode,
        .uid = after->uid,
        .gid = after->gid,
    };
}

static StagedFile *staged_files(const StageInput *in)
{
    StagedFile *files = arena_array(in->arena, StagedFile, in->edits->n + 1);
    for (size_t i = 0; i < in->edits->n; i++)
        files[i] = staged_file(&in->edits->items[i]);
    return files;
}

int stage_begin(const StageInput *input, Stage **ret, Err *err)
{
    CLEANUP(stage_close) Stage *stage = xmalloc(sizeof *stage);
    *stage = (Stage){.input = *input};
    *ret = NULL;
    if (input->edits->n == 0)
        return 0;
    int r = staging_open(staged_files(input), input->edits->n, &stage->staging, err);
    if (r < 0)
        return err_prefix(err, "cannot stage the candidate");
    begin_checks(stage);
    *ret = STEAL(stage);
    return 0;
}

void stage_close(Stage *stage)
{
    if (!stage)
        return;
    close_checks(stage);
    staging_close(stage->staging);
    free(stage);
}

int stage_validate(Stage *stage, Err *err)
{
    int r = stage ? validate_all(stage, err) : 0;
    return r == STAGING_REFUSED ? STAGE_UNAVAILABLE : r;
}

int stage_validate_live(const StageInput *input, Err *err)
{
    Stage stage = {.input = *input};
    begin_checks(&stage);
    int r = validate_all(&stage, err);
    close_checks(&stage);
    return r;
}
