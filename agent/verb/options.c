/* SPDX-License-Identifier: Apache-2.0 */
#include "verb/options.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "data/value.h"

typedef struct Parser {
    Arena *arena;
    const OptionSet *sets;
    size_t n_sets;
    char *const *words;
    size_t n_words, at; /* the next word to read */
} Parser;

typedef struct Match {
    const Option *option;
    void *member;
} Match;

/* By name (len bytes of it), or by letter where name is NULL. */
static Match option_find(const Parser *parser, const char *name, size_t len, char letter)
{
    for (size_t i = 0; i < parser->n_sets; i++) {
        for (const Option *option = parser->sets[i].options; option && option->name; option++) {
            bool same = name ? strlen(option->name) == len && memcmp(option->name, name, len) == 0
                             : option->letter && option->letter == letter;
            if (same)
                return (Match){option, (char *)parser->sets[i].values + option->offset};
        }
    }
    return (Match){0};
}

static int unknown_name(const Parser *parser, const char *name, Err *err)
{
    StringVec names = {0};
    for (size_t i = 0; i < parser->n_sets; i++) {
        for (const Option *option = parser->sets[i].options; option && option->name; option++)
            *vec_push(parser->arena, &names) = option->name;
    }
    *vec_push(parser->arena, &names) = NULL;
    const char *near = str_nearest(name, names.items);
    if (near)
        return err_set(err, ERR_INVALID, "unknown option --%s (did you mean --%s?)", name, near);
    return err_set(err, ERR_INVALID, "unknown option --%s", name);
}

static int choice_check(const Option *option, const char *value, Err *err)
{
    for (const char *const *choice = option->choices; *choice; choice++) {
        if (str_equal(*choice, value))
            return 0;
    }
    char list[200] = "";
    for (const char *const *choice = option->choices; *choice; choice++) {
        strncat(list, choice == option->choices ? "" : ", ", sizeof list - strlen(list) - 1);
        strncat(list, *choice, sizeof list - strlen(list) - 1);
    }
    return err_set(err, ERR_INVALID, "--%s %s: must be one of %s", option->name, value, list);
}

/* "30m" is what people type; in a playbook, which is read more often than written, it is min. */
static const char *with_minutes(Arena *arena, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits && str_equal(text + digits, "m") ? arena_printf(arena, "%sin", text) : text;
}

static int option_store(const Parser *parser, Match match, const char *value, Err *err)
{
    switch (match.option->kind) {
    case OPTION_KIND_FLAG: *(bool *)match.member = true; return 0;
    case OPTION_KIND_LIST: *vec_push(parser->arena, (StringVec *)match.member) = value; return 0;
    case OPTION_KIND_CHOICE:
        if (choice_check(match.option, value, err) < 0)
            return -(int)err->kind;
        *(const char **)match.member = value;
        return 0;
    case OPTION_KIND_TEXT: *(const char **)match.member = value; return 0;
    case OPTION_KIND_DURATION: {
        ValueType type = {.kind = VALUE_DURATION, .min = "1ms"};
        Value parsed;
        if (value_parse(parser->arena, &type, with_minutes(parser->arena, value), &parsed, err) < 0)
            return err_prefix(err, "--%s", match.option->name);
        *(usec *)match.member = parsed.duration;
        return 0;
    }
    }
    return 0;
}

/* The value of an option that needs one: what is attached to it, or the next word. */
static int option_value(Parser *parser, const Option *option, const char *attached, const char **ret, Err *err)
{
    if (attached) {
        *ret = attached;
        return 0;
    }
    if (parser->at >= parser->n_words)
        return err_set(err, ERR_INVALID, "--%s needs a value: --%s %s", option->name, option->name, option->argument);
    *ret = parser->words[parser->at++];
    return 0;
}

static int parse_long(Parser *parser, const char *word, Err *err)
{
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    Match match = option_find(parser, word, len, 0);
    if (!match.option)
        return unknown_name(parser, arena_strndup(parser->arena, word, len), err);
    const char *value = NULL;
    if (match.option->kind == OPTION_KIND_FLAG) {
        if (equals)
            return err_set(err, ERR_INVALID, "--%s takes no value", match.option->name);
    } else if (option_value(parser, match.option, equals ? equals + 1 : NULL, &value, err) < 0) {
        return -(int)err->kind;
    }
    return option_store(parser, match, value, err);
}

static int parse_letters(Parser *parser, const char *letters, Err *err)
{
    for (; *letters; letters++) {
        Match match = option_find(parser, NULL, 0, *letters);
        if (!match.option)
            return err_set(err, ERR_INVALID, "unknown option -%c", *letters);
        if (match.option->kind == OPTION_KIND_FLAG) {
            option_store(parser, match, NULL, err);
            continue;
        }
        const char *value = NULL;
        int r = option_value(parser, match.option, letters[1] ? letters + 1 : NULL, &value, err);
        return r < 0 ? r : option_store(parser, match, value, err);
    }
    return 0;
}

int options_parse(Arena *arena, const OptionSet *sets, size_t n_sets, OperandRule rule, char *const *words,
                  size_t n_words, StringVec *operands, Err *err)
{
    Parser parser = {.arena = arena, .sets = sets, .n_sets = n_sets, .words = words, .n_words = n_words};
    bool only_operands = false;
    while (parser.at < n_words) {
        const char *word = words[parser.at];
        bool is_option = !only_operands && word[0] == '-' && word[1];
        if (!is_option && rule == OPERANDS_STOP)
            break;
        parser.at++;
        if (!is_option) {
            *vec_push(arena, operands) = word;
            only_operands |= rule == OPERANDS_REST;
            continue;
        }
        if (str_equal(word, "--")) {
            only_operands = true;
            continue;
        }
        int r = word[1] == '-' ? parse_long(&parser, word + 2, err) : parse_letters(&parser, word + 1, err);
        if (r < 0)
            return r;
    }
    return (int)parser.at;
}
