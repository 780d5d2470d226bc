/* SPDX-License-Identifier: Apache-2.0 */
#include "change/gunicorn-place.h"

#include <ctype.h>
#include <string.h>

#include "change/dropin.h"
#include "config/escape.h"
#include "stack/live.h"

typedef struct Word {
    size_t start, end;
} Word;

typedef VEC(Word) WordVec;

/* The byte ranges of the words of a command line as written, quotes and escapes included. */
static void find_words(Arena *arena, const char *line, WordVec *words)
{
    for (size_t i = 0; line[i];) {
        char quote = 0;
        while (isspace((unsigned char)line[i]))
            i++;
        if (!line[i])
            return;
        Word *word = vec_push(arena, words);
        word->start = i;
        for (; line[i] && (quote || !isspace((unsigned char)line[i])); i++) {
            if (line[i] == '\\' && line[i + 1])
                i++;
            else if (line[i] == quote)
                quote = 0;
            else if (!quote && (line[i] == '"' || line[i] == '\''))
                quote = line[i];
        }
        word->end = i;
    }
}

/* The words with one blank between them, so that a line of many lines reads well as one; word `at` is `with`, which
 * goes to the end where there is no such word. */
static char *join_words(Arena *arena, const char *line, const WordVec *words, size_t at, const char *with)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(1 << 20);
    for (size_t i = 0; i < words->n; i++) {
        const Word *word = &words->items[i];
        strbuf_add_str(&out, i > 0 ? " " : "");
        if (i == at)
            strbuf_add_str(&out, with);
        else
            strbuf_add(&out, line + word->start, word->end - word->start);
    }
    if (at >= words->n)
        strbuf_printf(&out, " %s", with);
    return strbuf_dup(arena, &out);
}

/* Whether a word as written is this word of the argv, as far as its first "=". */
static bool is_flag_word(const char *line, const Word *word, const char *text)
{
    size_t at = 0;
    for (size_t i = word->start; i < word->end; i++) {
        if (line[i] == '"' || line[i] == '\'')
            continue;
        if (line[i] != text[at])
            return false;
        if (text[at++] == '=')
            return true;
    }
    return text[at] == '\0';
}

/* The command line with the flag set, as it stands in the unit file. Words are matched one to one with the argv that
 * the process gets; where that is not possible (a variable becomes several words, or none) the flag goes to the end,
 * where it wins. */
static char *set_flag(Arena *arena, const GunicornFacts *facts, const GunicornValue *now, const char *flag,
                      const char *value)
{
    const char *line = facts->exec.setting->value;
    WordVec words = {0};
    find_words(arena, line, &words);
    bool aligned = words.n == facts->argv.n && !facts->exec.command.argv0_given && now && now->words > 0 &&
                   now->index + now->words <= words.n &&
                   is_flag_word(line, &words.items[now->index], facts->argv.items[now->index]);
    if (!aligned)
        return join_words(arena, line, &words, words.n, arena_printf(arena, "%s %s", flag, value));
    if (now->words == 2)
        return join_words(arena, line, &words, now->index + 1, value);
    return join_words(arena, line, &words, now->index, arena_printf(arena, "%s=%s", flag, value));
}

/* An ExecStart= may be overridden only where it is what runs: else a restart would activate a stranger's change. */
static int check_overridable(ChangeContext *context, const GunicornFacts *facts, Err *err)
{
    const char *unit = facts->unit->name;
    LiveMatch match = LIVE_UNKNOWN;
    const char *why = "";
    const UnitSetting *at = facts->exec.setting;
    if (facts->wrapper == GUNICORN_WRAPPED)
        return err_at(err, ERR_REFUSED, at->file, at->line, 1,
                      "%s runs Gunicorn through a wrapper (%s), which may swallow a flag; set it in a configuration "
                      "file (-c) or in GUNICORN_CMD_ARGS",
                      unit, facts->wrapper_reason);
    if (facts->exec.inexact)
        return err_at(err, ERR_REFUSED, at->file, at->line, 1,
                      "the command line of %s cannot be told from its files (%s)", unit, facts->exec.inexact);
    if (!context->live || view_edited(context->view, at->file))
        return 0;
    int r = live_command_match(context->live, context->arena, facts, &match, &why, err);
    if (r < 0 || match != LIVE_DIFFERS)
        return r;
    return err_at(err, ERR_REFUSED, at->file, at->line, 1,
                  "this is not the command line that %s runs (%s); restart it, or take the edit back, then try again",
                  unit, why);
}

