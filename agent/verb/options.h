/* SPDX-License-Identifier: Apache-2.0 */
/* Command-line options by table. One table per command is its parser, its --help and its shell completion, so that the
 * three cannot disagree.
 *
 *     typedef struct HoldOptions {
 *         const char *reason;
 *         usec duration_usec;
 *     } HoldOptions;
 *
 *     static const Option options[] = {
 *         OPTION_DURATION(HoldOptions, duration_usec, "for", 0, "End by itself after this time."),
 *         OPTION_TEXT(HoldOptions, reason, "reason", 'r', "TEXT", "Why; others see it."),
 *         OPTIONS_END,
 *     };
 *
 * Syntax is that of getopt_long(3): --name VALUE, --name=VALUE, -x VALUE, -xVALUE, bundled switches, `--` ends options.
 * Names are not abbreviated: a script would change its meaning with the next option. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/vec.h"

typedef enum OptionKind {
    OPTION_KIND_FLAG,     /* bool */
    OPTION_KIND_TEXT,     /* const char *; NULL where not given */
    OPTION_KIND_LIST,     /* StringVec; may be given several times */
    OPTION_KIND_DURATION, /* usec; 0 where not given */
    OPTION_KIND_CHOICE,   /* const char *, one of choices; NULL where not given */
} OptionKind;

/* What completion offers for a word. */
typedef enum Completes {
    COMPLETES_NOTHING,
    COMPLETES_FILE,
    COMPLETES_DIRECTORY,
    COMPLETES_PLAYBOOK,
    COMPLETES_RUN,
    COMPLETES_UNIT,
    COMPLETES_COMMAND,
} Completes;

typedef struct Option {
    OptionKind kind;
    const char *name;     /* without the dashes */
    char letter;          /* 0: none */
    const char *argument; /* "DIR"; NULL for flags */
    const char *help;     /* one sentence */
    const char *const *choices;
    Completes completes;
    size_t offset; /* of the member in the options struct */
} Option;

#define OPTION_OFFSET(T, member, M)                                                                                    \
    (offsetof(T, member) + 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((T *)0)->member), M) ? 1 : -1]))

#define OPTION_FLAG(T, member, long_name, short_name, text)                                                            \
    {                                                                                                                  \
        .kind = OPTION_KIND_FLAG, .name = (long_name), .letter = (short_name), .help = (text),                         \
        .offset = OPTION_OFFSET(T, member, bool)                                                                       \
    }
#define OPTION_TEXT(T, member, long_name, short_name, value, text, ...)                                                \
    {                                                                                                                  \
        .kind = OPTION_KIND_TEXT, .name = (long_name), .letter = (short_name), .argument = (value), .help = (text),    \
        .offset = OPTION_OFFSET(T, member, const char *), __VA_ARGS__                                                  \
    }
#define OPTION_LIST(T, member, long_name, short_name, value, text, ...)                                                \
    {                                                                                                                  \
        .kind = OPTION_KIND_LIST, .name = (long_name), .letter = (short_name), .argument = (value), .help = (text),    \
        .offset = OPTION_OFFSET(T, member, StringVec), __VA_ARGS__                                                     \
    }
#define OPTION_DURATION(T, member, long_name, short_name, text)                                                        \
    {                                                                                                                  \
        .kind = OPTION_KIND_DURATION, .name = (long_name), .letter = (short_name), .argument = "DURATION",             \
        .help = (text), .offset = OPTION_OFFSET(T, member, usec)                                                       \
    }
#define OPTION_CHOICE(T, member, long_name, short_name, choice_list, value, text)                                      \
    {                                                                                                                  \
        .kind = OPTION_KIND_CHOICE, .name = (long_name), .letter = (short_name), .argument = (value), .help = (text),  \
        .choices = (choice_list), .offset = OPTION_OFFSET(T, member, const char *)                                     \
    }
#define OPTIONS_END                                                                                                    \
    {                                                                                                                  \
        .name = NULL                                                                                                   \
    }

/* A table and the struct that it fills. */
typedef struct OptionSet {
    const Option *options; /* ends with OPTIONS_END; NULL: none */
    void *values;
} OptionSet;

/* Where the operands of a command line may stand. */
typedef enum OperandRule {
    OPERANDS_MIXED, /* anywhere among the options */
    OPERANDS_REST,  /* the first operand and all behind it, whatever they look like: another command line */
    OPERANDS_STOP,  /* none: reading ends before the first one */
} OperandRule;

/* Reads words[0..n) into the sets; the first set that knows an option gets it. Operands are appended to `operands`.
 * Returns the number of words read; a wrong word is ERR_INVALID with what to do. */
int options_parse(Arena *arena, const OptionSet *sets, size_t n_sets, OperandRule rule, char *const *words,
                  size_t n_words, StringVec *operands, Err *err);
