/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/verb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/safe-text.h"
#include "base/strbuf.h"
#include "config.h"
#include "data/json.h"
#include "report/secret.h"
#include "store/history.h"

const Verb *const verbs[] = {
    &verb_list,     &verb_lint,    &verb_diagnose, &verb_plan,       &verb_run,  &verb_confirm, &verb_cancel,
    &verb_rollback, &verb_recover, &verb_status,   &verb_history,    &verb_show, &verb_hold,    &verb_release,
    &verb_lock,     &verb_schema,  &verb_help,     &verb_completion, &verb_due,  &verb_carry,   NULL,
};

static const char *const colors[] = {"auto", "always", "never", NULL};

const Option global_options[] = {
    OPTION_FLAG(Globals, json, "json", 0, "Print JSON: one object, or one line for each event."),
    OPTION_TEXT(Globals, root, "root", 0, "DIR", "Work on the tree below DIR instead of the live host (read only).",
                .completes = COMPLETES_DIRECTORY),
    OPTION_TEXT(Globals, state, "state", 0, "DIR", "Where ledger and snapshots are (default /var/lib/salve).",
                .completes = COMPLETES_DIRECTORY),
    OPTION_TEXT(Globals, config, "config", 0, "FILE", "Settings (default " SETTINGS_PATH ").",
                .completes = COMPLETES_FILE),
    OPTION_CHOICE(Globals, color, "color", 0, colors, "WHEN", "Colour: auto, always or never."),
    OPTION_FLAG(Globals, quiet, "quiet", 'q', "Print errors and the result only."),
    OPTION_FLAG(Globals, verbose, "verbose", 'v', "Print each sample and each step as it begins."),
    OPTION_FLAG(Globals, help, "help", 'h', "Explain the command."),
    OPTION_FLAG(Globals, version, "version", 0, "Print the version."),
    OPTIONS_END,
};

const Verb *verb_find(const char *name)
{
    for (size_t i = 0; verbs[i]; i++) {
        if (str_equal(verbs[i]->name, name))
            return verbs[i];
    }
    return NULL;
}

static int print(const StrBuf *text, SafeFlags flags, Err *err)
{
    CLEANUP(strbuf_free) StrBuf safe = STRBUF_INIT(6 * text->max);
    if (text->overflowed)
        return err_set(err, ERR_FAILED, "the output is larger than %zu bytes", text->max);
    safe_add(&safe, (Bytes){strbuf_str(text), text->len}, flags | safe_locale());
    if (fwrite(strbuf_str(&safe), 1, safe.len, stdout) != safe.len || fflush(stdout) != 0)
        return err_errno(err, errno, "cannot write the output");
    return 0;
}

/* Set once, when the command begins. */
static bool painted;

int verb_print(const StrBuf *text, Err *err)
{
    return print(text, painted ? SAFE_COLOURS : SAFE_PLAIN, err);
}

static int print_json(const Node *node, JsonStyle style, Err *err)
{
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(JSON_MAX_BYTES);
    json_print(node, style, &text);
    strbuf_add_char(&text, '\n');
    return print(&text, SAFE_JSON, err);
}

int verb_print_json(const Node *node, Err *err)
{
    return print_json(node, JSON_PRETTY, err);
}

int verb_print_json_line(const Node *node, Err *err)
{
    return print_json(node, JSON_COMPACT, err);
}

static int unknown_verb(Arena *arena, const char *name, Err *err)
{
    StringVec names = {0};
    for (size_t i = 0; verbs[i]; i++) {
        if (!verbs[i]->hidden)
            *vec_push(arena, &names) = verbs[i]->name;
    }
    *vec_push(arena, &names) = NULL;
    const char *near = str_nearest(name, names.items);
    if (near)
        return err_set(err, ERR_INVALID, "unknown command \"%s\" (did you mean \"%s\"?)", name, near);
    return err_set(err, ERR_INVALID, "unknown command \"%s\"", name);
}

static int arguments_check(const VerbContext *context, Err *err)
{
    const Verb *verb = context->verb;
    if (context->arguments.n < verb->min_arguments)
        return err_set(err, ERR_INVALID, "%s: %s is missing", verb->name, verb->arguments);
    if (context->arguments.n > verb->max_arguments)
        return err_set(err, ERR_INVALID, "%s: unexpected \"%s\"", verb->name,
                       context->arguments.items[verb->max_arguments]);
    if (context->globals->root && !verb->takes_root)
        return err_set(err, ERR_INVALID, "%s works on the live host only: --root is for list, lint, plan and diagnose",
                       verb->name);
    return 0;
}

/* NO_COLOR (no-color.org): present and not empty means no, unless the command line says otherwise. */
static bool colour_wanted(const char *when, bool from_command_line, int fd)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (!from_command_line && no_color && *no_color)
        return false;
    if (str_equal(when, "always"))
        return true;
    return str_equal(when, "auto") && isatty(fd) && term && !str_equal(term, "dumb");
}

