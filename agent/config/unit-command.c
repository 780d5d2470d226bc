/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's extract_first_word, config_parse_exec and replace_env_argv, in that order. */
#include "config/unit-command.h"

#include <string.h>

#include "base/cleanup.h"
#include "config/escape.h"
#include "config/text.h"

enum { WORD_MAX = 1024 * 1024 };

static const char blanks[] = " \t\r\n";

/* The letters of systemd.unit(5), "Specifiers". */
static const char known_specifiers[] = "aAbBcCdDEfgGhHiIjJlLmMnNopPqsStTuUvVwWyY";

typedef struct Words {
    const char *at;
    bool plain; /* variables' contents: escapes are not resolved, an open quote ends with the text */
} Words;

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Up to `digits` digits of a base; -1 when there are fewer, or for NUL, which no word can hold. */
static long read_number(const char *p, int digits, int base)
{
    long value = 0;
    for (int i = 0; i < digits; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0 || digit >= base)
            return -1;
        value = value * base + digit;
    }
    return value > 0 ? value : -1;
}

/* The escapes with a number: their letter, how many digits, and whether they stand for a character or a byte. */
static bool read_numeric_escape(Words *words, StrBuf *out)
{
    char letter = *words->at;
    bool octal = letter >= '0' && letter <= '3';
    int digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : octal ? 3 : 0;
    if (digits == 0)
        return false;
    const char *start = octal ? words->at : words->at + 1;
    long value = read_number(start, digits, octal ? 8 : 16);
    if (value < 0 || value > 0x10ffff || (octal && value > 0xff))
        return false;
    if (letter == 'u' || letter == 'U')
        text_add_char(out, (unsigned)value);
    else
        strbuf_add_char(out, (char)value);
    words->at = start + digits;
    return true;
}

/* Behind a backslash; moves past the escape. */
static bool read_escape(Words *words, StrBuf *out)
{
    static const char letters[] = "abfnrtv\\\"'s", meanings[] = "\a\b\f\n\r\t\v\\\"' ";
    char c = *words->at;
    const char *found = c ? strchr(letters, c) : NULL;
    if (words->plain) {
        if (c)
            strbuf_add_char(out, *words->at++);
        return true;
    }
    if (!found)
        return read_numeric_escape(words, out);
    strbuf_add_char(out, meanings[found - letters]);
    words->at++;
    return true;
}

/* 1: a word; 0: the end. Moves past the blanks behind the word. */
static int next_word(Words *words, StrBuf *out, Err *err)
{
    strbuf_clear(out);
    words->at += strspn(words->at, blanks);
    if (!*words->at)
        return 0;
    char quote = 0;
    while (*words->at && (quote || !strchr(blanks, *words->at))) {
        char c = *words->at++;
        if (c == '\\') {
            if (!read_escape(words, out))
                return err_set(err, ERR_INVALID, "an escape that systemd does not know: \"\\%.8s\"", words->at);
        } else if (quote ? c == quote : c == '"' || c == '\'') {
            quote = quote ? 0 : c;
        } else {
            strbuf_add_char(out, c);
        }
    }
    if (quote && !words->plain)
        return err_set(err, ERR_INVALID, "the quote %c is never closed", quote);
    words->at += strspn(words->at, blanks);
    return out->overflowed ? err_set(err, ERR_INVALID, "a word is longer than 1 MiB") : 1;
}

int unit_split_words(Arena *arena, const char *text, StringVec *ret, Err *err)
{
    CLEANUP(strbuf_free) StrBuf word = STRBUF_INIT(WORD_MAX);
    Words words = {.at = text};
    StringVec vec = {0};
    int r;
    while ((r = next_word(&words, &word, err)) > 0)
        *vec_push(arena, &vec) = strbuf_dup(arena, &word);
    if (r < 0)
        return r;
    *ret = vec;
    return 0;
}

static const char *find_specifier(const UnitSpecifiers *specifiers, char letter)
{
    for (size_t i = 0; specifiers && i < specifiers->n; i++) {
        if (specifiers->items[i].letter == letter)
            return specifiers->items[i].value;
    }
    return NULL;
}

