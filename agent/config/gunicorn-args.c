/* SPDX-License-Identifier: Apache-2.0 */
/* argparse with Gunicorn's parser: one positional, long flags that may be abbreviated as long as they are unambiguous,
 * short flags whose value may be glued on and which may be bundled when they take none. And Python's shlex. */
#include <string.h>

#include "base/cleanup.h"
#include "config/escape.h"
#include "config/gunicorn.h"

enum { ARGS_MAX = 256 * 1024 };

typedef struct Parser {
    Arena *arena;
    const StringVec *argv;
    GunicornArgs *args;
    size_t index;
} Parser;

/* What a word of the command line names. */
typedef struct Match {
    const GunicornSetting *setting; /* NULL: nothing, or more than one */
    bool ambiguous;
} Match;

static bool takes_value(const GunicornSetting *setting)
{
    return setting->type != GUNICORN_BOOL;
}

/* "-h", "-v" and their long names end the program; they are no settings. */
static bool is_exit_flag(const char *flag, size_t len)
{
    static const char *const exits[] = {"-h", "--help", "-v", "--version"};
    for (size_t i = 0; i < ARRAY_LEN(exits); i++) {
        if (strlen(exits[i]) == len && strncmp(exits[i], flag, len) == 0)
            return true;
    }
    return false;
}

/* The setting with exactly this flag, else the only one that it abbreviates. Two flags of one setting (--paste,
 * --paster) are ambiguous to argparse as well. */
static Match find_long(const char *flag, size_t len)
{
    size_t n, matches = 0;
    const GunicornSetting *all = gunicorn_settings(&n), *found = NULL;
    for (size_t i = 0; i < n; i++) {
        for (const char *const *name = all[i].flags; name && *name; name++) {
            if (strncmp(*name, flag, len) != 0)
                continue;
            if ((*name)[len] == '\0')
                return (Match){&all[i], false};
            matches++;
            found = &all[i];
        }
    }
    matches += strncmp("--help", flag, len) == 0;
    matches += strncmp("--version", flag, len) == 0;
    return matches == 1 ? (Match){found, false} : (Match){NULL, matches > 1};
}

static const GunicornSetting *find_short(char letter)
{
    size_t n;
    const GunicornSetting *all = gunicorn_settings(&n);
    for (size_t i = 0; i < n; i++) {
        for (const char *const *name = all[i].flags; name && *name; name++) {
            if ((*name)[1] == letter && (*name)[2] == '\0')
                return &all[i];
        }
    }
    return NULL;
}

static void add_unknown(Parser *parser, const char *format, const char *what)
{
    CLEANUP(strbuf_free) StrBuf message = STRBUF_INIT(256);
    strbuf_printf(&message, "%s: %.200s", format, what);
    *vec_push(parser->arena, &parser->args->unknown) = strbuf_dup(parser->arena, &message);
}

static void add_flag(Parser *parser, GunicornFlag flag)
{
    *vec_push(parser->arena, &parser->args->flags) = flag;
}

static bool names_flag(const char *word)
{
    if (word[1] != '-')
        return find_short(word[1]) != NULL;
    Match match = find_long(word, strcspn(word, "="));
    return match.setting || match.ambiguous;
}

static bool is_number(const char *word)
{
    static const char digits[] = "0123456789";
    size_t whole = strspn(word, digits);
    bool point = word[whole] == '.';
    size_t fraction = point ? strspn(word + whole + 1, digits) : 0;
    return whole + fraction > 0 && word[whole + point + fraction] == '\0';
}

/* Whether argparse takes the word as a value or positional: what does not look like a flag, which negative numbers and
 * unknown words with a blank in them do not. */
static bool is_value(const char *word)
{
    if (word[0] != '-' || word[1] == '\0' || is_number(word + 1))
        return true;
    return strchr(word, ' ') && !names_flag(word);
}

/* The value in the next word, moved past it; an unknown is added when there is none. */
static const char *next_value(Parser *parser, const char *flag)
{
    if (parser->index + 1 < parser->argv->n && is_value(parser->argv->items[parser->index + 1]))
        return parser->argv->items[++parser->index];
    add_unknown(parser, "expected one argument", flag);
    return NULL;
}

static void parse_valued(Parser *parser, const GunicornSetting *setting, const char *flag, const char *value)
{
    size_t index = parser->index;
    if (!value)
        value = next_value(parser, flag);
    if (value)
        add_flag(parser, (GunicornFlag){setting, index, parser->index - index + 1, flag, value});
}

