/* SPDX-License-Identifier: Apache-2.0 */
/* Gunicorn's settings, and its command line read as argparse reads it.
 *
 * The table holds the settings of Gunicorn 19.9 to 26 with their flags; all of them, since argparse resolves
 * abbreviations (--time 60) against all. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "base/vec.h"

typedef enum GunicornType {
    GUNICORN_INT, /* int, >= 0 */
    GUNICORN_STRING,
    GUNICORN_BOOL,     /* a flag without a value on the command line */
    GUNICORN_LIST,     /* may be given several times */
    GUNICORN_CALLABLE, /* hooks: only in the file */
} GunicornType;

typedef struct GunicornSetting {
    const char *name;         /* in the configuration file */
    const char *const *flags; /* NULL-terminated, the long one first; NULL: file only */
    GunicornType type;
    const char *fallback; /* the default as text, NULL for None; of workers: when WEB_CONCURRENCY is not set */
    bool store_false;     /* the flag turns it off (--no-sendfile) */
    const char *since;    /* first version that knows it, NULL: 19.9 or before */
    const char *removed;  /* first version without it, or NULL */
} GunicornSetting;

/* All settings, by name. */
const GunicornSetting *gunicorn_settings(size_t *ret_n);
/* By its name in the file; NULL when unknown. */
const GunicornSetting *gunicorn_setting(const char *name);

/* One use of a flag. */
typedef struct GunicornFlag {
    const GunicornSetting *setting;
    size_t index;      /* of the word with the flag in the argv */
    size_t words;      /* 1 for --timeout=60, -t60 and switches, 2 for --timeout 60 */
    const char *flag;  /* as written, without the value: "--timeout", "--time", "-t" */
    const char *value; /* NULL for a switch */
} GunicornFlag;

typedef struct GunicornArgs {
    VEC(GunicornFlag) flags; /* in order; the last of a name counts, lists and environment (-e) add up */
    const char *app;         /* the positional "module:app", or NULL */
    size_t app_index;
    StringVec unknown; /* what Gunicorn would refuse: unknown or ambiguous flags, missing values, more positionals */
} GunicornArgs;

/* argv without the program; `-m gunicorn` and wrappers are the caller's matter. Never fails: what is wrong is in
 * ret->unknown. */
void gunicorn_parse_args(Arena *arena, const StringVec *argv, GunicornArgs *ret);

/* The use that counts, or NULL. */
const GunicornFlag *gunicorn_flag(const GunicornArgs *args, const char *name);

/* Splits GUNICORN_CMD_ARGS as Python's shlex.split does. ERR_INVALID for an open quote. */
int gunicorn_split_args(Arena *arena, const char *text, StringVec *ret, Err *err);

/* Joins words so that gunicorn_split_args gives them back. */
int gunicorn_join_args(Arena *arena, const StringVec *argv, const char **ret, Err *err);

/* A value as an int setting takes it: decimal digits, blanks and a sign as Python's int() allows, >= 0. ERR_INVALID
 * otherwise. */
int gunicorn_parse_int(const char *text, uint64_t *ret, Err *err);