int unit_expand_specifiers(Arena *arena, const char *text, const UnitSpecifiers *specifiers, const char **ret, Err *err)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(WORD_MAX);
    for (const char *p = text; *p; p++) {
        char letter = *p == '%' ? p[1] : 0;
        const char *value = letter == '%' ? "%" : letter ? find_specifier(specifiers, letter) : NULL;
        if (letter && !value && strchr(known_specifiers, letter))
            return err_set(err, ERR_INVALID, "the specifier %%%c is not known here", letter);
        if (value) {
            strbuf_add_str(&out, value);
            p++;
        } else {
            strbuf_add_char(&out, *p);
        }
    }
    if (out.overflowed)
        return err_set(err, ERR_INVALID, "a word is longer than 1 MiB");
    *ret = strbuf_dup(arena, &out);
    return 0;
}

/* The flags in front of the program; the first that repeats or contradicts is part of the name, as systemd has it. */
static const char *read_prefixes(const char *word, UnitCommand *command)
{
    bool once_bang = false;
    for (;; word++) {
        bool special = command->full_privileges || command->ambient;
        if (*word == '-' && !command->ignore_failure)
            command->ignore_failure = true;
        else if (*word == '@' && !command->argv0_given)
            command->argv0_given = true;
        else if (*word == ':' && !command->no_variables)
            command->no_variables = true;
        else if (*word == '+' && !special)
            command->full_privileges = true;
        else if (*word == '!' && (!special || once_bang)) {
            once_bang = !command->ambient;
            command->ambient = true;
        } else
            return word;
    }
}

static int read_program(Arena *arena, Words *words, const UnitSpecifiers *specifiers, UnitCommand *command, Err *err)
{
    CLEANUP(strbuf_free) StrBuf word = STRBUF_INIT(WORD_MAX);
    int r = next_word(words, &word, err);
    if (r < 0)
        return r;
    r = unit_expand_specifiers(arena, read_prefixes(strbuf_str(&word), command), specifiers, &command->path, err);
    if (r < 0)
        return r;
    if (!*command->path || (command->path[0] != '/' && strchr(command->path, '/')))
        return err_set(err, ERR_INVALID, "neither a program's name nor an absolute path: \"%s\"", command->path);
    if (!command->argv0_given)
        *vec_push(arena, &command->argv) = command->path;
    return 0;
}

static bool is_word(const char *at, const char *word)
{
    return str_starts(at, word) && (at[strlen(word)] == '\0' || strchr(blanks, at[strlen(word)]));
}

/* The words up to a bare ";" or the end. */
static int read_arguments(Arena *arena, Words *words, const UnitSpecifiers *specifiers, UnitCommand *command, Err *err)
{
    CLEANUP(strbuf_free) StrBuf word = STRBUF_INIT(WORD_MAX);
    while (*words->at) {
        if (is_word(words->at, ";")) {
            words->at++;
            break;
        }
        if (is_word(words->at, "\\;")) {
            words->at += 2 + strspn(words->at + 2, blanks);
            *vec_push(arena, &command->argv) = ";";
            continue;
        }
        const char *expanded;
        int r = next_word(words, &word, err);
        if (r > 0)
            r = unit_expand_specifiers(arena, strbuf_str(&word), specifiers, &expanded, err);
        if (r < 0)
            return r;
        *vec_push(arena, &command->argv) = expanded;
    }
    words->at += strspn(words->at, blanks);
    return 0;
}

int unit_parse_command(Arena *arena, const char *value, const UnitSpecifiers *specifiers, UnitCommandVec *ret, Err *err)
{
    Words words = {.at = value + strspn(value, blanks)};
    UnitCommandVec commands = {0};
    while (*words.at) {
        UnitCommand command = {0};
        int r = read_program(arena, &words, specifiers, &command, err);
        if (r == 0)
            r = read_arguments(arena, &words, specifiers, &command, err);
        if (r < 0)
            return r;
        if (command.argv.n == 0)
            return err_set(err, ERR_INVALID, "the command line has no argv[0], which @ asks for");
        *vec_push(arena, &commands) = command;
    }
    if (commands.n == 0)
        return err_set(err, ERR_INVALID, "the command line is empty");
    *ret = commands;
    return 0;
}