static void parse_long(Parser *parser, const char *word)
{
    size_t len = strcspn(word, "=");
    const char *value = word[len] == '=' ? word + len + 1 : NULL;
    const char *flag = arena_strndup(parser->arena, word, len);
    Match match = find_long(word, len);
    if (is_exit_flag(word, len) || !match.setting)
        add_unknown(parser, match.ambiguous ? "ambiguous option" : "unrecognized arguments", word);
    else if (takes_value(match.setting))
        parse_valued(parser, match.setting, flag, value);
    else if (value && !str_equal(match.setting->name, "proxy_protocol")) /* takes a value since 25 */
        add_unknown(parser, "ignored explicit argument", word);
    else
        add_flag(parser, (GunicornFlag){match.setting, parser->index, 1, flag, value});
}

/* -t60, -t=60 (the value is "60"), -t 60, -DR. */
static void parse_short(Parser *parser, const char *word)
{
    for (const char *p = word + 1; *p; p++) {
        const GunicornSetting *setting = find_short(*p);
        const char *flag = arena_printf(parser->arena, "-%c", *p);
        if (!setting) {
            add_unknown(parser, "unrecognized arguments", word);
            return;
        }
        if (takes_value(setting)) {
            const char *glued = p[1] == '=' && p == word + 1 ? p + 2 : p + 1;
            parse_valued(parser, setting, flag, p[1] ? glued : NULL);
            return;
        }
        add_flag(parser, (GunicornFlag){setting, parser->index, 1, flag, NULL});
    }
}

static void parse_positional(Parser *parser, const char *word)
{
    if (parser->args->app) {
        add_unknown(parser, "more than one application", word);
        return;
    }
    parser->args->app = word;
    parser->args->app_index = parser->index;
}

void gunicorn_parse_args(Arena *arena, const StringVec *argv, GunicornArgs *ret)
{
    *ret = (GunicornArgs){0};
    Parser parser = {.arena = arena, .argv = argv, .args = ret};
    bool only_positionals = false;
    for (; parser.index < argv->n; parser.index++) {
        const char *word = argv->items[parser.index];
        if (!only_positionals && str_equal(word, "--"))
            only_positionals = true;
        else if (only_positionals || is_value(word))
            parse_positional(&parser, word);
        else if (word[1] == '-')
            parse_long(&parser, word);
        else
            parse_short(&parser, word);
    }
}

const GunicornFlag *gunicorn_flag(const GunicornArgs *args, const char *name)
{
    const GunicornFlag *last = NULL;
    VEC_EACH (flag, &args->flags) {
        if (str_equal(flag->setting->name, name))
            last = flag;
    }
    return last;
}

/* One word of shlex in POSIX mode; moves past it. False for an open quote or a last backslash. */
static bool read_word(const char **p, StrBuf *word)
{
    char quote = 0;
    for (; **p && (quote || !strchr(" \t\r\n", **p)); ++*p) {
        char c = **p;
        if (quote ? c == quote : c == '\'' || c == '"') {
            quote = quote ? 0 : c;
            continue;
        }
        if (c == '\\' && quote != '\'') {
            if (!(*p)[1])
                return false;
            /* Inside double quotes only these two are escaped; before others the backslash stays. */
            if (quote && (*p)[1] != '"' && (*p)[1] != '\\')
                strbuf_add_char(word, c);
            c = *++*p;
        }
        strbuf_add_char(word, c);
    }
    return !quote;
}

int gunicorn_split_args(Arena *arena, const char *text, StringVec *ret, Err *err)
{
    StringVec vec = {0};
    for (const char *p = text + strspn(text, " \t\r\n"); *p; p += strspn(p, " \t\r\n")) {
        CLEANUP(strbuf_free) StrBuf word = STRBUF_INIT(ARGS_MAX);
        if (!read_word(&p, &word))
            return err_set(err, ERR_INVALID, "a quote or backslash is open at the end of \"%.200s\"", text);
        *vec_push(arena, &vec) = strbuf_dup(arena, &word);
    }
    *ret = vec;
    return 0;
}

int gunicorn_join_args(Arena *arena, const StringVec *argv, const char **ret, Err *err)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(ARGS_MAX);
    VEC_EACH (word, argv) {
        if (out.len > 0)
            strbuf_add_char(&out, ' ');
        int r = escape_shlex(&out, *word, err);
        if (r < 0)
            return r;
    }
    if (out.overflowed)
        return err_set(err, ERR_INVALID, "the arguments are longer than 256 KiB");
    *ret = strbuf_dup(arena, &out);
    return 0;
}
