/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines and environments of unit files: words, quotes, prefixes, specifiers, variables.
 *
 * The order is systemd's own: a value is split and unquoted (extract-word.c), specifiers are expanded in each word, and
 * only when the command is started variables are replaced ($NAME as a word of its own is split at blanks, ${NAME} stays
 * one word, $$ is a dollar). The inverse for one word is escape_systemd. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "base/vec.h"

/* What the specifiers of the unit stand for, e.g. {'i', "blue"}. */
typedef struct UnitSpecifier {
    char letter;
    const char *value;
} UnitSpecifier;

typedef struct UnitSpecifiers {
    const UnitSpecifier *items;
    size_t n;
} UnitSpecifiers;

/* "%%" is "%". A specifier that systemd knows and the table does not is ERR_INVALID; other letters stay as they are,
 * as systemd does it. */
int unit_expand_specifiers(Arena *arena, const char *text, const UnitSpecifiers *specifiers, const char **ret,
                           Err *err);

/* Splits as settings with quoting do (Environment=, ExecStart=): quotes removed, C escapes resolved. ERR_INVALID for an
 * unbalanced quote, an unknown escape, a NUL. */
int unit_split_words(Arena *arena, const char *text, StringVec *ret, Err *err);

/* One command of an Exec setting, variables not replaced yet. */
typedef struct UnitCommand {
    bool ignore_failure;  /* - */
    bool argv0_given;     /* @: argv[0] is the second word of the line */
    bool no_variables;    /* :: $ is an ordinary letter */
    bool full_privileges; /* + */
    bool ambient;         /* ! or !! */
    const char *path;     /* what is executed */
    StringVec argv;       /* with argv[0] */
} UnitCommand;

typedef VEC(UnitCommand) UnitCommandVec;

/* The commands of one value (";" as a word separates several). */
int unit_parse_command(Arena *arena, const char *value, const UnitSpecifiers *specifiers, UnitCommandVec *ret,
                       Err *err);

/* The value of a variable or NULL. */
typedef const char *(*UnitLookup)(void *ctx, const char *name);

/* argv as the process gets it. */
int unit_expand_argv(Arena *arena, const UnitCommand *command, UnitLookup lookup, void *ctx, StringVec *ret, Err *err);

/* One NAME=VALUE of an Environment= value. */
typedef struct UnitVariable {
    const char *name, *value;
} UnitVariable;

typedef VEC(UnitVariable) UnitVariableVec;

/* Adds the variables of one Environment= value, several to a line, in order. Words that are no assignment to a valid
 * name are skipped, as systemd does. */
int unit_parse_environment(Arena *arena, const char *value, const UnitSpecifiers *specifiers, UnitVariableVec *vec,
                           Err *err);

/* The command line of an ExecStart= value for these words; the first is the program and must be absolute. */
int unit_format_command(Arena *arena, const StringVec *argv, const char **ret, Err *err);