/* ${NAME} and $$ inside of a word; any other $ stays. */
static void expand_braces(Arena *arena, const char *word, UnitLookup lookup, void *ctx, StrBuf *out)
{
    for (const char *p = word; *p; p++) {
        const char *close = p[0] == '$' && p[1] == '{' ? strchr(p, '}') : NULL;
        if (close) {
            const char *value = lookup(ctx, arena_strndup(arena, p + 2, (size_t)(close - p) - 2));
            strbuf_add_str(out, value ? value : "");
            p = close;
        } else {
            p += p[0] == '$' && p[1] == '$';
            strbuf_add_char(out, *p);
        }
    }
}

static int split_variable(Arena *arena, const char *value, StringVec *vec, Err *err)
{
    CLEANUP(strbuf_free) StrBuf word = STRBUF_INIT(WORD_MAX);
    Words words = {.at = value ? value : "", .plain = true};
    int r;
    while ((r = next_word(&words, &word, err)) > 0)
        *vec_push(arena, vec) = strbuf_dup(arena, &word);
    return r;
}

int unit_expand_argv(Arena *arena, const UnitCommand *command, UnitLookup lookup, void *ctx, StringVec *ret, Err *err)
{
    StringVec vec = {0};
    VEC_EACH (word, &command->argv) {
        const char *text = *word;
        if (text[0] == '$' && text[1] != '{' && text[1] != '$' && !command->no_variables) {
            int r = split_variable(arena, lookup(ctx, text + 1), &vec, err);
            if (r < 0)
                return r;
        } else if (command->no_variables) {
            *vec_push(arena, &vec) = text;
        } else {
            CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(WORD_MAX);
            expand_braces(arena, text, lookup, ctx, &out);
            *vec_push(arena, &vec) = strbuf_dup(arena, &out);
        }
    }
    *ret = vec;
    return 0;
}

static bool is_assignment(const char *word)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    size_t len = strspn(word, letters);
    return len > 0 && word[len] == '=' && !(word[0] >= '0' && word[0] <= '9');
}

int unit_parse_environment(Arena *arena, const char *value, const UnitSpecifiers *specifiers, UnitVariableVec *vec,
                           Err *err)
{
    StringVec words;
    int r = unit_split_words(arena, value, &words, err);
    VEC_EACH (word, &words) {
        const char *text;
        if (r < 0 || (r = unit_expand_specifiers(arena, *word, specifiers, &text, err)) < 0)
            return r;
        if (!is_assignment(text))
            continue;
        const char *equals = strchr(text, '=');
        *vec_push(arena, vec) = (UnitVariable){arena_strndup(arena, text, (size_t)(equals - text)), equals + 1};
    }
    return r;
}

int unit_format_command(Arena *arena, const StringVec *argv, const char **ret, Err *err)
{
    CLEANUP(strbuf_free) StrBuf out = STRBUF_INIT(WORD_MAX);
    if (argv->n == 0 || argv->items[0][0] != '/')
        return err_set(err, ERR_INVALID, "the program of a command line must be an absolute path");
    if (strchr(argv->items[0], '$')) /* systemd expands no variables in the path, so $$ would stay two */
        return err_set(err, ERR_INVALID, "a $ in the program's path cannot be written in a unit file");
    VEC_EACH (word, argv) {
        if (word != argv->items)
            strbuf_add_char(&out, ' ');
        int r = escape_systemd(&out, *word, err);
        if (r < 0)
            return r;
    }
    if (out.overflowed)
        return err_set(err, ERR_INVALID, "the command line is longer than 1 MiB");
    *ret = strbuf_dup(arena, &out);
    return 0;
}