static int settings_of(Arena *arena, const Globals *globals, Settings *ret, Err *err)
{
    Diagnostics diags = diagnostics_new(arena);
    int r = settings_load(arena, globals->config, &diags, ret, err);
    if (r < 0)
        return r;
    if (globals->state) {
        ret->state_dir = globals->state;
        ret->runtime_dir = arena_printf(arena, "%s/run", globals->state);
    }
    if (globals->root)
        ret->root = str_equal(globals->root, "/") ? "" : globals->root;
    if (globals->color)
        ret->color = globals->color;
    return 0;
}

/* What the command line came to, for the error that may end it. */
typedef struct Program {
    Arena *arena;
    Globals globals;
    const Verb *verb; /* NULL until it is known */
    bool running;     /* the command line was sound */
} Program;

/* --help and --version, which win over everything else. True where one was asked for. */
static bool wants_words(const Globals *globals)
{
    return globals->help || globals->version;
}

static int show_words(const Program *program, Err *err)
{
    const Globals *globals = &program->globals;
    CLEANUP(strbuf_free) StrBuf text = STRBUF_INIT(1 << 20);
    bool colour = painted =
        colour_wanted(globals->color ? globals->color : "auto", globals->color != NULL, STDOUT_FILENO);
    if (globals->version)
        strbuf_printf(&text, "salve %s\n", SALVE_VERSION);
    else if (program->verb)
        help_of_verb(program->verb, colour, &text);
    else
        help_of_program(colour, &text);
    return verb_print(&text, err);
}

static int verb_start(Program *program, const void *options, StringVec arguments, Err *err)
{
    const Globals *globals = &program->globals;
    VerbContext context = {
        .arena = program->arena, .verb = program->verb, .globals = globals, .options = options, .arguments = arguments};
    int r = arguments_check(&context, err);
    if (r < 0)
        return r;
    program->running = true;
    log_set_level(globals->quiet ? LOG_LEVEL_ERROR : globals->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING);
    Settings settings;
    settings_defaults(program->arena, &settings);
    if (!program->verb->plain && settings_of(program->arena, globals, &settings, err) < 0)
        return -(int)err->kind;
    context.settings = &settings;
    context.colour = painted = !globals->json && colour_wanted(settings.color, globals->color != NULL, STDOUT_FILENO);
    r = program->verb->run(&context, err);
    Err trouble;
    if (program->verb->prunes && !context.carried && geteuid() == 0 &&
        history_tidy(settings.state_dir, &settings.keep, &trouble) < 0)
        log_warning("old runs are not removed: %s", err_text(&trouble));
    return r;
}

static int program_start(Program *program, char *const *words, size_t n_words, Err *err)
{
    OptionSet sets[2] = {{global_options, &program->globals}};
    StringVec arguments = {0};
    int at = options_parse(program->arena, sets, 1, OPERANDS_STOP, words, n_words, &arguments, err);
    if (at < 0)
        return at;
    if ((size_t)at == n_words)
        return wants_words(&program->globals) ? show_words(program, err)
                                              : err_set(err, ERR_INVALID, "no command given");
    program->verb = verb_find(words[at]);
    if (!program->verb)
        return unknown_verb(program->arena, words[at], err);
    void *options = arena_alloc(program->arena, program->verb->options_size);
    sets[1] = (OptionSet){program->verb->options, options};
    OperandRule rule = program->verb->takes_command ? OPERANDS_REST : OPERANDS_MIXED;
    int r = options_parse(program->arena, sets, 2, rule, words + at + 1, n_words - (size_t)at - 1, &arguments, err);
    if (r < 0)
        return err_prefix(err, "%s", program->verb->name);
    return wants_words(&program->globals) ? show_words(program, err) : verb_start(program, options, arguments, err);
}

/* One clear line, and where it was the command line that is wrong, where to look. */
static int error_end(const Program *program, const Err *err)
{
    int status = err_exit_status(err);
    const char *text = secret_mask_text(program->arena, err_text(err));
    log_error("%s", text);
    if (!program->running)
        log_text("Try: salve%s%s --help\n", program->verb ? " " : "", program->verb ? program->verb->name : "");
    if (program->globals.json) {
        Node *node = node_map(program->arena);
        node_set_text(program->arena, node, "error", text);
        node_set_int(program->arena, node, "exit_status", status);
        Err ignored;
        verb_print_json_line(node, &ignored);
    }
    return status;
}

int verb_main(int argc, char **argv)
{
    CLEANUP(arena_free) Arena *arena = arena_new();
    Program program = {.arena = arena};
    Err err = {0};
    int r = program_start(&program, argv + 1, argc > 0 ? (size_t)argc - 1 : 0, &err);
    return r < 0 ? error_end(&program, &err) : r;
}