static int place_on_command_line(ChangeContext *context, const GunicornFacts *facts, const GunicornSetting *setting,
                                 const GunicornValue *now, const char *value, Err *err)
{
    if (!setting->flags)
        return err_set(err, ERR_REFUSED, "%s has no flag on Gunicorn's command line", setting->name);
    int r = check_overridable(context, facts, err);
    if (r < 0)
        return r;
    const char *line = set_flag(context->arena, facts, now, setting->flags[0], value);
    return dropin_set_exec_start(context->view, facts->unit, facts->exec.setting, line, err);
}

static int place_in_file(ChangeContext *context, const GunicornFacts *facts, const GunicornSetting *setting,
                         const char *value, Err *err)
{
    CLEANUP(strbuf_free) StrBuf literal = STRBUF_INIT(4096);
    Bytes text;
    int r = 0;
    if (setting->type == GUNICORN_INT)
        strbuf_add_str(&literal, value);
    else
        r = escape_python(&literal, value, err);
    if (r < 0)
        return r;
    r = gunicorn_conf_set(context->arena, facts->conf, setting->name, strbuf_str(&literal), &text, err);
    if (r < 0) {
        bool computed = r == -ERR_REFUSED;
        r = gunicorn_conf_append(context->arena, facts->conf, setting->name, strbuf_str(&literal), &text, err);
        if (r >= 0 && computed)
            change_note(context, NOTE_WARNING, facts->unit->name,
                        "%s is computed in %s: a line at the end of the file sets it now", setting->name,
                        facts->conf_path);
    }
    return r < 0 ? r : view_write(context->view, facts->conf_path, text, err);
}

/* Writes an environment variable where its definition that counts stands. */
static int place_variable(ChangeContext *context, const GunicornFacts *facts, const UnitEnv *from, const char *value,
                          Err *err)
{
    EnvFile file;
    Bytes text;
    if (!from->from_file)
        return dropin_set_environment(context->view, facts->unit, from->name, value, err);
    int r = view_read(context->view, from->path, &text, NULL, err);
    if (r >= 0)
        r = env_file_parse(context->arena, from->path, text, &file, err);
    if (r >= 0)
        r = env_file_set(context->arena, &file, from->name, value, &text, err);
    return r < 0 ? r : view_write(context->view, from->path, text, err);
}

static int place_in_cmd_args(ChangeContext *context, const GunicornFacts *facts, const GunicornSetting *setting,
                             const GunicornValue *now, const char *value, Err *err)
{
    StringVec words = {0};
    const char *joined;
    for (size_t i = 0; i < facts->cmd_args.n; i++) {
        const char *word = facts->cmd_args.items[i];
        if (now->words == 2 && i == now->index + 1)
            word = value;
        else if (now->words == 1 && i == now->index)
            word = arena_printf(context->arena, "%s=%s", setting->flags[0], value);
        *vec_push(context->arena, &words) = word;
    }
    int r = gunicorn_join_args(context->arena, &words, &joined, err);
    return r < 0 ? r : place_variable(context, facts, facts->cmd_args_from, joined, err);
}

int gunicorn_place(ChangeContext *context, const GunicornFacts *facts, const GunicornSetting *setting,
                   const char *value, Err *err)
{
    const GunicornValue *now = gunicorn_value(facts, setting->name);
    switch (now->origin) {
    case GUNICORN_FROM_COMMAND: return place_on_command_line(context, facts, setting, now, value, err);
    case GUNICORN_FROM_CMD_ARGS: return place_in_cmd_args(context, facts, setting, now, value, err);
    case GUNICORN_FROM_FILE: break; /* or a Python module, which is no file that could be edited */
    case GUNICORN_FROM_WEB_CONCURRENCY: return place_variable(context, facts, facts->web_concurrency_from, value, err);
    case GUNICORN_FROM_DEFAULT: break;
    }
    return facts->conf ? place_in_file(context, facts, setting, value, err)
                       : place_on_command_line(context, facts, setting, NULL, value, err);
}
